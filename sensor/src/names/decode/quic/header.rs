//! Headers of QUIC packets: what all versions have in common (RFC 8999), the known versions' Initial packets, Google's own.

use super::LongHeader;
use crate::names::decode::tls::reader::Reader;

pub(super) const V1: u32 = 1;
pub(super) const V2: u32 = 0x6b33_43cf;
pub(super) const DRAFT_29: u32 = 0xff00_001d;
pub(super) const DRAFT_33: u32 = 0xff00_0021;
pub(super) const DRAFT_34: u32 = 0xff00_0022;
const NEGOTIATION: u32 = 0;

const LONG: u8 = 0x80;
const FIXED: u8 = 0x40;
/// Longer ids are for versions to come.
const MAX_ID: usize = 20;
/// Versions in a server's list; longer ones are none.
const MAX_LISTED: usize = 32;
/// Every protected packet has a packet number and enough behind it to take a sample of (RFC 9001 section 5.4.2).
const MIN_PROTECTED: usize = 20;
/// What proves a packet genuine, at its end.
const TAG: usize = 16;

/// One packet of a datagram, as far as it is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) version: u32,
    pub(super) dcid: &'a [u8],
    pub(super) initial: bool,
    /// From its first byte on; it ends where the packet or the capture does.
    pub(super) bytes: &'a [u8],
    /// Where in it the packet number begins.
    pub(super) number_at: usize,
    /// What its header says is there from the packet number on.
    pub(super) len: usize,
    /// The rest of the datagram; `None` if this packet is cut off.
    pub(super) behind: Option<&'a [u8]>,
}

/// Initial, 0-RTT, Handshake and Retry packets are told by two bits, which v2 turns by one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Initial,
    Protected,
    Retry,
}

/// The packet at the start, if it has a long header of a version whose keys are known, and a length.
pub(super) fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let mut reader = Reader(bytes);
    let (first, header) = invariant(&mut reader)?;
    if !has_tls(header.version) || first & FIXED == 0 {
        return None;
    }
    let kind = kind(first, header.version);
    let len = protected_len(&mut reader, kind)?;
    let number_at = bytes.len() - reader.0.len();
    let (bytes, behind) = match bytes.split_at_checked(number_at.checked_add(len)?) {
        Some((packet, behind)) => (packet, Some(behind)),
        None => (bytes, None),
    };
    Some(Packet {
        version: header.version,
        dcid: header.dcid,
        initial: kind == Kind::Initial,
        bytes,
        number_at,
        len,
        behind,
    })
}

/// The long header of today's QUIC and of versions that came near to it: drafts, Facebook's, Google's (Q046, Q050, T050).
pub(super) fn ietf(bytes: &[u8]) -> Option<LongHeader<'_>> {
    let mut reader = Reader(bytes);
    let version = Reader(bytes.get(1..)?).u32()?;
    if version == google_version(b"46") {
        return half_way(bytes);
    }
    let (first, header) = invariant(&mut reader)?;
    let possible = match version {
        NEGOTIATION => header.dcid.len() + header.scid.len() > 0 && lists_known_version(reader),
        _ if has_tls(version) => first & FIXED != 0 && may_be_protected(reader, first, version),
        _ => {
            // A number and a tag at the least.
            first & FIXED != 0 && is_known(version) && reader.0.len() > TAG
        }
    };
    possible.then_some(header)
}

/// Google's QUIC up to Q043: flags, connection id, version.
pub(super) fn google(bytes: &[u8]) -> Option<LongHeader<'_>> {
    const VERSION: u8 = 0x01;
    const RESET: u8 = 0x02;
    const ID: u8 = 0x08;
    let mut reader = Reader(bytes);
    let flags = reader.u8()?;
    if flags & (LONG | FIXED | ID | RESET | VERSION) != ID | VERSION {
        return None;
    }
    let dcid = reader.take(8)?;
    let version = reader.u32().filter(|version| is_google(*version))?;
    // A packet number of 1 to 6 bytes and a hash follow.
    (reader.0.len() >= 13).then_some(LongHeader {
        version,
        dcid,
        scid: &[],
    })
}

/// What no version may change.
fn invariant<'a>(reader: &mut Reader<'a>) -> Option<(u8, LongHeader<'a>)> {
    let first = reader.u8().filter(|first| first & LONG != 0)?;
    let version = reader.u32()?;
    let dcid = reader.short().filter(|id| id.len() <= MAX_ID)?;
    let scid = reader.short().filter(|id| id.len() <= MAX_ID)?;
    let header = LongHeader {
        version,
        dcid,
        scid,
    };
    Some((first, header))
}

fn kind(first: u8, version: u32) -> Kind {
    let turned = if version == V2 { 3 } else { 0 };
    match ((first >> 4) + turned) & 3 {
        0 => Kind::Initial,
        3 => Kind::Retry,
        _ => Kind::Protected,
    }
}

/// Reads up to the packet number: what its packet has from there on.
fn protected_len(reader: &mut Reader<'_>, kind: Kind) -> Option<usize> {
    match kind {
        Kind::Retry => return None,
        Kind::Protected => {}
        Kind::Initial => {
            let token = reader.varint()?;
            reader.take(usize::try_from(token).ok()?)?;
        }
    }
    let len = usize::try_from(reader.varint()?).ok()?;
    (len >= MIN_PROTECTED).then_some(len)
}

/// False if the length is there and can't be one.
fn may_be_protected(mut reader: Reader<'_>, first: u8, version: u32) -> bool {
    let kind = kind(first, version);
    if kind == Kind::Retry {
        return reader.0.len() >= TAG;
    }
    if kind == Kind::Initial {
        let Some(token) = reader.varint() else {
            return false;
        };
        let Ok(token) = usize::try_from(token) else {
            return false;
        };
        if reader.take(token).is_none() {
            return token <= usize::from(u16::MAX); // the capture may end in it
        }
    }
    reader
        .varint()
        .is_none_or(|len| (MIN_PROTECTED as u64..=u64::from(u16::MAX)).contains(&len))
}

/// With TLS inside, and Initial packets whose keys anybody can know.
fn has_tls(version: u32) -> bool {
    matches!(version, V1 | V2 | DRAFT_29..=DRAFT_34)
}

/// Those above, the drafts before them (from 16 on; their keys are others), Facebook's and Google's own.
fn is_known(version: u32) -> bool {
    const DRAFT_16: u32 = 0xff00_0010;
    let facebook = 0xface_b000..=0xface_b00e;
    let draft = DRAFT_16..=DRAFT_34;
    let known = has_tls(version) || draft.contains(&version) || facebook.contains(&version);
    known || is_google(version) || google_with_tls(version)
}

/// `T050`, `T051`: Google's, with the handshake of TLS.
fn google_with_tls(version: u32) -> bool {
    matches!(version.to_be_bytes(), [b'T', b'0', b'5', b'0'..=b'9'])
}

/// `Q0` and two digits.
fn is_google(version: u32) -> bool {
    let [q, zero, tens, ones] = version.to_be_bytes();
    [q, zero] == *b"Q0" && tens.is_ascii_digit() && ones.is_ascii_digit()
}

const fn google_version(digits: &[u8; 2]) -> u32 {
    u32::from_be_bytes([b'Q', b'0', digits[0], digits[1]])
}

/// Q046: both lengths in one byte, 0 or 8 bytes each.
fn half_way(bytes: &[u8]) -> Option<LongHeader<'_>> {
    let mut reader = Reader(bytes);
    reader
        .u8()
        .filter(|first| first & (LONG | FIXED) == LONG | FIXED)?;
    let version = reader.u32()?;
    let lens = reader.u8()?;
    let mut id = |nibble: u8| match nibble {
        0 => Some(&[][..]),
        5 => reader.take(8),
        _ => None,
    };
    let dcid = id(lens >> 4)?;
    let scid = id(lens & 15)?;
    Some(LongHeader {
        version,
        dcid,
        scid,
    })
}

/// Version negotiation: nothing but versions follows, and one of them is known.
fn lists_known_version(mut reader: Reader<'_>) -> bool {
    if !reader.0.len().is_multiple_of(4) || reader.0.len() > 4 * MAX_LISTED {
        return false;
    }
    let listed = core::iter::from_fn(|| reader.u32());
    let mut known = false;
    for version in listed {
        if version == NEGOTIATION {
            return false;
        }
        known |= is_known(version);
    }
    known
}
