//! Leaving out flows after they were counted: the part of a filter that speaks of whole flows.

use sensor_common::abi::{Totals, class_of};
use sensor_common::flow::FlowKey;
use sensor_common::parse::Reason;

use super::super::accounting::{direction_of, index_of, slot_of};
use super::trail::{Owner, Time, Trail};
use super::{Class, ClassId, Counts, Delta, DeltaConfig, FlowTable};
use crate::counters::Flow;

impl Delta {
    /// What this delta would be, had the filter let through only the packets for which `keep` says yes; the others are
    /// `filtered`. Exact in everything, with [`DeltaConfig::trail`]; without, buckets keep what they had and the
    /// accounting identity breaks. The delta must be flushed; what comes back can't be selected from again.
    ///
    /// `keep` is asked once for each flow (packets without IP are flows too), and once, without a flow, for the
    /// malformed packets of each interface and direction: the key then holds their origin and nothing else, as
    /// [`sensor_common::facts::Facts::key`] of such a packet does. Packets that found no room in the flow table can't be
    /// judged and stay, see [`Self::unjudged`].
    pub fn select(&self, keep: &mut dyn FnMut(&FlowKey, Option<&Flow>) -> bool) -> Delta {
        let mut kept = self.without_flows();
        for flow in self.flows.iter() {
            if keep(&flow.key, Some(&flow)) {
                kept.flows.put(&flow);
            } else {
                kept.leave_out_flow(&flow);
            }
        }
        for (index, totals) in self.totals.iter().enumerate() {
            let mut origin = FlowKey([0; 5]);
            origin.set_origin(slot_of(index), direction_of(index));
            if has_malformed(totals) && !keep(&origin, None) {
                leave_out_malformed(&mut kept.totals[index]);
            }
        }
        kept.late = self.late.clone();
        kept.late.retain(|key| kept.flows.contains(key));
        if let Some(trail) = &self.trail {
            let left_out = self.left_out(&mut kept, trail);
            kept.leave_out_parts(trail, &left_out);
        }
        kept
    }

    /// After [`Self::select`]: packets that stayed only because they had found no room in the flow table.
    pub fn unjudged(&self) -> Counts {
        if !self.selected {
            return Counts::ZERO;
        }
        let overflow = |totals: &Totals| {
            totals.overflow.iter().copied().sum::<Counts>() + totals.overflow_not_ip
        };
        self.totals.iter().map(overflow).sum()
    }

    fn without_flows(&self) -> Delta {
        debug_assert!(
            self.trail.is_some() && self.pending.is_empty(),
            "a delta needs a trail, and must be flushed, before flows are selected"
        );
        let config = DeltaConfig {
            trail: false,
            ..self.config
        };
        Delta {
            totals: self.totals.clone(),
            flows: FlowTable::new(config.max_flows, config.seeds),
            classes: self.classes.clone(),
            buckets: self.buckets.clone(),
            captured_bytes: self.captured_bytes,
            untimed: self.untimed,
            unexplained: self.unexplained,
            out_of_range: self.out_of_range,
            first: self.first,
            last: self.last,
            lost: self.lost.clone(),
            selected: true,
            apart: self.apart.clone(),
            payloads: self.payloads.clone(),
            ..self.empty(config)
        }
    }

    fn leave_out_flow(&mut self, flow: &Flow) {
        let key = &flow.key;
        let totals = self.totals_at(index_of(key.slot(), key.direction()));
        take(totals.of_flow(key), flow.counts());
        totals.filtered += flow.counts();
    }

    /// By the owner's number: the class of what is in this delta and not in `kept`.
    fn left_out(&self, kept: &mut Delta, trail: &Trail) -> Vec<Option<ClassId>> {
        let mut left_out = vec![None; trail.owners().len()];
        for (owner, id) in trail.owners() {
            left_out[id as usize] = match owner {
                Owner::Flow(key) if kept.flows.contains(key) => None,
                Owner::Flow(key) => self.flows.get(key).map(|flow| flow.class),
                Owner::Malformed {
                    slot,
                    direction,
                    reason,
                } => {
                    let totals = kept.totals_mut(*slot, *direction);
                    let gone = totals.class[class_of(*reason)] == Counts::ZERO;
                    gone.then(|| kept.classes.id(Class::of_malformed(*direction, *reason)))
                }
            };
        }
        left_out
    }

    fn leave_out_parts(&mut self, trail: &Trail, left_out: &[Option<ClassId>]) {
        let mut span = trail.overflow();
        for (place, part) in trail.parts() {
            let Some(class) = left_out[place.owner as usize] else {
                span.widen(part.span);
                continue;
            };
            self.captured_bytes = self.captured_bytes.wrapping_sub(part.captured_bytes);
            match place.time {
                Time::Bucket(index) => {
                    self.buckets.widen(trail.interval());
                    let start = index.saturating_mul(trail.interval());
                    self.buckets.take(start, class, part.counts);
                }
                Time::Missing => take(&mut self.untimed, part.counts),
                Time::OutOfRange => {
                    take(&mut self.untimed, part.counts);
                    self.out_of_range = self.out_of_range.wrapping_sub(part.counts.packets);
                }
            }
        }
        self.buckets.drop_empty();
        (self.first, self.last) = (span.first, span.last);
    }
}

fn has_malformed(totals: &Totals) -> bool {
    let mut counts = Reason::ALL.iter().map(|one| totals.class[class_of(*one)]);
    counts.any(|counts| counts != Counts::ZERO)
}

fn leave_out_malformed(totals: &mut Totals) {
    for reason in Reason::ALL {
        totals.filtered += std::mem::take(&mut totals.class[class_of(reason)]);
    }
}

/// Wraps instead of hiding what can't be: the identity is computed from the result.
fn take(from: &mut Counts, counts: Counts) {
    from.packets = from.packets.wrapping_sub(counts.packets);
    from.bytes = from.bytes.wrapping_sub(counts.bytes);
}
