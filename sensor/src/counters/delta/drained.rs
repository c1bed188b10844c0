//! What the kernel's programs counted: totals and flow records instead of packets, each poll in one bucket.

use sensor_common::abi::{Totals, class_of};
use sensor_common::flow::Direction;
use sensor_common::parse::Reason;

use super::super::accounting::{matched_in, not_ip_overflow};
use super::trail::Owner;
use super::{Class, Counts, Delta, FlowCounts, Pending};
use crate::counters::When;

impl Delta {
    /// Adds what the kernel counted for one interface and direction in the bucket of time `at`. The flows come by
    /// [`Self::flow`].
    pub fn totals(&mut self, slot: u8, direction: Direction, counted: &Totals, at: i64) {
        let matched = matched_in(counted);
        if matched == Counts::ZERO {
            if counted.filtered != Counts::ZERO {
                self.filtered(slot, direction, counted.filtered);
            }
            return;
        }
        self.captured_bytes += matched.bytes;
        *self.totals_mut(slot, direction) += counted;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        for reason in Reason::ALL {
            let counts = counted.class[class_of(reason)];
            if counts == Counts::ZERO {
                continue;
            }
            self.in_bucket(at, Class::of_malformed(direction, reason), counts);
            if let Some(trail) = &mut self.trail {
                let owner = Owner::Malformed {
                    slot,
                    direction,
                    reason,
                };
                trail.add(owner, When::At(at), counts, counts.bytes);
            }
        }
        for (index, overflow) in counted.overflow.iter().enumerate() {
            self.in_bucket(
                at,
                Class::of_overflow(direction, index as u8, index > 0xff),
                *overflow,
            );
        }
        self.in_bucket(at, not_ip_overflow(direction), counted.overflow_not_ip);
        let mut overflow = counted.overflow.iter().chain([&counted.overflow_not_ip]);
        if let Some(trail) = &mut self.trail
            && overflow.any(|counts| *counts != Counts::ZERO)
        {
            trail.overflowed(When::At(at));
        }
    }

    /// Adds one flow record that the kernel counted in the bucket of time `at`. [`Self::flush`] must follow before anything is
    /// read.
    pub fn flow(&mut self, record: &FlowCounts, at: i64) {
        let one = Pending {
            record: *record,
            hash: self.flows.hash(&record.key),
            at: Some(at),
            hint: None,
            blind: false,
        };
        if self.trail.is_some() {
            self.count_pending(&one);
            let Counts { bytes, .. } = record.counts;
            return self.note_trail(&record.key, When::At(at), record.counts, bytes);
        }
        self.flows.prefetch(one.hash);
        *self.pending.next() = one;
        self.pushed();
    }
}
