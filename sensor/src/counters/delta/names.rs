//! Labels and names: payloads go to the book, and what it finds out of a flow moves the flow's counts, those of earlier
//! buckets too, to the class of its application.

use std::sync::Arc;

use sensor_common::flow::FlowKey;

use super::{Delta, DeltaConfig, Sums};
use crate::counters::Known;
use crate::names::resolving::Resolving;
use crate::names::{Book, Label, Sample, Verdict};

/// Who is asked for labels.
#[derive(Clone, Default)]
pub(super) struct Labels {
    /// What payloads said, in this period and before. Shared with the periods that were taken.
    book: Option<Arc<Book>>,
    /// In the place of the book.
    #[cfg(test)]
    told: Option<Arc<Told>>,
}

#[cfg(test)]
pub(in crate::counters) type Told = std::collections::BTreeMap<[u64; 5], Verdict>;

/// What the payloads of a period told beside names.
#[derive(Clone, Default)]
pub(super) struct Payloads {
    lost: u64,
    resolving: Resolving,
}

impl Payloads {
    pub(super) fn merge(&mut self, other: &Payloads) {
        self.lost += other.lost;
        self.resolving.merge(&other.resolving);
    }
}

impl Labels {
    /// `most`: entries in each cache; with 0 there is no book, and ports alone decide.
    pub(super) fn new(most: usize) -> Self {
        Labels {
            book: (most > 0).then(|| Arc::new(Book::new(most))),
            #[cfg(test)]
            told: None,
        }
    }

    pub(super) fn started(&mut self, key: &FlowKey, at: Option<i64>) -> Verdict {
        #[cfg(test)]
        if let Some(told) = &self.told {
            return told.get(&key.0).copied().unwrap_or_default();
        }
        match &mut self.book {
            Some(book) => Arc::make_mut(book).flow_started(key, at),
            None => Verdict::Decided(None),
        }
    }

    pub(super) fn verdict(&self, key: &FlowKey) -> Verdict {
        #[cfg(test)]
        if let Some(told) = &self.told {
            return told.get(&key.0).copied().unwrap_or_default();
        }
        match &self.book {
            Some(book) => book.verdict(key),
            None => Verdict::Decided(None),
        }
    }

    /// The same once nothing more will come.
    fn last_word(&self, key: &FlowKey) -> Verdict {
        let label = match (self.verdict(key), &self.book) {
            (Verdict::Undecided, Some(book)) => book.label(key),
            (verdict, _) => return verdict,
        };
        label.map_or(Verdict::Undecided, |label| Verdict::Decided(Some(label)))
    }

    /// The label if nothing more came.
    pub(super) fn so_far(&self, key: &FlowKey) -> Option<Label> {
        match self.last_word(key) {
            Verdict::Decided(label) => label,
            Verdict::Undecided => None,
        }
    }

    pub(super) fn put(&mut self, book: Book) {
        self.book = Some(Arc::new(book));
    }

    pub(super) fn are_known(&self) -> bool {
        #[cfg(test)]
        if self.told.is_some() {
            return true;
        }
        self.book.is_some()
    }
}

impl Delta {
    /// Whether payloads are wanted at all.
    pub fn wants_samples(&self) -> bool {
        self.labels.book.is_some()
    }

    /// Nothing counted, by other rules from now on; what payloads said stays, for their flows go on and won't say it again.
    /// The number of names that are remembered stays too.
    pub fn begin_again(&self, config: DeltaConfig) -> Delta {
        let names = self.config.names;
        self.empty(DeltaConfig { names, ..config })
    }

    /// Learns from a payload; its packet is counted by [`Self::packet`] or comes in a flow record.
    pub fn sample(&mut self, sample: &Sample<'_>) {
        if let Some(book) = &mut self.labels.book {
            let book = Arc::make_mut(book);
            book.observe(sample);
            for heard in book.heard() {
                self.payloads.resolving.add(heard);
            }
        }
    }

    /// Payloads that the kernel could not hand over: their flows may stay unnamed, and nothing else comes of it.
    pub fn lost_samples(&mut self, samples: u64) {
        self.payloads.lost += samples;
    }

    pub fn samples_lost(&self) -> u64 {
        self.payloads.lost
    }

    /// How questions of DNS fared, as far as their messages were looked at.
    pub fn resolving(&self) -> &Resolving {
        &self.payloads.resolving
    }

    /// Somebody is asked for labels: without, ports alone decide, at once and for good.
    pub fn knows_labels(&self) -> bool {
        self.labels.are_known()
    }

    /// What payloads said; `None` where they are not looked at.
    pub fn book(&self) -> Option<&Book> {
        self.labels.book.as_deref()
    }

    /// Flows that keep the label of their ports, whatever is found out later: they had packets in more buckets than there
    /// was room to note.
    pub fn frozen(&self) -> u64 {
        self.late.frozen()
    }

    /// Gives every flow the label that is known by now. Before a report is made, or [`Self::select`] asked. Flows of which
    /// nothing is known yet may get theirs by a later call, or by [`Self::merge`].
    pub fn settle(&mut self) {
        self.settle_by(Labels::verdict);
    }

    /// The same where no later packets are waited for: what only may have opened another protocol is taken for what it is.
    pub fn conclude(&mut self) {
        self.settle_by(Labels::last_word);
    }

    fn settle_by(&mut self, verdict: fn(&Labels, &FlowKey) -> Verdict) {
        self.flush();
        if !self.labels.are_known() {
            return;
        }
        let mut sums = Sums {
            classes: &mut self.classes,
            buckets: &mut self.buckets,
            late: &mut self.late,
        };
        self.flows.update(|flow| {
            if flow.known == Known::Decided {
                return false;
            }
            let verdict = verdict(&self.labels, &flow.key);
            if let Verdict::Decided(label) = verdict {
                sums.decide(flow, label);
            }
            verdict != Verdict::Undecided
        });
    }

    /// Parts of flows that are kept beside the table.
    #[cfg(test)]
    pub(in crate::counters) fn noted(&self) -> usize {
        self.late.total()
    }

    /// From now on these are the verdicts.
    #[cfg(test)]
    pub(in crate::counters) fn tell(&mut self, told: &Arc<Told>) {
        self.labels.told = Some(Arc::clone(told));
    }
}
