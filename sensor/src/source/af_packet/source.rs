//! Counting by packet socket: where the kernel's programs can't be had.

use std::sync::Arc;

use sensor_common::flow::Direction;
use sensor_common::parse::{self, Outer, Reason};
use sensor_common::sample::LONG;
use sensor_common::view::{HEADER_WINDOW, SliceView};
use sensor_common::wire;

use super::judge::Judge;
use super::listener::Listener;
use super::{Frame, Ring, RingConfig, RingError, RingStatistics};
use crate::counters::{Counts, Delta, Seen, When};
use crate::filter::Matcher;
use crate::source::dedup::{self, SharedDedup};
use crate::source::mirror::MirrorPort;
use crate::source::sampling::Sampler;
use crate::source::starts_with_ip;

/// `sll_pkttype` of packets that this host sent.
const PACKET_OUTGOING: u8 = 4;
/// Blocks that one poll takes before it lets others run: as many as the ring has. Where packets come faster than they are
/// counted the ring is never empty, and signals and reports must have their turn all the same.
const MAX_BLOCKS: usize = 64;

/// One interface.
pub struct AfPacket {
    ifindex: u32,
    ring: Ring,
    counter: Counter,
    lost: u64,
}

impl AfPacket {
    pub fn open(ifindex: u32, slot: u8, loopback: bool, want: Want) -> Result<Self, RingError> {
        let config = RingConfig {
            // Packets are told apart by all of their bytes.
            snaplen: match want.dedup {
                Some(_) => 0,
                None => want.snaplen(want.filter.as_deref()),
            },
            ..RingConfig::new(ifindex)
        };
        Ok(AfPacket {
            ifindex,
            ring: Ring::open(&config)?,
            counter: Counter::new(slot, loopback, want),
            lost: 0,
        })
    }

    pub fn ifindex(&self) -> u32 {
        self.ifindex
    }

    pub fn statistics(&self) -> RingStatistics {
        self.ring.statistics()
    }

    /// Keeps as much of each packet as this filter wants, and not less than before.
    pub fn widen(&self, filter: Option<&Matcher>) -> Result<(), RingError> {
        if self.counter.dedup.is_some() {
            return Ok(()); // has all of it
        }
        let before = self.counter.judge.as_ref().map(Judge::matcher);
        let before = self.counter.snaplen(before);
        self.ring
            .keep_only(self.counter.snaplen(filter).max(before))
    }

    /// Decides by this filter from now on, also of packets that are in the ring already: poll first.
    pub fn set_filter(&mut self, filter: Option<Arc<Matcher>>) -> Result<(), RingError> {
        if self.counter.dedup.is_none() {
            self.ring
                .keep_only(self.counter.snaplen(filter.as_deref()))?;
        }
        self.counter.set_filter(filter);
        Ok(())
    }

    pub fn poll(&mut self, delta: &mut Delta) {
        let counter = &mut self.counter;
        self.ring
            .drain(MAX_BLOCKS, |frame| counter.count(&frame, delta));
        delta.flush();
        self.note_losses(delta);
    }

    /// Takes what is still in an unfinished block too.
    pub fn finish(&mut self, delta: &mut Delta) -> Result<(), RingError> {
        let counter = &mut self.counter;
        self.ring.drain_all(|frame| counter.count(&frame, delta))?;
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

/// Enough of each packet for the parser, for what the filter asks, for names, and for who listens.
fn snaplen(filter: Option<&Matcher>, samples: bool, listener: Option<&Listener>) -> u32 {
    let reach = filter.map_or(0, Matcher::reach);
    let payload = if samples { LONG } else { HEADER_WINDOW };
    let listener = listener.map_or(0, |listener| listener.snaplen);
    let counting = u32::try_from(reach.max(payload)).unwrap_or(u32::MAX);
    counting.max(listener)
}

/// What a packet socket is opened for.
#[derive(Default)]
pub struct Want {
    /// Without one everything is counted.
    pub filter: Option<Arc<Matcher>>,
    /// Payloads are looked at, for names.
    pub samples: bool,
    /// Hears of each packet that is counted.
    pub tap: Option<Listener>,
    /// It is a mirror port.
    pub mirror: Option<Arc<MirrorPort>>,
    /// Of all interfaces together: packets that came before.
    pub dedup: Option<SharedDedup>,
}

impl Want {
    fn snaplen(&self, filter: Option<&Matcher>) -> u32 {
        snaplen(filter, self.samples, self.tap.as_ref())
    }
}

/// What the frames of one ring become; also where another kind of socket has them.
pub struct Counter {
    pub(super) slot: u8,
    pub(super) loopback: bool,
    pub(super) judge: Option<Judge>,
    pub(super) sampler: Option<Sampler>,
    pub(super) listener: Option<Listener>,
    pub(super) mirror: Option<Arc<MirrorPort>>,
    pub(super) dedup: Option<SharedDedup>,
}

impl Counter {
    fn snaplen(&self, filter: Option<&Matcher>) -> u32 {
        snaplen(filter, self.sampler.is_some(), self.listener.as_ref())
    }

    pub fn new(slot: u8, loopback: bool, want: Want) -> Self {
        Counter {
            slot,
            loopback,
            judge: want.filter.map(Judge::new),
            sampler: want.samples.then(Sampler::default),
            listener: want.tap,
            mirror: want.mirror,
            dedup: want.dedup,
        }
    }

    pub fn set_filter(&mut self, filter: Option<Arc<Matcher>>) {
        self.judge = filter.map(Judge::new);
    }

    pub fn count(&mut self, frame: &Frame<'_>, delta: &mut Delta) {
        let outgoing = frame.packet_type == PACKET_OUTGOING;
        // Of loopback the same packet comes again as incoming; what leaves a mirror port is no traffic that was mirrored.
        if outgoing && (self.loopback || self.mirror.is_some()) {
            return;
        }
        let way = match outgoing {
            true => Direction::Egress,
            false => Direction::Ingress,
        };
        let view = SliceView(frame.data);
        let packet = match (&mut self.judge, starts_with_ip(frame.arphrd)) {
            (Some(judge), _) => judge.parse(frame),
            (None, Some(l3)) => parse::on_interface(&view, l3),
            (None, None) => Err(Reason::UnsupportedLinkType),
        };
        let mirror = self.mirror.as_deref();
        let direction = mirror.map_or(way, |mirror| mirror.direction(&packet));
        let header_len = packet.as_ref().map_or(0, |packet| match frame.gso_size {
            0 => u64::from(packet.header_len),
            _ => u64::from(parse::segment_header_len(&view, Outer::of(packet))),
        });
        let len = u64::from(frame.len);
        let segments = wire::segments(len, header_len, u64::from(frame.gso_size));
        let on_wire = wire::segmented(len, segments, header_len, frame.vlan.is_some());
        let counts = Counts {
            packets: on_wire.packets,
            bytes: on_wire.bytes,
        };
        if let Some(dedup) = &self.dedup {
            let when = When::At(frame.time_ns);
            if dedup::is_duplicate(dedup, frame.data, counts.bytes, &packet, when) {
                return delta.duplicate(self.slot, direction, counts);
            }
        }
        if let Some(judge) = &mut self.judge
            && !judge.matches(frame, &packet, (self.slot, direction), header_len)
        {
            return delta.filtered(self.slot, direction, counts);
        }
        let seen = Seen {
            packet,
            when: When::At(frame.time_ns),
            slot: self.slot,
            direction,
            counts,
            captured_bytes: frame.data.len() as u64,
        };
        if let Some(sampler) = &mut self.sampler {
            sampler.sample(&seen, frame.data, delta);
        }
        delta.packet(&seen);
        if let Some(listener) = &self.listener {
            listener.tell(frame, &seen, header_len, delta);
        }
    }
}
