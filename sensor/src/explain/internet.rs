//! IPv4, IPv6 and its extension headers.

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};
use sensor_common::parse::is_ipv6_extension;
use sensor_common::protocol::transport_name;

use super::layer::Layer;
use super::walk::{Inside, Next, Walk, word16, word32};

const FRAGMENT: u8 = 44;
const MAX_EXTENSIONS: usize = 16;

pub(super) fn by_version(walk: &mut Walk<'_>) -> Next {
    match walk.ahead().first().map(|first| first >> 4) {
        Some(4) => ipv4(walk),
        Some(6) => ipv6(walk),
        Some(other) => {
            walk.ended = Some(format!("an IP header of version {other}"));
            walk.rest("data")
        }
        None => {
            walk.ended = Some("the ip header is cut off: 0 of 20 bytes".to_owned());
            Next::Done
        }
    }
}

fn ipv4(walk: &mut Walk<'_>) -> Next {
    let units = walk.ahead().first().map_or(5, |first| first & 15);
    let len = usize::from(units) * 4;
    if len < 20 {
        walk.ended = Some(format!("an ipv4 header of {len} bytes; it has at least 20"));
        return walk.rest("data");
    }
    let start = walk.at;
    let Some((mut layer, bytes)) = walk.take("ipv4", len) else {
        return Next::Done;
    };
    let header = match Ipv4HeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(error) => {
            walk.ended = Some(error.to_string());
            return Next::Done;
        }
    };
    layer.field("header length", 0, 1, format_args!("{len} bytes"));
    let (dscp, ecn) = (header.dcp().value(), header.ecn().value());
    layer.field("dscp, ecn", 1, 1, format_args!("{dscp}, {ecn}"));
    let total = usize::from(header.total_len());
    let captured = walk.data.len().saturating_sub(start);
    layer.field("total length", 2, 2, total_length(total, len, captured));
    layer.field(
        "id",
        4,
        2,
        format_args!("0x{:04x}", header.identification()),
    );
    let offset = header.fragments_offset().byte_offset();
    let flags = [
        (header.dont_fragment(), "don't fragment"),
        (header.more_fragments(), "more fragments"),
    ];
    let set: Vec<&str> = flags
        .iter()
        .filter_map(|(set, name)| set.then_some(*name))
        .collect();
    let flags = if set.is_empty() {
        "none".to_owned()
    } else {
        set.join(", ")
    };
    layer.field("flags", 6, 1, flags);
    layer.field("fragment offset", 6, 2, offset);
    layer.field("ttl", 8, 1, header.ttl());
    layer.field("protocol", 9, 1, protocol(header.protocol().0));
    layer.field("checksum", 10, 2, checksum(&header));
    layer.field("source", 12, 4, header.source_addr());
    layer.field("destination", 16, 4, header.destination_addr());
    if len > 20 {
        layer.field(
            "options",
            20,
            len - 20,
            super::walk::preview(header.options()),
        );
    }
    walk.push(layer);
    // 0 is a super-packet of segmentation offload: the frame's end is the packet's.
    if total >= len {
        walk.end = walk.end.min(start.saturating_add(total));
    }
    Next::Transport(Inside {
        protocol: header.protocol().0,
        ipv6: false,
        later_fragment: offset != 0,
    })
}

fn total_length(total: usize, header: usize, captured: usize) -> String {
    if total == 0 {
        "0 (left to the frame: segmentation offload)".to_owned()
    } else if total < header {
        format!("{total} (less than the header)")
    } else if total > captured {
        format!("{total} ({captured} captured)")
    } else {
        total.to_string()
    }
}

fn checksum(header: &Ipv4HeaderSlice<'_>) -> String {
    let (said, right) = (
        header.header_checksum(),
        header.to_header().calc_header_checksum(),
    );
    if said == right {
        format!("0x{said:04x} (right)")
    } else {
        format!("0x{said:04x} (wrong or left to the device: 0x{right:04x})")
    }
}

/// Name and number.
fn protocol(number: u8) -> String {
    match transport_name(number) {
        Some(name) => format!("{number} ({name})"),
        None => number.to_string(),
    }
}

fn ipv6(walk: &mut Walk<'_>) -> Next {
    let start = walk.at;
    let Some((mut layer, bytes)) = walk.take("ipv6", 40) else {
        return Next::Done;
    };
    let Ok(header) = Ipv6HeaderSlice::from_slice(bytes) else {
        return Next::Done;
    };
    let label = header.flow_label().value();
    layer.field("traffic class", 0, 2, header.traffic_class());
    layer.field("flow label", 1, 3, format_args!("0x{label:05x}"));
    let payload = usize::from(header.payload_length());
    let captured = walk.data.len().saturating_sub(start + 40);
    let length = if payload == 0 {
        "0 (left to the frame: jumbogram or segmentation offload)".to_owned()
    } else if payload > captured {
        format!("{payload} ({captured} captured)")
    } else {
        payload.to_string()
    };
    layer.field("payload length", 4, 2, length);
    layer.field("next header", 6, 1, protocol(header.next_header().0));
    layer.field("hop limit", 7, 1, header.hop_limit());
    layer.field("source", 8, 16, header.source_addr());
    layer.field("destination", 24, 16, header.destination_addr());
    walk.push(layer);
    if payload != 0 {
        walk.end = walk.end.min(start + 40 + payload);
    }
    extensions(walk, header.next_header().0)
}

/// Those that carry no transport of their own, as the parser has it: AH and ESP are transports.
fn extensions(walk: &mut Walk<'_>, first: u8) -> Next {
    let mut inside = Inside {
        protocol: first,
        ipv6: true,
        later_fragment: false,
    };
    for _ in 0..MAX_EXTENSIONS {
        if !is_ipv6_extension(inside.protocol) || inside.later_fragment {
            break;
        }
        let fragment = inside.protocol == FRAGMENT;
        let units = walk.ahead().get(1).map_or(0, |units| usize::from(*units));
        let len = if fragment { 8 } else { (units + 1) * 8 };
        let name = match inside.protocol {
            0 => "ipv6-hop-by-hop",
            43 => "ipv6-route",
            FRAGMENT => "ipv6-frag",
            _ => "ipv6-dst-opts",
        };
        let Some((mut layer, bytes)) = walk.take(name, len) else {
            return Next::Done;
        };
        let next = bytes.first().copied().unwrap_or(59);
        layer.field("next header", 0, 1, protocol(next));
        if fragment {
            inside.later_fragment = fragment_fields(&mut layer, bytes);
        } else {
            layer.field("length", 1, 1, format_args!("{len} bytes"));
            if let Some(options) = bytes.get(2..) {
                layer.field("options", 2, len - 2, super::walk::preview(options));
            }
        }
        walk.push(layer);
        inside.protocol = next;
    }
    Next::Transport(inside)
}

/// Whether it is not the first.
fn fragment_fields(layer: &mut Layer, bytes: &[u8]) -> bool {
    let field = word16(bytes, 2);
    let offset = field & !7;
    let more = if field & 1 != 0 { "yes" } else { "no" };
    layer.field("fragment offset", 2, 2, offset);
    layer.field("more fragments", 3, 1, more);
    layer.field("id", 4, 4, format_args!("0x{:08x}", word32(bytes, 4)));
    offset != 0
}
