//! A capture file cut into parts, by the times of its packets.

use std::sync::Arc;

use super::{Followers, Part, Rules};
use crate::agent::Period;
use crate::counters::{Delta, DeltaConfig, When};
use crate::report::Context;
use crate::source::file::count::Ledger;

/// Where packets are counted that somebody follows: each part of so much time apart, and then all together.
///
/// A packet of another time than the one before it begins another part, forwards or backwards: captures whose times run
/// back and forth give several parts of one time, which add up.
pub struct Slices {
    cuts: Cuts,
    whole: Delta,
    /// The first part, which is all of the whole until the next one comes: mostly its followers are done with it by then.
    first: Option<Arc<Part>>,
    /// It is in the whole.
    joined: bool,
    followers: Followers,
    rules: Arc<Rules>,
    context: Context,
}

impl Slices {
    /// `part`: nanoseconds of a part, a multiple of the buckets'. `context` is that of the parts.
    pub fn new(
        (config, part): (DeltaConfig, i64),
        followers: Followers,
        rules: Arc<Rules>,
        context: Context,
    ) -> Self {
        let whole = Delta::new(config);
        Slices {
            cuts: Cuts::new(config, part),
            whole,
            first: None,
            joined: false,
            followers,
            rules,
            context,
        }
    }

    /// Everything that was counted, and the followers, who have had all parts by then.
    pub fn finish(mut self) -> (Delta, Followers) {
        if let Some(last) = self.cuts.end() {
            self.hand_over(last);
        }
        self.take_first();
        (self.whole, self.followers)
    }

    #[cold]
    fn hand_over(&mut self, period: Period) {
        let (rules, context) = (Arc::clone(&self.rules), self.context.clone());
        let part = Arc::new(Part::of_file(period, rules, context));
        if self.first.is_some() || self.joined {
            self.take_first();
            self.whole.merge(&part.period.delta);
        } else {
            self.first = Some(Arc::clone(&part));
        }
        self.followers.part(part);
    }

    /// What merging it into nothing comes to, which would cost much more.
    fn take_first(&mut self) {
        if let Some(first) = self.first.take() {
            self.joined = true;
            self.whole = match Arc::try_unwrap(first) {
                Ok(first) => first.period.delta,
                Err(first) => first.period.delta.clone(),
            };
        }
    }
}

impl Ledger for Slices {
    #[inline]
    fn of(&mut self, when: When) -> &mut Delta {
        if let Some(over) = self.cuts.turn_to(when) {
            self.hand_over(over);
        }
        self.cuts.current()
    }

    #[inline]
    fn onwards(&mut self, at: i64) -> (&mut Delta, (i64, i64)) {
        self.of(When::At(at));
        self.cuts.go_on()
    }

    fn wants_samples(&self) -> bool {
        self.cuts.wants_samples()
    }

    fn only_counts(&self) -> bool {
        self.cuts.only_counts()
    }

    fn flush(&mut self) {
        self.cuts.current().flush();
    }
}

/// No time is within.
const NEVER: (i64, i64) = (i64::MAX, i64::MIN);

/// The part that is being counted, and where it ends.
pub struct Cuts {
    /// Nanoseconds of a part.
    part: i64,
    current: Delta,
    /// Number of the current part; `None` for packets without a time.
    number: Option<i64>,
    /// Its first and last nanosecond: a number for each packet would be a division.
    span: (i64, i64),
    /// Nothing was asked to be counted in the current part.
    empty: bool,
}

impl Cuts {
    /// `part`: nanoseconds of a part.
    pub fn new(config: DeltaConfig, part: i64) -> Self {
        Cuts {
            part,
            current: Delta::new(config),
            number: None,
            span: NEVER,
            empty: true,
        }
    }

    /// A packet of this time comes next: gives the part that is over by that.
    #[inline]
    pub fn turn_to(&mut self, when: When) -> Option<Period> {
        let (start, end) = self.span;
        let goes_on = match when.time() {
            Some(at) => start <= at && at <= end,
            None => self.number.is_none(),
        };
        let over = match goes_on {
            true => None,
            false => self.turn(when),
        };
        self.empty = false;
        over
    }

    #[cold]
    fn turn(&mut self, when: When) -> Option<Period> {
        let over = self.over(Delta::cut);
        self.number = when.time().map(|at| at.div_euclid(self.part));
        self.span = when.time().map_or(NEVER, |at| {
            let within = at.rem_euclid(self.part);
            let end = at.saturating_add(self.part - 1 - within);
            (at.saturating_sub(within), end)
        });
        over
    }

    /// What the next packet is counted in.
    #[inline]
    pub fn current(&mut self) -> &mut Delta {
        &mut self.current
    }

    /// The same, and between which times packets belong to it, first and last nanosecond.
    #[inline]
    pub fn go_on(&mut self) -> (&mut Delta, (i64, i64)) {
        (&mut self.current, self.span)
    }

    pub fn wants_samples(&self) -> bool {
        self.current.wants_samples()
    }

    pub fn only_counts(&self) -> bool {
        self.current.divisible().is_some()
    }

    /// The current part, if anything is in it, where no more packets come.
    #[cold]
    pub fn end(&mut self) -> Option<Period> {
        self.over(Delta::take)
    }

    fn over(&mut self, take: fn(&mut Delta) -> Delta) -> Option<Period> {
        if std::mem::replace(&mut self.empty, true) {
            return None;
        }
        let delta = take(&mut self.current);
        let (start, end) = self.number.map_or((0, 0), |number| {
            let start = number.saturating_mul(self.part);
            (start, start.saturating_add(self.part))
        });
        Some(Period { delta, start, end })
    }
}
