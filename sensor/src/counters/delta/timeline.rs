//! The trail read back: when each flow's packets came.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::trail::{Owner, OwnerId, Time};
use super::{Counts, Delta};

/// What one flow put into one bucket of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowPart {
    pub key: FlowKey,
    /// Nanoseconds since the epoch; the part is of the [`Delta::trail_interval`] that begins here.
    pub start: i64,
    pub counts: Counts,
}

impl Delta {
    /// Makes buckets longer until there are this many at the most.
    pub fn limit_buckets(&mut self, most: usize) {
        self.buckets.limit(most);
    }

    /// Width of the parts in nanoseconds: the buckets' own, or a multiple where there were too many parts. None where
    /// [`super::DeltaConfig::trail`] is off, or what was merged into this had none.
    pub fn trail_interval(&self) -> Option<i64> {
        self.trail.as_ref().map(|trail| trail.interval())
    }

    /// The parts of all flows in the table, in no order; packets without a time have none.
    pub fn flow_parts(&self) -> impl Iterator<Item = FlowPart> {
        let trail = self.trail.as_ref();
        let keys: HashMap<OwnerId, FlowKey, RandomState> = trail
            .into_iter()
            .flat_map(|trail| trail.owners())
            .filter_map(|(owner, id)| match owner {
                Owner::Flow(key) => Some((id, *key)),
                Owner::Malformed { .. } => None,
            })
            .collect();
        let interval = trail.map_or(1, |trail| trail.interval());
        let parts = trail.into_iter().flat_map(|trail| trail.parts());
        parts.filter_map(move |(place, part)| match place.time {
            Time::Bucket(index) => Some(FlowPart {
                key: *keys.get(&place.owner)?,
                start: index.saturating_mul(interval),
                counts: part.counts,
            }),
            Time::Missing | Time::OutOfRange => None,
        })
    }
}
