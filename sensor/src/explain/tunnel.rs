//! Tunnels: GRE, VXLAN, Geneve, GTP-U. What is inside is shown, and not counted.

use sensor_common::protocol::network_name;

use super::walk::{Next, Tunnel, Walk};

pub(super) fn step(walk: &mut Walk<'_>, kind: Tunnel) -> Next {
    match kind {
        Tunnel::Gre => gre(walk),
        Tunnel::Vxlan => vxlan(walk),
        Tunnel::Geneve => geneve(walk),
        Tunnel::GtpU => gtp_u(walk),
    }
}

/// RFC 2784 and 2890; version 1 is PPTP's (RFC 2637).
fn gre(walk: &mut Walk<'_>) -> Next {
    const PPP: u16 = 0x880b;
    let flags = walk.u16_at(0).unwrap_or_default();
    let set = |bit: u16| usize::from(flags >> bit & 1);
    let pptp = flags & 7 == 1;
    let mut optional = set(15) + set(13) + set(12);
    if pptp {
        optional = set(13) + set(12) + set(7);
    }
    let number = walk.u16_at(2).unwrap_or_default();
    let Some((mut layer, bytes)) = walk.take("gre", 4 + optional * 4) else {
        return Next::Done;
    };
    layer.field("flags, version", 0, 2, format_args!("0x{flags:04x}"));
    let name = network_name(number).unwrap_or(if number == PPP { "ppp" } else { "other" });
    layer.field("type", 2, 2, format_args!("0x{number:04x} ({name})"));
    let place = 4 + set(15) * 4;
    if !pptp
        && set(13) == 1
        && let Some(key) = bytes.get(place..).and_then(<[u8]>::first_chunk)
    {
        layer.field("key", place, 4, u32::from_be_bytes(*key));
    }
    walk.push(layer);
    walk.enter();
    match number {
        PPP if walk.ahead().starts_with(&[0xff, 0x03]) => super::link::framed_ppp(walk),
        PPP => Next::Ppp,
        other => Next::Ethertype(other),
    }
}

fn vxlan(walk: &mut Walk<'_>) -> Next {
    let Some((mut layer, bytes)) = walk.take("vxlan", 8) else {
        return Next::Done;
    };
    if let [flags, _, _, _, a, b, c, _] = *bytes {
        layer.field("flags", 0, 1, format_args!("0x{flags:02x}"));
        layer.field("network id", 4, 3, u32::from_be_bytes([0, a, b, c]));
    }
    walk.push(layer);
    walk.enter();
    Next::Ethernet
}

fn geneve(walk: &mut Walk<'_>) -> Next {
    let units = walk
        .ahead()
        .first()
        .map_or(0, |first| usize::from(first & 0x3f));
    let number = walk.u16_at(2).unwrap_or_default();
    let Some((mut layer, bytes)) = walk.take("geneve", 8 + units * 4) else {
        return Next::Done;
    };
    if let Some([_, flags, _, _, a, b, c, _]) = bytes.first_chunk() {
        layer.field("flags", 1, 1, format_args!("0x{flags:02x}"));
        layer.field("type", 2, 2, format_args!("0x{number:04x}"));
        layer.field("network id", 4, 3, u32::from_be_bytes([0, *a, *b, *c]));
    }
    if units > 0 {
        layer.field("options", 8, units * 4, format_args!("{} bytes", units * 4));
    }
    walk.push(layer);
    walk.enter();
    Next::Ethertype(number)
}

/// 3GPP TS 29.281.
fn gtp_u(walk: &mut Walk<'_>) -> Next {
    const TUNNELLED: u8 = 255;
    const OPTIONAL: u8 = 7;
    let first = walk.ahead().first().copied().unwrap_or_default();
    if first >> 5 != 1 {
        return walk.rest("data");
    }
    let len = if first & OPTIONAL == 0 { 8 } else { 12 };
    let Some((mut layer, bytes)) = walk.take("gtp-u", len) else {
        return Next::Done;
    };
    let Some([flags, kind, l, m, a, b, c, d]) = bytes.first_chunk().copied() else {
        return Next::Done;
    };
    layer.field("flags", 0, 1, format_args!("0x{flags:02x}"));
    layer.field("message", 1, 1, kind);
    layer.field("length", 2, 2, u16::from_be_bytes([l, m]));
    layer.field(
        "tunnel id",
        4,
        4,
        format_args!("0x{:08x}", u32::from_be_bytes([a, b, c, d])),
    );
    walk.push(layer);
    let mut extension = bytes
        .get(11)
        .copied()
        .filter(|_| flags & 4 != 0)
        .unwrap_or(0);
    for _ in 0..4 {
        if extension == 0 {
            break;
        }
        let units = walk
            .ahead()
            .first()
            .map_or(1, |units| usize::from(*units).max(1));
        let Some((mut layer, bytes)) = walk.take("gtp-u-ext", units * 4) else {
            return Next::Done;
        };
        layer.field("type", 0, units * 4, format_args!("0x{extension:02x}"));
        walk.push(layer);
        extension = bytes.last().copied().unwrap_or(0);
    }
    if kind != TUNNELLED {
        return Next::Bytes;
    }
    walk.enter();
    match walk.ahead().first().map(|first| first >> 4) {
        Some(4 | 6) => Next::Ip,
        _ => Next::Bytes,
    }
}
