//! Packets that have something for every test of a filter: all link layers and tags, addresses and ports that the
//! expressions ask for, fragments, extension headers, and the same ones cut or damaged.

use crate::test_run::Random;

impl Random {
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const PORTS: [u16; 12] = [
    22, 53, 80, 443, 8000, 8050, 8100, 8101, 0, 65_535, 40_000, 5353,
];
const MACS: [[u8; 6]; 5] = [
    [2, 0, 0, 0, 0, 1],
    [2, 0, 0, 0, 0, 2],
    [0xff; 6],
    [1, 0, 0x5e, 0, 0, 1],
    [0x33, 0x33, 0, 0, 0, 1],
];
const IPV4: [[u8; 4]; 12] = [
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    [10, 1, 2, 3],
    [10, 255, 0, 1],
    [192, 168, 1, 1],
    [192, 168, 200, 9],
    [172, 16, 5, 5],
    [8, 8, 8, 8],
    [224, 0, 0, 251],
    [255, 255, 255, 255],
    [0, 0, 0, 0],
    [127, 0, 0, 1],
];
const IPV6: [[u16; 8]; 7] = [
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
    [0x2001, 0xdb8, 0, 1, 0, 0, 0, 2],
    [0x2001, 0xdb9, 0, 0, 0, 0, 0, 1],
    [0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1],
    [0xff02, 0, 0, 0, 0, 0, 0, 0xfb],
    [0, 0, 0, 0, 0, 0xffff, 0x0a00, 1],
    [0; 8],
];

/// `count` packets with Ethernet headers, most of them whole.
pub(super) fn with_ethernet(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let make = |_| {
        let frame = ethernet(random);
        damaged(random, frame)
    };
    (0..count).map(make).collect()
}

/// As on a device without link layer.
pub(super) fn without_link_layer(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let make = |_| {
        let packet = if random.below(3) == 0 {
            ip6(random)
        } else {
            ip4(random)
        };
        damaged(random, packet)
    };
    (0..count).map(make).collect()
}

/// Every third is cut or has a few bytes changed near the front, where the headers are.
fn damaged(random: &mut Random, mut frame: Vec<u8>) -> Vec<u8> {
    match random.below(6) {
        0 => frame.truncate(14 + random.below(frame.len())),
        1 => {
            for _ in 0..1 + random.below(4) {
                let (at, value) = (random.below(80), random.next() as u8);
                if let Some(byte) = frame.get_mut(at) {
                    *byte = value;
                }
            }
        }
        _ => {}
    }
    frame
}

fn ethernet(random: &mut Random) -> Vec<u8> {
    let mut frame = [random.one(&MACS), random.one(&MACS)].concat();
    // One more than the parser walks over, now and then.
    let tags = [0, 0, 0, 0, 1, 1, 2, 3, 5][random.below(9)];
    for _ in 0..tags {
        let id = random.one(&[0, 5, 10, 20, 100, 4095]);
        frame.extend(
            random
                .one(&[0x8100u16, 0x8100, 0x88a8, 0x9100, 0x9200])
                .to_be_bytes(),
        );
        frame.extend((random.one(&[0u16, 0x6000, 0x1000]) | id).to_be_bytes());
    }
    let (ethertype, packet) = match random.below(12) {
        0..6 => (0x0800u16, ip4(random)),
        6..9 => (0x86dd, ip6(random)),
        9 => (0x0806, arp(random)),
        _ => (random.one(&[0x88cc, 0x8035, 0x1234]), vec![0x33; 46]),
    };
    let ip = matches!(ethertype, 0x0800 | 0x86dd);
    match random.below(10) {
        0 if ip => {
            frame.extend([0x88, 0x47]);
            let depth = 1 + random.below(3);
            for place in 1..=depth {
                let label = random.one(&[16u32, 100, 1000, 0xf_ffff]);
                let bottom = u32::from(place == depth) << 8;
                frame.extend((label << 12 | bottom | 64).to_be_bytes());
            }
        }
        1 if ip => {
            let protocol = if ethertype == 0x0800 {
                0x0021u16
            } else {
                0x0057
            };
            frame.extend([0x88, 0x64, 0x11, 0]);
            frame.extend(random.one(&[1u16, 7, 0x1234]).to_be_bytes());
            frame.extend((packet.len() as u16 + 2).to_be_bytes());
            frame.extend(protocol.to_be_bytes());
        }
        2 => {
            frame.extend((packet.len() as u16 + 8).to_be_bytes());
            frame.extend([0xaa, 0xaa, 3, 0, 0, 0]);
            frame.extend(ethertype.to_be_bytes());
        }
        3 if !ip => frame.extend([0, 46, 0x42, 0x42, 3]), // a spanning tree's service access point
        _ => frame.extend(ethertype.to_be_bytes()),
    }
    frame.extend(packet);
    frame.resize(frame.len().max(60), 0);
    frame
}

fn ip4(random: &mut Random) -> Vec<u8> {
    let (protocol, payload) = transport(random, 1);
    let options = [0, 0, 0, 4, 40][random.below(5)];
    let fragment = random.one(&[0u16, 0, 0, 0, 0, 0x4000, 0x2000, 0x2040, 0x0040]);
    let mut packet = vec![0x45 + options / 4, random.one(&[0, 0xb8])];
    packet.extend((20 + u16::from(options) + payload.len() as u16).to_be_bytes());
    packet.extend([0, 7]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([random.one(&[1, 4, 64, 255]), protocol, 0, 0]);
    packet.extend(random.one(&IPV4));
    packet.extend(random.one(&IPV4));
    packet.extend(std::iter::repeat_n(1, usize::from(options)));
    packet.extend(payload);
    packet
}

/// With extension headers, some of them a fragment's.
fn ip6(random: &mut Random) -> Vec<u8> {
    const FRAGMENT: u8 = 44;
    let (protocol, payload) = transport(random, 58);
    let kinds: Vec<u8> = (0..[0, 0, 0, 1, 2, 3][random.below(6)])
        .map(|_| random.one(&[0, 43, 60, FRAGMENT]))
        .collect();
    let mut extensions = Vec::new();
    for (place, kind) in kinds.iter().enumerate() {
        let next = *kinds.get(place + 1).unwrap_or(&protocol);
        if *kind == FRAGMENT {
            extensions.extend([next, 0, 0, random.one(&[0, 1, 1 << 3, 0xf8]), 0, 0, 0, 9]);
        } else {
            let len = random.below(3);
            extensions.extend([next, len as u8, 1, 4]);
            extensions.extend(vec![0; 4 + len * 8]);
        }
    }
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((extensions.len() as u16 + payload.len() as u16).to_be_bytes());
    packet.extend([
        *kinds.first().unwrap_or(&protocol),
        random.one(&[1, 64, 255]),
    ]);
    for addr in [random.one(&IPV6), random.one(&IPV6)] {
        packet.extend(addr.iter().flat_map(|word| word.to_be_bytes()));
    }
    packet.extend(extensions);
    packet.extend(payload);
    packet
}

fn transport(random: &mut Random, icmp: u8) -> (u8, Vec<u8>) {
    let data = random.one(&[0, 1, 7, 30, 200, 490, 1300]);
    let protocol = random.one(&[6, 6, 6, 17, 17, icmp, 132, 2, 50, 51, 47, 4, 89, 33, 136]);
    let mut header = random.one(&PORTS).to_be_bytes().to_vec();
    header.extend(random.one(&PORTS).to_be_bytes());
    match protocol {
        6 => {
            let options = random.one(&[0u8, 0, 12, 40]);
            let flags = random.one(&[2, 0x12, 0x10, 0x18, 0x11, 4]);
            header.extend([0, 0, 0, 1, 0, 0, 0, 0, (5 + options / 4) << 4, flags]);
            header.extend([4, 0, 0, 0, 0, 0]);
            header.extend(vec![1; usize::from(options)]);
        }
        1 => {
            header = vec![
                random.one(&[0, 3, 8, 11]),
                random.one(&[0, 1, 4]),
                0,
                0,
                0,
                1,
                0,
                2,
            ]
        }
        58 => {
            header = vec![
                random.one(&[128, 129, 135, 1]),
                random.one(&[0, 1]),
                0,
                0,
                0,
                1,
                0,
                2,
            ]
        }
        _ => {
            header.extend((data as u16 + 8).to_be_bytes());
            header.extend([0, 0]);
        }
    }
    header.extend(std::iter::repeat_n(b'G', data));
    (protocol, header)
}

fn arp(random: &mut Random) -> Vec<u8> {
    let mut packet = vec![0, 1];
    packet.extend(random.one(&[
        [8, 0, 6, 4],
        [8, 0, 6, 4],
        [8, 0, 6, 4],
        [0x86, 0xdd, 6, 16],
    ]));
    packet.extend([0, random.one(&[1, 2])]);
    for _ in 0..2 {
        packet.extend(random.one(&MACS));
        packet.extend(random.one(&IPV4));
    }
    packet
}
