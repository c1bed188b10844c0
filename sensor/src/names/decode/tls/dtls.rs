//! DTLS 1.0 and 1.2, and 1.3's handshake before it encrypts.

use super::reader::Reader;
use super::{Hello, MAX_RECORD, Transport, message};

/// With DTLS 1.2's connection ids (RFC 9146), whose length only the peers know.
const WITH_CONNECTION_ID: u8 = 25;
const MAX_CONNECTION_ID: usize = 32;
const HANDSHAKE: u8 = 22;

pub(super) fn datagram(bytes: &[u8]) -> Option<Hello> {
    let mut reader = Reader(bytes);
    let record = header(&mut reader)?;
    if record.kind == WITH_CONNECTION_ID {
        return connection_id_fits(bytes).then_some(Hello::Other);
    }
    let body = reader.0.get(..record.len);
    if let Some(body) = body {
        let next = &reader.0[body.len()..];
        if !next.is_empty() && !may_be_record(next) {
            return None;
        }
    }
    let body = body.unwrap_or(reader.0);
    if record.kind != HANDSHAKE || record.epoch != 0 {
        return Some(Hello::Other);
    }
    handshake(body, record.len)
}

struct Record {
    kind: u8,
    epoch: u16,
    len: usize,
}

fn header(reader: &mut Reader<'_>) -> Option<Record> {
    let kind = reader.u8().filter(|kind| (20..=25).contains(kind))?;
    reader
        .u16()
        .filter(|version| matches!(version, 0xfeff | 0xfefd))?;
    let epoch = reader.u16()?;
    let _sequence = reader.take(6)?;
    let len = usize::from(reader.u16()?);
    let possible = kind == WITH_CONNECTION_ID || (1..=MAX_RECORD).contains(&len);
    possible.then_some(Record { kind, epoch, len })
}

/// What follows a record in its datagram is one more, maybe with DTLS 1.3's short header.
fn may_be_record(bytes: &[u8]) -> bool {
    bytes[0] & 0xe0 == 0x20
        || (20..=25).contains(&bytes[0]) && bytes.get(1).is_none_or(|major| *major == 0xfe)
}

/// The length field stands behind the connection id and tells where the datagram ends.
fn connection_id_fits(bytes: &[u8]) -> bool {
    (1..=MAX_CONNECTION_ID).any(|id| {
        let mut rest = Reader(bytes.get(11 + id..).unwrap_or_default());
        rest.u16()
            .is_some_and(|len| len > 0 && usize::from(len) == rest.0.len())
    })
}

/// A handshake message or the first fragment of one: a fragmented hello counts as cut.
fn handshake(body: &[u8], record_len: usize) -> Option<Hello> {
    let mut reader = Reader(body);
    let Some(kind) = reader.u8() else {
        return Some(Hello::Other); // cut behind the record's header
    };
    let header = (|| Some((reader.u24()?, reader.u16()?, reader.u24()?, reader.u24()?)))();
    let Some((len, _sequence, offset, fragment)) = header else {
        return (record_len >= 12).then_some(Hello::Other);
    };
    if offset + fragment > len || fragment + 12 > record_len {
        return None;
    }
    if offset != 0 {
        return Some(Hello::Other);
    }
    let there = reader.0.get(..fragment).unwrap_or(reader.0);
    message(kind, there, len, Transport::Dtls)
}
