//! Writing periodic reports on a thread of its own: a slow disk must not delay the next poll.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use crate::agent::Period;
use crate::counters::{Delta, DeltaConfig};
use crate::failure::{Exit, Failure};
use crate::report::{self, Context, Report};
use crate::sink::{self, SinkError};
use crate::status;

/// Periods that may wait for a disk that hangs, with the one that is being written: each may be hundreds of megabytes.
const MOST_UNWRITTEN: usize = 3;

pub(super) struct Recorder {
    periods: Sender<(Period, Context)>,
    unwritten: Arc<AtomicUsize>,
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
    /// What no periodic report says yet, because it could not be written.
    held: Option<Period>,
    written: u64,
    failed: u64,
}

impl Recorder {
    pub(super) fn start(folder: PathBuf, config: DeltaConfig) -> Self {
        let mut fresh = true;
        Self::writing(config, move |report| {
            if std::mem::take(&mut fresh) {
                remove_leftovers(&folder);
            }
            sink::write_periodic(&folder, report).map(drop)
        })
    }

    fn writing(
        config: DeltaConfig,
        mut write: impl FnMut(&Report) -> Result<(), SinkError> + Send + 'static,
    ) -> Self {
        let (periods, incoming) = mpsc::channel::<(Period, Context)>();
        let unwritten = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&unwritten);
        let thread = thread::spawn(move || {
            let mut recorded = Recorded {
                whole: Delta::new(config),
                span: None,
                held: None,
                written: 0,
                failed: 0,
            };
            for (period, context) in incoming {
                recorded.add(&period);
                recorded.write(&mut write, period, context);
                waiting.fetch_sub(1, Ordering::Release);
            }
            recorded
        });
        Recorder {
            periods,
            unwritten,
            thread,
        }
    }

    /// Whether another period may be recorded now; the last one of a run may be in any case.
    pub(super) fn has_room(&self) -> bool {
        self.unwritten.load(Ordering::Acquire) < MOST_UNWRITTEN
    }

    pub(super) fn record(&mut self, period: Period, context: Context) {
        self.unwritten.fetch_add(1, Ordering::Relaxed);
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
    /// Writes the period, with those before it that could not be written: no reader of the reports must take a full disk
    /// for a quiet network.
    fn write(
        &mut self,
        write: &mut impl FnMut(&Report) -> Result<(), SinkError>,
        period: Period,
        mut context: Context,
    ) {
        let period = match self.held.take() {
            Some(held) => {
                context.interface_counters.clear(); // they cover the last period only
                context.notes.push(
                    "earlier reports could not be written: this one covers their time too"
                        .to_owned(),
                );
                joined(held, &period)
            }
            None => period,
        };
        context.span = Some((period.start, period.end));
        let report = report::build(&period.delta, &context);
        match write(&report) {
            Ok(()) => self.written += 1,
            Err(error) => {
                self.failed += 1;
                self.held = Some(period);
                status::warn(&format!(
                    "{error}; counting goes on, and the next report will cover this time too"
                ));
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

/// Two periods, one after the other, as one.
fn joined(mut first: Period, second: &Period) -> Period {
    first.delta.merge(&second.delta);
    first.end = second.end;
    first
}

fn remove_leftovers(folder: &Path) {
    if let Err(error) = sink::clean_stale(folder) {
        status::warn(&format!(
            "leftovers of an earlier run can't be removed: {error}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn period() -> Period {
        Period {
            delta: Delta::new(samples::config(1)),
            start: 0,
            end: 1,
        }
    }

    #[test]
    fn a_disk_that_hangs_holds_periods_back_and_loses_none() {
        let (disk, writes) = mpsc::channel::<()>();
        let mut recorder = Recorder::writing(samples::config(1), move |_| {
            writes.recv().unwrap();
            Ok(())
        });
        for _ in 0..MOST_UNWRITTEN {
            assert!(recorder.has_room());
            recorder.record(period(), Context::default());
        }
        assert!(!recorder.has_room());
        recorder.record(period(), Context::default()); // the last one of the run
        for _ in 0..=MOST_UNWRITTEN {
            disk.send(()).unwrap();
        }
        let unwritten = Arc::clone(&recorder.unwritten);
        let summary = recorder.finish(Context::default()).unwrap();
        assert_eq!((summary.written, summary.failed), (4, 0));
        assert_eq!(unwritten.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_next_report_covers_what_could_not_be_written() {
        let (told, reports) = mpsc::channel();
        let mut full = true;
        let mut recorder = Recorder::writing(samples::config(10), move |report| {
            told.send((report.start, report.totals.packets)).unwrap();
            match std::mem::replace(&mut full, false) {
                true => Err(SinkError::Stdout(std::io::ErrorKind::StorageFull.into())),
                false => Ok(()),
            }
        });
        for (start, packets) in [(0, 3), (5, 4), (9, 1)] {
            let packet = samples::arp().of(packets, 100).at(start);
            let period = Period {
                delta: samples::delta_of(&[packet], 10),
                start,
                end: start + 1,
            };
            recorder.record(period, Context::default());
        }
        let summary = recorder.finish(Context::default()).unwrap();
        let reports: Vec<_> = reports.iter().collect();
        let at = |time| Some(report::Time(time));
        assert_eq!(reports, [(at(0), 3), (at(0), 7), (at(9), 1)]);
        assert_eq!((summary.written, summary.failed), (2, 1));
        assert_eq!(summary.whole.accounting().0.seen.packets, 8);
    }
}
