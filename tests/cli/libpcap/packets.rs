//! Packets on which libpcap's meaning and ours are the same: untagged Ethernet, whole, well-formed, and long enough that
//! no byte that an expression asks for is missing.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::random::Random;

/// Every transport header with its payload has at least this many bytes: in BPF, a load beyond the packet's end rejects the
/// packet whatever else the expression says, here only the comparison is false.
const LEAST: usize = 68;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ipv4,
    Ipv6,
    /// A later fragment.
    Ipv6Fragment,
    /// ARP and RARP.
    Arp,
    Other,
}

pub(super) struct Sample {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

pub(super) const MACS: [[u8; 6]; 6] = [
    [2, 0, 0, 0, 0, 1],
    [2, 0, 0, 0, 0, 2],
    [0, 0x1b, 0x21, 0xaa, 0xbb, 0xcc],
    [0xff; 6],
    [1, 0, 0x5e, 0, 0, 0xfb],
    [0x33, 0x33, 0, 0, 0, 1],
];

pub(super) const IPV4: [[u8; 4]; 10] = [
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    [10, 0, 1, 1],
    [172, 16, 5, 4],
    [192, 168, 1, 1],
    [192, 168, 1, 255],
    [224, 0, 0, 251],
    [239, 255, 255, 250],
    [255; 4],
    [0; 4],
];

pub(super) const IPV6: [&str; 8] = [
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:1::1",
    "fe80::dead:beef",
    "ff02::fb",
    "::",
    "::1",
    "::ffff:10.0.0.1", // no IPv4 address, where it stands
];

pub(super) const PORTS: [u16; 9] = [0, 22, 53, 80, 443, 1024, 8080, 50_000, 65_535];

/// No DCCP and UDP-Lite, which have ports here and none in libpcap.
pub(super) const PROTOCOLS: [u8; 15] = [6, 17, 132, 41, 46, 47, 50, 51, 89, 103, 1, 2, 9, 112, 58];
/// Those of either version of IP, of IPv4 and of IPv6: `icmp` does not ask for the version here, as libpcap does.
const OF_BOTH: usize = 10;
const OF_IPV4: &[u8] = &[1, 1, 1, 2, 9, 112];
const OF_IPV6: &[u8] = &[58];

const ETHERTYPES: [u16; 10] = [
    0x80f3, 0x6001, 0x6002, 0x6003, 0x6004, 0x809b, 0x8863, 0x88cc, 0x88f7, 0x9000,
];

pub(super) fn packets(random: &mut Random, count: usize) -> Vec<Sample> {
    (0..count).map(|_| sample(random)).collect()
}

fn sample(random: &mut Random) -> Sample {
    let (kind, ethertype, payload) = match random.below(20) {
        0..10 => (Kind::Ipv4, 0x0800, ipv4(random)),
        10..15 => (Kind::Ipv6, 0x86dd, ipv6(random)),
        15 => (Kind::Ipv6Fragment, 0x86dd, ipv6_fragment(random)),
        16 | 17 => {
            let ethertype = random.pick(&[0x0806, 0x0806, 0x8035]);
            (Kind::Arp, ethertype, arp(random))
        }
        18 => (Kind::Other, random.pick(&ETHERTYPES), filler(random)),
        _ => {
            let mut spanning_tree = filler(random);
            spanning_tree[..3].copy_from_slice(&[0x42, 0x42, 3]);
            (Kind::Other, spanning_tree.len() as u16, spanning_tree)
        }
    };
    let mut bytes = [random.pick(&MACS), random.pick(&MACS)].concat();
    bytes.extend(ethertype.to_be_bytes());
    bytes.extend(payload);
    Sample { kind, bytes }
}

/// Small and large values, so that comparisons turn out both ways.
fn filler(random: &mut Random) -> Vec<u8> {
    let len = match random.below(8) {
        0 => random.between(500, 1480),
        _ => random.between(LEAST, LEAST + 60),
    };
    (0..len).map(|_| octet(random)).collect()
}

fn octet(random: &mut Random) -> u8 {
    match random.below(3) {
        0 => random.pick(&[0, 1, 2, 0x10, 0x12, 0x40, 0x80, 0xff]),
        _ => random.below(256) as u8,
    }
}

fn transport(random: &mut Random, protocol: u8) -> Vec<u8> {
    let mut bytes = filler(random);
    match protocol {
        6 | 17 | 132 => {
            bytes[..2].copy_from_slice(&random.pick(&PORTS).to_be_bytes());
            bytes[2..4].copy_from_slice(&random.pick(&PORTS).to_be_bytes());
            if protocol == 6 {
                bytes[12] = (random.between(5, 8) as u8) << 4;
                bytes[13] = random.pick(&[0x02, 0x10, 0x11, 0x12, 0x14, 0x18, 0x04, 0xc2]);
            }
        }
        1 | 58 => {
            bytes[0] = random.pick(&[0, 3, 5, 8, 11, 128, 129, 133, 135]);
            bytes[1] = random.pick(&[0, 1, 3]);
        }
        _ => {}
    }
    bytes
}

fn ipv4(random: &mut Random) -> Vec<u8> {
    let protocol = protocol(random, OF_IPV4);
    let payload = transport(random, protocol);
    let options = random.pick(&[0, 0, 0, 4, 12, 40]);
    let header_len = 20 + options;
    let mut header = vec![0x40 | (header_len / 4) as u8, octet(random)];
    header.extend(((header_len + payload.len()) as u16).to_be_bytes());
    header.extend([octet(random), octet(random)]);
    // Whole, not to be fragmented, a first fragment, a middle one, a last one.
    header.extend(
        random
            .pick(&[0u16, 0x4000, 0x4000, 0x2000, 0x2010, 0x0010])
            .to_be_bytes(),
    );
    header.extend([
        random.pick(&[1, 64, 128, 255]),
        protocol,
        octet(random),
        octet(random),
    ]);
    header.extend(random.pick(&IPV4));
    header.extend(random.pick(&IPV4));
    header.extend(vec![1; options]); // no operation
    header.extend(payload);
    header
}

fn ipv6(random: &mut Random) -> Vec<u8> {
    // AH is a transport here, and to libpcap.
    let protocol = protocol(random, OF_IPV6);
    let payload = transport(random, protocol);
    ipv6_header(random, protocol, &payload)
}

fn ipv6_fragment(random: &mut Random) -> Vec<u8> {
    let protocol = protocol(random, OF_IPV6);
    let mut payload = vec![protocol, 0];
    payload.extend(((random.between(1, 100) as u16 * 8) | random.below(2) as u16).to_be_bytes());
    payload.extend([0, 0, 0, octet(random)]);
    payload.extend(filler(random));
    ipv6_header(random, 44, &payload)
}

fn ipv6_header(random: &mut Random, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![
        0x60 | random.below(16) as u8,
        octet(random),
        0,
        octet(random),
    ];
    header.extend((payload.len() as u16).to_be_bytes());
    header.extend([next, random.pick(&[1, 64, 255])]);
    for _ in 0..2 {
        let addr: Ipv6Addr = random.pick(&IPV6).parse().unwrap();
        header.extend(addr.octets());
    }
    header.extend(payload);
    header
}

fn protocol(random: &mut Random, of_version: &[u8]) -> u8 {
    match random.below(6) {
        0 => random.pick(&PROTOCOLS[..OF_BOTH]),
        1 => random.pick(of_version),
        _ => random.pick(&[6, 6, 17, 132]),
    }
}

/// Over Ethernet and IPv4; libpcap does not ask for that, and looks at the same places whatever it is.
fn arp(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, random.between(1, 4) as u8];
    for _ in 0..2 {
        bytes.extend(random.pick(&MACS));
        bytes.extend(Ipv4Addr::from(random.pick(&IPV4)).octets());
    }
    bytes.extend(filler(random));
    bytes
}
