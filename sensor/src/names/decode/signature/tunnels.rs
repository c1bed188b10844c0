//! Packets in packets: IPsec, WireGuard, OpenVPN, VXLAN, Geneve, GTP, L2TP, Teredo.

use sensor_common::application::Application::{
    self, EspUdp, Geneve, GtpC, GtpU, Ike, L2tp, Openvpn, Teredo, Vxlan, Wireguard,
};

use super::clue::{Clue, Kind, Step};
use super::message::Message;

/// RFC 7296, 3.1: its length is the datagram's, the version 1.0 or 2.0 and the exchange one that exists. On port 4500 four
/// zeros stand before it; on other ports it must be the first message of all.
pub(super) fn ike(message: &Message<'_>) -> Option<Application> {
    let start = if message.on(&[4500]) && message.be32(0)? == 0 {
        4
    } else {
        0
    };
    let port = message.on(&[500]) || start == 4;
    let initiator = message.get::<8>(start)?;
    let fresh = message.get::<8>(start + 8)? == [0; 8];
    let [payload, version, exchange, flags] = message.get(start + 16)?;
    let length = message.be32(start + 24)? as usize;
    let known = match version >> 4 {
        1 => matches!(exchange, 1..=6 | 32..=34) && flags < 8,
        2 => matches!(exchange, 34..=43) && flags & 0xc7 == 0,
        _ => false,
    };
    let sound = initiator != [0; 8]
        && known
        && matches!(payload, 0..=54 | 128..=132)
        && length >= 28
        && length.checked_add(start)? == message.wire;
    let opens = fresh && version & 15 == 0 && message.be32(start + 20)? == 0;
    (sound && (port || opens)).then_some(Ike)
}

pub(super) const ESP_PORT: &[u16] = &[4500];

/// RFC 3948 and 4303: an SPI that may be used and a low sequence number, as a connection begins with.
pub(super) fn esp(message: &Message<'_>) -> Option<Application> {
    let (_, sequence) = esp_head(message)?;
    (1..1 << 12).contains(&sequence).then_some(EspUdp)
}

fn esp_head(message: &Message<'_>) -> Option<(u32, u32)> {
    let (spi, sequence) = (message.be32(0)?, message.be32(4)?);
    let sound = message.on(ESP_PORT)
        && spi >= 0x100
        && message.wire >= 28
        && message.wire.is_multiple_of(4);
    sound.then_some((spi, sequence))
}

/// Later: two packets with the same SPI, one after the other.
pub(super) fn esp_pair(message: &Message<'_>, own: Clue, _: Clue) -> Step {
    let Some((spi, sequence)) = esp_head(message) else {
        return Step::Nothing;
    };
    let low = sequence as u16;
    if own.kind == Kind::Esp && own.token == spi && (1..64).contains(&low.wrapping_sub(own.step)) {
        return Step::Sure(EspUdp);
    }
    Step::Keep(Clue {
        step: low,
        ..Clue::new(Kind::Esp, spi)
    })
}

/// The type with its three zeros, and the length that goes with it. A handshake message that isn't under load ends with 16
/// zeros, which no counter does by chance; on the port the length will do.
pub(super) fn wireguard(message: &Message<'_>) -> Option<Application> {
    let kind = wireguard_kind(message)?;
    let unloaded = match kind {
        1 => message.get::<16>(132)? == [0; 16],
        2 => message.get::<16>(76)? == [0; 16],
        _ => false,
    };
    let random = message.get::<8>(12)? != [0; 8] && message.le32(4)? != 0;
    (random && (unloaded || message.on(&[51820]))).then_some(Wireguard)
}

fn wireguard_kind(message: &Message<'_>) -> Option<u32> {
    let kind = message.le32(0)?;
    let sound = match kind {
        1 => message.wire == 148,
        2 => message.wire == 92,
        3 => message.wire == 64,
        4 => message.wire >= 32 && message.wire.is_multiple_of(16),
        _ => false,
    };
    sound.then_some(kind)
}

/// A handshake whose answer knows its index; or data to the same receiver with counters that rise.
pub(super) fn wireguard_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    let (Some(kind), Some(index)) = (wireguard_kind(message), message.le32(4)) else {
        return Step::Nothing;
    };
    // Indices are random.
    if index < 1 << 16 {
        return Step::Nothing;
    }
    match kind {
        1 => Step::Keep(Clue::new(Kind::WireguardStart, index)),
        2 if other.kind == Kind::WireguardStart && message.le32(8) == Some(other.token) => {
            Step::Sure(Wireguard)
        }
        4 => wireguard_data(message, index, own),
        _ => Step::Nothing,
    }
}

fn wireguard_data(message: &Message<'_>, index: u32, own: Clue) -> Step {
    let Some(counter) = message.get(8).map(u64::from_le_bytes) else {
        return Step::Nothing;
    };
    if counter >= 1 << 40 {
        return Step::Nothing;
    }
    let low = counter as u16;
    let follows = own.kind == Kind::WireguardData
        && own.token == index
        && (1..256).contains(&low.wrapping_sub(own.step));
    let fits = if follows {
        own.fits.saturating_add(1)
    } else {
        1
    };
    if fits >= 3 {
        return Step::Sure(Wireguard);
    }
    Step::Keep(Clue {
        kind: Kind::WireguardData,
        fits,
        step: low,
        token: index,
    })
}

/// The reset that opens a session.
pub(super) fn openvpn(message: &Message<'_>) -> Option<Application> {
    openvpn_at(message, 0)
}

/// The same behind a length.
pub(super) fn openvpn_over_tcp(message: &Message<'_>) -> Option<Application> {
    (message.be16(0)? + 2 == message.wire).then_some(())?;
    openvpn_at(message, 2)
}

fn openvpn_at(message: &Message<'_>, start: usize) -> Option<Application> {
    let first = message.u8(start)?;
    let length = message.wire.checked_sub(start)?;
    let (operation, key) = (first >> 3, first & 7);
    let session = message.get::<8>(start + 1)? != [0; 8];
    let resets = matches!(operation, 7 | 8 | 10) && key == 0 && session;
    let port = message.on(&[1194]);
    if !resets {
        return (port && matches!(operation, 1..=9 | 11) && length >= 14).then_some(Openvpn);
    }
    // Without authentication: nothing acknowledged, message 0; the server acknowledges message 0 of the client.
    let plain = match length {
        14 => message.get::<5>(start + 9)? == [0; 5],
        26 => message.get::<5>(start + 9)? == [1, 0, 0, 0, 0] && message.be32(start + 22)? == 0,
        _ => false,
    };
    // tls-auth: a digest, then packet 1 and a time, then the same; tls-crypt: packet 1 and a time come first.
    let authentic = [16, 20, 28, 32, 48, 64].iter().any(|digest| {
        let behind = start + 9 + digest;
        let counted = counts(message, behind);
        counted && (length == 22 + digest || length == 34 + digest)
    });
    let crypt = counts(message, start + 9) && length >= 54;
    (plain || authentic || crypt || port).then_some(Openvpn)
}

/// A packet number that is low, and a time of this century.
fn counts(message: &Message<'_>, offset: usize) -> bool {
    let low = message
        .be32(offset)
        .is_some_and(|number| (1..16).contains(&number));
    let time = message.be32(offset + 4).unwrap_or(0);
    low && (1_000_000_000..2_500_000_000).contains(&time)
}

/// RFC 7348, on its ports: the flag of a valid VNI, and zeros where they must be; or the group policy that Linux adds.
pub(super) fn vxlan(message: &Message<'_>) -> Option<Application> {
    let [flags, policy, high, low] = message.get(0)?;
    let plain = (flags, policy, high, low) == (8, 0, 0, 0);
    let group = flags == 0x88 && policy & 0xb7 == 0;
    let sound = (plain || group) && message.u8(7)? == 0 && message.wire >= 8 + 14;
    (sound && message.on(&[4789, 8472])).then_some(Vxlan)
}

/// RFC 8926, on its port.
pub(super) fn geneve(message: &Message<'_>) -> Option<Application> {
    let [first, flags] = message.get(0)?;
    let kind = message.be16(2)?;
    let options = usize::from(first & 0x3f) * 4;
    let sound = first >> 6 == 0
        && flags & 0x3f == 0
        && matches!(kind, 0x6558 | 0x0800 | 0x86dd)
        && message.u8(7)? == 0
        && 8 + options <= message.wire;
    (sound && message.on(&[6081])).then_some(Geneve)
}

/// 3GPP 29.281, 29.060 and 29.274, on their ports: version and length.
pub(super) fn gtp(message: &Message<'_>) -> Option<Application> {
    let [flags, kind] = message.get(0)?;
    let length = message.be16(2)?;
    let version = flags >> 5;
    let first = version == 1 && flags & 0x18 == 0x10 && length + 8 == message.wire;
    if first && message.on(&[2152]) {
        return matches!(kind, 1 | 2 | 26 | 31 | 253..=255).then_some(GtpU);
    }
    let second = version == 2 && flags & 3 == 0 && length + 4 <= message.wire;
    let known = (1..=241).contains(&kind);
    ((first || second) && known && message.on(&[2123])).then_some(GtpC)
}

/// RFC 2661 and 3931, on their port: version, zeros, and the length where there is one, as in all control messages.
pub(super) fn l2tp(message: &Message<'_>) -> Option<Application> {
    let [flags, version] = message.get(0)?;
    let counted = flags & 0x40 != 0;
    let fits = !counted || message.be16(2)? == message.wire;
    let control = flags & 0x80 != 0;
    let sound = fits && flags & 0x34 == 0 && (!control || flags == 0xc8);
    (sound && matches!(version, 2 | 3) && message.on(&[1701])).then_some(L2tp)
}

/// RFC 4380: an IPv6 packet as long as the datagram says. On other ports an address of Teredo must be in it.
pub(super) fn teredo(message: &Message<'_>) -> Option<Application> {
    let mut start = 0;
    // Authentication, then the origin: both may stand before the packet.
    if let Some([0, 1, client, value]) = message.get(0) {
        start = 13 + usize::from(client) + usize::from(value);
    }
    if message.get::<2>(start)? == [0, 0] {
        start += 8;
    }
    let length = message.be16(start + 4)?;
    let sound = message.u8(start)? >> 4 == 6 && start + 40 + length == message.wire;
    let prefix = [0x20, 1, 0, 0];
    let teredo = message.get::<4>(start + 8)? == prefix || message.get::<4>(start + 24)? == prefix;
    (sound && (teredo || message.on(&[3544]))).then_some(Teredo)
}
