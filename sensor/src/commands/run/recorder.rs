//! Writing periodic reports on a thread of its own: a slow disk must not delay the next poll.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use crate::dashboard::Data;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::follow::Part;
use crate::report::{Context, Report};
use crate::sandbox::capabilities;
use crate::sink::{self, SinkError};
use crate::status;

/// Periods that may wait for a disk that hangs, with the one that is being written: each may be hundreds of megabytes.
const MOST_UNWRITTEN: usize = 3;

pub(super) struct Recorder {
    periods: Sender<Part>,
    unwritten: Arc<AtomicUsize>,
    enrichment: Arc<Enrichment>,
    thread: JoinHandle<Recorded>,
}

/// The whole run, with its last report.
pub(super) struct Summary {
    pub(super) report: Report,
    pub(super) dashboard: Option<Data>,
    pub(super) whole: Part,
    pub(super) written: u64,
    pub(super) failed: u64,
}

struct Recorded {
    /// `None` before the first period.
    whole: Option<Part>,
    /// What no periodic report says yet, because it could not be written.
    held: Option<Part>,
    written: u64,
    failed: u64,
}

impl Recorder {
    pub(super) fn start(folder: PathBuf, enrichment: Arc<Enrichment>) -> Self {
        let mut fresh = true;
        Self::writing(enrichment, move |report| {
            if std::mem::take(&mut fresh) {
                remove_leftovers(&folder);
            }
            sink::write_periodic(&folder, report).map(drop)
        })
    }

    fn writing(
        enrichment: Arc<Enrichment>,
        mut write: impl FnMut(&Report) -> Result<(), SinkError> + Send + 'static,
    ) -> Self {
        let (periods, incoming) = mpsc::channel::<Part>();
        let unwritten = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&unwritten);
        let more = Arc::clone(&enrichment);
        // A slow resolver delays the file, as a slow disk does, and not the next poll.
        let mut write = move |mut report: Report| {
            more.enrich(&mut report);
            write(&report)
        };
        let thread = thread::spawn(move || {
            capabilities::give_up();
            let mut recorded = Recorded {
                whole: None,
                held: None,
                written: 0,
                failed: 0,
            };
            for part in incoming {
                recorded.add(&part);
                recorded.write(&mut write, part);
                waiting.fetch_sub(1, Ordering::Release);
            }
            if let Some(whole) = &mut recorded.whole {
                whole.period.delta.conclude();
            }
            recorded
        });
        Recorder {
            periods,
            unwritten,
            enrichment,
            thread,
        }
    }

    /// Whether another period may be recorded now; the last one of a run may be in any case.
    pub(super) fn has_room(&self) -> bool {
        self.unwritten.load(Ordering::Acquire) < MOST_UNWRITTEN
    }

    pub(super) fn record(&mut self, period: Part) {
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        if self.periods.send(period).is_err() {
            status::warn("the thread that writes reports has ended; this period's report is lost");
        }
    }

    /// `context` is that of the whole run; `rows` those of a dashboard of it, if there is to be one.
    pub(super) fn finish(self, context: Context, rows: Option<usize>) -> Result<Summary, Failure> {
        drop(self.periods);
        let failed = |what| Failure::told(Exit::Failed, what);
        let recorded = self
            .thread
            .join()
            .map_err(|_| failed("the thread that writes reports has failed"))?;
        let mut whole = recorded
            .whole
            .ok_or_else(|| failed("nothing was recorded"))?;
        whole.context = context.clone();
        let mut report = whole.report();
        self.enrichment.enrich(&mut report);
        let dashboard = rows.map(|top_n| {
            let enrich = |longer: &mut Report| self.enrichment.enrich_as(longer, &report);
            whole.dashboard(Context { top_n, ..context }, enrich)
        });
        Ok(Summary {
            report,
            dashboard,
            whole,
            written: recorded.written,
            failed: recorded.failed,
        })
    }
}

impl Recorded {
    /// Writes the period, with those before it that could not be written: no reader of the reports must take a full disk
    /// for a quiet network.
    fn write(&mut self, write: &mut impl FnMut(Report) -> Result<(), SinkError>, part: Part) {
        let mut part = match self.held.take() {
            Some(mut held) => {
                held.join(&part);
                held.context.interface_counters.clear(); // they cover the last period only
                held.context.notes.push(
                    "earlier reports could not be written: this one covers their time too"
                        .to_owned(),
                );
                held
            }
            None => part,
        };
        part.period.delta.conclude();
        match write(part.report()) {
            Ok(()) => self.written += 1,
            Err(error) => {
                self.failed += 1;
                self.held = Some(part);
                status::warn(&format!(
                    "{error}; counting goes on, and the next report will cover this time too"
                ));
            }
        }
    }

    fn add(&mut self, part: &Part) {
        match &mut self.whole {
            Some(whole) => whole.join(part),
            None => self.whole = Some(part.clone()),
        }
    }
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
    use crate::agent::Period;
    use crate::counters::Delta;
    use crate::report;
    use crate::report::samples;

    fn period(delta: Delta, start: i64) -> Part {
        let end = start + 1;
        let period = Period { delta, start, end };
        Part::new(period, Arc::default(), Context::default())
    }

    fn nothing() -> Part {
        period(Delta::new(samples::config(1)), 0)
    }

    #[test]
    fn a_disk_that_hangs_holds_periods_back_and_loses_none() {
        let (disk, writes) = mpsc::channel::<()>();
        let mut recorder = Recorder::writing(Arc::default(), move |_| {
            writes.recv().unwrap();
            Ok(())
        });
        for _ in 0..MOST_UNWRITTEN {
            assert!(recorder.has_room());
            recorder.record(nothing());
        }
        assert!(!recorder.has_room());
        recorder.record(nothing()); // the last one of the run
        for _ in 0..=MOST_UNWRITTEN {
            disk.send(()).unwrap();
        }
        let unwritten = Arc::clone(&recorder.unwritten);
        let summary = recorder.finish(Context::default(), None).unwrap();
        assert_eq!((summary.written, summary.failed), (4, 0));
        assert_eq!(unwritten.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_next_report_covers_what_could_not_be_written() {
        let (told, reports) = mpsc::channel();
        let mut full = true;
        let mut recorder = Recorder::writing(Arc::default(), move |report| {
            told.send((report.start, report.totals.packets)).unwrap();
            match std::mem::replace(&mut full, false) {
                true => Err(SinkError::Stdout(std::io::ErrorKind::StorageFull.into())),
                false => Ok(()),
            }
        });
        for (start, packets) in [(0, 3), (5, 4), (9, 1)] {
            let packet = samples::arp().of(packets, 100).at(start);
            recorder.record(period(samples::delta_of(&[packet], 10), start));
        }
        let summary = recorder.finish(Context::default(), None).unwrap();
        let reports: Vec<_> = reports.iter().collect();
        let at = |time| Some(report::Time(time));
        assert_eq!(reports, [(at(0), 3), (at(0), 7), (at(9), 1)]);
        assert_eq!((summary.written, summary.failed), (2, 1));
        assert_eq!(summary.report.accounting.seen.packets, 8);
    }
}
