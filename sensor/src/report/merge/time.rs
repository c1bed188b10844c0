//! When there were packets, and when somebody looked.

use std::collections::BTreeMap;

use super::super::{BucketRow, Report, Span, Time};
use super::MergeError;
use super::sums::{add, add_named};

/// Buckets of days are of no use for anything.
const LONGEST: i64 = 86_400 * 1_000_000_000;

#[derive(Default)]
pub(super) struct Timeline {
    /// Nanoseconds; 0 before the first report.
    interval: i64,
    buckets: BTreeMap<i64, BucketRow>,
    /// From the start to the end of each report.
    spans: Vec<(i64, i64)>,
    /// The same without what nobody observed.
    observed: Vec<(i64, i64)>,
    /// When each interface of each host, or each file, was counted.
    counted: BTreeMap<String, Vec<(i64, i64)>>,
}

pub(super) struct Observed {
    pub(super) interval: i64,
    pub(super) buckets: Vec<BucketRow>,
    pub(super) span: Option<(i64, i64)>,
    /// Of the spans together; those that follow each other within an interval are one.
    pub(super) seconds: f64,
    pub(super) not_observed: Vec<Span>,
    /// What was counted by more than one report at a time, as text, with the time.
    pub(super) twice: Vec<(String, Span)>,
}

impl Timeline {
    pub(super) fn add(&mut self, report: &Report) -> Result<(), MergeError> {
        self.widen(nanoseconds(report.interval_seconds))?;
        for bucket in &report.buckets {
            self.bucket(bucket.clone());
        }
        let Some(span) = report.start.zip(report.end) else {
            return Ok(());
        };
        let span = (span.0.0, span.1.0);
        self.spans.push(span);
        let unseen = report
            .not_observed
            .iter()
            .map(|one| (one.start.0, one.end.0));
        self.observed.extend(without(span, unseen.collect()));
        let host = &report.sensor.hostname;
        let interfaces = report.source.interfaces.iter();
        let interfaces = interfaces.map(|one| format!("{} of {host}", one.name));
        let files = report.source.files.iter().map(|one| one.path.clone());
        for what in interfaces.chain(files) {
            self.counted.entry(what).or_default().push(span);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Observed {
        let start = self.spans.iter().map(|(start, _)| *start).min();
        let span = start.zip(self.spans.iter().map(|(_, end)| *end).max());
        let interval = self.interval.max(1);
        let covered = joined(self.spans, interval);
        let seconds: i128 = covered
            .iter()
            .map(|(start, end)| i128::from(*end) - i128::from(*start))
            .sum();
        let seen = joined(self.observed, interval);
        let not_observed = span.map_or_else(Vec::new, |span| without(span, seen));
        Observed {
            interval,
            buckets: self.buckets.into_values().collect(),
            span,
            seconds: seconds as f64 / 1e9,
            not_observed: not_observed.into_iter().map(to_span).collect(),
            twice: self.counted.into_iter().flat_map(twice).collect(),
        }
    }

    /// Buckets as wide as a whole number of those that there are and of those that come.
    fn widen(&mut self, interval: i64) -> Result<(), MergeError> {
        if self.interval == 0 || self.interval == interval {
            self.interval = interval;
            return Ok(());
        }
        let refused = || MergeError::Intervals(self.interval, interval);
        let common = common_multiple(self.interval, interval).ok_or_else(refused)?;
        if common > LONGEST.max(self.interval).max(interval) {
            return Err(refused());
        }
        if common > self.interval {
            self.interval = common;
            for bucket in std::mem::take(&mut self.buckets).into_values() {
                self.bucket(bucket);
            }
        }
        Ok(())
    }

    fn bucket(&mut self, mut bucket: BucketRow) {
        let index = bucket.start.0.div_euclid(self.interval);
        bucket.start = Time(index.saturating_mul(self.interval));
        let Some(known) = self.buckets.get_mut(&index) else {
            self.buckets.insert(index, bucket);
            return;
        };
        add_bucket(known, &bucket);
    }
}

/// Both are of the same interval.
pub fn add_bucket(sum: &mut BucketRow, more: &BucketRow) {
    sum.packets = sum.packets.saturating_add(more.packets);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    add(&mut sum.ingress, more.ingress);
    add(&mut sum.egress, more.egress);
    add_named(&mut sum.transport, &more.transport);
    add_named(&mut sum.application, &more.application);
}

/// Whole nanoseconds, which a float holds exactly up to a hundred days.
fn nanoseconds(seconds: f64) -> i64 {
    ((seconds * 1e9).round() as i64).max(1)
}

fn common_multiple(a: i64, b: i64) -> Option<i64> {
    let (mut large, mut small) = (a, b);
    while small != 0 {
        (large, small) = (small, large % small);
    }
    (a / large).checked_mul(b)
}

/// In order, those that overlap or follow each other with less than `gap` between them as one.
fn joined(mut spans: Vec<(i64, i64)>, gap: i64) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut list: Vec<(i64, i64)> = Vec::new();
    for (start, end) in spans {
        match list.last_mut() {
            Some((_, last)) if start <= *last || start.saturating_sub(*last) < gap => {
                *last = (*last).max(end);
            }
            _ => list.push((start, end)),
        }
    }
    list
}

/// What is left of `span` without `parts`.
fn without(span: (i64, i64), mut parts: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    parts.sort_unstable();
    let (mut from, to) = span;
    let mut rest = Vec::new();
    for (start, end) in parts {
        if from < start.min(to) {
            rest.push((from, start.min(to)));
        }
        from = from.max(end);
    }
    if from < to || (from == to && rest.is_empty() && span.0 == to) {
        rest.push((from, to));
    }
    rest
}

/// Where two of the spans are at the same time.
fn twice((what, mut spans): (String, Vec<(i64, i64)>)) -> Option<(String, Span)> {
    spans.sort_unstable();
    let mut latest: Option<i64> = None;
    let mut both: Option<(i64, i64)> = None;
    for (start, end) in spans {
        if let Some(latest) = latest.filter(|latest| start < *latest) {
            let until = end.min(latest);
            both = Some(both.map_or((start, until), |(from, to)| (from, to.max(until))));
        }
        latest = Some(latest.map_or(end, |latest| latest.max(end)));
    }
    both.map(|span| (what, to_span(span)))
}

fn to_span((start, end): (i64, i64)) -> Span {
    Span {
        start: Time(start),
        end: Time(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_an_interval_or_more_are_gaps() {
        let spans = vec![(20, 30), (0, 10), (10, 15), (34, 40), (50, 60)];
        assert_eq!(joined(spans, 5), [(0, 15), (20, 40), (50, 60)]);
    }

    #[test]
    fn what_is_left_of_a_span() {
        assert_eq!(without((0, 10), vec![]), [(0, 10)]);
        assert_eq!(without((0, 10), vec![(4, 6), (2, 5)]), [(0, 2), (6, 10)]);
        assert_eq!(without((0, 10), vec![(-5, 12)]), []);
        assert_eq!(without((0, 10), vec![(8, 20), (-3, 1)]), [(1, 8)]);
        assert_eq!(without((5, 5), vec![]), [(5, 5)]);
    }

    #[test]
    fn spans_at_the_same_time_are_found() {
        let of = |spans: &[(i64, i64)]| {
            twice(("eth0".to_owned(), spans.to_vec())).map(|(_, span)| (span.start.0, span.end.0))
        };
        assert_eq!(of(&[(0, 10), (10, 20)]), None);
        assert_eq!(of(&[(5, 15), (0, 10)]), Some((5, 10)));
        assert_eq!(of(&[(0, 100), (10, 20), (30, 40)]), Some((10, 40)));
    }

    #[test]
    fn intervals_have_a_common_multiple() {
        assert_eq!(common_multiple(4, 6), Some(12));
        assert_eq!(common_multiple(i64::MAX, 2), None);
    }
}
