//! Tells a tap of a packet of a file.

use super::Record;
use crate::counters::{Delta, Seen};
use crate::source::tap::{Bytes, Origin, PacketRecord, Tap};

#[inline(never)]
pub(super) fn packet(tap: &mut Tap<'_>, record: &Record<'_>, seen: &Seen, delta: &Delta) {
    let described = record.described;
    tap(&PacketRecord {
        when: record.when,
        interface: None,
        direction: seen.way(),
        packets: seen.counts.packets,
        wire_len: seen.counts.bytes,
        cap_len: seen.captured_bytes,
        bytes: Bytes {
            data: record.data,
            link_type: record.link_type,
            tag: None,
            len: record.wire_len,
            super_packet: None,
        },
        origin: described.map_or_else(Origin::default, |one| Origin {
            number: one.number,
            name: one.name.as_deref(),
        }),
        parsed: &seen.packet,
        book: delta.book(),
    });
}
