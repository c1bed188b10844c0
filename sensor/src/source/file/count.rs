//! Counting the packets of a capture file.

use std::collections::BTreeMap;

use sensor_common::flow::Direction;
use sensor_common::parse::{self, LinkType, Packet, Reason};
use sensor_common::view::SliceView;

use super::{CaptureError, CaptureFile, Record, Way, alone, tell};
use crate::counters::{Counts, Delta, Seen, When};
use crate::source::sampling::Sampler;
use crate::source::tap::Tap;

/// Where packets are counted: in one delta, or in one for each interval.
pub trait Ledger {
    /// What a packet of this time is counted in. It must be asked for each packet, in turn.
    fn of(&mut self, when: When) -> &mut Delta;

    /// The same for a packet of this time, and between which times further ones may be counted there too without being asked
    /// for, first and last nanosecond.
    fn onwards(&mut self, at: i64) -> (&mut Delta, (i64, i64));

    /// Whether payloads are wanted.
    fn wants_samples(&self) -> bool;

    /// Whether anything is wanted of packets but their counts, see [`Delta::divisible`].
    fn only_counts(&self) -> bool;

    /// After the last packet of a file.
    fn flush(&mut self);

    /// The one delta that everything is counted in; `None` where there are several, one after the other.
    fn whole(&mut self) -> Option<&mut Delta> {
        None
    }
}

impl Ledger for Delta {
    #[inline]
    fn of(&mut self, _: When) -> &mut Delta {
        self
    }

    #[inline]
    fn onwards(&mut self, _: i64) -> (&mut Delta, (i64, i64)) {
        (self, (i64::MIN, i64::MAX))
    }

    fn wants_samples(&self) -> bool {
        Delta::wants_samples(self)
    }

    fn only_counts(&self) -> bool {
        self.divisible().is_some()
    }

    fn flush(&mut self) {
        Delta::flush(self);
    }

    fn whole(&mut self) -> Option<&mut Delta> {
        Some(self)
    }
}

/// What became of one file.
#[derive(Debug, Default)]
pub struct Outcome {
    pub packets: u64,
    /// Packets by LINKTYPE_ number.
    pub link_types: BTreeMap<u16, u64>,
    /// Of `packets`, those whose link type has a decoder.
    pub decodable: u64,
    /// What ended the file before its end; everything before it was counted.
    pub error: Option<CaptureError>,
}

impl Outcome {
    /// Of another part of the same file.
    pub(super) fn add(&mut self, other: Outcome) {
        self.packets += other.packets;
        self.decodable += other.decodable;
        for (number, packets) in other.link_types {
            *self.link_types.entry(number).or_default() += packets;
        }
        self.error = self.error.take().or(other.error);
    }
}

/// How many packets pass between two calls of `progress`.
pub(super) const PROGRESS_EVERY: u64 = 1 << 16;

/// Counts until the file ends or breaks.
pub fn count(
    file: &mut CaptureFile,
    ledger: &mut impl Ledger,
    tap: Option<Tap<'_>>,
    progress: impl FnMut(&CaptureFile),
) -> Outcome {
    let mut counting = Counting::new(ledger, tap);
    let outcome = match counting.is_alone() {
        true => alone::count(file, counting.ledger, progress),
        false => counting.all(file, progress),
    };
    counting.ledger.flush();
    outcome
}

/// Where the packets of a file go.
pub(super) struct Counting<'a, 't, L> {
    pub(super) ledger: &'a mut L,
    /// For payloads, where they are wanted.
    sampler: Option<Sampler>,
    tap: Option<Tap<'t>>,
}

impl<'a, 't, L: Ledger> Counting<'a, 't, L> {
    pub(super) fn new(ledger: &'a mut L, tap: Option<Tap<'t>>) -> Self {
        Counting {
            sampler: ledger.wants_samples().then(Sampler::default),
            ledger,
            tap,
        }
    }

    /// Nobody else wants to see the packets.
    fn is_alone(&self) -> bool {
        self.sampler.is_none() && self.tap.is_none() && self.ledger.only_counts()
    }

    #[inline(never)]
    fn all(&mut self, file: &mut CaptureFile, progress: impl FnMut(&CaptureFile)) -> Outcome {
        let each = |record: Record<'_>, link_type| match link_type {
            // Compiled into this loop: what it yields stays in registers, and never waits for its way through memory.
            LinkType::Ethernet => {
                let packet = parse::on_interface(&SliceView(record.data), false);
                self.seen(&record, seen(&record, packet));
            }
            // Put together anew, so that the one at hand need not lie in memory.
            other => self.other(Record { ..record }, other),
        };
        walk(file, each, progress)
    }

    #[inline(never)]
    fn other(&mut self, record: Record<'_>, link_type: LinkType) {
        let packet = parse::packet(&SliceView(record.data), link_type);
        self.seen(&record, seen(&record, packet));
    }

    /// Counts it, after its payload was looked at, and tells who listens.
    #[inline(always)]
    pub(super) fn seen(&mut self, record: &Record<'_>, seen: Seen) {
        let delta = self.ledger.of(record.when);
        // Whoever is called gets a copy, so that the original can stay in registers.
        if let Some(sampler) = &mut self.sampler {
            let copy = seen;
            sampler.sample(&copy, record.data, delta);
        }
        delta.packet(&seen);
        if let Some(tap) = &mut self.tap {
            let (record, copy) = (*record, seen);
            tell::packet(tap, &record, &copy, delta);
        }
    }
}

/// Hands every packet to `each` until the file ends or breaks.
#[inline]
pub fn walk(
    file: &mut CaptureFile,
    mut each: impl FnMut(Record<'_>, LinkType),
    mut progress: impl FnMut(&CaptureFile),
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut run = Run::default();
    loop {
        match file.next() {
            Ok(Some(record)) => {
                let link_type = run.go_on(record.link_type, 1, &mut outcome);
                each(record, link_type);
            }
            Ok(None) => break,
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
        if outcome.packets.is_multiple_of(PROGRESS_EVERY) {
            progress(file);
        }
    }
    run.end(&mut outcome);
    outcome
}

/// Packets of one link type in a row: nearly always all of the file's.
#[derive(Default)]
pub(super) struct Run {
    number: u16,
    link_type: Option<LinkType>,
    packets: u64,
}

impl Run {
    /// So many more packets, of this link type.
    #[inline(always)]
    pub(super) fn go_on(&mut self, number: u16, packets: u64, outcome: &mut Outcome) -> LinkType {
        self.packets += packets;
        outcome.packets += packets;
        match self.link_type {
            Some(link_type) if number == self.number => link_type,
            _ => self.turn_to(number, packets, outcome),
        }
    }

    #[cold]
    fn turn_to(&mut self, number: u16, packets: u64, outcome: &mut Outcome) -> LinkType {
        self.packets -= packets;
        self.end(outcome);
        let link_type = LinkType::from_number(number);
        *self = Run {
            number,
            link_type: Some(link_type),
            packets,
        };
        link_type
    }

    pub(super) fn end(&self, outcome: &mut Outcome) {
        if self.packets == 0 {
            return;
        }
        *outcome.link_types.entry(self.number).or_default() += self.packets;
        if self.link_type != Some(LinkType::Unsupported) {
            outcome.decodable += self.packets;
        }
    }
}

#[inline(always)]
pub(super) fn seen(record: &Record<'_>, packet: Result<Packet, Reason>) -> Seen {
    Seen {
        packet,
        when: record.when,
        slot: 0,
        direction: way(record),
        counts: Counts {
            packets: 1,
            bytes: u64::from(record.wire_len),
        },
        captured_bytes: record.data.len() as u64,
    }
}

#[inline]
pub(super) fn way(record: &Record<'_>) -> Direction {
    match record.way {
        Way::Unknown => Direction::Unknown,
        Way::Ingress => Direction::Ingress,
        Way::Egress => Direction::Egress,
    }
}
