//! Tells a tap of a packet of a file.

use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

use super::Record;
use crate::counters::{Delta, Seen};
use crate::source::tap::{Links, PacketRecord, Tap, tcp_header};

/// The link layer is walked over once more for its headers, which nobody else wants to know.
#[inline(never)]
pub(super) fn packet(
    tap: &mut Tap<'_>,
    record: &Record<'_>,
    link_type: LinkType,
    seen: &Seen,
    delta: &Delta,
) {
    let mut links = Links::start(link_type);
    // The outcome is known already.
    let _ = parse::packet_observed(&SliceView(record.data), link_type, &mut links);
    let macs = match link_type {
        LinkType::Ethernet => record.data.first_chunk(),
        _ => None,
    };
    let direction = seen.way();
    tap(&PacketRecord {
        when: record.when,
        interface: None,
        direction,
        packets: seen.counts.packets,
        wire_len: seen.counts.bytes,
        cap_len: seen.captured_bytes,
        links: &links,
        parsed: &seen.packet,
        macs,
        tcp: tcp_header(&seen.packet, record.data),
        book: delta.book(),
    });
}
