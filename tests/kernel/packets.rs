//! A mixed capture, made here, and its pcap file.

use std::path::Path;

use etherparse::{
    IpFragOffset, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, PacketBuilder, VlanId,
};

const A: [u8; 6] = [2, 0, 0, 0, 0, 1];
const B: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// Everything that a wire may carry up to `max_len` bytes a frame (Ethernet header included), some 1,000 frames.
pub(crate) fn mixed(max_len: usize) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for number in 0..100u16 {
        let host = (number % 7) as u8 + 1;
        let size = usize::from(number) * 37 % (max_len - 100);
        frames.push(tcp4(host, 40_000 + number, 443, size));
        frames.push(udp4(host, 40_000 + number, 53, size % 400));
        frames.push(tcp6(host, 30_000 + number, 22, size));
        frames.push(udp6(host, 30_000 + number, 443, size));
        frames.push(vlan(&udp4(host, 5000, 5353, 60), &[(0x8100, 100)]));
        frames.push(vlan(
            &tcp6(host, 5001, 80, size % 900),
            &[(0x88a8, 7), (0x8100, 100 + number % 3)],
        ));
        frames.push(icmp4(host, number));
        frames.push(fragment4(host, 0, true));
        frames.push(fragment4(host, 512, false));
        frames.push(arp(host));
        frames.push(extended6(host, number));
        frames.push(other4(host, [47, 50, 89, 2, 132][usize::from(number % 5)]));
        frames.push(ethertype(
            [0x88cc, 0x8809, 0x88f7, 0x1234][usize::from(number % 4)],
        ));
    }
    frames.push(stp());
    frames.push(tcp4(1, 1, 2, max_len - 54));
    frames.push(malformed4());
    frames
}

pub(crate) fn write_pcap(path: &Path, frames: &[Vec<u8>]) {
    let whole: Vec<usize> = frames.iter().map(Vec::len).collect();
    write_cut_pcap(path, frames, &whole);
}

/// Of each frame only so much is there; one each microsecond.
pub(crate) fn write_cut_pcap(path: &Path, frames: &[Vec<u8>], captured: &[usize]) {
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1] {
        bytes.extend(word.to_le_bytes());
    }
    for (number, (frame, captured)) in frames.iter().zip(captured).enumerate() {
        let seconds = 1_700_000_000 + number as u32 / 1_000_000;
        let fraction = number as u32 % 1_000_000;
        for word in [seconds, fraction, *captured as u32, frame.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&frame[..*captured]);
    }
    std::fs::write(path, bytes).unwrap();
}

pub(crate) fn tcp4(host: u8, src: u16, dst: u16, payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(A, B)
        .ipv4([10, 9, 0, host], [10, 9, 1, host], 64)
        .tcp(src, dst, 7, 1024)
        .ack(1);
    built(payload, |bytes, payload| {
        builder.write(bytes, payload).unwrap()
    })
}

pub(crate) fn udp4(host: u8, src: u16, dst: u16, payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(A, B)
        .ipv4([10, 9, 0, host], [10, 9, 1, host], 64)
        .udp(src, dst);
    built(payload, |bytes, payload| {
        builder.write(bytes, payload).unwrap()
    })
}

fn tcp6(host: u8, src: u16, dst: u16, payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(A, B)
        .ipv6(v6(0, host), v6(1, host), 64)
        .tcp(src, dst, 7, 1024)
        .syn();
    built(payload, |bytes, payload| {
        builder.write(bytes, payload).unwrap()
    })
}

fn udp6(host: u8, src: u16, dst: u16, payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(A, B)
        .ipv6(v6(0, host), v6(1, host), 64)
        .udp(src, dst);
    built(payload, |bytes, payload| {
        builder.write(bytes, payload).unwrap()
    })
}

fn icmp4(host: u8, number: u16) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(A, B)
        .ipv4([10, 9, 0, host], [10, 9, 1, host], 64)
        .icmpv4_echo_request(number, 1);
    built(56, |bytes, payload| builder.write(bytes, payload).unwrap())
}

fn built(payload: usize, write: impl FnOnce(&mut Vec<u8>, &[u8])) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, &vec![0x5a; payload]);
    bytes
}

fn v6(net: u8, host: u8) -> [u8; 16] {
    [0x20, 1, 0xd, 0xb8, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host]
}

fn vlan(frame: &[u8], tags: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = frame[..12].to_vec();
    for (tpid, id) in tags {
        bytes.extend(tpid.to_be_bytes());
        bytes.extend(VlanId::try_new(*id).unwrap().value().to_be_bytes());
    }
    bytes.extend(&frame[12..]);
    bytes
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&B[..], &A[..], &ethertype.to_be_bytes(), payload].concat()
}

fn ip4(host: u8, protocol: u8, payload: &[u8], change: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let (src, dst) = ([10, 9, 0, host], [10, 9, 1, host]);
    let mut header =
        Ipv4Header::new(payload.len() as u16, 64, IpNumber(protocol), src, dst).unwrap();
    change(&mut header);
    let mut bytes = Vec::new();
    header.write(&mut bytes).unwrap();
    bytes.extend(payload);
    ethernet(0x0800, &bytes)
}

fn fragment4(host: u8, offset: u16, more: bool) -> Vec<u8> {
    ip4(host, 17, &[0x11; 512], |header| {
        header.more_fragments = more;
        header.fragment_offset = IpFragOffset::try_new(offset / 8).unwrap();
    })
}

fn other4(host: u8, protocol: u8) -> Vec<u8> {
    ip4(host, protocol, &[0x22; 40], |_| ())
}

/// An IPv4 header that claims to be shorter than it can be.
fn malformed4() -> Vec<u8> {
    let mut frame = other4(1, 6);
    frame[14] = 0x43;
    frame
}

/// Hop-by-hop and destination options, then UDP; every third one a non-first fragment.
fn extended6(host: u8, number: u16) -> Vec<u8> {
    let mut payload = vec![60, 0, 1, 4, 0, 0, 0, 0];
    if number.is_multiple_of(3) {
        payload.extend([44, 0, 1, 4, 0, 0, 0, 0]);
        payload.extend([17, 0, 0x01, 0x00, 0, 0, 0, 9]);
    } else {
        payload.extend([17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    payload.extend([0x13, 0x88, 0x14, 0xe9, 0, 24, 0, 0]);
    payload.extend([0; 16]);
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: Ipv6FlowLabel::ZERO,
        payload_length: payload.len() as u16,
        next_header: IpNumber(0),
        hop_limit: 64,
        source: v6(0, host),
        destination: v6(1, host),
    };
    let mut bytes = Vec::new();
    header.write(&mut bytes).unwrap();
    bytes.extend(payload);
    ethernet(0x86dd, &bytes)
}

fn arp(host: u8) -> Vec<u8> {
    let mut payload = vec![0, 1, 8, 0, 6, 4, 0, 1];
    payload.extend(A);
    payload.extend([10, 9, 0, host]);
    payload.extend([0; 6]);
    payload.extend([10, 9, 0, 99]);
    ethernet(0x0806, &payload)
}

fn ethertype(number: u16) -> Vec<u8> {
    ethernet(number, &[0x33; 46])
}

/// 802.3 with LLC.
fn stp() -> Vec<u8> {
    let mut payload = vec![0x42, 0x42, 3];
    payload.extend([0; 35]);
    ethernet(38, &payload)
}
