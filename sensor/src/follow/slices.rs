//! A capture file cut into intervals, by the times of its packets.

use std::sync::Arc;

use super::{Followers, Part, Rules};
use crate::agent::Period;
use crate::counters::{Delta, DeltaConfig, When};
use crate::report::Context;
use crate::source::file::count::Ledger;

/// Where packets are counted that somebody follows: each bucket's apart, and then all together.
///
/// A packet of another bucket than the one before it begins another part, forwards or backwards: captures whose times run
/// back and forth give several parts of one bucket, which add up.
pub struct Slices {
    interval: i64,
    current: Delta,
    /// Of the current part; `None` for packets without a time.
    bucket: Option<i64>,
    /// Nothing was asked to be counted in the current part.
    empty: bool,
    whole: Delta,
    followers: Followers,
    rules: Arc<Rules>,
    context: Context,
}

impl Slices {
    /// `context` is that of the parts.
    pub fn new(
        config: DeltaConfig,
        followers: Followers,
        rules: Arc<Rules>,
        context: Context,
    ) -> Self {
        let whole = Delta::new(config);
        Slices {
            interval: config.interval,
            current: whole.begin_again(config),
            bucket: None,
            empty: true,
            whole,
            followers,
            rules,
            context,
        }
    }

    /// Everything that was counted, and the followers, who have had all parts by then.
    pub fn finish(mut self) -> (Delta, Followers) {
        self.cut();
        (self.whole, self.followers)
    }

    #[cold]
    fn cut(&mut self) {
        if std::mem::replace(&mut self.empty, true) {
            return;
        }
        let delta = self.current.take();
        self.whole.merge(&delta);
        let (start, end) = self.bucket.map_or((0, 0), |bucket| {
            let start = bucket.saturating_mul(self.interval);
            (start, start.saturating_add(self.interval))
        });
        let period = Period { delta, start, end };
        let (rules, context) = (Arc::clone(&self.rules), self.context.clone());
        self.followers.part(Part::of_file(period, rules, context));
    }
}

impl Ledger for Slices {
    #[inline]
    fn of(&mut self, when: When) -> &mut Delta {
        let bucket = match when {
            When::At(at) => Some(at.div_euclid(self.interval)),
            When::Missing | When::OutOfRange => None,
        };
        if bucket != self.bucket {
            self.cut();
            self.bucket = bucket;
        }
        self.empty = false;
        &mut self.current
    }

    fn wants_samples(&self) -> bool {
        self.current.wants_samples()
    }

    fn flush(&mut self) {
        self.current.flush();
    }
}
