//! What is counted next, on its way: first the index is asked for, then the flow, and when both have come from memory it is
//! counted. What comes behind it meanwhile goes the same way, so that nothing waits.

use sensor_common::flow::FlowKey;

use super::FlowCounts;
use crate::counters::Counts;
use crate::counters::flow_table::Line;

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
    pub(super) record: FlowCounts,
    /// Both addresses of its key, where 64 bits are enough for them.
    pub(super) ends: Option<[u32; 2]>,
    pub(super) hash: u64,
    /// A time in its bucket.
    pub(super) at: Option<i64>,
    /// Where its flow probably is.
    pub(super) hint: Option<Line>,
    /// It has a payload of which nothing was captured.
    pub(super) blind: bool,
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
            record: FlowCounts {
                key: FlowKey([0; 5]),
                counts: Counts::ZERO,
                tcp_flags: 0,
                first: 0,
                last: 0,
            },
            ends: None,
            hash: 0,
            at: None,
            hint: None,
            blind: false,
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
