//! Messages and queues: MQTT, AMQP, Kafka, CoAP.

use sensor_common::application::Application::{self, Amqp, Coap, Kafka, Mqtt};

use super::clue::{Clue, Kind, Step};
use super::message::{Message, is_word};

/// CONNECT with the protocol's name, anywhere.
pub(super) fn mqtt(message: &Message<'_>) -> Option<Application> {
    let (start, length) = remaining(message)?;
    let name = message.has(start, b"\0\x04MQTT") || message.has(start, b"\0\x06MQIsdp");
    let connect = message.u8(0)? == 0x10 && name && start + length == message.wire;
    connect.then_some(Mqtt)
}

pub(super) const MQTT: &[u16] = &[1883];

/// Any packet.
pub(super) fn mqtt_on_port(message: &Message<'_>) -> Option<Application> {
    if !message.on(MQTT) {
        return None;
    }
    let (start, length) = remaining(message)?;
    let first = message.u8(0)?;
    let (kind, flags) = (first >> 4, first & 15);
    let flagged = match kind {
        3 => flags & 6 != 6,
        6 | 8 | 10 => flags == 2,
        _ => flags == 0,
    };
    let fits = match kind {
        2 => length >= 2,
        12..=14 => length == 0 || kind == 14,
        1 | 3..=11 => length >= 2,
        _ => false,
    };
    (flagged && fits && start + length <= message.wire).then_some(Mqtt)
}

/// Where the variable head begins, and the length behind it: up to four bytes of seven bits.
fn remaining(message: &Message<'_>) -> Option<(usize, usize)> {
    let mut length = 0;
    for place in 0..4 {
        let byte = message.u8(1 + place)?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((2 + place, length));
        }
    }
    None
}

/// The protocol's name with a version that exists, or the first frame of a server of 0-9-1: Connection.Start.
pub(super) fn amqp(message: &Message<'_>) -> Option<Application> {
    let version = message.get::<4>(4)?;
    let known = matches!(
        version,
        [0, 0, 9, 1] | [0 | 2 | 3, 1, 0, 0] | [1, 1, 0, 9 | 10] | [1, 1, 8, 0] | [1, 1, 9, 1]
    );
    if message.starts(b"AMQP") && known {
        return Some(Amqp);
    }
    let length = message.be32(3)? as usize;
    let start = message.starts(&[1, 0, 0]) && message.get::<6>(7)? == [0, 10, 0, 10, 0, 9];
    (start && length.checked_add(8)? == message.wire).then_some(Amqp)
}

/// A request's correlation id, if the message can be one: lengths agree, the numbers exist, the client has a name.
fn kafka_request(message: &Message<'_>) -> Option<u32> {
    let length = message.be32(0)? as usize;
    let key = message.be16(4)?;
    let version = message.be16(6)?;
    let correlation = message.be32(8)?;
    let name = message.be16(12)?;
    let client = message.from(14).get(..name)?;
    let sound = length.checked_add(4)? == message.wire
        && key <= 92
        && version <= 20
        && (1..=128).contains(&name)
        && name + 10 <= length
        && client.iter().copied().all(is_word);
    sound.then_some(correlation)
}

pub(super) fn kafka(message: &Message<'_>) -> Option<Application> {
    (message.on(&[9092]) && kafka_request(message).is_some()).then_some(Kafka)
}

/// Elsewhere: a request, and an answer with its correlation id.
pub(super) fn kafka_pair(message: &Message<'_>, _: Clue, other: Clue) -> Step {
    if other.kind == Kind::Kafka {
        let fits = |()| {
            let length = message.be32(0)? as usize;
            let answer = message.be32(4)? == other.token && (4..1 << 30).contains(&length);
            Some(answer && length.checked_add(4)? >= message.wire)
        };
        if fits(()) == Some(true) {
            return Step::Sure(Kafka);
        }
    }
    match kafka_request(message) {
        Some(correlation) if message.first => Step::Keep(Clue::new(Kind::Kafka, correlation)),
        _ => Step::Nothing,
    }
}

/// RFC 7252, on its port: version 1, a code that exists, options that are well formed.
pub(super) fn coap(message: &Message<'_>) -> Option<Application> {
    let [first, code] = message.get(0)?;
    let token = usize::from(first & 15);
    let known = matches!(code, 0..=7 | 0x40..=0x5f | 0x80..=0x9f | 0xa0..=0xbf | 0xe1..=0xe5);
    let head = first >> 6 == 1 && token <= 8 && known && 4 + token <= message.wire;
    if !head || !message.on(&[5683]) || (code == 0 && message.wire != 4) {
        return None;
    }
    let mut offset = 4 + token;
    while let Some(option) = message.u8(offset) {
        if option == 0xff {
            return Some(Coap);
        }
        offset += 1;
        let delta = extended(message, option >> 4, &mut offset)?;
        let length = extended(message, option & 15, &mut offset)?;
        if delta > 65804 {
            return None;
        }
        offset += length;
    }
    (offset == message.wire || message.cut()).then_some(Coap)
}

fn extended(message: &Message<'_>, nibble: u8, offset: &mut usize) -> Option<usize> {
    match nibble {
        13 => {
            *offset += 1;
            Some(usize::from(message.u8(*offset - 1)?) + 13)
        }
        14 => {
            *offset += 2;
            Some(message.be16(*offset - 2)? + 269)
        }
        15 => None,
        small => Some(usize::from(small)),
    }
}
