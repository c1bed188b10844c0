//! A delta that is filled from what was written down of others, not from packets.
//!
//! Buckets, flows and totals were written apart and come back apart, so here, unlike where packets are counted, none of
//! them changes another one.

use sensor_common::abi::Totals;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::Reason;

use super::trail::{Owner, Trail};
use super::{Class, Counts, Delta, DeltaConfig, FlowCounts, When};
use crate::counters::{Flow, Known};
use crate::names::{Book, Label};

/// What was counted beside the packets of interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    pub captured_bytes: u64,
    pub untimed: Counts,
    pub out_of_range: u64,
    pub samples_lost: u64,
    /// First and last time of a packet.
    pub span: Option<(i64, i64)>,
}

impl Delta {
    /// Adds to the totals of an interface and direction, and to nothing else. The malformed go into the trail at `at`.
    pub fn restore_totals(
        &mut self,
        slot: u8,
        direction: Direction,
        counted: &Totals,
        at: Option<i64>,
    ) {
        *self.totals_mut(slot, direction) += counted;
        let when = at.map_or(When::Missing, When::At);
        let Some(trail) = &mut self.trail else {
            return;
        };
        for reason in Reason::ALL {
            let counts = counted.class[sensor_common::abi::class_of(reason)];
            if counts != Counts::ZERO {
                let owner = Owner::Malformed {
                    slot,
                    direction,
                    reason,
                };
                trail.add(owner, when, counts, 0);
            }
        }
    }

    /// Adds to a bucket, and to nothing else.
    pub fn restore_bucket(&mut self, at: i64, class: Class, counts: Counts) {
        self.in_bucket(at, class, counts);
    }

    /// What a bucket has under one class is under another one now.
    pub fn restore_shift(&mut self, at: i64, (from, to): (Class, Class), counts: Counts) {
        let (from, to) = (self.classes.id(from), self.classes.id(to));
        self.buckets.shift(at, from, to, counts);
    }

    /// Adds to a flow whose label is known for good; its packets are in the buckets already, those of time `at`. Where there
    /// is no room they are overflow.
    pub fn restore_flow(&mut self, record: &FlowCounts, label: Option<Label>, at: Option<i64>) {
        let hash = self.flows.hash(&record.key);
        let Some(place) = self.flows.entry(&record.key, hash) else {
            self.overflow(record);
            if let (Some(trail), Some(at)) = (&mut self.trail, at) {
                trail.overflowed(When::At(at));
            }
            return;
        };
        let mut flow = self.flows.load(place);
        flow.known = Known::Decided;
        flow.label = label;
        flow.class = self.classes.id(Class::of_flow(&record.key, label));
        flow.add(record);
        self.flows.store(place, &flow);
        if let Some(trail) = &mut self.trail
            && record.counts != Counts::ZERO
        {
            // What was captured of each flow is not known: it stays in the sum whatever is selected.
            let when = at.map_or(When::Missing, When::At);
            trail.add(Owner::Flow(record.key), when, record.counts, 0);
        }
    }

    /// Before anything is added: the trail's parts are so long, whatever buckets are.
    pub fn restore_trail(&mut self, interval: i64) {
        if let Some(trail) = &mut self.trail {
            *trail = Trail::new(&DeltaConfig {
                interval,
                ..self.config
            });
        }
    }

    /// Makes buckets, and the parts of the trail, at least this long.
    pub fn restore_interval(&mut self, interval: i64) {
        self.buckets.widen(interval);
        if let Some(trail) = &mut self.trail {
            trail.widen(interval);
        }
    }

    pub fn restore_beside(&mut self, beside: &Beside) {
        self.captured_bytes += beside.captured_bytes;
        self.untimed += beside.untimed;
        self.out_of_range += beside.out_of_range;
        self.lost_samples(beside.samples_lost);
        if let Some((first, last)) = beside.span {
            self.first = self.first.min(first);
            self.last = self.last.max(last);
        }
    }

    pub fn restore_book(&mut self, book: Book) {
        self.labels.put(book);
    }

    pub fn beside(&self) -> Beside {
        Beside {
            captured_bytes: self.captured_bytes,
            untimed: self.untimed,
            out_of_range: self.out_of_range,
            samples_lost: self.samples_lost(),
            span: self.span(),
        }
    }

    /// The label that a flow would have if nothing more came.
    pub fn label_so_far(&self, key: &FlowKey) -> Option<Label> {
        self.labels.so_far(key)
    }

    /// What a flow has in which bucket, if its label may still change: times in the buckets, and counts. What has no time is
    /// in none.
    pub fn placed(&self, flow: &Flow) -> impl Iterator<Item = (i64, Counts)> {
        let parts = self.late.parts_of(flow);
        parts.map(|part| (part.at, part.counts))
    }
}
