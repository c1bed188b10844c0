//! A run cut into intervals for those who follow it, and put together again into the periods of its reports.

use crate::follow::{Followers, Part, Trouble};

pub(super) struct Intervals {
    followers: Followers,
    /// Of the period that goes on: what the followers have had.
    gathered: Option<Part>,
}

impl Intervals {
    pub(super) fn new(followers: Followers) -> Self {
        Intervals {
            followers,
            gathered: None,
        }
    }

    /// Somebody follows: each interval is to be added when it ends.
    pub(super) fn wanted(&self) -> bool {
        !self.followers.is_empty()
    }

    pub(super) fn add(&mut self, interval: Part) {
        match &mut self.gathered {
            Some(gathered) => gathered.join(&interval),
            None => self.gathered = Some(interval.clone()),
        }
        self.followers.part(interval);
    }

    /// The period, with what came since the last interval was added.
    pub(super) fn end_period(&mut self, mut last: Part) -> Part {
        last.ends_period = true;
        if !self.wanted() {
            return last;
        }
        self.add(last.clone());
        self.gathered.take().unwrap_or(last)
    }

    /// The run has ended. Waits until everybody has had everything.
    pub(super) fn finish(self, whole: &Part) -> Trouble {
        self.followers.finish(whole)
    }
}
