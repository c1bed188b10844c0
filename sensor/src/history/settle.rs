//! Labels that become known later, and what they move.

use super::gather::less;
use super::parts::Parts;
use super::rows::{BucketKey, FlowEntry, FlowPart, NONE, Rows, Split, Stretch};
use crate::counters::{Class, Counts};

impl Rows {
    /// Puts packets of flows whose label became known later under the class that they have now, in the buckets too as far as
    /// it is known in which one they are.
    pub(super) fn settle(&mut self) {
        let relabelled = self.flows.iter().any(|entry| entry.relabelled);
        if relabelled {
            self.settle_parts();
            self.flows
                .iter_mut()
                .for_each(|entry| entry.relabelled = false);
        }
    }

    fn settle_parts(&mut self) {
        for place in 0..self.parts.len() as u32 {
            let Some(part) = self.parts.get(place) else {
                return;
            };
            let entry = &self.flows[part.flow as usize];
            if !entry.relabelled {
                continue;
            }
            let class = Class::of_flow(&entry.key, entry.label);
            let Some(start) = part.stretch.start else {
                self.parts.set_class(place, class);
                continue;
            };
            if class == part.class {
                continue;
            }
            // Its bucket was counted in the same stretch, or in a longer one.
            let longer = start.saturating_sub(start.rem_euclid(self.length.max(1)));
            let moved = [start, longer].into_iter().any(|stretch| {
                let of = |class| BucketKey {
                    stretch,
                    start,
                    length: part.stretch.length,
                    class,
                };
                self.shift(of(part.class), of(class), part.counts)
            });
            if moved {
                self.parts.set_class(place, class);
            }
        }
    }

    /// Makes a row for each bucket of what is noted by buckets, of the flows that are `wanted`. The last one has the times and
    /// flags, for of the others they are not known apart.
    pub(super) fn split_up(&mut self, wanted: impl Fn(&FlowEntry) -> bool) {
        let is_wanted = |rows: &Rows, flow: u32| wanted(&rows.flows[flow as usize]);
        let any = |split: &Split| {
            let part = self.parts.get(split.part);
            part.is_some_and(|part| is_wanted(self, part.flow))
        };
        if !self.splits.iter().any(any) {
            return;
        }
        let mut splits = std::mem::take(&mut self.splits);
        // Of times that run back and forth a part gets several times.
        splits.sort_by_key(|split| split.part);
        let mut splits = splits.chunk_by(|a, b| a.part == b.part).peekable();
        for (place, part) in (0..).zip(self.parts_anew().iter()) {
            let own = splits.next_if(|own| own[0].part == place);
            match own.unwrap_or_default() {
                [] => {
                    self.part(&part);
                }
                own if is_wanted(self, part.flow) => self.by_bucket(&part, own),
                own => {
                    let part = self.part(&part);
                    self.splits
                        .extend(own.iter().map(|split| Split { part, ..*split }));
                }
            }
        }
    }

    fn by_bucket(&mut self, whole: &FlowPart, splits: &[Split]) {
        let mut rest = *whole;
        for (number, split) in splits.iter().enumerate() {
            let Split {
                stretch, counts, ..
            } = *split;
            rest.counts = less(rest.counts, counts);
            if rest.counts == Counts::ZERO && number + 1 == splits.len() {
                rest = FlowPart {
                    stretch,
                    counts,
                    ..rest
                };
                break;
            }
            self.part(&FlowPart {
                stretch,
                counts,
                tcp_flags: 0,
                first: i64::MAX,
                last: i64::MIN,
                ..*whole
            });
        }
        self.part(&rest);
    }

    /// Nothing more comes, so nothing will be moved any more.
    pub(super) fn forget_splits(&mut self) {
        self.splits.clear();
    }

    /// All parts, to be put back.
    fn parts_anew(&mut self) -> Parts {
        self.since = 0;
        self.flows.iter_mut().for_each(|entry| entry.latest = NONE);
        std::mem::take(&mut self.parts)
    }

    /// Flows whose label won't change have one row for each stretch again, and not one for each bucket: nothing of them will
    /// be moved any more.
    pub(super) fn join_buckets(&mut self) {
        let length = self.length;
        let mut stretches = self.parts.stretches().iter();
        if !stretches.any(|stretch| stretch.length < length) {
            return;
        }
        for mut part in self.parts_anew().iter() {
            if self.flows[part.flow as usize].settled && part.stretch.length < length {
                part.stretch = Stretch {
                    start: part
                        .stretch
                        .start
                        .map(|start| start.saturating_sub(start.rem_euclid(length))),
                    length,
                };
            }
            self.part(&part);
        }
    }

    /// Moves counts from one class of a bucket to another; false where they are not there.
    fn shift(&mut self, from: BucketKey, to: BucketKey, counts: Counts) -> bool {
        let Some(sum) = self.buckets.get_mut(&from) else {
            return false;
        };
        let left = (
            sum.packets.checked_sub(counts.packets),
            sum.bytes.checked_sub(counts.bytes),
        );
        let (Some(packets), Some(bytes)) = left else {
            return false;
        };
        *sum = Counts { packets, bytes };
        if *sum == Counts::ZERO {
            self.buckets.remove(&from);
        }
        self.bucket(to, counts);
        true
    }
}
