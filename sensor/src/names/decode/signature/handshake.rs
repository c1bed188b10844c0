//! TLS, DTLS and QUIC by their first bytes. What they say inside is read elsewhere.

use sensor_common::application::Application::{self, Dtls, Quic, Tls};

use super::message::Message;
use crate::names::decode::quic::long_header;

/// The longest record that TLS allows: 2^14 and what encryption may add (RFC 5246, 6.2.3).
const MAX_RECORD: usize = 16_384 + 2048;

/// A record with a hello: type, both versions and both lengths agree (RFC 8446, 4 and 5.1).
pub(super) fn tls(message: &Message<'_>) -> Option<Application> {
    let [kind, major, minor] = message.get(0)?;
    let record = message.be16(3)?;
    let hello = message.u8(5)?;
    let body = message.be24(6)?;
    let version = message.get::<2>(9)?;
    let sound = (kind, major) == (22, 3)
        && minor <= 4
        && matches!(hello, 1 | 2)
        && (38..=MAX_RECORD).contains(&record)
        && (34..1 << 16).contains(&body)
        // A hello may go on in the next record, and a record may hold more than the hello.
        && (body + 4 <= record || hello == 1)
        && version[0] == 3
        && version[1] <= 4;
    (sound || sslv2(message)).then_some(Tls)
}

/// A hello of SSLv2's form that offers SSL 3 or TLS (RFC 5246, appendix E.2).
fn sslv2(message: &Message<'_>) -> bool {
    let read = || {
        let length = message.be16(0)?;
        let [kind, major, minor] = message.get(2)?;
        let [ciphers, session, challenge] = [message.be16(5)?, message.be16(7)?, message.be16(9)?];
        Some(
            message.first
                && length & 0x8000 != 0
                && (length & 0x7fff) + 2 == message.wire
                && (kind, major) == (1, 3)
                && minor <= 3
                && ciphers % 3 == 0
                && ciphers + session + challenge + 11 == message.wire,
        )
    };
    read().unwrap_or(false)
}

/// The middle of a TLS connection, where a capture begins late: a chain of records that goes on as far as was captured.
pub(super) fn tls_later(message: &Message<'_>) -> Option<Application> {
    let mut offset = 0;
    let mut records = 0;
    while offset + 5 <= message.bytes.len() && records < 16 {
        let [kind, major, minor] = message.get(offset)?;
        let length = message.be16(offset + 3)?;
        let sound = (20..=23).contains(&kind)
            && major == 3
            && (1..=3).contains(&minor)
            && (1..=MAX_RECORD).contains(&length)
            && (kind != 20 || length == 1)
            && (kind != 21 || length == 2 || length >= 18);
        if !sound {
            return None;
        }
        records += 1;
        offset += 5 + length;
    }
    // One record that goes on beyond the payload is five bytes' worth of proof; a short one must end where the payload does.
    let ends = offset == message.wire || offset > message.bytes.len();
    let kind = message.u8(0)?;
    let proven = if offset > message.wire {
        // Application data of a long record; an alert or a change of ciphers is never split.
        records > 1 || (kind == 23 && message.wire > 64)
    } else {
        ends
    };
    (records > 0 && ends && proven).then_some(Tls)
}

/// A handshake message of DTLS, or a chain of records to the very end (RFC 6347, 4.1; 9147).
pub(super) fn dtls(message: &Message<'_>) -> Option<Application> {
    let mut offset = 0;
    let mut records = 0;
    let mut hello = false;
    while offset < message.wire && records < 16 {
        if offset + 13 > message.bytes.len() {
            break;
        }
        let [kind, major, minor] = message.get(offset)?;
        let epoch = message.be16(offset + 3)?;
        let length = message.be16(offset + 11)?;
        let version = major == 0xfe && matches!(minor, 0xff | 0xfd) || (major, minor) == (1, 0);
        let sound = (20..=24).contains(&kind)
            && version
            && epoch < 0x100
            && length > 0
            && offset + 13 + length <= message.wire;
        if !sound {
            // Behind the records of DTLS 1.2 may stand one of 1.3, or a packet of another protocol: not proof.
            return None;
        }
        hello |= kind == 22 && epoch == 0 && is_fragment(message, offset + 13, length);
        records += 1;
        offset += 13 + length;
    }
    let whole = offset == message.wire || (message.cut() && records > 0);
    let encrypted = message.be16(3)? != 0 && message.get::<2>(5)? == [0, 0];
    (whole && (hello || encrypted)).then_some(Dtls)
}

/// The head of a handshake message's fragment: it lies within the message, and fills the record.
fn is_fragment(message: &Message<'_>, offset: usize, record: usize) -> bool {
    let read = || {
        let kind = message.u8(offset)?;
        let whole = message.be24(offset + 1)?;
        let start = message.be24(offset + 6)?;
        let length = message.be24(offset + 9)?;
        Some(kind <= 24 && start + length <= whole && length + 12 <= record)
    };
    read().unwrap_or(false)
}

/// The long header of a version that is known.
pub(super) fn quic(message: &Message<'_>) -> Option<Application> {
    long_header(message.bytes).map(|_| Quic)
}
