//! Reports in JSON, read one by one and merged.

use std::path::Path;

use super::find::told;
use crate::failure::{Exit, Failure};
use crate::report::{MergeError, Merging, Report, Time};
use crate::{saved, status};

/// Less than that share of the reports' time within what was asked for is an answer to another question.
const ENOUGH: f64 = 0.5;

pub(super) struct Files {
    from: Option<i64>,
    to: Option<i64>,
    /// A single report is shown as it is.
    first: Option<Report>,
    merging: Merging,
    known: Vec<(Identity, String)>,
    /// Seconds of all that were taken, and of these within what was asked for.
    seconds: f64,
    within: f64,
    read: u64,
    pub(super) damaged: bool,
}

/// Reports that are the same in all of it are the same.
type Identity = (String, Option<Time>, Option<Time>, u64, u64, Vec<String>);

impl Files {
    pub(super) fn new(from: Option<i64>, to: Option<i64>) -> Self {
        Files {
            from,
            to,
            first: None,
            merging: Merging::new(),
            known: Vec::new(),
            seconds: 0.0,
            within: 0.0,
            read: 0,
            damaged: false,
        }
    }

    /// What can't be read is said and left out.
    pub(super) fn open(&mut self, path: &Path) -> Result<(), Failure> {
        if self.ends_before(path) {
            self.read += 1;
            return Ok(());
        }
        match saved::open(path) {
            Ok(report) => self.add(report, &told(path)),
            Err(error) => {
                status::warn(&error.to_string());
                self.damaged = true;
                Ok(())
            }
        }
    }

    pub(super) fn add(&mut self, report: Report, name: &str) -> Result<(), Failure> {
        self.read += 1;
        if !self.is_asked_for(&report, name) {
            return Ok(());
        }
        let identity = identity(&report);
        if let Some((_, other)) = self.known.iter().find(|(known, _)| *known == identity) {
            status::warn(&format!(
                "{name} holds the same report as {other}; it counts once"
            ));
            return Ok(());
        }
        self.known.push((identity, name.to_owned()));
        let mut one = Some(report);
        if self.known.len() == 1 {
            self.first = one.take();
            return Ok(());
        }
        let reports = self.first.take().into_iter().chain(one);
        for report in reports {
            self.merging.add(report).map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Report, Failure> {
        let asked = self.from.is_some() || self.to.is_some();
        if self.known.is_empty() {
            let message = match (self.read, asked) {
                (0, _) => "none of the reports could be read".to_owned(),
                (read, _) => format!(
                    "none of the {read} reports has any of the time {}",
                    self.asked()
                ),
            };
            return Err(Failure::told(Exit::BadFile, message));
        }
        let outside = self.seconds - self.within;
        if asked && self.within < self.seconds * ENOUGH {
            let message = format!(
                "the reports with the time {} span {} s, of which {} s lie in it: their lists can't be cut to that; history (sensor report on its folder) can",
                self.asked(),
                self.seconds.round(),
                self.within.round()
            );
            return Err(Failure::told(Exit::Usage, message));
        }
        let mut note = (outside > 0.0).then(|| {
            format!(
                "reports are taken whole: {outside:.1} s of what follows lie outside of the time {}; history can be cut exactly",
                self.asked()
            )
        });
        if let Some(note) = &note {
            status::note(note);
        }
        let mut report = match self.first {
            Some(report) => report,
            None => self.merging.finish(0).map_err(|error| refused(&error))?,
        };
        report.notes.extend(note.take());
        Ok(report)
    }

    /// Told by the name that a periodic report has of its end: a folder holds those of months.
    fn ends_before(&self, path: &Path) -> bool {
        let named = path.file_name().and_then(|name| name.to_str());
        let end = named.and_then(|name| {
            let stamp = name.strip_prefix("sensor-")?.get(..16)?;
            let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
            let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            i64::try_from(zoned.timestamp().as_nanosecond()).ok()
        });
        // It is cut to the second.
        matches!((end, self.from), (Some(end), Some(from)) if end.saturating_add(1_000_000_000) <= from)
    }

    fn is_asked_for(&mut self, report: &Report, name: &str) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let Some((start, end)) = report.start.zip(report.end) else {
            status::warn(&format!("{name} has no time; it is left out"));
            return false;
        };
        let (from, to) = (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX));
        let empty = start == end && (from..to).contains(&start.0);
        if !empty && (start.0 >= to || end.0 <= from) {
            return false;
        }
        let seconds = |from: i64, to: i64| (i128::from(to) - i128::from(from)) as f64 / 1e9;
        self.seconds += seconds(start.0, end.0);
        self.within += seconds(start.0.max(from), end.0.min(to));
        true
    }

    fn asked(&self) -> String {
        let time = |time: i64| Time(time).strftime("%Y-%m-%d %H:%M:%S");
        match (self.from, self.to) {
            (Some(from), Some(to)) => format!("from {} to {} UTC", time(from), time(to)),
            (Some(from), None) => format!("from {} UTC on", time(from)),
            (None, Some(to)) => format!("up to {} UTC", time(to)),
            (None, None) => "of all".to_owned(),
        }
    }
}

fn identity(report: &Report) -> Identity {
    let source = &report.source;
    let interfaces = source.interfaces.iter().map(|one| one.name.clone());
    let files = source.files.iter().map(|one| one.path.clone());
    (
        report.sensor.hostname.clone(),
        report.start,
        report.end,
        report.totals.packets,
        report.totals.bytes,
        interfaces.chain(files).collect(),
    )
}

fn refused(error: &MergeError) -> Failure {
    Failure::told(
        Exit::BadFile,
        format_args!("these reports can't be merged: {error}"),
    )
}
