//! What was counted so far, taken out amid a run of packets, where most flows go on behind the cut.

use super::{Delta, FlowCounts, Place};

impl Delta {
    /// What was counted so far, each flow with the label that is known by now; this one starts again from nothing, but
    /// for what payloads said.
    pub fn take(&mut self) -> Delta {
        self.settle();
        self.leave_uncounted();
        let next = self.next();
        std::mem::replace(self, next)
    }

    /// The same, for somebody who looks at what is given, and at this one not before it was taken, too: the flows keep their
    /// places in the table, with nothing counted, so that nobody has to make room for them again. What was decided of a
    /// flow for good stays decided, as if there were no cut.
    ///
    /// A table that is half full, or of which less than half has packets in this part, is left behind: each part has room for
    /// as many flows.
    pub fn cut(&mut self) -> Delta {
        let (flows, counted) = (self.flows.len(), self.flows.counted());
        if flows > self.config.max_flows / 2 || counted < flows / 2 {
            return self.take();
        }
        self.settle();
        let mut next = self.next();
        next.classes = self.classes.clone();
        next.flows = self.flows.leave();
        next.kept = true;
        self.kept = false;
        std::mem::replace(self, next)
    }

    fn next(&mut self) -> Delta {
        let mut next = self.empty(self.config);
        next.late.take_over(&mut self.late);
        next
    }

    /// Forgets the flows that have no packets since the last cut.
    fn leave_uncounted(&mut self) {
        if std::mem::take(&mut self.kept) && self.flows.counted() < self.flows.len() {
            self.flows.leave();
        }
    }

    /// Where a flow goes for which there was no room, if only for flows without packets.
    #[cold]
    pub(super) fn place_instead(&mut self, record: &FlowCounts) -> Option<Place> {
        self.leave_uncounted();
        let hash = self.flows.hash(&record.key);
        self.flows.entry(&record.key, hash)
    }
}
