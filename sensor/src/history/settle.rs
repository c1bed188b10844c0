//! Labels that become known later, and what they move.

use super::rows::{BucketKey, FlowPart, NONE, Rows, Stretch};
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
        for place in 0..self.parts.len() {
            let part = self.parts[place];
            let entry = &self.flows[part.flow as usize];
            if !entry.relabelled {
                continue;
            }
            let class = Class::of_flow(&entry.key, entry.label);
            let Some(start) = part.stretch.start else {
                self.parts[place].class = class;
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
                self.parts[place].class = class;
            }
        }
    }

    /// Flows whose label won't change have one row for each stretch again, and not one for each bucket: nothing of them will
    /// be moved any more.
    pub(super) fn join_buckets(&mut self) {
        let (length, shorter) = (self.length, |part: &FlowPart| {
            part.stretch.length < self.length
        });
        if !self.parts.iter().any(shorter) {
            return;
        }
        let parts = std::mem::take(&mut self.parts);
        self.since = 0;
        self.flows.iter_mut().for_each(|entry| entry.latest = NONE);
        for mut part in parts {
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
