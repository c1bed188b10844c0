//! Writing periodic reports on a thread of its own: a slow disk must not delay the next poll.

use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use crate::agent::Period;
use crate::counters::{Delta, DeltaConfig};
use crate::failure::{Exit, Failure};
use crate::report::{self, Context};
use crate::{sink, status};

pub(super) struct Recorder {
    periods: Sender<(Period, Context)>,
    thread: JoinHandle<Recorded>,
}

/// The whole run, for the last report.
pub(super) struct Summary {
    pub(super) whole: Delta,
    pub(super) context: Context,
    pub(super) written: u64,
    pub(super) failed: u64,
}

struct Recorded {
    whole: Delta,
    span: Option<(i64, i64)>,
    written: u64,
    failed: u64,
}

impl Recorder {
    pub(super) fn start(folder: PathBuf, config: DeltaConfig) -> Self {
        let (periods, incoming) = mpsc::channel::<(Period, Context)>();
        let thread = thread::spawn(move || {
            let mut recorded = Recorded {
                whole: Delta::new(config),
                span: None,
                written: 0,
                failed: 0,
            };
            if let Err(error) = sink::clean_stale(&folder) {
                status::warn(&format!(
                    "leftovers of an earlier run can't be removed: {error}"
                ));
            }
            for (period, context) in incoming {
                recorded.write(&folder, &period, context);
                recorded.add(&period);
            }
            recorded
        });
        Recorder { periods, thread }
    }

    pub(super) fn record(&mut self, period: Period, context: Context) {
        if self.periods.send((period, context)).is_err() {
            status::warn("the thread that writes reports has ended; this period's report is lost");
        }
    }

    pub(super) fn finish(self, context: Context) -> Result<Summary, Failure> {
        drop(self.periods);
        let recorded = self.thread.join().map_err(|_| {
            Failure::told(Exit::Failed, "the thread that writes reports has failed")
        })?;
        Ok(Summary {
            whole: recorded.whole,
            context: Context {
                span: recorded.span,
                ..context
            },
            written: recorded.written,
            failed: recorded.failed,
        })
    }
}

impl Recorded {
    fn write(&mut self, folder: &std::path::Path, period: &Period, context: Context) {
        let context = Context {
            span: Some((period.start, period.end)),
            ..context
        };
        let report = report::build(&period.delta, &context);
        match sink::write_periodic(folder, &report) {
            Ok(_) => {
                self.written += 1;
            }
            Err(error) => {
                self.failed += 1;
                status::warn(&format!("{error}; counting goes on"));
            }
        }
    }

    fn add(&mut self, period: &Period) {
        self.whole.merge(&period.delta);
        self.span = Some(match self.span {
            Some((start, end)) => (start.min(period.start), end.max(period.end)),
            None => (period.start, period.end),
        });
    }
}
