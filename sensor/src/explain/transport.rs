//! What is behind an IP header: TCP, UDP, ICMP, and more by their first bytes.

use etherparse::{Icmpv4Slice, Icmpv6Slice, IpAuthHeaderSlice, TcpHeaderSlice, UdpHeaderSlice};
use etherparse::{TcpOptionElement, TcpOptionReadError};
use sensor_common::protocol::{ip, transport_name};

use super::walk::{Inside, Next, Talk, Tunnel, Walk, word16, word32};

const VXLAN: [u16; 2] = [4789, 8472];
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;
const MAX_OPTIONS: usize = 40;

pub(super) fn step(walk: &mut Walk<'_>, inside: Inside) -> Next {
    if inside.later_fragment {
        return walk.rest("fragment");
    }
    match inside.protocol {
        ip::TCP => tcp(walk),
        ip::UDP | ip::UDP_LITE => udp(walk, inside),
        ip::ICMP if !inside.ipv6 => icmp(walk),
        ip::ICMPV6 if inside.ipv6 => icmpv6(walk),
        ip::SCTP => sctp(walk),
        ip::GRE => Next::Tunnel(Tunnel::Gre),
        ip::IPIP | ip::IPV6 => {
            walk.enter();
            Next::Ip
        }
        50 => esp(walk),
        51 => auth(walk, inside),
        59 => Next::Done, // no next header
        other => walk.rest(transport_name(other).unwrap_or("data")),
    }
}

fn tcp(walk: &mut Walk<'_>) -> Next {
    let units = walk.ahead().get(12).map_or(5, |byte| byte >> 4);
    let len = usize::from(units).max(5) * 4;
    let Some((mut layer, bytes)) = walk.take("tcp", len) else {
        return Next::Done;
    };
    let header = match TcpHeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(error) => {
            walk.ended = Some(error.to_string());
            return Next::Done;
        }
    };
    let (src, dst) = (header.source_port(), header.destination_port());
    layer.field("source port", 0, 2, src);
    layer.field("destination port", 2, 2, dst);
    layer.field("sequence", 4, 4, header.sequence_number());
    layer.field("acknowledgment", 8, 4, header.acknowledgment_number());
    layer.field("header length", 12, 1, format_args!("{len} bytes"));
    let flags = bytes.get(13).copied().unwrap_or_default();
    layer.field("flags", 13, 1, tcp_flags(flags));
    layer.field("window", 14, 2, header.window_size());
    layer.field(
        "checksum",
        16,
        2,
        format_args!("0x{:04x}", header.checksum()),
    );
    if header.urg() {
        layer.field("urgent", 18, 2, header.urgent_pointer());
    }
    if len > 20 {
        layer.field("options", 20, len - 20, tcp_options(&header));
    }
    walk.push(layer);
    Next::Payload(Talk {
        udp: false,
        src,
        dst,
    })
}

/// `0x12 (syn, ack)`.
fn tcp_flags(flags: u8) -> String {
    const NAMES: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
    let bits = NAMES.iter().enumerate();
    let set: Vec<&str> = bits
        .filter(|(bit, _)| flags >> bit & 1 == 1)
        .map(|(_, name)| *name)
        .collect();
    let set = if set.is_empty() {
        "none".to_owned()
    } else {
        set.join(", ")
    };
    format!("0x{flags:02x} ({set})")
}

fn tcp_options(header: &TcpHeaderSlice<'_>) -> String {
    let mut told = Vec::new();
    for option in header.options_iterator().take(MAX_OPTIONS) {
        told.push(match option {
            Ok(TcpOptionElement::Noop) => continue,
            Ok(TcpOptionElement::MaximumSegmentSize(size)) => format!("mss {size}"),
            Ok(TcpOptionElement::WindowScale(shift)) => format!("window scale {shift}"),
            Ok(TcpOptionElement::SelectiveAcknowledgementPermitted) => "sack permitted".to_owned(),
            Ok(TcpOptionElement::SelectiveAcknowledgement((from, to), _)) => {
                format!("sack {from}-{to}")
            }
            Ok(TcpOptionElement::Timestamp(value, echo)) => format!("timestamp {value} {echo}"),
            Err(TcpOptionReadError::UnknownId(id)) => format!("kind {id} and on: not decoded"),
            Err(TcpOptionReadError::UnexpectedEndOfSlice { option_id, .. }) => {
                format!("kind {option_id}: cut off")
            }
            Err(TcpOptionReadError::UnexpectedSize { option_id, size }) => {
                format!("kind {option_id}: wrong size {size}")
            }
        });
    }
    if told.is_empty() {
        return "padding".to_owned();
    }
    told.join(", ")
}

fn udp(walk: &mut Walk<'_>, inside: Inside) -> Next {
    let name = if inside.protocol == ip::UDP {
        "udp"
    } else {
        "udplite"
    };
    let start = walk.at;
    let Some((mut layer, bytes)) = walk.take(name, 8) else {
        return Next::Done;
    };
    let Ok(header) = UdpHeaderSlice::from_slice(bytes) else {
        return Next::Done;
    };
    let (src, dst, length) = (
        header.source_port(),
        header.destination_port(),
        usize::from(header.length()),
    );
    layer.field("source port", 0, 2, src);
    layer.field("destination port", 2, 2, dst);
    let what = if inside.protocol == ip::UDP {
        "length"
    } else {
        "coverage"
    };
    layer.field(what, 4, 2, length);
    let sum = match header.checksum() {
        0 => "0x0000 (none)".to_owned(),
        sum => format!("0x{sum:04x}"),
    };
    layer.field("checksum", 6, 2, sum);
    walk.push(layer);
    if inside.protocol == ip::UDP && length >= 8 {
        walk.end = walk.end.min(start + length).max(walk.at);
    }
    match dst {
        GENEVE => Next::Tunnel(Tunnel::Geneve),
        GTP_U => Next::Tunnel(Tunnel::GtpU),
        port if VXLAN.contains(&port) => Next::Tunnel(Tunnel::Vxlan),
        _ => Next::Payload(Talk {
            udp: true,
            src,
            dst,
        }),
    }
}

fn icmp(walk: &mut Walk<'_>) -> Next {
    let ahead = walk.ahead();
    let Some((mut layer, bytes)) = walk.take("icmp", 8) else {
        return Next::Done;
    };
    // etherparse wants what follows too: timestamps are longer.
    let Ok(header) = Icmpv4Slice::from_slice(ahead).or_else(|_| Icmpv4Slice::from_slice(bytes))
    else {
        return walk.rest("data");
    };
    let (kind, code) = (header.type_u8(), header.code_u8());
    let (name, quotes) = match kind {
        0 => ("echo reply", false),
        3 => ("destination unreachable", true),
        4 => ("source quench", true),
        5 => ("redirect", true),
        8 => ("echo request", false),
        9 => ("router advertisement", false),
        10 => ("router solicitation", false),
        11 => ("time exceeded", true),
        12 => ("parameter problem", true),
        13 => ("timestamp request", false),
        14 => ("timestamp reply", false),
        _ => ("not known here", false),
    };
    layer.field("type", 0, 1, format_args!("{kind} ({name})"));
    layer.field("code", 1, 1, unreachable(kind, code));
    layer.field(
        "checksum",
        2,
        2,
        format_args!("0x{:04x}", header.checksum()),
    );
    if matches!(kind, 0 | 8) {
        let [a, b, c, d] = header.bytes5to8();
        layer.field("id", 4, 2, u16::from_be_bytes([a, b]));
        layer.field("sequence", 6, 2, u16::from_be_bytes([c, d]));
    }
    walk.push(layer);
    quoted(walk, quotes)
}

fn unreachable(kind: u8, code: u8) -> String {
    let name = match (kind, code) {
        (3, 0) => "network",
        (3, 1) => "host",
        (3, 2) => "protocol",
        (3, 3) => "port",
        (3, 4) => "fragmentation needed",
        (3, 13) => "prohibited",
        (11, 0) => "in transit",
        (11, 1) => "reassembly",
        _ => return code.to_string(),
    };
    format!("{code} ({name})")
}

fn icmpv6(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("icmpv6", 8) else {
        return Next::Done;
    };
    let Ok(header) = Icmpv6Slice::from_slice(bytes) else {
        return walk.rest("data");
    };
    let (name, quotes) = match header.type_u8() {
        1 => ("destination unreachable", true),
        2 => ("packet too big", true),
        3 => ("time exceeded", true),
        4 => ("parameter problem", true),
        128 => ("echo request", false),
        129 => ("echo reply", false),
        130 => ("multicast listener query", false),
        131 => ("multicast listener report", false),
        132 => ("multicast listener done", false),
        133 => ("router solicitation", false),
        134 => ("router advertisement", false),
        135 => ("neighbor solicitation", false),
        136 => ("neighbor advertisement", false),
        137 => ("redirect", false),
        143 => ("multicast listener report, version 2", false),
        _ => ("not known here", false),
    };
    let kind = header.type_u8();
    layer.field("type", 0, 1, format_args!("{kind} ({name})"));
    layer.field("code", 1, 1, header.code_u8());
    layer.field(
        "checksum",
        2,
        2,
        format_args!("0x{:04x}", header.checksum()),
    );
    let [a, b, c, d] = header.bytes5to8();
    match kind {
        128 | 129 => {
            layer.field("id", 4, 2, u16::from_be_bytes([a, b]));
            layer.field("sequence", 6, 2, u16::from_be_bytes([c, d]));
        }
        2 => layer.field("mtu", 4, 4, u32::from_be_bytes([a, b, c, d])),
        _ => {}
    }
    walk.push(layer);
    if matches!(kind, 135 | 136)
        && let Some(octets) = walk.ahead().first_chunk::<16>()
        && let Some((mut layer, _)) = walk.take("neighbor", 16)
    {
        layer.field("target", 0, 16, std::net::Ipv6Addr::from(*octets));
        walk.push(layer);
        return walk.rest("options");
    }
    quoted(walk, quotes)
}

/// Errors quote the packet that they are about: it is not traffic.
fn quoted(walk: &mut Walk<'_>, quotes: bool) -> Next {
    let version = walk.ahead().first().map(|first| first >> 4);
    if quotes && matches!(version, Some(4 | 6)) {
        walk.enter();
        return Next::Ip;
    }
    Next::Bytes
}

fn sctp(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("sctp", 12) else {
        return Next::Done;
    };
    let word = |at: usize| word32(bytes, at);
    let port = |at: usize| word16(bytes, at);
    layer.field("source port", 0, 2, port(0));
    layer.field("destination port", 2, 2, port(2));
    layer.field("tag", 4, 4, format_args!("0x{:08x}", word(4)));
    layer.field("checksum", 8, 4, format_args!("0x{:08x}", word(8)));
    walk.push(layer);
    chunks(walk);
    Next::Done
}

const MAX_CHUNKS: usize = 8;

fn chunks(walk: &mut Walk<'_>) {
    for _ in 0..MAX_CHUNKS {
        let Some(length) = walk.u16_at(2) else {
            break;
        };
        let kind = walk.ahead().first().copied().unwrap_or_default();
        let len = usize::from(length)
            .max(4)
            .next_multiple_of(4)
            .min(walk.ahead().len());
        let Some((mut layer, _)) = walk.take("sctp-chunk", len) else {
            return;
        };
        let name = match kind {
            0 => "data",
            1 => "init",
            2 => "init ack",
            3 => "sack",
            4 => "heartbeat",
            5 => "heartbeat ack",
            6 => "abort",
            7 => "shutdown",
            8 => "shutdown ack",
            9 => "error",
            10 => "cookie echo",
            11 => "cookie ack",
            14 => "shutdown complete",
            _ => "not known here",
        };
        layer.field("type", 0, 1, format_args!("{kind} ({name})"));
        layer.field("length", 2, 2, length);
        walk.push(layer);
    }
    walk.rest("data");
}

fn esp(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("esp", 8) else {
        return Next::Done;
    };
    if let [a, b, c, d, e, f, g, h] = *bytes {
        layer.field(
            "spi",
            0,
            4,
            format_args!("0x{:08x}", u32::from_be_bytes([a, b, c, d])),
        );
        layer.field("sequence", 4, 4, u32::from_be_bytes([e, f, g, h]));
    }
    walk.push(layer);
    walk.rest("encrypted")
}

/// It counts as the transport; what it protects is shown behind it.
fn auth(walk: &mut Walk<'_>, inside: Inside) -> Next {
    let units = walk.ahead().get(1).map_or(1, |units| usize::from(*units));
    let Some((mut layer, bytes)) = walk.take("ah", (units + 2) * 4) else {
        return Next::Done;
    };
    let Ok(header) = IpAuthHeaderSlice::from_slice(bytes) else {
        return walk.rest("data");
    };
    let next = header.next_header().0;
    let name = transport_name(next).unwrap_or("not known here");
    layer.field("next header", 0, 1, format_args!("{next} ({name})"));
    layer.field("spi", 4, 4, format_args!("0x{:08x}", header.spi()));
    layer.field("sequence", 8, 4, header.sequence_number());
    walk.push(layer);
    walk.enter();
    Next::Transport(Inside {
        protocol: next,
        ..inside
    })
}
