//! Where the packets of a flow are whose application is not known yet, so that they can be moved when it is.
//!
//! A bucket holds sums by class, and a flow that is undecided is counted under the class of its ports. As long as all its
//! packets are in one bucket, its own counts and times say what to move, and nothing is kept for it: a scan of a million
//! ports is a million such flows. What a flow has in each of several buckets stands in a table beside, as long as there
//! is room; a flow without room keeps the label that it has.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::names::Labels;
use super::{Class, Classes, Counts, FlowCounts};
use crate::counters::{Buckets, Flow, Known};
use crate::names::{Label, Verdict};

/// Buckets of one flow.
const MOST_OF_A_FLOW: usize = 64;
/// Buckets of all flows together, 24 bytes each and some 200 for each flow: 60 MB at the most.
const MOST: usize = 4 << 16;

/// What a flow has in one bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// A time in the bucket.
    pub(super) at: i64,
    pub(super) counts: Counts,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Late {
    parts: HashMap<FlowKey, Vec<Part>, RandomState>,
    total: usize,
    frozen: u64,
}

/// What changes with a flow's label.
pub(super) struct Sums<'a> {
    pub(super) classes: &'a mut Classes,
    pub(super) buckets: &'a mut Buckets,
    pub(super) late: &'a mut Late,
}

impl Late {
    /// Flows for which there was no room: they keep the label of their ports.
    pub(super) fn frozen(&self) -> u64 {
        self.frozen
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn was_frozen(&mut self, flows: u64) {
        self.frozen += flows;
    }

    /// Where a flow's packets are; of a decided one that is not known.
    pub(super) fn parts_of(&self, flow: &Flow) -> impl Iterator<Item = Part> {
        let whole = Part {
            at: flow.first,
            counts: flow.counts(),
        };
        let timed = flow.first <= flow.last;
        let single = (flow.known == Known::Undecided && timed).then_some(whole);
        let several = match flow.known {
            Known::Spread => self.parts.get(&flow.key),
            Known::Undecided | Known::Decided => None,
        };
        single
            .into_iter()
            .chain(several.into_iter().flatten().copied())
    }

    /// Forgets the flows that are left out.
    pub(super) fn retain(&mut self, keep: impl Fn(&FlowKey) -> bool) {
        self.parts.retain(|key, _| keep(key));
        self.total = self.parts.values().map(Vec::len).sum();
    }

    /// Adds to a part that is there; `span` is that of its bucket.
    fn add(&mut self, key: &FlowKey, span: (i64, i64), counts: Counts) -> bool {
        let parts = self.parts.get_mut(key).into_iter().flatten();
        let mut latest_first = parts.rev();
        match latest_first.find(|part| within(span, part.at)) {
            Some(part) => part.counts += counts,
            None => return false,
        }
        true
    }

    /// The same, or a new one if there is room.
    fn put(&mut self, key: &FlowKey, span: (i64, i64), part: Part) -> bool {
        if self.add(key, span, part.counts) {
            return true;
        }
        let parts = self.parts.entry(*key).or_default();
        if parts.len() >= MOST_OF_A_FLOW || self.total >= MOST {
            return false;
        }
        parts.push(part);
        self.total += 1;
        true
    }

    fn forget(&mut self, key: &FlowKey) -> Vec<Part> {
        let parts = self.parts.remove(key).unwrap_or_default();
        self.total -= parts.len();
        parts
    }
}

impl Sums<'_> {
    /// Readies a flow that is not decided for packets that are counted in it next, in the bucket of time `at`.
    #[inline(never)]
    pub(super) fn expect(
        &mut self,
        flow: &mut Flow,
        record: &FlowCounts,
        at: Option<i64>,
        labels: &mut Labels,
    ) {
        let verdict = if flow.packets == 0 {
            flow.class = self.classes.id(Class::of_flow(&flow.key, None));
            let start = (record.first <= record.last).then_some(record.first);
            labels.started(&flow.key, start)
        } else if self.has_place(flow, record, at) {
            return;
        } else {
            labels.verdict(&flow.key)
        };
        match verdict {
            Verdict::Decided(label) => self.decide(flow, label),
            Verdict::Undecided if flow.packets == 0 && self.has_place(flow, record, at) => {}
            Verdict::Undecided => {
                let counts = record.counts;
                self.spread(flow, at.map(|at| Part { at, counts }).into_iter());
            }
        }
    }

    /// Gives a flow its last label, and moves its counts.
    pub(super) fn decide(&mut self, flow: &mut Flow, label: Option<Label>) {
        let class = self.classes.id(Class::of_flow(&flow.key, label));
        if class != flow.class {
            for part in self.late.parts_of(flow) {
                self.buckets.shift(part.at, flow.class, class, part.counts);
            }
        }
        self.close(flow);
        flow.class = class;
        flow.label = label;
    }

    /// A flow that is not decided gets these parts too; if there is no room, it is decided as it is.
    pub(super) fn spread(&mut self, flow: &mut Flow, parts: impl Iterator<Item = Part>) {
        let single = match flow.known {
            Known::Undecided => self.late.parts_of(flow).next(),
            Known::Spread | Known::Decided => None,
        };
        flow.known = Known::Spread;
        for part in single.into_iter().chain(parts) {
            let span = self.buckets.span(part.at);
            if !self.late.put(&flow.key, span, part) {
                self.late.was_frozen(1);
                return self.close(flow);
            }
        }
    }

    /// A flow of another table, new in ours; its class is one of ours already.
    pub(super) fn take_over(&mut self, ours: &mut Flow, theirs: &Flow, other: &Late) {
        ours.class = theirs.class;
        ours.label = theirs.label;
        ours.known = theirs.known;
        if theirs.known == Known::Spread {
            self.spread(ours, other.parts_of(theirs));
        }
    }

    /// A flow that neither side has decided, before the other's counts are added.
    pub(super) fn keep_both(&mut self, ours: &mut Flow, theirs: &Flow, other: &Late) {
        let span = self.buckets.span(ours.first);
        let together = match (ours.duration(), theirs.duration()) {
            (Some(_), Some(_)) => within(span, theirs.first) && within(span, theirs.last),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        let single = ours.known == Known::Undecided && theirs.known == Known::Undecided;
        if !(single && together) {
            self.spread(ours, other.parts_of(theirs));
        }
    }

    /// Whether it is known where the record's packets are without more being kept than is already.
    fn has_place(&mut self, flow: &Flow, record: &FlowCounts, at: Option<i64>) -> bool {
        let Some(at) = at else {
            return flow.known == Known::Spread || flow.first > flow.last;
        };
        let span = self.buckets.span(at);
        if flow.known == Known::Spread {
            return self.late.add(&flow.key, span, record.counts);
        }
        // What the kernel counts between two polls is in one bucket, though its times may be in the next one.
        let in_span = within(span, record.first) && within(span, record.last);
        let earlier = within(span, flow.first) && within(span, flow.last);
        in_span && (flow.packets == 0 || earlier)
    }

    fn close(&mut self, flow: &mut Flow) {
        if flow.known == Known::Spread {
            self.late.forget(&flow.key);
        }
        flow.known = Known::Decided;
    }
}

fn within((start, end): (i64, i64), at: i64) -> bool {
    start <= at && at <= end
}
