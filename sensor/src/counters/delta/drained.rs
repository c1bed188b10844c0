//! What the kernel's programs counted: totals and flow records instead of packets, each poll in one bucket.

use sensor_common::abi::{Totals, class_of};
use sensor_common::flow::Direction;
use sensor_common::parse::Reason;

use super::super::accounting::not_ip_overflow;
use super::trail::Owner;
use super::{Class, Counts, Delta, FlowCounts};
use crate::counters::When;

impl Delta {
    /// Adds what the kernel counted for one interface and direction in the bucket of time `at`. The flows come by
    /// [`Self::flow`].
    pub fn totals(&mut self, slot: u8, direction: Direction, counted: &Totals, at: i64) {
        let matched = counted.matched();
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

    /// Packets that the programs were given, and of which nothing was found where they count: there should be none. More were
    /// found than given where it is negative (two's complement). They are seen, and the accounting identity breaks.
    pub fn unexplained(&mut self, missing: Counts) {
        self.unexplained.add(missing.packets, missing.bytes);
    }

    /// So many flows at the least will be known when those have been added that come now: room is made once.
    pub fn expect_flows(&mut self, flows: usize) {
        self.flows.expect(flows);
    }

    /// Adds one flow record that the kernel counted in the bucket of time `at`. [`Self::flush`] must follow before anything is
    /// read.
    ///
    /// Compiled into the loop that calls it, see [`Self::push`].
    #[inline(always)]
    pub fn flow(&mut self, record: &FlowCounts, at: i64) {
        if self.trail.is_some() {
            let bytes = record.counts.bytes;
            return self.count_with_trail(record, When::At(at), false, bytes);
        }
        self.push(record, Some(at), false);
    }
}
