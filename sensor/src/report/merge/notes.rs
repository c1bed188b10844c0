//! What must be said of reports that became one.

use super::super::{Report, Span};
use crate::units;

/// More than anybody reads.
const MOST: usize = 20;

/// The reports' own notes, each with how many of them say it.
#[derive(Default)]
pub(super) struct Notes(Vec<(String, u64)>);

/// What is known when all have come.
pub(super) struct Facts<'a> {
    pub(super) report: &'a Report,
    pub(super) reports: u64,
    pub(super) filters: &'a [Option<String>],
    pub(super) several: bool,
    pub(super) twice: &'a [(String, Span)],
}

impl Notes {
    pub(super) fn add(&mut self, notes: &[String]) {
        for note in notes {
            match self.0.iter_mut().find(|(known, _)| known == note) {
                Some((_, reports)) => *reports += 1,
                None => self.0.push((note.clone(), 1)),
            }
        }
    }

    pub(super) fn finish(self, facts: &Facts<'_>) -> Vec<String> {
        let all = facts.reports;
        let mut notes = facts.notes();
        let own = self.0.len();
        notes.extend(
            self.0
                .into_iter()
                .take(MOST)
                .map(|(note, reports)| match reports == all {
                    true => note,
                    false => format!(
                        "{note} (said by {} of the {} reports)",
                        units::count(reports),
                        units::count(all)
                    ),
                }),
        );
        if own > MOST {
            notes.push(format!(
                "further notes of the reports: {}; they are in each of them",
                units::count((own - MOST) as u64)
            ));
        }
        notes
    }
}

impl Facts<'_> {
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!(
            "merged from {} reports",
            units::count(self.reports)
        )];
        if self.several {
            notes.push("several sensors: what two of them saw counts twice".to_owned());
        }
        notes.extend(self.unseen());
        if self.report.lists_at_least {
            notes.push(
                "the reports list their largest rows only: rows here are at least what they say, the numbers of rows left \
                 out at most; what no report lists is counted with the rest. Reports with -n 0, and history, have all"
                    .to_owned(),
            );
        }
        notes.extend(self.twice.iter().take(3).map(|(what, span)| {
            format!(
                "counted twice: {what}, as more than one report has the time from {} to {} UTC",
                span.start.strftime("%Y-%m-%d %H:%M:%S"),
                span.end.strftime("%Y-%m-%d %H:%M:%S")
            )
        }));
        if self.filters.len() > 1 {
            let filters = self.filters.iter().take(3).map(|filter| match filter {
                Some(filter) => filter.as_str(),
                None => "none",
            });
            let filters: Vec<&str> = filters.collect();
            notes.push(format!(
                "the reports have {} different filters: {}",
                self.filters.len(),
                filters.join("; ")
            ));
        }
        notes
    }

    /// Of the time between the first and the last report.
    fn unseen(&self) -> Option<String> {
        let (start, end) = self.report.start.zip(self.report.end)?;
        let all = (i128::from(end.0) - i128::from(start.0)) as f64 / 1e9;
        let missing = all - self.report.duration_seconds;
        (missing > 0.0).then(|| {
            format!(
                "no report has {} of the time from start to end; rates are over the {} that they have",
                units::duration(missing),
                units::duration(self.report.duration_seconds)
            )
        })
    }
}
