//! What is counted next, on its way: first the index is asked for, then the flow, and when both have come from memory it is
//! counted. What comes behind it meanwhile goes the same way, so that nothing waits.

use super::FlowCounts;
use crate::counters::Counts;
use crate::counters::flow_table::{Line, Sought};

/// As many take a step together, which is what a processor core asks memory for at the same time.
const GROUP: usize = 8;
/// Behind the newest by so many, a flow's place is looked up in the index.
const TO_INDEX: usize = 16;
/// Behind the newest by so many, it is counted.
const TO_FLOW: usize = 32;
/// A power of two, and room for one group more than are on their way.
const SLOTS: usize = 64;

/// What is counted next, packets as records of their own: what counts it gets a reference and copies nothing.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) key: Sought,
    pub(super) hash: u64,
    pub(super) counts: Counts,
    pub(super) first: i64,
    pub(super) last: i64,
    /// A time in its bucket, if it has any.
    pub(super) at: i64,
    pub(super) timed: bool,
    pub(super) tcp_flags: u8,
    /// It has a payload of which nothing was captured.
    pub(super) blind: bool,
    /// Where its flow probably is.
    pub(super) hint: Option<Line>,
}

impl Pending {
    pub(super) fn of(record: &FlowCounts, hash: u64, at: Option<i64>) -> Self {
        Pending {
            key: Sought::of(&record.key),
            hash,
            counts: record.counts,
            first: record.first,
            last: record.last,
            at: at.unwrap_or_default(),
            timed: at.is_some(),
            tcp_flags: record.tcp_flags,
            blind: false,
            hint: None,
        }
    }

    pub(super) fn record(&self) -> FlowCounts {
        FlowCounts {
            key: self.key.key(),
            counts: self.counts,
            tcp_flags: self.tcp_flags,
            first: self.first,
            last: self.last,
        }
    }

    /// A time in its bucket.
    #[inline(always)]
    pub(super) fn at(&self) -> Option<i64> {
        self.timed.then_some(self.at)
    }
}

/// A ring; each number says how many have come so far.
#[derive(Clone, Default)]
pub(super) struct Pipeline {
    slots: Vec<Pending>,
    pushed: usize,
    asked: usize,
    counted: usize,
}

impl Pipeline {
    pub(super) fn new() -> Self {
        const NOTHING: Pending = Pending {
            key: Sought::NOTHING,
            hash: 0,
            counts: Counts::ZERO,
            first: 0,
            last: 0,
            at: 0,
            timed: false,
            tcp_flags: 0,
            blind: false,
            hint: None,
        };
        Pipeline {
            slots: vec![NOTHING; SLOTS],
            ..Pipeline::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pushed == self.counted
    }

    /// What is to be filled in, but for the hint, before [`Self::pushed`].
    #[inline(always)]
    pub(super) fn next(&mut self) -> &mut Pending {
        &mut self.slots[self.pushed % SLOTS]
    }

    /// True if a group has come together: then it is time for [`Self::due`].
    #[inline(always)]
    pub(super) fn pushed(&mut self) -> bool {
        self.pushed += 1;
        self.pushed.is_multiple_of(GROUP)
    }

    /// How many shall have been asked for, and counted.
    #[inline]
    pub(super) fn due(&self) -> (usize, usize) {
        let behind = |distance| self.pushed.saturating_sub(distance);
        (behind(TO_INDEX), behind(TO_FLOW))
    }

    pub(super) fn all(&self) -> (usize, usize) {
        (self.pushed, self.pushed)
    }

    /// `each` of those that have not been asked for yet, up to the `until`th that came.
    #[inline(always)]
    pub(super) fn ask(&mut self, until: usize, mut each: impl FnMut(&mut Pending)) {
        let Some(slots) = self.slots.first_chunk_mut::<SLOTS>() else {
            return;
        };
        for number in self.asked..until {
            each(&mut slots[number % SLOTS]);
        }
        self.asked = self.asked.max(until);
    }

    #[inline(always)]
    pub(super) fn count(&mut self, until: usize, mut each: impl FnMut(&Pending)) {
        let Some(slots) = self.slots.first_chunk::<SLOTS>() else {
            return;
        };
        for number in self.counted..until {
            each(&slots[number % SLOTS]);
        }
        self.counted = self.counted.max(until);
    }
}
