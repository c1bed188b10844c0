//! Comparisons of bytes, with arithmetic.

use super::expressions::Expression;
use super::packets::Kind;
use super::random::Random;

/// What bytes can be asked of. libpcap knows those of transports in IPv4 only, and `icmp6` at a fixed place behind the
/// IPv6 header, where a fragment has its fragment header.
const BASES: [(&str, &[Kind]); 15] = [
    ("ether", &[]),
    ("link", &[]),
    ("ip", &[]),
    ("ip", &[]),
    ("ip6", &[]),
    ("arp", &[]),
    ("rarp", &[]),
    ("tcp", OF_IPV4),
    ("tcp", OF_IPV4),
    ("udp", OF_IPV4),
    ("icmp", OF_IPV4),
    ("icmp6", &[Kind::Ipv6Fragment]),
    ("sctp", OF_IPV4),
    ("igmp", OF_IPV4),
    ("pim", OF_IPV4),
];
const OF_IPV4: &[Kind] = &[Kind::Ipv6, Kind::Ipv6Fragment];

/// With the constants that people know.
const FAMOUS: [&str; 15] = [
    "tcp[tcpflags] & tcp-syn != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[tcpflags] == tcp-syn|tcp-ack",
    "tcp[13] & 7 != 0",
    "(tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0))",
    "tcp[(tcp[12]>>2)&0x3c:4] = 0x47455420",
    "(icmp[icmptype] = icmp-echo or icmp[icmptype] == icmp-echoreply)",
    "icmp[icmpcode] <= 1",
    "ip[6:2] & 0x1fff != 0",
    "ip[0] & 0xf != 5",
    "ip[8] < 65",
    "udp[4:2] >= 100",
    "ip[4:2] % 7 + 30 > 12",
    "ip[4:2] / 7 % 5 > 1",
    "ip[4:2] ^ 7 & 255 - 1 > 0x1000",
];

pub(super) fn relation(random: &mut Random) -> Expression {
    if random.one_in(4) {
        return Expression::leaf(random.pick(&FAMOUS)).without(OF_IPV4);
    }
    let side = Side::new(random);
    let left = side.term(random, 2);
    let other = Side::new(random);
    let right = match random.one_in(2) {
        true => number(random),
        false => other.term(random, 1),
    };
    let sign = random.pick(&["=", "==", "!=", "<", ">", "<=", ">="]);
    let blank = random.pick(&["", " "]);
    Expression::leaf(format!("{left}{blank}{sign}{blank}{right}"))
        .without(&side.leaves)
        .without(&other.leaves)
}

fn number(random: &mut Random) -> String {
    match random.below(6) {
        0 => random
            .pick(&["0x10", "0xff", "017", "0x0a000001", "0xffffffff"])
            .to_owned(),
        _ => random
            .pick(&[0, 1, 2, 5, 6, 17, 64, 69, 80, 255, 256, 443])
            .to_string(),
    }
}

/// One side of a comparison, with bytes of one header: of an operation, libpcap asks only whether the left operand's
/// header is there.
struct Side {
    base: &'static str,
    leaves: Vec<Kind>,
}

impl Side {
    fn new(random: &mut Random) -> Self {
        let (base, leaves) = random.pick(&BASES);
        Side {
            base,
            leaves: leaves.to_vec(),
        }
    }

    /// Bytes, or something that begins with bytes.
    fn term(&self, random: &mut Random, depth: usize) -> String {
        match depth {
            0 => self.bytes(random),
            _ if random.one_in(4) => self.bytes(random),
            _ => self.operation(random, depth - 1),
        }
    }

    fn operand(&self, random: &mut Random, depth: usize) -> String {
        match random.below(4) {
            0 => number(random),
            1 => "len".to_owned(),
            _ => self.term(random, depth),
        }
    }

    /// Nothing is divided by what may be zero: in BPF that rejects the packet, here the comparison is false.
    fn operation(&self, random: &mut Random, depth: usize) -> String {
        let left = self.term(random, depth);
        let left = enclosed(random, left);
        match random.below(5) {
            0 => {
                // What follows `%`, and `%` itself behind `/`, would become part of the divisor.
                let divisor = random.pick(&[1, 2, 3, 7, 16, 255]);
                format!("({left} {} {divisor})", random.pick(&["/", "%"]))
            }
            1 => {
                let by = random.below(32);
                format!("{left} {} {by}", random.pick(&["<<", ">>"]))
            }
            _ => {
                let sign = random.pick(&["+", "-", "*", "&", "|", "^"]);
                let right = self.operand(random, depth);
                format!("{left} {sign} {}", enclosed(random, right))
            }
        }
    }

    fn bytes(&self, random: &mut Random) -> String {
        let base = self.base;
        let offset = match random.below(6) {
            0 => {
                let offset = self.bytes(random);
                format!("({offset} & {})", random.pick(&[7, 15, 31]))
            }
            _ => random.below(60).to_string(),
        };
        let size = random.pick(&["", "", ":1", ":2", ":4"]);
        format!("{base}[{offset}{size}]")
    }
}

/// Or not: both read the same text.
fn enclosed(random: &mut Random, text: String) -> String {
    match random.one_in(3) {
        true => text,
        false => format!("({text})"),
    }
}
