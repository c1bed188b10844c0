//! Periods become the whole: each flow's counts go under the class that it has in the whole.

use sensor_common::flow::FlowKey;

use super::trail::{Owner, Time, Trail};
use super::walk::Walk;
use super::{BATCH, Class, ClassId, Counts, Delta, FlowCounts, Line, Place, Sought, Sums};
use crate::counters::{Buckets, Flow, Known};

/// A flow whose counts go from one class to another.
struct Move {
    key: FlowKey,
    from: ClassId,
    to: ClassId,
}

/// Of flows that both sides had decided, but not alike. They can be moved where trails say from where.
#[derive(Default)]
struct Torn {
    ours: Vec<Move>,
    theirs: Vec<Move>,
}

impl Delta {
    /// Adds what another one counted, later. Labels of both go together: one that is known is better than none, and the
    /// first one stays.
    pub fn merge(&mut self, other: &Delta) {
        self.flush();
        debug_assert!(
            other.pending.is_empty(),
            "a delta must be flushed before it is merged"
        );
        for (index, totals) in other.totals.iter().enumerate() {
            *self.totals_at(index) += totals;
        }
        let translate: Vec<ClassId> = other
            .classes
            .iter()
            .map(|class| self.classes.id(*class))
            .collect();
        self.buckets.merge(&other.buckets, &translate);
        let mut torn = Torn::default();
        let mut walk = Walk::default();
        let nothing_apart = self.apart.is_empty() && other.apart.is_empty();
        let mut batch = Vec::with_capacity(BATCH);
        for mut flow in other.flows.iter() {
            flow.class = translate[flow.class as usize];
            let beside = walk.find(&mut self.flows, &Sought::of(&flow.key));
            if nothing_apart && beside.is_some() && self.merge_alike(&flow, beside) {
                continue;
            }
            let hash = self.flows.hash(&flow.key);
            self.flows.prefetch(hash);
            batch.push((flow, hash, None));
            if batch.len() == BATCH {
                self.merge_flows(&mut batch, other, &mut torn);
            }
        }
        self.merge_flows(&mut batch, other, &mut torn);
        for (key, list) in other.apart.flows() {
            for (class, counts) in list {
                self.stays_apart(key, translate[*class as usize], *counts);
            }
        }
        if let (Some(ours), Some(theirs)) = (&self.trail, &other.trail) {
            shift_by_trail(&mut self.buckets, ours, &torn.ours);
            shift_by_trail(&mut self.buckets, theirs, &torn.theirs);
        }
        self.captured_bytes += other.captured_bytes;
        self.untimed += other.untimed;
        self.unexplained += other.unexplained;
        self.out_of_range += other.out_of_range;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for (place, packets) in &other.lost {
            self.lost(place, *packets);
        }
        self.selected |= other.selected;
        self.payloads.merge(&other.payloads);
        self.late.was_frozen(other.late.frozen());
        if other.labels.are_known() {
            self.labels = other.labels.clone();
        }
        self.trail = match (self.trail.take(), &other.trail) {
            (Some(mut ours), Some(theirs)) => {
                ours.merge(theirs, |key| self.flows.contains(key));
                Some(ours)
            }
            // A trail of a part of the packets would be of no use.
            (Some(_), None) | (None, _) => None,
        };
    }

    /// The other's flows with their hashes, and room for where they probably are.
    fn merge_flows(
        &mut self,
        batch: &mut Vec<(Flow, u64, Option<Line>)>,
        other: &Delta,
        torn: &mut Torn,
    ) {
        for (theirs, hash, hint) in &mut *batch {
            *hint = self.flows.candidate(*hash, &Sought::of(&theirs.key));
        }
        let nothing_apart = self.apart.is_empty() && other.apart.is_empty();
        for (theirs, hash, hint) in batch.drain(..) {
            if nothing_apart && self.merge_alike(&theirs, hint) {
                continue;
            }
            let place = self.flows.entry_at(hint, &theirs.key, hash);
            self.merge_flow(&theirs, place, other, torn);
        }
    }

    /// Adds the counts of a flow that is in both tables with the same label for good, as [`Self::merge_flow`] would; false if
    /// it is not.
    fn merge_alike(&mut self, theirs: &Flow, hint: Option<Line>) -> bool {
        let hit = hint.and_then(|line| self.flows.hit(line, &Sought::of(&theirs.key)));
        let alike = hit.filter(|ours| {
            let decided = ours.known == Known::Decided && theirs.known == Known::Decided;
            decided && ours.class == theirs.class && ours.label == theirs.label
        });
        match alike {
            Some(ours) => {
                ours.add(&FlowCounts::of_flow(theirs));
                true
            }
            None => false,
        }
    }

    /// The other's buckets are in ours by now, under the classes that it had. `place` is that of ours, if there is room.
    fn merge_flow(&mut self, theirs: &Flow, place: Option<Place>, other: &Delta, torn: &mut Torn) {
        let record = FlowCounts::of_flow(theirs);
        let Some(place) = place else {
            self.overflow(&record);
            return;
        };
        if self.flows.at_mut(place).packets == 0 && theirs.known != Known::Spread {
            return self.flows.store(place, theirs); // as `Sums::take_over` would have it
        }
        let before = self.flows.load(place);
        let ours = &mut before.clone();
        let mut sums = Sums {
            classes: &mut self.classes,
            buckets: &mut self.buckets,
            late: &mut self.late,
        };
        match (before.known, theirs.known) {
            _ if before.packets == 0 => sums.take_over(ours, theirs, &other.late),
            (Known::Decided, Known::Decided) => {
                ours.label = ours.label.or(theirs.label);
                ours.class = sums.classes.id(Class::of_flow(&ours.key, ours.label));
            }
            (Known::Decided, _) => {
                for part in other.late.parts_of(theirs) {
                    let (from, to) = (theirs.class, ours.class);
                    sums.buckets.shift(part.at, from, to, part.counts);
                }
            }
            (_, Known::Decided) => sums.decide(ours, theirs.label),
            _ => sums.keep_both(ours, theirs, &other.late),
        }
        ours.add(&record);
        self.flows.store(place, ours);
        if before.known == Known::Decided && theirs.known == Known::Decided {
            let class = ours.class;
            self.reconcile((&before, theirs), class, other, torn);
        }
    }

    /// Neither side knows any more where its packets are, unless by a trail. Without, what is not under the flow's class
    /// stays where it is.
    fn reconcile(
        &mut self,
        (ours, theirs): (&Flow, &Flow),
        class: ClassId,
        other: &Delta,
        torn: &mut Torn,
    ) {
        let key = ours.key;
        let with_trail = self.trail.is_some() && other.trail.is_some();
        let sides = [
            (ours, self.apart.total(&key), &mut torn.ours),
            (theirs, other.apart.total(&key), &mut torn.theirs),
        ];
        for (flow, apart, moves) in sides {
            let (from, to) = (flow.class, class);
            if from == to {
                continue;
            }
            if with_trail {
                moves.push(Move { key, from, to });
            } else {
                let counts = Counts {
                    packets: flow.packets.wrapping_sub(apart.packets),
                    bytes: flow.bytes.wrapping_sub(apart.bytes),
                };
                self.apart.add(&key, from, counts);
            }
        }
        self.apart.join(&key, class);
    }

    fn stays_apart(&mut self, key: &FlowKey, class: ClassId, counts: Counts) {
        let flow = self.flows.get(key);
        if flow.is_some_and(|flow| flow.class != class) {
            self.apart.add(key, class, counts);
        }
    }
}

fn shift_by_trail(buckets: &mut Buckets, trail: &Trail, moves: &[Move]) {
    if moves.is_empty() {
        return;
    }
    // A part of a coarse trail must not lie in several buckets.
    buckets.widen(trail.interval());
    let mut ways = vec![None; trail.owners().len()];
    for one in moves {
        if let Some(id) = trail.id_of(&Owner::Flow(one.key)) {
            ways[id as usize] = Some((one.from, one.to));
        }
    }
    for (place, part) in trail.parts() {
        if let (Some((from, to)), Time::Bucket(index)) = (ways[place.owner as usize], place.time) {
            let start = index.saturating_mul(trail.interval());
            buckets.shift(start, from, to, part.counts);
        }
    }
}
