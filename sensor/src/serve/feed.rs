//! The whole run so far, as the page has it.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Board, Show, Shown};
use crate::enrich::Enrichment;
use crate::follow::{Follower, Part};
use crate::report::{Context, Report};
use crate::serve::Server;

/// With more buckets than this they become twice as long, and again: an hour of seconds is told apart, and what is sent
/// each interval stays small, however long the run.
const MOST_BUCKETS: usize = 3_600;

/// Entries that say when the packets of the listed flows came. Half a megabyte in every event.
const MOST_PARTS: usize = 50_000;

/// Adds up the parts; puts a page's data together only when it is asked.
pub(super) struct Feed {
    whole: Mutex<Option<Part>>,
    /// Rows of each list.
    rows: usize,
    enrichment: Arc<Enrichment>,
}

impl Feed {
    pub(super) fn new(rows: usize, enrichment: Arc<Enrichment>) -> Self {
        Feed {
            whole: Mutex::default(),
            rows,
            enrichment,
        }
    }

    /// A build that failed has changed nothing.
    fn whole(&self) -> MutexGuard<'_, Option<Part>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, part: &Part) {
        let mut whole = self.whole();
        let whole = match &mut *whole {
            Some(whole) => {
                whole.join(part);
                whole
            }
            empty => empty.insert(part.clone()),
        };
        whole.context.interface_counters.clear(); // they cover the last period only
        whole.period.delta.limit_buckets(MOST_BUCKETS);
    }

    fn replace(&self, whole: &Part) {
        *self.whole() = Some(whole.clone());
    }
}

impl Show for Feed {
    fn shown(&self) -> Option<Shown> {
        let whole = self.whole();
        let whole = whole.as_ref()?;
        let context = Context {
            top_n: self.rows,
            ..whole.context.clone()
        };
        let report: OnceCell<Report> = OnceCell::new();
        let data = whole.live_page(context, MOST_PARTS, |longer| {
            // Databases only: nobody waits here for a resolver.
            let bare = longer.clone();
            self.enrichment.enrich_as(longer, &bare);
            let _only_once = report.set(longer.clone());
        });
        let report = report.into_inner()?;
        Some(Shown { report, data })
    }
}

/// Hands the parts of a run to those who look at the page.
pub(super) struct PageFollower {
    pub(super) feed: Arc<Feed>,
    pub(super) board: Arc<Board>,
    /// Until the run ends.
    pub(super) server: Option<Arc<Server>>,
}

impl Follower for PageFollower {
    fn name(&self) -> String {
        "--listen".to_owned()
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        self.feed.add(part);
        self.board.counted();
        Ok(())
    }

    fn finish(&mut self, whole: &Part) -> anyhow::Result<()> {
        self.feed.replace(whole);
        self.board.ended();
        self.server = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Period;
    use crate::report::samples::{self, SECOND, START, arp};

    fn second(number: i64) -> Part {
        let start = START + number * SECOND;
        let period = Period {
            delta: samples::delta_of(&[arp().at(start)], 10),
            start,
            end: start + SECOND,
        };
        let mut part = Part::new(period, Arc::default(), samples::context());
        part.context.interface_counters = vec![crate::report::InterfaceCounters::default()];
        part
    }

    #[test]
    fn a_long_run_stays_small_and_whole() {
        let feed = Feed::new(10, Arc::default());
        assert!(feed.shown().is_none());
        let seconds = 2 * MOST_BUCKETS as i64 + 10;
        (0..seconds).for_each(|number| feed.add(&second(number)));
        let shown = feed.shown().unwrap();
        assert_eq!(shown.report.totals.packets, seconds as u64);
        assert!(shown.report.buckets.len() <= MOST_BUCKETS);
        assert_eq!(shown.report.interval_seconds, 4.0);
        assert!(shown.report.accounting.identity_holds);
        assert_eq!(
            shown.report.accounting.interface_counters,
            [],
            "those of a period"
        );
        assert_eq!(shown.data.report.totals, shown.report.totals);
    }
}
