//! Buckets at the width of a picture: never more columns than there is room for, however long the time.

use super::Report;

/// Some whole intervals in a row, side by side with the next column's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Nanoseconds since the epoch.
    pub start: i64,
    /// Of the last interval, not part of it.
    pub end: i64,
    pub intervals: u64,
    /// Of all intervals together, and of the one with the most.
    pub bytes: u64,
    pub peak_bytes: u64,
    /// False where the whole column lies in a span in which nobody looked.
    pub observed: bool,
}

/// From the first to the last bucket, at most `most` columns; none where there are no buckets.
pub fn columns(report: &Report, most: usize) -> Vec<Column> {
    let (Some(first), Some(last)) = (report.buckets.first(), report.buckets.last()) else {
        return Vec::new();
    };
    // Whole nanoseconds, which a float holds exactly up to a hundred days.
    let interval = ((report.interval_seconds * 1e9).round() as i128).max(1);
    let index = |time: i64| i128::from(time).div_euclid(interval);
    let first = index(first.start.0);
    let intervals = index(last.start.0) - first + 1;
    let count = intervals.min(most.max(1) as i128);
    // The first interval of column `n`, counted from the first bucket.
    let from = |n: i128| (n * intervals + count - 1) / count;
    let time = |n: i128| clamp((first + from(n)) * interval);
    let mut columns: Vec<Column> = (0..count)
        .map(|n| Column {
            start: time(n),
            end: time(n + 1),
            intervals: (from(n + 1) - from(n)) as u64,
            bytes: 0,
            peak_bytes: 0,
            observed: true,
        })
        .collect();
    for bucket in &report.buckets {
        let n = (index(bucket.start.0) - first) * count / intervals;
        if let Some(column) = columns.get_mut(n as usize) {
            column.bytes += bucket.bytes;
            column.peak_bytes = column.peak_bytes.max(bucket.bytes);
        }
    }
    for column in &mut columns {
        let inside = |span: &super::Span| span.start.0 <= column.start && column.end <= span.end.0;
        column.observed = column.bytes > 0 || !report.not_observed.iter().any(inside);
    }
    columns
}

fn clamp(nanoseconds: i128) -> i64 {
    nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::super::{Span, Time, build};
    use super::*;

    fn report(times: &[i64]) -> Report {
        let samples: Vec<Sample> = times
            .iter()
            .map(|at| arp().of(1, 100).at(at * SECOND))
            .collect();
        build(&delta_of(&samples, 10), &context())
    }

    #[test]
    fn no_buckets_no_columns() {
        assert!(columns(&report(&[]), 10).is_empty());
    }

    #[test]
    fn every_interval_has_a_column_where_there_is_room() {
        let columns = columns(&report(&[0, 2, 2]), 10);
        let bytes: Vec<u64> = columns.iter().map(|column| column.bytes).collect();
        assert_eq!(bytes, [100, 0, 200]);
        assert_eq!(columns[2].start, START + 2 * SECOND);
        assert_eq!(columns[2].end, START + 3 * SECOND);
    }

    #[test]
    fn nothing_is_lost_where_there_is_none() {
        let times: Vec<i64> = (0..1000).map(|n| n * 7 % 997).chain([99_999]).collect();
        let report = report(&times);
        for most in [1, 2, 7, 64, 1001] {
            let columns = columns(&report, most);
            assert_eq!(columns.len(), most);
            assert_eq!(columns.iter().map(|c| c.bytes).sum::<u64>(), 100_100);
            assert_eq!(columns.iter().map(|c| c.intervals).sum::<u64>(), 100_000);
            assert!(columns.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!(columns.iter().map(|c| c.peak_bytes).max(), Some(200));
            for bucket in &report.buckets {
                let inside = |c: &&Column| c.start <= bucket.start.0 && bucket.start.0 < c.end;
                let column = columns.iter().find(inside).unwrap();
                assert!(column.peak_bytes >= bucket.bytes);
            }
        }
    }

    #[test]
    fn what_nobody_saw_is_marked() {
        let mut report = report(&[0, 9]);
        report.not_observed = vec![Span {
            start: Time(START + SECOND),
            end: Time(START + 5 * SECOND),
        }];
        let columns = columns(&report, 10);
        let observed: Vec<bool> = columns.iter().map(|column| column.observed).collect();
        assert_eq!(observed.iter().filter(|seen| !**seen).count(), 4);
        assert!(observed[0] && !observed[1] && !observed[4] && observed[5]);
    }

    #[test]
    fn centuries_fit() {
        let report = report(&[-3_000_000_000, 7_000_000_000]);
        let columns = columns(&report, 100);
        assert_eq!(columns.len(), 100);
        assert_eq!((columns[0].bytes, columns[99].bytes), (100, 100));
    }
}
