//! What was counted in a span of time, with the rules that it was counted by.

use std::borrow::Cow;
use std::sync::Arc;

use super::Rules;
use crate::agent::Period;
use crate::counters::Delta;
use crate::dashboard::{Counted, Data};
use crate::report::{Context, Report};

/// A span of a run: an interval, a period, or the whole of it.
#[derive(Clone)]
pub struct Part {
    /// Its delta is settled. Of a file: from its start to its end, or 0 to 0 for packets without a time.
    pub period: Period,
    pub rules: Arc<Rules>,
    /// What a report says that was not counted; the span and the filter are filled in from here.
    pub context: Context,
    /// The filter's part about flows has been applied: several filters were in force.
    judged: bool,
    /// Somebody looked from the period's start to its end, also while no packet came.
    watched: bool,
    /// A period of reports ends with it.
    pub ends_period: bool,
}

impl Part {
    /// Of a live run.
    pub fn new(period: Period, rules: Arc<Rules>, context: Context) -> Self {
        Part {
            period,
            rules,
            context,
            judged: false,
            watched: true,
            ends_period: false,
        }
    }

    /// Of capture files: its time is that of its packets.
    pub fn of_file(period: Period, rules: Arc<Rules>, context: Context) -> Self {
        Part {
            watched: false,
            ..Part::new(period, rules, context)
        }
    }

    /// What the filter leaves of what was counted. Its part about flows judges each flow by what it is in this part.
    pub fn counted(&self) -> Cow<'_, Delta> {
        let all = &self.period.delta;
        let selected = match self.judged {
            true => None,
            false => self.rules.selected(all),
        };
        selected.map_or(Cow::Borrowed(all), Cow::Owned)
    }

    pub fn report(&self) -> Report {
        self.report_with(self.context.clone())
    }

    pub fn report_with(&self, context: Context) -> Report {
        let context = self.told(context);
        self.rules.report_judged(&self.counted(), &context)
    }

    /// With the rows that `context` says; `enrich` adds what is known from elsewhere.
    pub fn dashboard(&self, context: Context, enrich: impl Fn(&mut Report)) -> Data {
        let delta = &*self.counted();
        let all = &self.period.delta;
        self.data(context, Counted::of_both(delta, all), enrich)
    }

    /// The same for a page that is sent again and again: with so many entries that say when packets of flows came.
    pub fn live_page(&self, context: Context, parts: usize, enrich: impl Fn(&mut Report)) -> Data {
        let delta = &*self.counted();
        let both = Counted::of_both(delta, &self.period.delta);
        self.data(context, Counted { parts, ..both }, enrich)
    }

    fn data(&self, context: Context, counted: Counted<'_>, enrich: impl Fn(&mut Report)) -> Data {
        let context = self.told(context);
        let mut report = self.rules.report_judged(counted.delta, &context);
        enrich(&mut report);
        Data::new(report, counted, context.top_n)
    }

    /// Adds a later one.
    pub fn join(&mut self, later: &Part) {
        let changed = !self.rules.same_filter(&later.rules);
        if changed || self.judged || later.judged {
            self.judge();
            let mut later = later.clone();
            later.judge();
            self.period.delta.merge(&later.period.delta);
        } else {
            self.period.delta.merge(&later.period.delta);
        }
        self.period.start = self.period.start.min(later.period.start);
        self.period.end = self.period.end.max(later.period.end);
        // What the later time found out of flows that it has no packets of.
        self.period.delta.settle();
        self.rules = Arc::clone(&later.rules);
        self.context = later.context.clone();
        self.ends_period |= later.ends_period;
    }

    /// From when to when somebody looked; of a file nobody did.
    pub fn observed(&self) -> Option<(i64, i64)> {
        self.watched.then_some((self.period.start, self.period.end))
    }

    fn judge(&mut self) {
        if let Cow::Owned(selected) = self.counted() {
            self.period.delta = selected;
        }
        self.judged = true;
    }

    fn told(&self, mut context: Context) -> Context {
        if self.watched {
            context.span = Some((self.period.start, self.period.end));
        }
        if self.judged {
            context.notes.push(
                "the filter changed in this time: each part was judged by the filter of its time"
                    .to_owned(),
            );
        }
        context
    }
}
