//! Counting by packet socket: where the kernel's programs can't be had.

use sensor_common::flow::Direction;
use sensor_common::parse::{self, Outer, Reason};
use sensor_common::view::{HEADER_WINDOW, SliceView};
use sensor_common::wire;

use super::{Frame, Ring, RingConfig, RingError};
use crate::counters::{Counts, Delta, Seen, When};
use crate::source::starts_with_ip;

/// `sll_pkttype` of packets that this host sent.
const PACKET_OUTGOING: u8 = 4;
/// Blocks that one poll takes before it lets others run.
const MAX_BLOCKS: usize = 4096;

/// One interface.
pub struct AfPacket {
    ring: Ring,
    slot: u8,
    loopback: bool,
    lost: u64,
}

impl AfPacket {
    pub fn open(ifindex: u32, slot: u8, loopback: bool) -> Result<Self, RingError> {
        let config = RingConfig {
            snaplen: HEADER_WINDOW as u32,
            ..RingConfig::new(ifindex)
        };
        Ok(AfPacket {
            ring: Ring::open(&config)?,
            slot,
            loopback,
            lost: 0,
        })
    }

    pub fn slot(&self) -> u8 {
        self.slot
    }

    pub fn poll(&mut self, delta: &mut Delta) {
        let (slot, loopback) = (self.slot, self.loopback);
        self.ring
            .drain(MAX_BLOCKS, |frame| count(&frame, slot, loopback, delta));
        delta.flush();
        self.note_losses(delta);
    }

    /// Takes what is still in an unfinished block too.
    pub fn finish(&mut self, delta: &mut Delta) -> Result<(), RingError> {
        let (slot, loopback) = (self.slot, self.loopback);
        self.ring
            .drain_all(|frame| count(&frame, slot, loopback, delta))?;
        delta.flush();
        self.note_losses(delta);
        Ok(())
    }

    fn note_losses(&mut self, delta: &mut Delta) {
        let statistics = self.ring.statistics();
        let lost = statistics.drops + statistics.unreadable;
        delta.lost("af-packet", lost - self.lost);
        self.lost = lost;
    }
}

fn count(frame: &Frame<'_>, slot: u8, loopback: bool, delta: &mut Delta) {
    let outgoing = frame.packet_type == PACKET_OUTGOING;
    if loopback && outgoing {
        return; // the same packet comes again as incoming
    }
    let view = SliceView(frame.data);
    let packet = match starts_with_ip(frame.arphrd) {
        Some(l3) => parse::on_interface(&view, l3),
        None => Err(Reason::UnsupportedLinkType),
    };
    let header_len = packet.as_ref().map_or(0, |packet| match frame.gso_size {
        0 => u64::from(packet.header_len),
        _ => u64::from(parse::segment_header_len(&view, Outer::of(packet))),
    });
    let len = u64::from(frame.len);
    let segments = wire::segments(len, header_len, u64::from(frame.gso_size));
    let on_wire = wire::segmented(len, segments, header_len, frame.vlan.is_some());
    delta.packet(&Seen {
        packet,
        when: When::At(frame.time_ns),
        slot,
        direction: if outgoing {
            Direction::Egress
        } else {
            Direction::Ingress
        },
        counts: Counts {
            packets: on_wire.packets,
            bytes: on_wire.bytes,
        },
        captured_bytes: frame.data.len() as u64,
    });
}
