//! What each flow put into each bucket, so that a flow can be taken out again after it was counted.
//!
//! Totals, flows and buckets alone can't say that: a bucket has sums by class. A filter that speaks of whole flows
//! (`bytes > 10M`, `dns`) is answered when all packets are in, and then the others have to go exactly, not by estimate.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::Reason;

use super::{Counts, DeltaConfig};
use crate::counters::When;

/// As many parts may be kept in any case: a small flow table is no reason for coarse buckets.
const LEAST_PARTS: usize = 1 << 16;

/// One look-up per packet in each of two hash tables. Memory: 65 to 130 bytes for each flow, and 75 to 150 for each flow
/// and bucket that it has packets in. Of these there are at most two for each of `max_flows` (65,536 for less than
/// 32,768 flows): above that the interval is doubled until they fit, as for too many buckets, and stays exact.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    interval: i64,
    most_parts: usize,
    owners: HashMap<Owner, OwnerId, RandomState>,
    parts: HashMap<Place, Part, RandomState>,
    /// When packets came that found no room in the flow table; they stay wherever they are.
    overflow: Span,
}

/// Packets that are taken out together or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// A flow in the table.
    Flow(FlowKey),
    Malformed {
        slot: u8,
        direction: Direction,
        reason: Reason,
    },
}

pub(super) type OwnerId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) owner: OwnerId,
    pub(super) time: Time,
}

/// When the packets of a part came, as far as buckets tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Time {
    /// Start divided by the trail's interval.
    Bucket(i64),
    Missing,
    OutOfRange,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) counts: Counts,
    pub(super) captured_bytes: u64,
    pub(super) span: Span,
}

/// First and last time; `first > last` where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Span {
    pub(super) const NONE: Span = Span {
        first: i64::MAX,
        last: i64::MIN,
    };

    pub(super) fn of(when: When) -> Self {
        match when {
            When::At(at) => Span {
                first: at,
                last: at,
            },
            When::Missing | When::OutOfRange => Span::NONE,
        }
    }

    pub(super) fn widen(&mut self, other: Span) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Part {
    const NOTHING: Part = Part {
        counts: Counts::ZERO,
        captured_bytes: 0,
        span: Span::NONE,
    };

    pub(super) fn new(counts: Counts, captured_bytes: u64, when: When) -> Self {
        Part {
            counts,
            captured_bytes,
            span: Span::of(when),
        }
    }

    fn add(&mut self, other: &Part) {
        self.counts += other.counts;
        self.captured_bytes += other.captured_bytes;
        self.span.widen(other.span);
    }
}

impl Trail {
    pub(super) fn new(config: &DeltaConfig) -> Self {
        Trail {
            interval: config.interval.max(1),
            most_parts: config.max_flows.saturating_mul(2).max(LEAST_PARTS),
            owners: HashMap::default(),
            parts: HashMap::default(),
            overflow: Span::NONE,
        }
    }

    pub(super) fn add(&mut self, owner: Owner, when: When, counts: Counts, captured_bytes: u64) {
        let time = match when {
            When::At(at) => Time::Bucket(at.div_euclid(self.interval)),
            When::Missing => Time::Missing,
            When::OutOfRange => Time::OutOfRange,
        };
        let owner = self.id(owner);
        self.put(
            Place { owner, time },
            &Part::new(counts, captured_bytes, when),
        );
    }

    /// Makes the interval at least this long.
    pub(super) fn widen(&mut self, interval: i64) {
        while self.interval < interval {
            self.coarsen();
        }
    }

    pub(super) fn overflowed(&mut self, when: When) {
        self.overflow.widen(Span::of(when));
    }

    /// `has_room` says which of the other's flows are in this side's table now that they have been merged.
    pub(super) fn merge(&mut self, other: &Trail, has_room: impl Fn(&FlowKey) -> bool) {
        self.overflow.widen(other.overflow);
        self.widen(other.interval);
        let mut ids = vec![None; other.owners.len()];
        for (owner, id) in &other.owners {
            let stays = match owner {
                Owner::Flow(key) => has_room(key),
                Owner::Malformed { .. } => true,
            };
            ids[*id as usize] = stays.then(|| self.id(*owner));
        }
        for (place, part) in &other.parts {
            let Some(owner) = ids[place.owner as usize] else {
                self.overflow.widen(part.span);
                continue;
            };
            let time = place.time.at_interval(other.interval, self.interval);
            self.put(Place { owner, time }, part);
        }
    }

    /// Nanoseconds; a multiple of the one asked for where there were too many parts.
    pub(super) fn interval(&self) -> i64 {
        self.interval
    }

    pub(super) fn owners(&self) -> impl ExactSizeIterator<Item = (&Owner, OwnerId)> {
        self.owners.iter().map(|(owner, id)| (owner, *id))
    }

    pub(super) fn id_of(&self, owner: &Owner) -> Option<OwnerId> {
        self.owners.get(owner).copied()
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (&Place, &Part)> {
        self.parts.iter()
    }

    pub(super) fn overflow(&self) -> Span {
        self.overflow
    }

    fn id(&mut self, owner: Owner) -> OwnerId {
        let next = self.owners.len() as OwnerId;
        *self.owners.entry(owner).or_insert(next)
    }

    fn put(&mut self, place: Place, part: &Part) {
        self.parts.entry(place).or_insert(Part::NOTHING).add(part);
        if self.parts.len() > self.most_parts {
            self.make_room();
        }
    }

    #[cold]
    fn make_room(&mut self) {
        // Some room is left behind, so that this does not come again at once.
        while self.parts.len() > self.most_parts / 4 * 3 && self.interval < i64::MAX {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        let wider = self.interval.saturating_mul(2);
        for (place, part) in std::mem::take(&mut self.parts) {
            let time = place.time.at_interval(self.interval, wider);
            let place = Place { time, ..place };
            self.parts.entry(place).or_insert(Part::NOTHING).add(&part);
        }
        self.interval = wider;
    }
}

impl Time {
    fn at_interval(self, old: i64, new: i64) -> Self {
        match self {
            Time::Bucket(index) => Time::Bucket(index.saturating_mul(old).div_euclid(new)),
            Time::Missing | Time::OutOfRange => self,
        }
    }
}
