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
        let data = whole.dashboard(context, |longer| {
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
