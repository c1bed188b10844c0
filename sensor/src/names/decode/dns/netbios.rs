//! The NetBIOS name service's own ways: names in half-bytes, and lists of addresses.

use std::net::Ipv4Addr;

use super::name::{Name, Stop};
use super::read::{Header, RawRecord, Reader};
use super::{Data, MOST_QUESTIONS, MOST_RECORDS, Message, Question, Record};
use crate::names::text;

const NB: u16 = 0x20;
const INTERNET: u16 = 1;
/// The name is that of a group of hosts.
const GROUP: u8 = 0x80;

pub(super) fn message(bytes: &[u8]) -> Option<Message> {
    let header = Header::of(bytes)?;
    // Query, registration, release, wait, refresh (two numbers), multi-homed registration.
    if !matches!(header.opcode(), 0 | 5..=9 | 15) {
        return None;
    }
    let mut message = Message::begun(header);
    let filled = fill(&mut message, header, bytes);
    Some(message.ended(filled))
}

fn fill(message: &mut Message, header: Header, bytes: &[u8]) -> Result<(), Stop> {
    let mut reader = Reader::new(bytes);
    for _ in 0..header.questions {
        let question = reader.question()?;
        if message.questions.len() == MOST_QUESTIONS {
            return Err(Stop::Full);
        }
        message.questions.push(Question {
            name: decoded(&question.name).ok_or(Stop::Damaged)?.0,
            kind: question.kind,
        });
    }
    for number in 0..header.records() {
        if number as usize == MOST_RECORDS {
            return Err(Stop::Full);
        }
        let record = reader.record()?;
        if record.kind == NB && record.class == INTERNET {
            addresses(message, bytes, &record)?;
        }
    }
    Ok(())
}

/// Two bytes of flags and an address, again and again.
fn addresses(message: &mut Message, bytes: &[u8], record: &RawRecord) -> Result<(), Stop> {
    let (name, suffix) = decoded(&record.name).ok_or(Stop::Damaged)?;
    // Other suffixes are names of users, domains and browsers, which are no names of the host.
    if !matches!(suffix, 0 | 0x20) {
        return Ok(());
    }
    let data = bytes.get(record.data.clone()).unwrap_or_default();
    for entry in data.as_chunks::<6>().0 {
        if message.records.len() == MOST_RECORDS {
            return Err(Stop::Full);
        }
        let [flags, _, a, b, c, d] = *entry;
        if flags & GROUP == 0 {
            message.records.push(Record {
                name: name.clone(),
                ttl: record.ttl,
                data: Data::Address(Ipv4Addr::new(a, b, c, d).into()),
            });
        }
    }
    Ok(())
}

/// First-level encoding (RFC 1001 section 14.1): each half-byte is a letter from `A` to `P`. The name without its padding,
/// with the scope if there is one, and the suffix that says what bears the name.
fn decoded(name: &Name) -> Option<(String, u8)> {
    if name.first != 32 {
        return None;
    }
    let (label, scope) = name.dotted().split_at_checked(32)?;
    let mut bytes = [0; 16];
    for (byte, [high, low]) in bytes.iter_mut().zip(label.as_chunks::<2>().0) {
        *byte = half(*high)? << 4 | half(*low)?;
    }
    let (suffix, padded) = bytes.split_last()?;
    let len = padded.iter().rposition(|byte| !matches!(byte, b' ' | 0));
    let mut name = text::shown(padded.get(..len.map_or(0, |last| last + 1))?);
    name.push_str(&text::shown(scope));
    Some((name, *suffix))
}

fn half(letter: u8) -> Option<u8> {
    let half = letter.wrapping_sub(b'A');
    (half < 16).then_some(half)
}
