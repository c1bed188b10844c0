//! Expressions that between them use every check, and the lists that some of them name.

use std::fmt::Write;

use sensor::filter::Library;

/// Which packets of a corpus an expression must match, so that a comparison can't be of nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expect {
    /// Some, and not all.
    Some,
    /// Some, where there is a link layer.
    WithLink,
    All,
    None,
    /// By one of the hooks all, by the others none.
    Way,
}

pub(super) const EXPRESSIONS: &[(&str, Expect)] = &[
    // Words of the flow key.
    ("ip", Expect::Some),
    ("ip6", Expect::Some),
    ("arp", Expect::WithLink),
    ("not (ip or ip6)", Expect::Some),
    ("tcp", Expect::Some),
    ("icmp6 or icmp or sctp", Expect::Some),
    ("ip proto 47 or ip6 proto 89", Expect::Some),
    ("ether proto 0x88cc or ether proto 0x42", Expect::WithLink),
    ("host 10.0.0.1", Expect::Some),
    (
        "src net 10.0.0.0/9 and dst net 192.168.0.0/16",
        Expect::Some,
    ),
    ("net 0.0.0.0/0", Expect::Some),
    ("dst host 2001:db8::1", Expect::Some),
    ("src net 2001:db8::/47 or dst net fe80::/10", Expect::Some),
    ("src and dst net 10.0.0.0/8", Expect::Some),
    ("ip multicast or ip6 multicast", Expect::Some),
    ("ip broadcast", Expect::Some),
    ("not net 10.0.0.0/8 and not net 2001:db8::/32", Expect::Some),
    // Ports.
    ("port 443", Expect::Some),
    ("not port 22", Expect::Some),
    ("tcp dst port 80 or udp src port 53", Expect::Some),
    ("port 0", Expect::Some),
    ("src portrange 8000-8100", Expect::Some),
    ("portrange 1-65535", Expect::Some),
    (
        "dst port in {22, 53, 80, 443, 8000-8050, 65535}",
        Expect::Some,
    ),
    ("port in file odd-ports", Expect::Some),
    ("udp and not dst port in file odd-ports", Expect::Some),
    ("src port in file all-ports", Expect::Some),
    // Address lists: of few entries, of thousands, of both versions.
    (
        "net in {10.0.0.0/24, 172.16.0.0/12, 8.8.8.8, 2001:db8:0:1::/64, 127.0.0.0/8}",
        Expect::Some,
    ),
    ("src net in file block-list", Expect::Some),
    ("not dst net in file block-list and tcp", Expect::Some),
    (
        "net in file block-list and net in file other-list",
        Expect::Some,
    ),
    ("src and dst net in file block-list", Expect::Some),
    // Tags.
    ("vlan", Expect::WithLink),
    ("vlan 10 and vlan 20", Expect::WithLink),
    ("vlan 0 or vlan 4095", Expect::WithLink),
    ("not vlan and ip", Expect::Some),
    ("vlan in {5, 100}", Expect::WithLink),
    ("vlan in {1-300}", Expect::WithLink),
    ("vlan in {1-4094}", Expect::WithLink),
    ("not vlan in {1-20, 30-4095} and ip", Expect::Some),
    ("mpls", Expect::WithLink),
    ("mpls in {16-1000}", Expect::WithLink),
    ("mpls in {0-15, 1046000-1048575}", Expect::WithLink),
    ("not mpls in {15-100} and mpls", Expect::WithLink),
    ("pppoes in {1-50, 4000-4700}", Expect::WithLink),
    ("mpls 1048575 or mpls 16", Expect::WithLink),
    ("pppoes and tcp", Expect::WithLink),
    ("pppoes 7 or pppoes 4660", Expect::WithLink),
    (
        "vlan 5 and mpls 100 or pppoes 1 and not vlan",
        Expect::WithLink,
    ),
    // Bytes of the link layer and of ARP.
    ("ether host 02:00:00:00:00:01", Expect::WithLink),
    ("ether src 02:00:00:00:00:02 and ip", Expect::WithLink),
    ("broadcast or multicast", Expect::WithLink),
    ("not ether dst ff:ff:ff:ff:ff:ff", Expect::Some),
    ("arp host 10.0.0.1", Expect::WithLink),
    (
        "arp src net 10.0.0.0/8 and arp dst net 128.0.0.0/1",
        Expect::WithLink,
    ),
    // Lengths and ways.
    ("greater 500", Expect::Some),
    ("less 60", Expect::Some),
    ("len > 100 and len <= 300", Expect::Some),
    ("len != 60", Expect::Some),
    ("ingress", Expect::Way),
    ("(egress or ip) and not (egress and not ip6)", Expect::Some),
    ("interface lo", Expect::All),
    ("interface eth9", Expect::None),
    // Formulas: every base, every operator, computed offsets.
    ("tcp[tcpflags] & tcp-syn != 0", Expect::Some),
    ("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", Expect::Some),
    (
        "tcp port 80 and (ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2) != 0",
        Expect::Some,
    ),
    (
        "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47474747",
        Expect::Some,
    ),
    ("ip[8] < 5", Expect::Some),
    ("ip[6:2] & 0x1fff = 0 and ip[6] & 0x20 = 0", Expect::Some),
    ("ip6[7] = 255 or ip6[6] = 44", Expect::Some),
    ("udp[4:2] > 200", Expect::Some),
    ("icmp[icmptype] = icmp-echo or icmp6[0] = 128", Expect::Some),
    ("sctp[0:2] * 3 > 66", Expect::Some),
    ("arp[6:2] = 2 and arp[7] = 2", Expect::WithLink),
    ("ether[0] & 1 = 0", Expect::Some),
    ("ether[12:2] = 0x8100", Expect::WithLink),
    ("ether[len - 1] = 0x47", Expect::Some),
    (
        "ip[0] % 16 = 5 and ip[0] / 16 = 4 and ip[9] * 2 = 12",
        Expect::Some,
    ),
    ("len / ip[9] > 50 or len % ip[9] = 1", Expect::Some),
    (
        "ip[8] / (ip[1] - ip[1]) = 0 or ip[8] % (ip[8] - ip[8]) = 0",
        Expect::None,
    ),
    ("(ip[8] ^ 64) | ip[1] = 0", Expect::Some),
    (
        "1 << ip[8] = 2 or 0xffffffff >> ip[8] = 0x0fffffff",
        Expect::Some,
    ),
    ("1 << ip[8] = 0", Expect::Some),
    (
        "ip[2:2] - len > 0xf0000000 or ip[2:2] - 60 > 0xf0000000",
        Expect::Some,
    ),
    ("ip[0 - 4 : 4] = 0", Expect::None),
    ("tcp[4294967295] = 0 or ip[0xfffffff0:2] >= 0", Expect::None),
    ("ip[2:2] = len - 14", Expect::Some),
    ("ether[ip[0] & 0xf : 2] > ip[ip[9] : 1]", Expect::Some),
    (
        "ip[(ip[0] & 0xf) * 4 : 4] + tcp[4:4] >= tcp[0:4]",
        Expect::Some,
    ),
    // Nests.
    (
        "not (tcp and not (port 80 or not net 10.0.0.0/8))",
        Expect::Some,
    ),
    (
        "(vlan and (tcp or udp) and not port 53) or (not vlan and (icmp or greater 300)) or arp",
        Expect::Some,
    ),
    (
        "tcp port 443 and net 10.0.0.0/8 or udp port 53 and not host 8.8.8.8 or ip6 and tcp[13] & 2 != 0",
        Expect::Some,
    ),
];

/// The files of the lists above, made here.
pub(super) struct Lists;

impl Library for Lists {
    fn named(&self, _: &str) -> Option<&str> {
        None
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn list(&self, path: &str) -> Result<String, String> {
        let mut text = String::new();
        match path {
            "odd-ports" => (0..2000).for_each(|n| line(&mut text, &(2 * n + 1))),
            "all-ports" => text = "0-65535\n".to_owned(),
            // Far from the packets but for the last ones, and of lengths that share strides.
            "block-list" => {
                for n in 0..8000u32 {
                    let [_, b, c, d] = n.wrapping_mul(2_654_435_761).to_be_bytes();
                    line(&mut text, &format_args!("11.{b}.{c}.{d}/{}", 17 + n % 16));
                }
                for n in 0..2000u32 {
                    line(&mut text, &format_args!("2001:db9:{n:x}::/{}", 48 + n % 17));
                }
                text += "10.0.0.0/15\n192.168.1.1\n2001:db8::/63\n224.0.0.0/4\nfe80::ff:fe00:1\n";
            }
            "other-list" => {
                (0..300).for_each(|n| {
                    line(&mut text, &format_args!("12.{}.{}.0/24", n / 256, n % 256))
                });
                text += "10.0.0.2\n10.255.0.0/16\n8.8.8.8/32\n::/128\nff00::/8\n";
            }
            _ => return Err("no such list".to_owned()),
        }
        Ok(text)
    }
}

fn line(text: &mut String, entry: &dyn std::fmt::Display) {
    writeln!(text, "{entry}").unwrap();
}
