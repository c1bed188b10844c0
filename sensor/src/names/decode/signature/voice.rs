//! Calls: STUN, RTP, RTCP, IAX2. SIP is text.

use sensor_common::application::Application::{self, Iax2, Rtcp, Rtp, Stun};

use super::clue::{Clue, Kind, Step};
use super::message::Message;

/// STUN and TURN of servers, where nothing else is spoken: the registered ones, and those that browsers are set up with.
pub(super) const STUN_PORTS: &[u16] = &[
    3478, 3479, 3480, 3481, 5349, 5350, 19302, 19303, 19304, 19305, 19306, 19307, 19308, 19309,
];

/// RFC 8489: type, length and cookie. Without cookie (RFC 3489): attributes that lead to the end. In datagrams only on its
/// own ports, see [`stun_pair`].
pub(super) fn stun(message: &Message<'_>) -> Option<Application> {
    let length = stun_length(message)?;
    if !message.udp {
        // The port alone can't vouch for TCP, where messages follow one another.
        return has_cookie(message).then_some(Stun);
    }
    let proven = proves(message, length) || (length == 0 && classic(message));
    (message.on(STUN_PORTS) && proven).then_some(Stun)
}

/// One message is proof of STUN.
fn proves(message: &Message<'_>, length: usize) -> bool {
    has_cookie(message) || (length > 0 && classic(message) && attributes(message))
}

fn has_cookie(message: &Message<'_>) -> bool {
    message.be32(4) == Some(0x2112_a442)
}

/// Behind its length (RFC 4571), as ICE has it over TCP.
pub(super) fn stun_framed(message: &Message<'_>) -> Option<Application> {
    let length = message.be16(0)?;
    let kind = message.be16(2)?;
    let sound = kind & 0xc000 == 0
        && length + 2 == message.wire
        && message.be16(4)? + 20 == length
        && message.be32(6)? == 0x2112_a442;
    sound.then_some(Stun)
}

fn stun_length(message: &Message<'_>) -> Option<usize> {
    let kind = message.be16(0)?;
    let length = message.be16(2)?;
    let end = length + 20;
    let whole = end == message.wire || (!message.udp && end <= message.wire);
    // Methods above 0xf are not in use; Google's are at 0x800.
    let sound = kind & 0xc000 == 0 && length.is_multiple_of(4) && whole;
    sound.then_some(length)
}

fn classic(message: &Message<'_>) -> bool {
    matches!(
        message.be16(0),
        Some(0x001 | 0x002 | 0x101 | 0x102 | 0x111 | 0x112)
    )
}

fn attributes(message: &Message<'_>) -> bool {
    let mut offset = 20;
    for _ in 0..32 {
        let Some(length) = message.be16(offset + 2) else {
            return offset == message.wire || (message.cut() && offset > 20);
        };
        let kind = message.be16(offset).unwrap_or(0);
        if kind == 0 || (kind & 0x7fff) > 0x60 && kind & 0x7f00 != 0 && kind < 0x8000 {
            return false;
        }
        offset += 4 + length.next_multiple_of(4);
    }
    offset == message.wire
}

/// Between peers: what comes behind the first checks of a path, on the same ports, is what the conversation is (RFC 7983).
/// The shortest classic request must have an answer with its transaction.
pub(super) fn stun_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    let Some(length) = stun_length(message) else {
        return Step::Nothing;
    };
    if !(proves(message, length) || classic(message)) {
        return Step::Nothing;
    }
    let Some(id) = message.get::<16>(4) else {
        return Step::Nothing;
    };
    // Four words of it in one.
    let token = id.chunks_exact(4).fold(0_u32, |sum, word| {
        sum.rotate_left(7) ^ u32::from_be_bytes([word[0], word[1], word[2], word[3]])
    });
    let answer = message.u8(0) == Some(1);
    let (kind, needed) = if answer {
        (Kind::StunAnswer, Kind::StunRequest)
    } else {
        (Kind::StunRequest, Kind::StunAnswer)
    };
    let answered = other.kind == needed && other.token == token;
    let again = own.kind == kind && own.token == token;
    // The path is checked again and again while media flow.
    let clue = match own.kind {
        Kind::Rtp | Kind::Rtcp => own,
        _ => Clue::new(kind, token),
    };
    if proves(message, length) || answered || again {
        return Step::Likely(Stun, clue);
    }
    Step::Keep(clue)
}

/// RFC 3550, 6: where the first packet of a compound is a report and its lengths lead to the end.
fn rtcp_chain(message: &Message<'_>) -> Option<usize> {
    let mut offset = 0;
    let mut packets = 0;
    while offset < message.wire && packets < 16 {
        if offset + 4 > message.bytes.len() {
            return (message.cut() && packets > 1).then_some(packets);
        }
        let [first, kind] = message.get(offset)?;
        let length = (message.be16(offset + 2)? + 1) * 4;
        let report = packets > 0 || matches!(kind, 200 | 201);
        if first >> 6 != 2 || !(200..=207).contains(&kind) || !report {
            return None;
        }
        // A report has room for as many blocks as it says.
        let blocks = usize::from(first & 31) * 24;
        let least = match kind {
            200 => 28 + blocks,
            201 => 8 + blocks,
            _ => 4,
        };
        if length < least {
            return None;
        }
        offset += length;
        packets += 1;
    }
    (offset == message.wire).then_some(packets)
}

/// A compound, as every datagram must be; reports that stand alone, or that SRTCP lengthens, twice from the same source.
/// Where they go the same way as media, the flow is that of the media.
pub(super) fn rtcp_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    let read = || {
        let [first, kind] = message.get(0)?;
        let length = (message.be16(2)? + 1) * 4;
        let sound =
            first >> 6 == 2 && (200..=206).contains(&kind) && (8..=message.wire).contains(&length);
        let source = message.be32(4)?;
        (sound && source != 0).then_some(source)
    };
    let Some(source) = read() else {
        return Step::Nothing;
    };
    let compound = rtcp_chain(message).is_some_and(|packets| packets >= 2);
    let again = own.kind == Kind::Rtcp && own.token == source;
    if own.kind == Kind::Rtp || other.kind == Kind::Rtp {
        return if compound {
            Step::Sure(Rtp)
        } else {
            Step::Nothing
        };
    }
    let clue = Clue::new(Kind::Rtcp, source);
    if compound || again {
        // Media that were opened by STUN have their reports on the same ports, as a rule (RFC 8834, 4.5).
        return match own.opens() || other.opens() {
            true => Step::Likely(Rtcp, clue),
            false => Step::Sure(Rtcp),
        };
    }
    Step::Keep(clue)
}

/// RFC 3550, 5.1: three packets of one source with the same type, each a little later than the one before. Two, where STUN
/// opened the path.
pub(super) fn rtp_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    let read = || {
        let [first, kind] = message.get(0)?;
        let sequence = u16::from_be_bytes(message.get(2)?);
        let source = message.be32(8)?;
        let sources = usize::from(first & 15) * 4;
        let sound = first >> 6 == 2
            && !(64..96).contains(&(kind & 0x7f))
            && message.wire >= 12 + sources
            && source != 0
            && message.src >= 1024
            && message.dst >= 1024;
        sound.then_some((source, sequence))
    };
    let Some((source, sequence)) = read() else {
        return Step::Nothing;
    };
    let same = own.kind == Kind::Rtp && own.token == source;
    let fits = match sequence.wrapping_sub(own.step) {
        // Sent again, or mirrored: no news.
        0 if same => own.fits,
        1..=50 if same => own.fits.saturating_add(1),
        _ if own.opens() || other.opens() => 2,
        _ => 1,
    };
    if fits >= 3 {
        return Step::Sure(Rtp);
    }
    Step::Keep(Clue {
        kind: Kind::Rtp,
        fits,
        step: sequence,
        token: source,
    })
}

/// RFC 5456, on its port: a full frame of a type that exists, or frames of sound that can't prove anything.
pub(super) fn iax2(message: &Message<'_>) -> Option<Application> {
    let source = message.be16(0)?;
    let kind = message.u8(10)?;
    let full = source & 0x8000 != 0 && (1..=12).contains(&kind) && message.wire >= 12;
    (full && message.on(&[4569])).then_some(Iax2)
}
