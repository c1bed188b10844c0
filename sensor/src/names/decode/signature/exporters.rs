//! Flow records and samples: NetFlow, IPFIX, sFlow.

use sensor_common::application::Application::{self, Ipfix, Netflow, Sflow};

use super::message::Message;

/// 2000-01-01: no exporter is older.
const YEAR_2000: u32 = 946_684_800;

/// Version 5 has records of 48 bytes that fill the datagram, version 9 sets with lengths that do.
pub(super) fn netflow(message: &Message<'_>) -> Option<Application> {
    let version = message.be16(0)?;
    let count = message.be16(2)?;
    let recent = message.be32(8)? >= YEAR_2000;
    let sound = match version {
        5 => (1..=30).contains(&count) && message.wire == 24 + 48 * count,
        9 => (1..=1024).contains(&count) && sets(message, 20, &[0, 1])?,
        _ => false,
    };
    (sound && recent).then_some(Netflow)
}

/// RFC 7011: its length is the datagram's, and so are its sets'.
pub(super) fn ipfix(message: &Message<'_>) -> Option<Application> {
    let sound = message.be16(0)? == 10
        && message.be16(2)? == message.wire
        && message.be32(4)? >= YEAR_2000
        && sets(message, 16, &[2, 3])?;
    sound.then_some(Ipfix)
}

/// A chain of sets from `offset` on: identifier, length. `templates`: identifiers below 256 that are used.
fn sets(message: &Message<'_>, offset: usize, templates: &[usize]) -> Option<bool> {
    let mut offset = offset;
    let mut seen = 0;
    while offset < message.wire && seen < 64 {
        if offset + 4 > message.bytes.len() {
            return Some(message.cut() && seen > 0);
        }
        let id = message.be16(offset)?;
        let length = message.be16(offset + 2)?;
        if length < 4 || !(id >= 256 || templates.contains(&id)) {
            return None;
        }
        offset += length;
        seen += 1;
    }
    Some(seen > 0 && offset == message.wire)
}

/// Version 5 on its port: agent's address, and samples.
pub(super) fn sflow(message: &Message<'_>) -> Option<Application> {
    let address = message.be32(4)?;
    let behind = match address {
        1 => 12,
        2 => 24,
        _ => return None,
    };
    let samples = message.be32(behind + 12)?;
    let sound = message.on(&[6343]) && message.be32(0)? == 5 && samples <= 1000;
    sound.then_some(Sflow)
}
