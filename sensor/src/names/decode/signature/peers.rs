//! BitTorrent: peers over TCP and uTP, the distributed hash table, trackers.

use sensor_common::application::Application::{self, Bittorrent};

use super::clue::{Clue, Kind, Step};
use super::message::Message;

/// BEP 3.
pub(super) fn bittorrent(message: &Message<'_>) -> Option<Application> {
    message
        .starts(b"\x13BitTorrent protocol")
        .then_some(Bittorrent)
}

/// BEP 5: a dictionary whose first key is one of the protocol's, with the kind of the message; BEP 14.
pub(super) fn dht(message: &Message<'_>) -> Option<Application> {
    if message.starts(b"BT-SEARCH * HTTP/1.1\r\n") {
        return Some(Bittorrent);
    }
    let starts = [
        &b"d1:ad2:id20:"[..],
        b"d1:rd2:id20:",
        b"d1:eli20",
        b"d2:ip",
        b"d1:q",
        b"d1:t",
    ];
    if !starts.iter().any(|start| message.starts(start)) {
        return None; // before the whole payload is searched
    }
    let kinds = [&b"1:y1:q"[..], b"1:y1:r", b"1:y1:e"];
    // The kind comes last, so it may be cut off.
    let kind = kinds.iter().any(|kind| message.contains(kind))
        || (message.cut() && message.contains(b"2:id20:"));
    kind.then_some(Bittorrent)
}

/// BEP 15: the number that a connect request begins with.
pub(super) fn tracker(message: &Message<'_>) -> Option<Application> {
    let magic = message.starts(&[0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0]);
    (magic && message.wire == 16).then_some(Bittorrent)
}

/// BEP 29: the head of a packet, `(kind, connection id)`.
fn utp(message: &Message<'_>) -> Option<(u8, u16)> {
    let [first, extension] = message.get(0)?;
    let id = u16::from_be_bytes(message.get(2)?);
    let kind = first >> 4;
    let mut offset = 20;
    let mut extension_kind = extension;
    for _ in 0..4 {
        if extension_kind == 0 {
            break;
        }
        if extension_kind > 4 {
            return None;
        }
        let [next, length] = message.get(offset)?;
        offset += 2 + usize::from(length);
        extension_kind = next;
    }
    let sound = first & 0x0f == 1 && kind <= 4 && extension_kind == 0 && offset <= message.wire;
    // Only data has some.
    let data = kind == 0 || offset == message.wire;
    (sound && data).then_some((kind, id))
}

/// The first packet of a connection: nothing was received yet, so nothing is acknowledged and no delay known.
pub(super) fn utp_start(message: &Message<'_>) -> Option<Application> {
    let (kind, _) = utp(message)?;
    let fresh = message.be32(8)? == 0 && message.be16(18)? == 0;
    let clock = message.be32(4)? != 0;
    (kind == 4 && fresh && clock).then_some(Bittorrent)
}

/// Packets of both ways: their connection ids differ by one, and their sequence numbers know of each other.
pub(super) fn utp_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    let (Some((_, id)), Some(sequence), Some(acknowledged)) =
        (utp(message), message.be16(16), message.be16(18))
    else {
        return Step::Nothing;
    };
    let apart = other.step.wrapping_sub(id);
    let near = (acknowledged as u16).wrapping_sub(other.token as u16);
    if other.kind == Kind::Utp && matches!(apart, 1 | u16::MAX) && !(64..=0xffc0).contains(&near) {
        return Step::Sure(Bittorrent);
    }
    if own.kind == Kind::Utp && own.step == id {
        return Step::Nothing;
    }
    Step::Keep(Clue {
        step: id,
        ..Clue::new(Kind::Utp, sequence as u32)
    })
}
