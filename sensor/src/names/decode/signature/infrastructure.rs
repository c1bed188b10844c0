//! What keeps networks running: time, addresses, management, routing.

use sensor_common::application::Application::{
    self, Bfd, Bgp, Dhcp, Dhcpv6, Diameter, Ipmi, Ldp, NatPmp, NetbiosDgm, Ntp, Radius, Rip, Ripng,
    Snmp, Syslog, Tacacs, Tftp,
};

use super::message::{Message, is_text, number};

/// RFC 5905, on its port: version, mode, and the stratum of time packets.
pub(super) fn ntp(message: &Message<'_>) -> Option<Application> {
    let [first, stratum] = message.get(0)?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    let time = (1..=5).contains(&mode) && message.wire >= 48 && stratum <= 16;
    let control = matches!(mode, 6 | 7) && message.wire >= 8;
    let sound = message.on(&[123]) && (1..=4).contains(&version) && (time || control);
    sound.then_some(Ntp)
}

/// The fixed part and the cookie (RFC 2131); on the ports without it, too (BOOTP).
pub(super) fn dhcp(message: &Message<'_>) -> Option<Application> {
    let [operation, hardware, address, hops] = message.get(0)?;
    let head = matches!(operation, 1 | 2) && address <= 16 && hops <= 16 && hardware <= 64;
    let cookie = message.get::<4>(236) == Some([0x63, 0x82, 0x53, 0x63]);
    let port = message.on(&[67, 68]) && message.wire >= 236;
    (head && (cookie || port)).then_some(Dhcp)
}

/// RFC 8415: a type, and options that lead to the end.
pub(super) fn dhcpv6(message: &Message<'_>) -> Option<Application> {
    if !message.on(&[546, 547]) {
        return None;
    }
    let kind = message.u8(0)?;
    let mut offset = if matches!(kind, 12 | 13) { 34 } else { 4 };
    for _ in 0..64 {
        if offset == message.wire || (message.cut() && offset + 4 > message.bytes.len()) {
            break;
        }
        offset += 4 + message.be16(offset + 2)?;
    }
    let ends = offset == message.wire || (message.cut() && offset + 4 > message.bytes.len());
    ((1..=36).contains(&kind) && ends).then_some(Dhcpv6)
}

/// Versions 1, 2c (RFC 1901) and 3 (RFC 3412): a sequence as long as the datagram, the version, then community or header.
pub(super) fn snmp(message: &Message<'_>) -> Option<Application> {
    if message.u8(0)? != 0x30 {
        return None;
    }
    let (start, end) = message.ber(0)?;
    let [integer, one, version] = message.get(start)?;
    let next = message.u8(start + 3)?;
    let (_, behind) = message.ber(start + 3)?;
    let body = match version {
        0 | 1 => next == 4 && matches!(message.u8(behind)?, 0xa0..=0xa8),
        3 => next == 0x30 && message.u8(behind)? == 4,
        _ => false,
    };
    let port = message.on(&[161, 162]);
    let whole = end == message.wire || (port && end <= message.wire);
    ((integer, one) == (2, 1) && body && whole).then_some(Snmp)
}

/// RFC 1350: a request with the name of a file and a mode. The transfer goes over other ports.
pub(super) fn tftp(message: &Message<'_>) -> Option<Application> {
    if !matches!(message.be16(0)?, 1 | 2) {
        return None;
    }
    let mut strings = message.from(2).split(|byte| *byte == 0);
    let name = strings.next()?;
    let mode = strings.next()?;
    let modes = [&b"octet"[..], b"netascii", b"mail"];
    let known = modes.iter().any(|one| mode.eq_ignore_ascii_case(one));
    let sound = !name.is_empty() && name.iter().copied().all(is_text) && known;
    sound.then_some(Tftp)
}

pub(super) const SYSLOG: &[u16] = &[514, 601, 6514];

/// A priority, and behind it the head of RFC 5424 or the date of RFC 3164; on the ports any text.
pub(super) fn syslog(message: &Message<'_>) -> Option<Application> {
    syslog_on_port(message).or_else(|| {
        let rest = after_priority(message.bytes)?;
        let dated = rest.starts_with(b"1 ") && is_date(&rest[2..]);
        (dated || is_old_date(rest)).then_some(Syslog)
    })
}

pub(super) fn syslog_on_port(message: &Message<'_>) -> Option<Application> {
    if !message.on(SYSLOG) {
        return None;
    }
    // Over TCP the length may stand before it (RFC 6587).
    let counted = number(message.bytes).and_then(|(_, rest)| rest.strip_prefix(b" "));
    let text = match counted {
        Some(rest) if !message.udp => rest,
        _ => message.bytes,
    };
    let rest = after_priority(text)?;
    let sound = rest.iter().take(16).copied().all(is_text);
    (sound && !rest.is_empty()).then_some(Syslog)
}

fn after_priority(bytes: &[u8]) -> Option<&[u8]> {
    let (priority, rest) = number(bytes.strip_prefix(b"<")?)?;
    (priority <= 191).then_some(())?;
    rest.strip_prefix(b">")
}

/// `2024-05-01T`
fn is_date(text: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    text.len() >= 11 && text.iter().zip(b"0000-00-00T").all(fits)
}

/// `May  1 12:00:00 `
fn is_old_date(text: &[u8]) -> bool {
    let months = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = text
        .get(..3)
        .is_some_and(|name| months.chunks(3).any(|one| one == name));
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'?' => byte.is_ascii_digit() || *byte == b' ',
        other => byte == other,
    };
    month && text.len() >= 16 && text[3..].iter().zip(b" ?0 00:00:00").all(fits)
}

pub(super) const RADIUS: &[u16] = &[1645, 1646, 1812, 1813, 3799];

/// RFC 2865, on the ports: length, and attributes that lead to the end.
pub(super) fn radius(message: &Message<'_>) -> Option<Application> {
    if !message.on(RADIUS) {
        return None;
    }
    let code = message.u8(0)?;
    let length = message.be16(2)?;
    let known = matches!(code, 1..=5 | 11..=13 | 40..=45);
    if !known || length < 20 || length > message.wire {
        return None;
    }
    let mut offset = 20;
    while offset < length {
        let Some(size) = message.u8(offset + 1) else {
            return (message.cut() && offset > 20).then_some(Radius);
        };
        if size < 2 {
            return None;
        }
        offset += usize::from(size);
    }
    (offset == length).then_some(Radius)
}

/// RFC 1002, 4.4, on its port.
pub(super) fn netbios_datagram(message: &Message<'_>) -> Option<Application> {
    let [kind, flags] = message.get(0)?;
    let sound = (0x10..=0x16).contains(&kind) && flags & 0xf0 == 0 && message.wire >= 10;
    (sound && message.on(&[138])).then_some(NetbiosDgm)
}

/// RFC 2453, 2080: entries of 20 bytes.
pub(super) fn rip(message: &Message<'_>) -> Option<Application> {
    let [command, version] = message.get(0)?;
    let entries = message.wire.checked_sub(4)?;
    let sound = matches!(command, 1 | 2) && message.be16(2)? == 0 && entries.is_multiple_of(20);
    if sound && message.on(&[520]) && matches!(version, 1 | 2) {
        return Some(Rip);
    }
    (sound && message.on(&[521]) && version == 1).then_some(Ripng)
}

/// RMCP.
pub(super) fn ipmi(message: &Message<'_>) -> Option<Application> {
    let [version, reserved, _, class] = message.get(0)?;
    let sound = version == 6 && reserved == 0 && matches!(class & 0x1f, 6 | 7);
    (sound && message.on(&[623])).then_some(Ipmi)
}

/// RFC 5880.
pub(super) fn bfd(message: &Message<'_>) -> Option<Application> {
    let [first, _, multiplier, length] = message.get(0)?;
    let sound = first >> 5 == 1 && multiplier > 0 && usize::from(length) == message.wire;
    (sound && length >= 24 && message.on(&[3784, 4784])).then_some(Bfd)
}

/// RFC 5036.
pub(super) fn ldp(message: &Message<'_>) -> Option<Application> {
    let sound = message.be16(0)? == 1 && message.be16(2)? + 4 <= message.wire && message.wire >= 18;
    (sound && message.on(&[646])).then_some(Ldp)
}

/// RFC 6886, and PCP (RFC 6887), which came after it.
pub(super) fn nat_pmp(message: &Message<'_>) -> Option<Application> {
    let [version, operation] = message.get(0)?;
    let sound = match version {
        0 => matches!(operation, 0..=2 | 128..=130) && message.wire <= 16,
        2 => operation & 0x7f <= 3 && message.wire >= 24 && message.wire.is_multiple_of(4),
        _ => false,
    };
    (sound && message.on(&[5350, 5351])).then_some(NatPmp)
}

/// RFC 4271: the marker, then a length and a type.
pub(super) fn bgp(message: &Message<'_>) -> Option<Application> {
    let marker = message.get::<16>(0)? == [0xff; 16];
    let sound = (19..=65535).contains(&message.be16(16)?) && (1..=5).contains(&message.u8(18)?);
    (marker && sound).then_some(Bgp)
}

/// RFC 8907, on its port.
pub(super) fn tacacs(message: &Message<'_>) -> Option<Application> {
    let [version, kind, _, flags] = message.get(0)?;
    let length = message.be32(8)? as usize;
    let sound = matches!(version, 0xc0 | 0xc1)
        && (1..=3).contains(&kind)
        && flags <= 5
        && length.checked_add(12)? == message.wire;
    (sound && message.on(&[49])).then_some(Tacacs)
}

/// RFC 6733.
pub(super) fn diameter(message: &Message<'_>) -> Option<Application> {
    let version = message.u8(0)?;
    let length = message.be24(1)?;
    let flags = message.u8(4)?;
    let sound = version == 1 && flags & 0x0f == 0 && length >= 20 && length.is_multiple_of(4);
    (sound && length <= message.wire && message.on(&[3868])).then_some(Diameter)
}
