//! Conversations, cut out of any bytes.
//!
//! Four bytes say what happens, then follow the bytes of a payload: flags, a port, the time that passes before (3 bits) and
//! the length (12 bits).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor::names::Sample;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::protocol::ip;
use sensor_common::sample;

/// Client and server.
pub(super) type Hosts = [IpAddr; 2];

pub(super) const HOSTS: [Hosts; 4] = [
    [v4(10, 0, 0, 1), v4(192, 0, 2, 1)],
    [v6(1), v6(2)],
    [v4(10, 0, 0, 2), v4(224, 0, 0, 251)],
    [v4(10, 0, 0, 2), v4(192, 0, 2, 1)],
];

/// Servers' ports: those with a meaning of their own, and one without.
const PORTS: [u16; 16] = [
    443, 53, 80, 21, 5060, 554, 67, 547, 5353, 5355, 137, 853, 25, 1900, 3478, 40001,
];

/// Of one input.
const MOST: usize = 64;
const START: i64 = 1_700_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn<'a> {
    Payload(Sample<'a>),
    /// A flow is counted for the first time.
    Begin(FlowKey, Option<i64>),
}

impl Turn<'_> {
    pub(super) fn key(&self) -> FlowKey {
        match self {
            Turn::Payload(sample) => sample.key,
            Turn::Begin(key, _) => *key,
        }
    }
}

/// The turns that the bytes make.
pub(super) fn turns(bytes: &[u8]) -> Vec<Turn<'_>> {
    let mut flows = Flows::default();
    let mut now = Some(START);
    let mut rest = bytes;
    let mut turns = Vec::new();
    while let (Some((&[flags, port, high, low], behind)), true) =
        (rest.split_first_chunk::<4>(), turns.len() < MOST)
    {
        let len = usize::from(u16::from_be_bytes([high & 0x0f, low]));
        let (payload, behind) = behind.split_at(len.min(behind.len()));
        rest = behind;
        now = match high >> 4 & 7 {
            0 => now,
            1 => now.map(|now| now + SECOND / 1000),
            2 => now.map(|now| now + 10 * SECOND),
            3 => now.map(|now| now + 400 * SECOND),
            4 => now.map(|now| now + 86_400 * SECOND),
            5 => now.map(|now| now - SECOND),
            6 => None,
            _ => Some(START),
        };
        let key = flow(flags, port);
        turns.push(match flags & BEGINS {
            0 => Turn::Payload(flows.sample(key, flags, now, payload)),
            _ => Turn::Begin(key, now),
        });
    }
    turns
}

const BACK: u8 = 1;
const DATAGRAM: u8 = 2;
const LAST: u8 = 4;
const CUT: u8 = 8;
const BEGINS: u8 = 0x40;
const NEITHER: u8 = 0x80;

fn flow(flags: u8, port: u8) -> FlowKey {
    let [client, server] = HOSTS[usize::from(flags >> 4 & 3)];
    let protocol = match flags & (NEITHER | DATAGRAM) {
        0 => ip::TCP,
        DATAGRAM => ip::UDP,
        _ => 132, // SCTP
    };
    // The upper bits choose among clients' ports.
    let ports = [40000 + u16::from(port >> 4), PORTS[usize::from(port & 15)]];
    match flags & BACK {
        0 => key([client, server], protocol, ports),
        _ => key([server, client], protocol, [ports[1], ports[0]]),
    }
}

pub(super) fn key(hosts: Hosts, protocol: u8, [src, dst]: [u16; 2]) -> FlowKey {
    let mut key = match hosts {
        [IpAddr::V4(src), IpAddr::V4(dst)] => {
            let [src, dst] = [src, dst].map(|addr| u32::from_ne_bytes(addr.octets()));
            FlowKey::ipv4(src, dst, protocol)
        }
        [src, dst] => FlowKey::ipv6(words(src), words(dst), protocol),
    };
    let ([a, b], [c, d]) = (src.to_be_bytes(), dst.to_be_bytes());
    key.set_ports(u32::from_ne_bytes([a, b, c, d]));
    key
}

/// The other way, seen on another interface.
pub(super) fn turned(key: &FlowKey) -> FlowKey {
    let hosts = [key.dst_addr(), key.src_addr()];
    let mut turned = self::key(hosts, key.protocol(), [key.dst_port(), key.src_port()]);
    turned.set_origin(3, Direction::Egress);
    turned
}

fn words(addr: IpAddr) -> [u64; 2] {
    let octets = match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped().octets(),
        IpAddr::V6(addr) => addr.octets(),
    };
    let half = |at: usize| u64::from_ne_bytes(std::array::from_fn(|byte| octets[at + byte]));
    [half(0), half(8)]
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))
}

/// Where each flow's stream is, and how many payloads of it there were.
#[derive(Default)]
struct Flows(Vec<(FlowKey, u32, u8)>);

impl Flows {
    fn sample<'a>(
        &mut self,
        key: FlowKey,
        flags: u8,
        at: Option<i64>,
        payload: &'a [u8],
    ) -> Sample<'a> {
        let place = self.0.iter().position(|(one, ..)| *one == key);
        let place = place.unwrap_or_else(|| {
            self.0.push((key, u32::MAX - 700, 0));
            self.0.len() - 1
        });
        let (_, seq, count) = &mut self.0[place];
        let payload_len = payload.len() as u32 + if flags & CUT == 0 { 0 } else { 100 };
        let (tcp_seq, number) = (*seq, *count);
        *seq = seq.wrapping_add(payload_len);
        let budget = sample::budget(&key).payloads;
        *count = count.saturating_add(1).min(budget);
        Sample {
            key,
            at,
            payload,
            payload_len,
            tcp_seq: (key.protocol() == ip::TCP).then_some(tcp_seq),
            number,
            last: flags & LAST != 0 || number + 1 >= budget,
        }
    }
}
