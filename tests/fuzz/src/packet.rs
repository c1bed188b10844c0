//! The parser that counts: it ends, reads within the packet and its window, and more bytes of a packet that it has
//! understood change nothing.

use std::cell::Cell;

use sensor_common::parse::{self, LinkType, Packet, Reason};
use sensor_common::view::{HEADER_WINDOW, PacketView, SliceView};

use crate::cost::bounded;
use crate::explain::LINK_TYPES;

/// The deepest stack that is walked over has 4 tags, 8 labels or 8 extension headers.
const MOST_READS: usize = 64;
/// An IPv6 extension header may say so many bytes of itself, and only what it begins with is looked at.
const LONGEST: usize = 2048 + 60;

/// Panics if the parser does something else. The first byte says of which link type the rest is.
pub fn check(bytes: &[u8]) {
    let Some((&first, packet)) = bytes.split_first() else {
        return;
    };
    let link = LinkType::from_number(LINK_TYPES[usize::from(first) % LINK_TYPES.len()]);
    let view = Watched::new(packet);
    let whole = bounded(packet.len(), 0, || parse::packet(&view, link));
    assert!(view.reads.get() <= MOST_READS, "{} reads", view.reads.get());
    within(&whole, packet.len());
    if link == LinkType::Ethernet {
        let counted = parse::on_interface(&SliceView(packet), false);
        assert_eq!(counted, whole, "as an interface shows it");
    }
    let seen = packet.len().min(HEADER_WINDOW);
    for cut in [seen / 4, seen / 2, seen * 3 / 4, seen.saturating_sub(1)] {
        let part = parse::packet(&SliceView(&packet[..cut]), link);
        within(&part, cut);
        if !asks_for_more(&part) {
            assert_eq!(part, whole, "from {cut} bytes of {}", packet.len());
        }
    }
}

/// Whether more bytes of the packet may say something else.
fn asks_for_more(parsed: &Result<Packet, Reason>) -> bool {
    match parsed {
        Ok(packet) => packet.cut,
        Err(reason) => reason.is_truncation(),
    }
}

/// What is told of the packet lies in it.
fn within(parsed: &Result<Packet, Reason>, len: usize) {
    let Ok(packet) = parsed else { return };
    let [network, transport, end] = [
        packet.network_offset,
        packet.transport_offset,
        packet.header_len,
    ]
    .map(usize::from);
    assert!(end <= HEADER_WINDOW + LONGEST, "{packet:?}");
    assert!(network <= end || packet.cut, "{packet:?}");
    assert!(transport == 0 || network < transport, "{packet:?}");
    assert!(network <= len, "{packet:?} of {len} bytes");
}

/// Counts reads, and refuses those that no other view would answer.
struct Watched<'a> {
    packet: SliceView<'a>,
    reads: Cell<usize>,
}

impl<'a> Watched<'a> {
    fn new(packet: &'a [u8]) -> Self {
        Watched {
            packet: SliceView(packet),
            reads: Cell::new(0),
        }
    }
}

impl PacketView for Watched<'_> {
    fn at<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        self.reads.set(self.reads.get() + 1);
        self.packet.at(offset)
    }
}
