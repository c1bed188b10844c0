//! The link layer: Ethernet, tags, MPLS, PPPoE, LLC, and what else captures begin with.

use etherparse::{ArpPacketSlice, Ethernet2HeaderSlice, SingleVlanHeaderSlice};
use sensor_common::protocol::{network, network_name};

use super::layer::Layer;
use super::mac;
use super::walk::{Next, Walk, word16, word32};

const FIRST_ETHERTYPE: u16 = 0x0600;
const BOTTOM_OF_STACK: u8 = 1;

pub(super) fn ethernet(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("ethernet", 14) else {
        return Next::Done;
    };
    let Ok(header) = Ethernet2HeaderSlice::from_slice(bytes) else {
        return Next::Done;
    };
    let destination = mac::describe(&header.destination(), walk.vendors);
    let source = mac::describe(&header.source(), walk.vendors);
    let number = header.ether_type().0;
    layer.field("destination", 0, 6, destination);
    layer.field("source", 6, 6, source);
    kind(&mut layer, 12, number);
    walk.push(layer);
    Next::Ethertype(number)
}

fn kind(layer: &mut Layer, at: usize, number: u16) {
    if number < FIRST_ETHERTYPE {
        layer.field("length", at, 2, format_args!("{number} (802.3)"));
    } else {
        layer.field("type", at, 2, ethertype(number));
    }
}

fn ethertype(number: u16) -> String {
    match network_name(number) {
        Some(name) => format!("0x{number:04x} ({name})"),
        None => format!("0x{number:04x}"),
    }
}

/// What an EtherType announces.
pub(super) fn upper(walk: &mut Walk<'_>, number: u16) -> Next {
    match number {
        network::IPV4 | network::IPV6 => Next::Ip,
        network::ARP | 0x8035 => arp(walk),
        network::VLAN | network::QINQ | network::QINQ_9100 | network::QINQ_9200 => vlan(walk),
        network::VN_TAG => tag(walk, "vn-tag", 6),
        network::E_TAG => tag(walk, "e-tag", 8),
        network::PBB => backbone(walk),
        network::MPLS | network::MPLS_MULTICAST => mpls(walk),
        network::PPPOE_SESSION => pppoe(walk, "pppoe"),
        0x8863 => pppoe(walk, "pppoed"),
        0x6558 => Next::Ethernet,
        0..FIRST_ETHERTYPE => llc(walk),
        _ => Next::Bytes,
    }
}

fn vlan(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("vlan", 4) else {
        return Next::Done;
    };
    let Ok(header) = SingleVlanHeaderSlice::from_slice(bytes) else {
        return Next::Done;
    };
    layer.field("priority", 0, 1, header.priority_code_point().value());
    if header.drop_eligible_indicator() {
        layer.field("drop eligible", 0, 1, "yes");
    }
    layer.field("id", 0, 2, header.vlan_identifier().value());
    let number = header.ether_type().0;
    kind(&mut layer, 2, number);
    walk.push(layer);
    Next::Ethertype(number)
}

/// Tags that end with the EtherType of what follows.
fn tag(walk: &mut Walk<'_>, name: &'static str, len: usize) -> Next {
    let Some((mut layer, bytes)) = walk.take(name, len) else {
        return Next::Done;
    };
    let number = word16(bytes, bytes.len().saturating_sub(2));
    kind(&mut layer, len - 2, number);
    walk.push(layer);
    Next::Ethertype(number)
}

/// 802.1ah: the customer's Ethernet header is part of the link layer, as the parser has it.
fn backbone(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("pbb", 4) else {
        return Next::Done;
    };
    if let [_, a, b, c] = bytes {
        let id = u32::from_be_bytes([0, *a, *b, *c]);
        layer.field("service id", 1, 3, id);
    }
    walk.push(layer);
    Next::Ethernet
}

pub(super) fn mpls(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("mpls", 4) else {
        return Next::Done;
    };
    let entry = word32(bytes, 0);
    let bottom = entry >> 8 & u32::from(BOTTOM_OF_STACK) != 0;
    layer.field("label", 0, 3, entry >> 12);
    layer.field("traffic class", 2, 1, entry >> 9 & 7);
    layer.field("bottom of stack", 2, 1, if bottom { "yes" } else { "no" });
    layer.field("ttl", 3, 1, entry & 0xff);
    walk.push(layer);
    if !bottom {
        return Next::Ethertype(network::MPLS);
    }
    match walk.ahead().first().map(|first| first >> 4) {
        Some(4 | 6) => Next::Ip,
        _ => Next::Bytes,
    }
}

fn pppoe(walk: &mut Walk<'_>, name: &'static str) -> Next {
    let Some((mut layer, bytes)) = walk.take(name, 6) else {
        return Next::Done;
    };
    if let [version, code, a, b, c, d] = *bytes {
        layer.field("version, type", 0, 1, format_args!("0x{version:02x}"));
        layer.field("code", 1, 1, format_args!("0x{code:02x}"));
        layer.field("session", 2, 2, u16::from_be_bytes([a, b]));
        layer.field("length", 4, 2, u16::from_be_bytes([c, d]));
    }
    walk.push(layer);
    if name == "pppoe" {
        Next::Ppp
    } else {
        Next::Bytes
    }
}

/// Address and control bytes are there or not (RFC 1662); Cisco has its own.
pub(super) fn framed_ppp(walk: &mut Walk<'_>) -> Next {
    if let [0xff, 0x03, ..] | [0x0f | 0x8f, 0x00, ..] = walk.ahead()
        && let Some((mut layer, bytes)) = walk.take("hdlc", 2)
    {
        if let [address, control] = bytes {
            layer.field("address", 0, 1, format_args!("0x{address:02x}"));
            layer.field("control", 1, 1, format_args!("0x{control:02x}"));
        }
        walk.push(layer);
    }
    Next::Ppp
}

pub(super) fn ppp(walk: &mut Walk<'_>) -> Next {
    const COMPRESSED: u8 = 1;
    let short = walk.ahead().first().is_some_and(|b| b & COMPRESSED != 0);
    let len = if short { 1 } else { 2 };
    let Some((mut layer, bytes)) = walk.take("ppp", len) else {
        return Next::Done;
    };
    let protocol = bytes
        .iter()
        .fold(0_u16, |sum, byte| sum << 8 | u16::from(*byte));
    let (name, next) = match protocol {
        0x0021 => ("ipv4", Next::Ip),
        0x0057 => ("ipv6", Next::Ip),
        0x0281 | 0x0283 => ("mpls", Next::Ethertype(network::MPLS)),
        0xc021 => ("lcp", Next::Bytes),
        0xc023 => ("pap", Next::Bytes),
        0xc223 => ("chap", Next::Bytes),
        0x8021 => ("ipcp", Next::Bytes),
        0x8057 => ("ipv6cp", Next::Bytes),
        _ => ("not known here", Next::Bytes),
    };
    layer.field(
        "protocol",
        0,
        len,
        format_args!("0x{protocol:04x} ({name})"),
    );
    walk.push(layer);
    next
}

fn llc(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("llc", 3) else {
        return Next::Done;
    };
    let [dsap, ssap, control] = *bytes else {
        return Next::Done;
    };
    let service = network_name(u16::from(dsap)).unwrap_or("llc");
    layer.field("dsap", 0, 1, format_args!("0x{dsap:02x} ({service})"));
    layer.field("ssap", 1, 1, format_args!("0x{ssap:02x}"));
    layer.field("control", 2, 1, format_args!("0x{control:02x}"));
    walk.push(layer);
    match [dsap, ssap, control] {
        [0xaa, 0xaa, 0x03] => snap(walk),
        [0x06, 0x06, 0x03] => Next::Ip,
        _ => Next::Bytes,
    }
}

fn snap(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("snap", 5) else {
        return Next::Done;
    };
    let [a, b, c, d, e] = *bytes else {
        return Next::Done;
    };
    let number = u16::from_be_bytes([d, e]);
    layer.field(
        "organisation",
        0,
        3,
        format_args!("{a:02x}:{b:02x}:{c:02x}"),
    );
    layer.field("type", 3, 2, ethertype(number));
    walk.push(layer);
    match [a, b, c] {
        [0, 0, 0] | [0, 0, 0xf8] => Next::Ethertype(number),
        _ => Next::Bytes,
    }
}

pub(super) fn null(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("loopback", 4) else {
        return Next::Done;
    };
    let family = bytes.first_chunk().copied().map_or(0, u32::from_le_bytes);
    let family = if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    };
    layer.field("family", 0, 4, family);
    walk.push(layer);
    match family {
        2 | 10 | 24 | 28 | 30 => Next::Ip,
        _ => Next::Bytes,
    }
}

/// Linux cooked capture.
pub(super) fn cooked(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("linux-sll", 16) else {
        return Next::Done;
    };
    let number = |at: usize| word16(bytes, at);
    let (protocol, hardware) = (number(14), number(2));
    layer.field("packet type", 0, 2, packet_type(number(0)));
    layer.field("hardware", 2, 2, hardware);
    if number(4) == 6 {
        let source = mac::describe(bytes.get(6..12).unwrap_or_default(), walk.vendors);
        layer.field("source", 6, 6, source);
    }
    layer.field("protocol", 14, 2, ethertype(protocol));
    walk.push(layer);
    of_cooked(protocol, hardware)
}

pub(super) fn cooked2(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("linux-sll2", 20) else {
        return Next::Done;
    };
    let number = |at: usize| word16(bytes, at);
    let (protocol, hardware) = (number(0), number(8));
    layer.field("protocol", 0, 2, ethertype(protocol));
    let index = u32::from(number(4)) << 16 | u32::from(number(6));
    layer.field("interface", 4, 4, index);
    layer.field("hardware", 8, 2, hardware);
    layer.field("packet type", 10, 1, packet_type(number(10) >> 8));
    if bytes.get(11) == Some(&6) {
        let source = mac::describe(bytes.get(12..18).unwrap_or_default(), walk.vendors);
        layer.field("source", 12, 6, source);
    }
    walk.push(layer);
    of_cooked(protocol, hardware)
}

fn of_cooked(protocol: u16, hardware: u16) -> Next {
    const ARPHRD_NETLINK: u16 = 824;
    match protocol {
        _ if hardware == ARPHRD_NETLINK => Next::Bytes,
        4 => Next::Ethertype(0),
        0..FIRST_ETHERTYPE => Next::Bytes,
        number => Next::Ethertype(number),
    }
}

fn packet_type(number: u16) -> String {
    let name = match number {
        0 => "to us",
        1 => "broadcast",
        2 => "multicast",
        3 => "to another host",
        4 => "sent by us",
        _ => "unknown",
    };
    format!("{number} ({name})")
}

pub(super) fn cisco(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("cisco-hdlc", 4) else {
        return Next::Done;
    };
    let number = word16(bytes, bytes.len().saturating_sub(2));
    if let [address, ..] = bytes {
        layer.field("address", 0, 1, format_args!("0x{address:02x}"));
    }
    layer.field("type", 2, 2, ethertype(number));
    walk.push(layer);
    Next::Ethertype(number)
}

fn arp(walk: &mut Walk<'_>) -> Next {
    let ahead = walk.ahead();
    let sizes = ahead.get(4..6).map_or((0, 0), |sizes| match sizes {
        [a, b] => (usize::from(*a), usize::from(*b)),
        _ => (0, 0),
    });
    let (hardware, protocol) = sizes;
    let len = 8 + 2 * (hardware + protocol);
    let Some((mut layer, bytes)) = walk.take("arp", len) else {
        return Next::Done;
    };
    let Ok(arp) = ArpPacketSlice::from_slice(bytes) else {
        return Next::Done;
    };
    let operation = match arp.operation().0 {
        1 => "1 (request)".to_owned(),
        2 => "2 (reply)".to_owned(),
        3 => "3 (reverse request)".to_owned(),
        4 => "4 (reverse reply)".to_owned(),
        other => other.to_string(),
    };
    layer.field("hardware", 0, 2, arp.hw_addr_type().0);
    layer.field("protocol", 2, 2, ethertype(arp.proto_addr_type().0));
    layer.field("operation", 6, 2, operation);
    let rows = [
        (
            "sender",
            arp.sender_hw_addr(),
            arp.sender_protocol_addr(),
            8,
        ),
        (
            "target",
            arp.target_hw_addr(),
            arp.target_protocol_addr(),
            8 + hardware + protocol,
        ),
    ];
    for (who, link, address, at) in rows {
        let shown = mac::describe(link, walk.vendors);
        let shown = if shown.is_empty() { hex(link) } else { shown };
        layer.field(who, at, link.len(), shown);
        let shown = match address.first_chunk::<4>() {
            Some(octets) if address.len() == 4 => std::net::Ipv4Addr::from(*octets).to_string(),
            _ => hex(address),
        };
        layer.field(who, at + link.len(), address.len(), shown);
    }
    walk.push(layer);
    // What is left is padding.
    walk.end = walk.at;
    Next::Done
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
