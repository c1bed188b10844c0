//! Where the packets of a flow are whose application is not known yet, so that they can be moved when it is.
//!
//! A bucket holds sums by class, and a flow that is undecided is counted under the class of its ports. As long as all its
//! packets are in one bucket, its own counts and times say what to move, and nothing is kept for it: a scan of a million
//! ports is a million such flows. Of a flow in several buckets a table beside says what it has in each but the latest, as
//! long as there is room; the rest of its counts is in the bucket of its last time. So the table is looked at when a flow
//! comes to another bucket, and not for each packet. A flow without room keeps the label that it has.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::names::Labels;
use super::{Class, Classes, Counts, FlowCounts};
use crate::counters::{Buckets, Flow, Known};
use crate::names::{Label, Verdict};

/// Buckets of one flow, but the latest. Whoever says nothing for so long says nothing that tells later on either.
const MOST_OF_A_FLOW: usize = 16;
/// Buckets of all flows together, 24 bytes each and some 200 for each flow: 60 MB at the most.
const MOST: usize = 4 << 16;
/// Flows without room that are remembered for the parts that come next, 50 to 100 bytes each.
const MOST_GIVEN_UP: usize = 4 << 16;

/// What a flow has in one bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// A time in the bucket.
    pub(super) at: i64,
    pub(super) counts: Counts,
}

/// Where a flow's packets are.
#[derive(Clone, Debug, Default)]
struct Noted {
    parts: Vec<Part>,
    /// In the parts, or without a time: all that is not in the bucket of the flow's last time.
    elsewhere: Counts,
}

/// Hashed and compared by the word.
#[derive(Clone, Copy, Debug, Eq)]
struct ByWord(FlowKey);

impl PartialEq for ByWord {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(&other.0.0)
    }
}

impl Hash for ByWord {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for word in self.0.0 {
            state.write_u64(word);
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Late {
    flows: HashMap<ByWord, Noted, RandomState>,
    total: usize,
    frozen: u64,
    /// Flows for which there was no room while packets were counted, here or in the parts before this one.
    given_up: HashSet<ByWord, RandomState>,
}

/// What changes with a flow's label.
pub(super) struct Sums<'a> {
    pub(super) classes: &'a mut Classes,
    pub(super) buckets: &'a mut Buckets,
    pub(super) late: &'a mut Late,
}

/// Packets that are counted next.
pub(super) struct Coming<'a> {
    pub(super) record: &'a FlowCounts,
    /// A time in their bucket.
    pub(super) at: Option<i64>,
    /// Nothing was captured of their payload: what is not known of the flow by now never will be.
    pub(super) blind: bool,
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

    /// Nothing is noted yet. Of what there was no room for nothing is noted in the next part either: as if it were not cut.
    pub(super) fn take_over(&mut self, before: &mut Late) {
        self.given_up = std::mem::take(&mut before.given_up);
    }

    fn give_up(&mut self, key: &FlowKey) {
        if self.given_up.len() < MOST_GIVEN_UP {
            self.given_up.insert(ByWord(*key));
        }
    }

    fn has_given_up(&self, key: &FlowKey) -> bool {
        !self.given_up.is_empty() && self.given_up.contains(&ByWord(*key))
    }

    /// Where a flow's packets are; of a decided one that is not known.
    pub(super) fn parts_of(&self, flow: &Flow) -> impl Iterator<Item = Part> {
        let noted = match flow.known {
            Known::Spread => self.flows.get(&ByWord(flow.key)),
            Known::Undecided | Known::Decided => None,
        };
        let latest = match flow.known {
            Known::Undecided if flow.first <= flow.last => flow.counts(),
            Known::Spread => rest(flow, noted),
            Known::Undecided | Known::Decided => Counts::ZERO,
        };
        let latest = (latest != Counts::ZERO).then_some(Part {
            at: flow.last,
            counts: latest,
        });
        let earlier = noted.map_or(&[][..], |noted| &noted.parts);
        earlier.iter().copied().chain(latest)
    }

    /// Forgets the flows that are left out.
    pub(super) fn retain(&mut self, keep: impl Fn(&FlowKey) -> bool) {
        self.flows.retain(|key, _| keep(&key.0));
        self.total = self.flows.values().map(|noted| noted.parts.len()).sum();
    }

    /// Begins to note where a flow's packets are.
    fn open(&mut self, flow: &mut Flow) {
        if flow.known != Known::Undecided {
            return;
        }
        flow.known = Known::Spread;
        if flow.first > flow.last {
            self.of(&flow.key).noted.elsewhere = flow.counts();
        }
    }

    /// To note something of one flow, by one look-up however much it is.
    fn of(&mut self, key: &FlowKey) -> Place<'_> {
        Place {
            noted: self.flows.entry(ByWord(*key)).or_default(),
            total: &mut self.total,
        }
    }

    fn forget(&mut self, key: &FlowKey) {
        if let Some(noted) = self.flows.remove(&ByWord(*key)) {
            self.total -= noted.parts.len();
        }
    }
}

/// Where the parts of one flow are noted.
struct Place<'a> {
    noted: &'a mut Noted,
    /// Of all flows.
    total: &'a mut usize,
}

impl Place<'_> {
    /// All that the flow has by now is noted, so that its last time may change; `span` is that of the bucket of the last
    /// time. False if there is no room.
    fn note_rest(&mut self, flow: &Flow, span: (i64, i64)) -> bool {
        let counts = rest(flow, Some(self.noted));
        let at = flow.last;
        counts == Counts::ZERO || self.note(span, Part { at, counts })
    }

    /// `span` is that of the part's bucket. False if there is no room.
    fn note(&mut self, span: (i64, i64), part: Part) -> bool {
        let Noted { parts, elsewhere } = &mut *self.noted;
        let in_bucket = |one: &Part| within(span, one.at);
        if let Some(place) = parts.iter().rposition(in_bucket) {
            parts[place].counts += part.counts;
        } else if parts.len() < MOST_OF_A_FLOW && *self.total < MOST {
            parts.push(part);
            *self.total += 1;
        } else {
            return false;
        }
        *elsewhere += part.counts;
        true
    }

    fn note_untimed(&mut self, counts: Counts) {
        self.noted.elsewhere += counts;
    }
}

/// What a flow that is spread has in the bucket of its last time.
fn rest(flow: &Flow, noted: Option<&Noted>) -> Counts {
    let elsewhere = noted.map_or(Counts::ZERO, |noted| noted.elsewhere);
    Counts {
        packets: flow.packets.wrapping_sub(elsewhere.packets),
        bytes: flow.bytes.wrapping_sub(elsewhere.bytes),
    }
}

impl Sums<'_> {
    /// Readies a flow that is not decided for packets that are counted in it next.
    pub(super) fn expect(&mut self, flow: &mut Flow, coming: &Coming<'_>, labels: &mut Labels) {
        let Coming { record, at, blind } = *coming;
        let verdict = if flow.packets == 0 {
            flow.class = self.classes.id(Class::of_flow(&flow.key, None));
            let start = (record.first <= record.last).then_some(record.first);
            let verdict = labels.started(&flow.key, start);
            match self.late.has_given_up(&flow.key) {
                true => Verdict::Decided(None),
                false => verdict,
            }
        } else if !blind && self.in_place(flow, record, at) {
            return;
        } else {
            labels.verdict(&flow.key)
        };
        match verdict {
            Verdict::Decided(label) => self.decide(flow, label),
            Verdict::Undecided if blind => self.decide(flow, None),
            Verdict::Undecided if self.in_place(flow, record, at) => {}
            Verdict::Undecided => self.place(flow, record, at),
        }
    }

    /// Gives a flow its last label, and moves its counts.
    pub(super) fn decide(&mut self, flow: &mut Flow, label: Option<Label>) {
        let class = match label == flow.label {
            true => flow.class,
            false => self.classes.id(Class::of_flow(&flow.key, label)),
        };
        if class != flow.class {
            for part in self.late.parts_of(flow) {
                self.buckets.shift(part.at, flow.class, class, part.counts);
            }
        }
        self.close(flow);
        flow.class = class;
        flow.label = label;
    }

    /// A flow of another table, new in ours; its class is one of ours already.
    pub(super) fn take_over(&mut self, ours: &mut Flow, theirs: &Flow, other: &Late) {
        ours.class = theirs.class;
        ours.label = theirs.label;
        ours.known = theirs.known;
        if theirs.known == Known::Spread {
            self.note_all(ours, theirs, other);
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
        if single && together {
            return;
        }
        self.late.open(ours);
        let span = self.buckets.span(ours.last);
        if self.late.of(&ours.key).note_rest(ours, span) {
            self.note_all(ours, theirs, other);
        } else {
            self.freeze(ours);
        }
    }

    /// Notes all that another table has of a flow.
    fn note_all(&mut self, ours: &mut Flow, theirs: &Flow, other: &Late) {
        let mut untimed = theirs.counts();
        let mut place = self.late.of(&ours.key);
        for part in other.parts_of(theirs) {
            if !place.note(self.buckets.span(part.at), part) {
                return self.freeze(ours);
            }
            untimed.packets -= part.counts.packets;
            untimed.bytes -= part.counts.bytes;
        }
        place.note_untimed(untimed);
    }

    /// Whether it is known where the record's packets are without anything being noted.
    fn in_place(&self, flow: &Flow, record: &FlowCounts, at: Option<i64>) -> bool {
        match at {
            Some(at) if flow.packets == 0 => {
                // What the kernel counts between two polls is in one bucket, though its times may be in the next one.
                let span = self.buckets.span(at);
                within(span, record.first) && within(span, record.last)
            }
            Some(at) => in_span(self.buckets.span(at), flow.times(), record, at),
            None => flow.known == Known::Undecided && flow.first > flow.last,
        }
    }

    /// Notes where the record's packets are; if there is no room, the flow is decided as it is.
    fn place(&mut self, flow: &mut Flow, record: &FlowCounts, at: Option<i64>) {
        self.late.open(flow);
        let Some(at) = at else {
            return self.late.of(&flow.key).note_untimed(record.counts);
        };
        let span = self.buckets.span(at);
        let last = flow.last.max(record.last);
        // What is in the bucket of what is the last time from now on is the rest.
        let rest_stays = last == flow.last || within(span, flow.last) && within(span, last);
        let is_last = within(span, last);
        if rest_stays && is_last {
            return;
        }
        let part = Part {
            at,
            counts: record.counts,
        };
        let mut place = self.late.of(&flow.key);
        let room = rest_stays || place.note_rest(flow, self.buckets.span(flow.last));
        if !(room && (is_last || place.note(span, part))) {
            self.late.give_up(&flow.key);
            self.freeze(flow);
        }
    }

    fn freeze(&mut self, flow: &mut Flow) {
        self.late.was_frozen(1);
        self.close(flow);
    }

    fn close(&mut self, flow: &mut Flow) {
        if flow.known == Known::Spread {
            self.late.forget(&flow.key);
        }
        flow.known = Known::Decided;
    }
}

/// The same as [`Sums::in_place`] where that is quick to tell: nearly always it is the bucket of the packet before.
#[inline]
pub(super) fn in_current(
    buckets: &Buckets,
    times: (i64, i64, Known),
    record: &FlowCounts,
    at: Option<i64>,
) -> bool {
    match (buckets.current_span(), at) {
        (Some(span), Some(at)) => in_span(span, times, record, at),
        _ => false,
    }
}

/// Whether a record that is counted in the bucket with this span, at time `at`, adds to what a flow that is not decided has
/// in the bucket of its last time, and to nothing else.
#[inline]
fn in_span(
    span: (i64, i64),
    (first, last, known): (i64, i64, Known),
    record: &FlowCounts,
    at: i64,
) -> bool {
    let timed = first <= last && within(span, last);
    let single = known == Known::Spread || within(span, first);
    let all_of_record = within(span, record.first) && within(span, record.last);
    timed && single && all_of_record && within(span, at)
}

#[inline]
fn within((start, end): (i64, i64), at: i64) -> bool {
    start <= at && at <= end
}
