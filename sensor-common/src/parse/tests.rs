//! Hand-made packets, named by the case they hold, and what every parse must keep to.

mod ip;
mod link;
mod properties;
mod second_opinion;
mod transport;
mod truncation;
mod tunnel;

use super::{LinkType, Packet, Reason, on_interface, packet, plain};
use crate::protocol::ip as proto;
use crate::view::SliceView;

const ETHERNET_LEN: u16 = 14;

/// Parses a frame as an interface and as a file would: both must say the same.
fn parse(frame: &[u8]) -> Result<Packet, Reason> {
    let live = on_interface(&SliceView(frame), false);
    assert_eq!(live, packet(&SliceView(frame), LinkType::Ethernet));
    match plain::family(&SliceView(frame)) {
        Some(plain::Family::Ipv4) => assert_eq!(live, plain::ipv4(&SliceView(frame))),
        Some(plain::Family::Ipv6) => assert_eq!(live, plain::ipv6(&SliceView(frame))),
        None => {}
    }
    live
}

#[track_caller]
fn parsed(frame: &[u8]) -> Packet {
    match parse(frame) {
        Ok(packet) => packet,
        Err(reason) => panic!("{}: {frame:02x?}", reason.name()),
    }
}

/// Asserts that the packet is the one that [`udp4`] makes.
#[track_caller]
fn assert_udp4(packet: &Packet) {
    assert!(packet.key.is_ip(), "network {:#06x}", packet.key.network());
    assert_eq!(flow(packet), "10.0.0.1:1000 > 10.0.0.2:53 17");
}

/// Source, destination and IP protocol, as one line.
fn flow(packet: &Packet) -> String {
    let key = &packet.key;
    let (src, dst) = (key.src_addr(), key.dst_addr());
    if !key.has_ports() {
        return format!("{src} > {dst} {}", key.protocol());
    }
    let (from, to) = (key.src_port(), key.dst_port());
    format!("{src}:{from} > {dst}:{to} {}", key.protocol())
}

#[track_caller]
fn assert_network(frame: &[u8], network: u16) {
    let packet = parsed(frame);
    assert!(!packet.key.is_ip(), "{}", flow(&packet));
    assert_eq!(
        packet.key.network(),
        network,
        "{:#06x}",
        packet.key.network()
    );
}

fn ethernet(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(rest);
    frame
}

/// A tag of four bytes: two of its own, and the EtherType of what follows.
fn tag(next: u16, rest: &[u8]) -> Vec<u8> {
    [&[0x20, 0x64], &next.to_be_bytes()[..], rest].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_with_options(protocol, &[], payload)
}

fn ipv4_with_options(protocol: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    assert!(options.len().is_multiple_of(4));
    let len = (20 + options.len() + payload.len()) as u16;
    let mut header = vec![0x45 + (options.len() / 4) as u8, 0];
    header.extend(len.to_be_bytes());
    header.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    header.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    [&header, options, payload].concat()
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend((payload.len() as u16).to_be_bytes());
    header.extend([next, 64]);
    for last in [1, 2] {
        header.extend([
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last,
        ]);
    }
    [&header, payload].concat()
}

fn udp(payload: &[u8]) -> Vec<u8> {
    udp_to(53, payload)
}

fn udp_to(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = 1000u16.to_be_bytes().to_vec();
    header.extend(port.to_be_bytes());
    header.extend((8 + payload.len() as u16).to_be_bytes());
    header.extend([0, 0]);
    [&header, payload].concat()
}

/// 1000 > 443 with the flags given and `options` bytes of no-operation.
fn tcp(flags: u8, options: usize) -> Vec<u8> {
    let mut header = vec![0x03, 0xe8, 0x01, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8];
    header.extend([(5 + options as u8 / 4) << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    header.resize(20 + options, 1);
    header
}

fn udp4() -> Vec<u8> {
    ipv4(proto::UDP, &udp(b"query"))
}

fn udp6() -> Vec<u8> {
    ipv6(proto::UDP, &udp(b"query"))
}

/// An extension header of 8 * (1 + `units`) bytes.
fn extension(next: u8, units: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 8 * (1 + units as usize)];
    header[0] = next;
    header[1] = units;
    [&header, rest].concat()
}

fn fragment(next: u8, offset: u16, more: bool, rest: &[u8]) -> Vec<u8> {
    let field = (offset << 3 | more as u16).to_be_bytes();
    [&[next, 0, field[0], field[1], 0, 0, 0, 9], rest].concat()
}

fn mpls(labels: usize, rest: &[u8]) -> Vec<u8> {
    let mut stack: Vec<u8> = (1..=labels)
        .flat_map(|label| [0, label as u8, u8::from(label == labels), 64])
        .collect();
    stack.extend(rest);
    stack
}

fn pppoe(rest: &[u8]) -> Vec<u8> {
    let len = (rest.len() as u16).to_be_bytes();
    [&[0x11, 0, 0, 7, len[0], len[1]], rest].concat()
}

fn ppp(protocol: u16, rest: &[u8]) -> Vec<u8> {
    [&protocol.to_be_bytes(), rest].concat()
}

/// Whole frames that hold every kind of header once.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let hop_by_hop = ipv6(0, &extension(60, 1, &extension(6, 0, &tcp(0x12, 12))));
    let fragmented = ipv6(44, &fragment(17, 0, true, &udp(b"first")));
    let later = ipv6(44, &fragment(17, 5, false, b"in the middle"));
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &udp4()[..]].concat();
    let mut backbone = vec![0, 0, 0, 1];
    backbone.extend(ethernet(0x0800, &udp4()));
    vec![
        ("udp4", ethernet(0x0800, &udp4())),
        ("tcp4", ethernet(0x0800, &ipv4(proto::TCP, &tcp(2, 20)))),
        (
            "options",
            ethernet(0x0800, &ipv4_with_options(6, &[1; 40], &tcp(0x10, 0))),
        ),
        ("sctp4", ethernet(0x0800, &ipv4(proto::SCTP, &udp(b"init")))),
        (
            "icmp4",
            ethernet(0x0800, &ipv4(proto::ICMP, &[8, 0, 1, 2, 3, 4, 5, 6])),
        ),
        ("udp6", ethernet(0x86dd, &udp6())),
        ("tcp6", ethernet(0x86dd, &ipv6(proto::TCP, &tcp(0x18, 0)))),
        (
            "hop by hop, destination options",
            ethernet(0x86dd, &hop_by_hop),
        ),
        ("first fragment", ethernet(0x86dd, &fragmented)),
        ("later fragment", ethernet(0x86dd, &later)),
        ("vlan", ethernet(0x8100, &tag(0x0800, &udp4()))),
        (
            "qinq",
            ethernet(0x88a8, &tag(0x8100, &tag(0x86dd, &udp6()))),
        ),
        (
            "e-tag",
            ethernet(0x893f, &[&[0; 6], &[8, 0][..], &udp4()].concat()),
        ),
        (
            "vn-tag",
            ethernet(0x8926, &[&[0; 4], &[8, 0][..], &udp4()].concat()),
        ),
        ("802.1ah", ethernet(0x88e7, &backbone)),
        ("snap", ethernet(snap.len() as u16, &snap)),
        ("llc stp", ethernet(7, &[0x42, 0x42, 3, 0, 0, 0, 0])),
        ("pppoe", ethernet(0x8864, &pppoe(&ppp(0x21, &udp4())))),
        (
            "pppoe lcp",
            ethernet(0x8864, &pppoe(&ppp(0xc021, &[9, 0, 0, 8]))),
        ),
        ("arp", ethernet(0x0806, &[0; 28])),
        ("mpls", ethernet(0x8847, &mpls(3, &udp6()))),
    ]
}
