//! DNS and its kin: mDNS, LLMNR, NetBIOS names.

use sensor_common::application::Application::{self, Dns, Llmnr, Mdns, NetbiosNs};

use super::clue::{Clue, Kind, Step};
use super::message::Message;

/// What of a message can be checked.
struct Head {
    id: u16,
    answer: bool,
    questions: usize,
    /// Of the first question; 0 where there is none.
    hash: u16,
    /// The first question was there to its end.
    whole: bool,
}

/// A message at `offset`, `length` bytes long (RFC 1035, 4.1): operation and counts that exist, the bit that must be zero, and a first question
/// of proper labels.
fn head(message: &Message<'_>, offset: usize, length: usize) -> Option<Head> {
    let id = message.be16(offset)? as u16;
    let [flags, more] = message.get(offset + 2)?;
    let mut counts = [0; 4];
    for (place, count) in counts.iter_mut().enumerate() {
        *count = message.be16(offset + 4 + 2 * place)?;
    }
    let [questions, answers, authorities, additional] = counts;
    let operation = flags >> 3 & 15;
    let records = answers + authorities + additional;
    // A record has eleven bytes at least, a question five.
    let room = length.saturating_sub(12);
    let shortened = flags & 2 != 0;
    let sound = operation <= 6
        && more & 0x40 == 0
        && questions <= 64
        && questions * 5 <= room
        && (shortened || questions * 5 + records * 11 <= room)
        && (questions > 0 || flags & 0x80 != 0 || records > 0);
    if !sound {
        return None;
    }
    let (hash, whole) = if questions == 0 {
        (0, true)
    } else {
        question(message, offset + 12)?
    };
    Some(Head {
        id,
        answer: flags & 0x80 != 0,
        questions,
        hash,
        whole,
    })
}

/// A name without pointers, a type and a class: a hash of the name, and whether all was captured.
fn question(message: &Message<'_>, start: usize) -> Option<(u16, bool)> {
    let mut offset = start;
    let mut hash = 0_u16;
    loop {
        let Some(length) = message.u8(offset) else {
            return message.cut().then_some((hash, false));
        };
        offset += 1;
        match length {
            0 => break,
            1..=63 => {
                for byte in message.from(offset).iter().take(length.into()) {
                    let letter = byte.to_ascii_lowercase();
                    hash = hash.rotate_left(5).wrapping_mul(31) ^ u16::from(letter);
                }
                offset += usize::from(length);
            }
            _ => return None,
        }
        if offset - start > 255 {
            return None;
        }
    }
    let (Some(kind), Some(class)) = (message.be16(offset), message.be16(offset + 2)) else {
        return message.cut().then_some((hash, false));
    };
    // mDNS uses the class's top bit; NONE and ANY are of updates.
    let class = class & 0x7fff;
    let known = kind != 0 && matches!(class, 1 | 3 | 4 | 254 | 255);
    known.then_some((hash, true))
}

/// On their own ports.
pub(super) fn names(message: &Message<'_>) -> Option<Application> {
    let label = match (message.src, message.dst) {
        (53, _) | (_, 53) => Dns,
        (5353, _) | (_, 5353) => Mdns,
        (5355, _) | (_, 5355) => Llmnr,
        (137, _) | (_, 137) => NetbiosNs,
        _ => return None,
    };
    if label == NetbiosNs {
        return netbios(message).then_some(NetbiosNs);
    }
    head(message, 0, message.wire).map(|_| label)
}

/// RFC 1002, 4.2: names are 32 letters long, before their scope.
fn netbios(message: &Message<'_>) -> bool {
    let read = || {
        let operation = message.u8(2)? >> 3 & 15;
        let name = message.from(13).get(..32)?;
        let letters = name.iter().all(|byte| (b'A'..=b'P').contains(byte));
        let known = matches!(operation, 0 | 5..=9 | 15);
        Some(message.u8(12)? == 0x20 && letters && known)
    };
    read().unwrap_or(false)
}

/// Behind its length, on the port.
pub(super) fn dns_over_tcp(message: &Message<'_>) -> Option<Application> {
    let length = message.be16(0)?;
    let fits = message.on(&[53]) && length >= 12 && length + 2 >= message.wire;
    // Several messages may follow one another.
    let chained = message.on(&[53]) && length >= 17 && length + 2 < message.wire;
    if !(fits || chained) {
        return None;
    }
    head(message, 2, length).map(|_| Dns)
}

/// On other ports: a query and its answer.
pub(super) fn dns_pair(message: &Message<'_>, _: Clue, other: Clue) -> Step {
    let Some(head) = head(message, 0, message.wire) else {
        return Step::Nothing;
    };
    if head.questions != 1 || !head.whole || head.hash == 0 {
        return Step::Nothing;
    }
    let token = u32::from(head.id) << 16 | u32::from(head.hash);
    let (kind, needed) = if head.answer {
        (Kind::DnsAnswer, Kind::DnsQuery)
    } else {
        (Kind::DnsQuery, Kind::DnsAnswer)
    };
    if other.kind == needed && other.token == token {
        return Step::Sure(Dns);
    }
    Step::Keep(Clue::new(kind, token))
}
