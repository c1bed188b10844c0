//! Packets for tests: IP packets from etherparse's builder, and what can be put around them.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, PacketBuilderStep};

pub(crate) mod ethertype {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const IPV6: u16 = 0x86dd;
    pub(crate) const MPLS: u16 = 0x8847;
    pub(crate) const PPPOE: u16 = 0x8864;
    pub(crate) const QINQ: u16 = 0x88a8;
}

/// `"10.0.0.1:80"` or `"[2001:db8::1]:80"`.
pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// An IP packet with a UDP datagram of `payload` bytes: 28 bytes more by IPv4, 48 by IPv6.
pub(crate) fn udp(from: SocketAddr, to: SocketAddr, payload: usize) -> Vec<u8> {
    let built = ip(from.ip(), to.ip()).udp(from.port(), to.port());
    let mut packet = Vec::with_capacity(built.size(payload));
    built.write(&mut packet, &vec![0xda; payload]).unwrap();
    packet
}

/// A TCP segment: 40 bytes more than `payload` by IPv4, 60 by IPv6. `flags` are letters of `SAFRP`.
pub(crate) fn tcp(from: SocketAddr, to: SocketAddr, flags: &str, payload: usize) -> Vec<u8> {
    let mut built = ip(from.ip(), to.ip()).tcp(from.port(), to.port(), 1000, 64_240);
    for flag in flags.chars() {
        built = match flag {
            'S' => built.syn(),
            'A' => built.ack(1),
            'F' => built.fin(),
            'R' => built.rst(),
            'P' => built.psh(),
            other => panic!("no TCP flag {other}"),
        };
    }
    let mut packet = Vec::with_capacity(built.size(payload));
    built.write(&mut packet, &vec![0x55; payload]).unwrap();
    packet
}

/// An ICMP or ICMPv6 echo request with `payload` bytes: 28 bytes more by IPv4, 48 by IPv6.
pub(crate) fn echo(from: IpAddr, to: IpAddr, payload: usize) -> Vec<u8> {
    let built = ip(from, to);
    let payload = vec![0xec; payload];
    let mut packet = Vec::new();
    match from {
        IpAddr::V4(_) => built
            .icmpv4_echo_request(7, 1)
            .write(&mut packet, &payload)
            .unwrap(),
        IpAddr::V6(_) => built
            .icmpv6_echo_request(7, 1)
            .write(&mut packet, &payload)
            .unwrap(),
    }
    packet
}

/// An IP packet of any protocol around the bytes given: 20 bytes more by IPv4, 40 by IPv6.
pub(crate) fn other(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let (len, protocol) = (payload.len() as u16, IpNumber(protocol));
            let header = Ipv4Header::new(len, 64, protocol, from.octets(), to.octets());
            let mut header = header.unwrap();
            header.header_checksum = header.calc_header_checksum();
            header.write(&mut packet).unwrap();
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let header = Ipv6Header {
                payload_length: payload.len() as u16,
                next_header: IpNumber(protocol),
                hop_limit: 64,
                source: from.octets(),
                destination: to.octets(),
                ..Ipv6Header::default()
            };
            header.write(&mut packet).unwrap();
        }
        _ => panic!("{from} and {to} are of two families"),
    }
    packet.extend(payload);
    packet
}

/// Makes an IPv4 packet the fragment at `offset` (bytes, a multiple of 8).
pub(crate) fn fragment(packet: &[u8], offset: u16, more: bool) -> Vec<u8> {
    let (mut header, payload) = Ipv4Header::from_slice(packet).unwrap();
    header.more_fragments = more;
    header.fragment_offset = (offset / 8).try_into().unwrap();
    header.header_checksum = header.calc_header_checksum();
    let mut fragment = Vec::new();
    header.write(&mut fragment).unwrap();
    fragment.extend(payload);
    fragment
}

/// Ethernet: 14 bytes more.
pub(crate) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An IP packet in Ethernet, with the EtherType of its version.
pub(crate) fn ethernet_ip(packet: &[u8]) -> Vec<u8> {
    let ipv6 = packet[0] >> 4 == 6;
    ethernet(
        if ipv6 {
            ethertype::IPV6
        } else {
            ethertype::IPV4
        },
        packet,
    )
}

/// An 802.1Q tag, 4 bytes: stands before its payload, behind an EtherType of a tag.
pub(crate) fn tag(vlan: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    prefix(
        &[vlan.to_be_bytes(), ethertype.to_be_bytes()].concat(),
        payload,
    )
}

/// One MPLS label, 4 bytes.
pub(crate) fn label(label: u32, bottom: bool, payload: &[u8]) -> Vec<u8> {
    prefix(
        &(label << 12 | u32::from(bottom) << 8 | 64).to_be_bytes(),
        payload,
    )
}

/// PPPoE session and PPP protocol number, 8 bytes.
pub(crate) fn pppoe(protocol: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x11, 0, 0, 9];
    header.extend((payload.len() as u16 + 2).to_be_bytes());
    header.extend(protocol.to_be_bytes());
    prefix(&header, payload)
}

pub(crate) fn prefix(header: &[u8], payload: &[u8]) -> Vec<u8> {
    [header, payload].concat()
}

/// A hop-by-hop or destination options header of 8 bytes before `payload`.
pub(crate) fn ipv6_options(next: u8, payload: &[u8]) -> Vec<u8> {
    prefix(&[next, 0, 1, 4, 0, 0, 0, 0], payload)
}

/// An IPv6 fragment header, 8 bytes; `offset` in bytes, a multiple of 8.
pub(crate) fn ipv6_fragment(next: u8, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![next, 0];
    header.extend((offset | u16::from(more)).to_be_bytes());
    header.extend([0, 0, 0, 1]);
    prefix(&header, payload)
}

fn ip(from: IpAddr, to: IpAddr) -> PacketBuilderStep<etherparse::IpHeaders> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
        _ => panic!("{from} and {to} are of two families"),
    }
}

/// A flow of each IP version, what is no IP, and what is no packet.
pub(crate) fn some_of_everything() -> [Vec<u8>; 4] {
    let (from, to) = (at("[2001:db8::1]:40000"), at("[2001:db8::2]:443"));
    [
        ethernet_ip(&udp(at("10.0.0.1:1111"), at("10.0.0.2:53"), 10)),
        ethernet_ip(&tcp(from, to, "S", 0)),
        ethernet(ethertype::ARP, &[0; 28]),
        vec![1, 2, 3],
    ]
}
