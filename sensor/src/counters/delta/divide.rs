//! Packets counted apart, in any order, and put together again.

use super::{Counts, Delta, DeltaConfig};

impl Delta {
    /// By what the packets of this delta may be counted apart and merged, with the same result. `None` where the order of
    /// packets tells: payloads say more or less of a flow depending on what was said before.
    pub fn divisible(&self) -> Option<DeltaConfig> {
        let ordered = self.labels.are_known() || self.trail.is_some();
        (!ordered).then_some(self.config)
    }

    /// Whether packets found no room in the flow table: which ones, depends on their order.
    pub fn overflowed(&self) -> bool {
        let mut totals = self.totals.iter();
        totals.any(|totals| {
            let ip = totals.overflow.iter().copied().sum::<Counts>();
            ip + totals.overflow_not_ip != Counts::ZERO
        })
    }

    /// Whether the flows of both find room in this one, even if they have none in common.
    pub fn has_room_for(&self, other: &Delta) -> bool {
        self.flows.len() + other.flows.len() <= self.config.max_flows
    }

    /// Adds what was counted by the same configuration, without a copy where this one has nothing.
    pub fn absorb(&mut self, other: Delta) {
        let untouched = self.totals.is_empty() && self.lost.is_empty() && self.pending.is_empty();
        match untouched {
            true => *self = other,
            false => self.merge(&other),
        }
    }
}
