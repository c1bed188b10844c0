//! Buckets at the width of a picture: columns as long as a round time, however long the whole is.

use std::ops::Range;

use super::axis;
use crate::report::{BucketRow, Counts, Report, Span};

/// The time of a report from its first to its last interval, in columns side by side.
pub(super) struct Columns<'a> {
    pub(super) list: Vec<Column>,
    /// Nanoseconds: of an interval, and of a column; those at the ends may be half as long, or half as long again.
    pub(super) interval: i64,
    pub(super) step: i64,
    buckets: &'a [BucketRow],
}

/// Some whole intervals in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Nanoseconds since the epoch; the end is not part of it.
    pub(super) start: i64,
    pub(super) end: i64,
    /// How much of that somebody looked: all of it, where there are packets.
    pub(super) observed: i64,
    buckets: Range<usize>,
}

impl<'a> Columns<'a> {
    /// At most `most` and one; none where there are no buckets.
    pub(super) fn new(report: &'a Report, most: usize) -> Self {
        // Whole nanoseconds, which a float holds exactly up to a hundred days.
        let interval = ((report.interval_seconds * 1e9).round() as i64).max(1);
        let mut columns = Columns {
            list: Vec::new(),
            interval,
            step: interval,
            buckets: &report.buckets,
        };
        let (Some(first), Some(last)) = (report.buckets.first(), report.buckets.last()) else {
            return columns;
        };
        // A live run looks before the first packet, and after the last one.
        let from = report
            .start
            .map_or(first.start, |start| start.min(first.start));
        let to = report.end.map_or(last.start, |end| end.max(last.start));
        let ends = (
            floor(from.0, interval),
            floor(to.0, interval) + i128::from(interval),
        );
        columns.step = axis::round_step(ends.1 - ends.0, interval, most);
        columns.fill(ends, &report.not_observed);
        columns.join_short_ends();
        columns
    }

    /// Several intervals to a column.
    pub(super) fn is_reduced(&self) -> bool {
        self.step > self.interval
    }

    /// Packets come now and then in a long time: means over columns would tell of the silence.
    pub(super) fn is_sparse(&self) -> bool {
        let busy = self.list.iter().filter(|column| !column.buckets.is_empty());
        let one_bit = |column: &Column| self.mean(column, |bucket| bucket.bytes) >= 0.125;
        self.is_reduced() && (busy.count() * 10 < self.list.len() || !self.list.iter().any(one_bit))
    }

    /// A rate a second: of all of the column.
    pub(super) fn mean(&self, column: &Column, of: impl Fn(&BucketRow) -> u64) -> f64 {
        let sum: u64 = self
            .buckets(column)
            .iter()
            .map(of)
            .fold(0, u64::saturating_add);
        sum as f64 * 1e9 / column.observed.max(1) as f64
    }

    /// A rate a second: of its busiest interval.
    pub(super) fn peak(&self, column: &Column, of: impl Fn(&BucketRow) -> u64) -> f64 {
        let most = self.buckets(column).iter().map(of).max().unwrap_or(0);
        most as f64 * 1e9 / self.interval as f64
    }

    /// A rate a second: of a part of its interval with the most bytes.
    pub(super) fn in_busiest(&self, column: &Column, of: impl Fn(&BucketRow) -> u64) -> f64 {
        let buckets = self.buckets(column).iter().rev();
        let busiest = buckets.max_by_key(|bucket| bucket.bytes);
        busiest.map_or(0, of) as f64 * 1e9 / self.interval as f64
    }

    /// The busiest interval of all, the first of equal ones: its start, and its rate a second.
    pub(super) fn highest(&self, of: impl Fn(&BucketRow) -> u64) -> Option<(i64, f64)> {
        let highest = self.buckets.iter().rev().max_by_key(|bucket| of(bucket))?;
        Some((
            highest.start.0,
            of(highest) as f64 * 1e9 / self.interval as f64,
        ))
    }

    fn buckets(&self, column: &Column) -> &[BucketRow] {
        self.buckets.get(column.buckets.clone()).unwrap_or_default()
    }

    /// The mean of a moment would tower over those of whole columns, on a pixel that nobody sees.
    fn join_short_ends(&mut self) {
        let step = self.step;
        let is_short = |column: &Column| column.end.saturating_sub(column.start) < step / 2;
        if self.list.len() > 1 && self.list.last().is_some_and(is_short) {
            self.join(self.list.len() - 2);
        }
        if self.list.len() > 1 && self.list.first().is_some_and(is_short) {
            self.join(0);
        }
    }

    /// The column at `place` with the one after it.
    fn join(&mut self, place: usize) {
        let next = self.list.remove(place + 1);
        let column = &mut self.list[place];
        column.end = next.end;
        column.observed = column.observed.saturating_add(next.observed);
        column.buckets.end = next.buckets.end;
    }

    fn fill(&mut self, (from, to): (i128, i128), not_observed: &[Span]) {
        let step = i128::from(self.step);
        let mut next = 0;
        let mut start = from;
        while start < to {
            let end = (floor_wide(start, step) + step).min(to);
            let (start_ns, end_ns) = (clamp(start), clamp(end));
            let here =
                self.buckets[next..].partition_point(|bucket| i128::from(bucket.start.0) < end);
            let missed = not_observed
                .iter()
                .map(|span| overlap(span, start_ns, end_ns));
            let length = end_ns.saturating_sub(start_ns);
            let observed = match length.saturating_sub(missed.fold(0, i64::saturating_add)) {
                // Spans are not rounded to intervals: where packets are, somebody looked.
                rest if here > 0 => rest.max(self.interval.min(length)),
                rest => rest.max(0),
            };
            self.list.push(Column {
                start: start_ns,
                end: end_ns,
                observed,
                buckets: next..next + here,
            });
            next += here;
            start = end;
        }
    }
}

/// Both ways together, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    All,
    Ingress,
    Egress,
}

impl Way {
    pub(super) fn of(self, bucket: &BucketRow) -> Counts {
        match self {
            Way::All => Counts {
                packets: bucket.packets,
                bytes: bucket.bytes,
            },
            Way::Ingress => bucket.ingress,
            Way::Egress => bucket.egress,
        }
    }
}

fn floor(time: i64, step: i64) -> i128 {
    floor_wide(time.into(), step.into())
}

fn floor_wide(time: i128, step: i128) -> i128 {
    time.div_euclid(step) * step
}

fn overlap(span: &Span, start: i64, end: i64) -> i64 {
    let (from, to) = (span.start.0.max(start), span.end.0.min(end));
    to.saturating_sub(from).max(0)
}

fn clamp(nanoseconds: i128) -> i64 {
    nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
