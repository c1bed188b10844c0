//! Rates from buckets. Files span centuries, so intervals without packets are counted by arithmetic, never listed.

use super::{Bandwidth, BucketRow, Counts, Span, Time};

/// When somebody looked.
pub(super) struct Observation<'a> {
    /// Length of a bucket, nanoseconds.
    pub(super) interval: i64,
    /// The whole time for live counting: its idle intervals count too, also before the first and after the last packet.
    pub(super) watched: Option<(i64, i64)>,
    pub(super) not_observed: &'a [Span],
    /// The time over which the mean is taken.
    pub(super) seconds: Option<f64>,
}

/// `buckets` in order of time.
pub(super) fn bandwidth(
    buckets: &[BucketRow],
    totals: Counts,
    observation: &Observation<'_>,
) -> Bandwidth {
    let interval = observation.interval;
    let mut bandwidth = Bandwidth::default();
    if let Some(seconds) = observation.seconds.filter(|seconds| *seconds > 0.0) {
        bandwidth.mean_bits_per_sec = Some(totals.bytes as f64 * 8.0 / seconds);
        bandwidth.mean_packets_per_sec = Some(totals.packets as f64 / seconds);
    }
    let rate = |bytes: u64| bytes as f64 * 8.0 * 1e9 / interval as f64;
    // The first of equal peaks.
    let peak = buckets.iter().rev().max_by_key(|bucket| bucket.bytes);
    let Some(peak) = peak else {
        return bandwidth;
    };
    bandwidth.peak_bits_per_sec = Some(rate(peak.bytes));
    bandwidth.peak_start = Some(peak.start);
    let empty = empty_intervals(buckets, observation);
    let mut sorted: Vec<u64> = buckets.iter().map(|bucket| bucket.bytes).collect();
    sorted.sort_unstable();
    let percentile = |percent| Some(rate(nearest_rank(&sorted, empty, percent)));
    bandwidth.p50_bits_per_sec = percentile(50);
    bandwidth.p95_bits_per_sec = percentile(95);
    bandwidth.p99_bits_per_sec = percentile(99);
    bandwidth
}

/// Intervals that were observed and had no packet: from the first to the last bucket, or of the whole watch.
fn empty_intervals(buckets: &[BucketRow], observation: &Observation<'_>) -> i128 {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return 0;
    };
    let interval = observation.interval;
    let index = |time: Time| i128::from(time.0).div_euclid(interval.into());
    let (mut first, mut last) = (index(first.start), index(last.start));
    if let Some((start, end)) = observation.watched {
        first = first.min(index(Time(start)));
        // An interval that had just begun when the watch ended was not watched.
        last = last.max(index(Time(end)) - 1);
    }
    let mut empty = last - first + 1 - buckets.len() as i128;
    for (from, to) in merged(observation.not_observed, first, last + 1, interval) {
        // A bucket with packets in it was observed, whatever the span says.
        let before = |end| buckets.partition_point(|bucket| index(bucket.start) < end);
        let with_packets = before(to) - before(from);
        empty -= to - from - with_packets as i128;
    }
    empty.max(0)
}

/// Spans as ranges of whole intervals within `from..to`, without overlaps.
fn merged(spans: &[Span], from: i128, to: i128, interval: i64) -> Vec<(i128, i128)> {
    let interval = i128::from(interval);
    let mut ranges: Vec<(i128, i128)> = spans
        .iter()
        .map(|span| {
            // Rounded inwards: an interval that was observed in part was observed.
            let start = -(-i128::from(span.start.0)).div_euclid(interval);
            (start, i128::from(span.end.0).div_euclid(interval))
        })
        .map(|(start, end)| (start.max(from), end.min(to)))
        .filter(|(start, end)| start < end)
        .collect();
    ranges.sort_unstable();
    let mut merged: Vec<(i128, i128)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some((_, last)) if start <= *last => *last = (*last).max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// The smallest value that at least `percent` of all are not above, zeros included: rank `ceil(percent/100 * n)`.
fn nearest_rank(sorted: &[u64], zeros: i128, percent: i128) -> u64 {
    let all = zeros + sorted.len() as i128;
    let rank = (all * percent + 99) / 100;
    let place = rank - zeros - 1;
    usize::try_from(place)
        .ok()
        .and_then(|place| sorted.get(place).copied())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn bucket(start: i64, bytes: u64) -> BucketRow {
        BucketRow {
            start: Time(start),
            packets: 1,
            bytes,
            ingress: Counts::ZERO,
            egress: Counts::ZERO,
            transport: BTreeMap::new(),
            application: BTreeMap::new(),
        }
    }

    fn span(start: i64, end: i64) -> Span {
        Span {
            start: Time(start * SECOND),
            end: Time(end * SECOND),
        }
    }

    fn of(buckets: &[BucketRow], not_observed: &[Span]) -> Bandwidth {
        let totals = Counts {
            packets: 4,
            bytes: 1000,
        };
        bandwidth(buckets, totals, &observed(not_observed, Some(2.0)))
    }

    fn observed(not_observed: &[Span], seconds: Option<f64>) -> Observation<'_> {
        Observation {
            interval: SECOND,
            watched: None,
            not_observed,
            seconds,
        }
    }

    #[test]
    fn a_live_watch_counts_its_idle_ends() {
        let watch = Observation {
            watched: Some((SECOND / 2, 9 * SECOND + SECOND / 2)),
            ..observed(&[], Some(9.0))
        };
        let b = bandwidth(&[bucket(3 * SECOND, 100)], Counts::ZERO, &watch);
        // Intervals 0 to 8; the ninth had only begun.
        assert_eq!(empty_intervals(&[bucket(3 * SECOND, 100)], &watch), 8);
        assert_eq!(b.p50_bits_per_sec, Some(0.0));
        assert_eq!(b.p99_bits_per_sec, Some(800.0));
    }

    #[test]
    fn no_buckets_and_no_time_give_nulls() {
        let none = bandwidth(&[], Counts::ZERO, &observed(&[], None));
        assert_eq!(none, Bandwidth::default());
        let zero = bandwidth(&[bucket(0, 5)], Counts::ZERO, &observed(&[], Some(0.0)));
        assert_eq!(zero.mean_bits_per_sec, None);
        assert_eq!(zero.p50_bits_per_sec, Some(40.0));
    }

    #[test]
    fn silent_intervals_count_as_zero() {
        let b = of(&[bucket(0, 100), bucket(3 * SECOND, 50)], &[]);
        assert_eq!(b.mean_bits_per_sec, Some(4000.0));
        assert_eq!(b.mean_packets_per_sec, Some(2.0));
        assert_eq!(b.peak_bits_per_sec, Some(800.0));
        // 0, 0, 50, 100 bytes: ranks 2, 4, 4.
        assert_eq!(b.p50_bits_per_sec, Some(0.0));
        assert_eq!(b.p95_bits_per_sec, Some(800.0));
    }

    #[test]
    fn centuries_cost_nothing() {
        let b = of(
            &[
                bucket(-9_000_000_000 * SECOND, 100),
                bucket(9_000_000_000 * SECOND, 50),
            ],
            &[],
        );
        assert_eq!(b.p99_bits_per_sec, Some(0.0));
        assert_eq!(b.peak_start, Some(Time(-9_000_000_000 * SECOND)));
    }

    #[test]
    fn what_nobody_observed_is_not_zero() {
        let buckets = [bucket(0, 100), bucket(10 * SECOND, 50)];
        // Intervals 1 to 8 unobserved, given twice and overlapping: 100, 0 (interval 9), 50 are left.
        let spans = [span(1, 7), span(3, 9), span(-5, -1)];
        assert_eq!(empty_intervals(&buckets, &observed(&spans, None)), 1);
        assert_eq!(of(&buckets, &spans).p50_bits_per_sec, Some(400.0));
        // Half an interval stays observed.
        let half = [Span {
            start: Time(SECOND / 2),
            end: Time(2 * SECOND + SECOND / 2),
        }];
        assert_eq!(empty_intervals(&buckets, &observed(&half, None)), 8);
        // A span over the buckets themselves takes away only the silent ones.
        assert_eq!(
            empty_intervals(&buckets, &observed(&[span(-3, 20)], None)),
            0
        );
    }

    #[test]
    fn nearest_rank_is_the_textbooks() {
        let sorted = [15, 20, 35, 40, 50];
        let rank = |percent| nearest_rank(&sorted, 0, percent);
        assert_eq!(
            (rank(5), rank(30), rank(40), rank(50), rank(100)),
            (15, 20, 20, 35, 50)
        );
    }

    #[test]
    fn the_first_of_equal_peaks_is_named() {
        let b = of(
            &[bucket(0, 9), bucket(SECOND, 10), bucket(2 * SECOND, 10)],
            &[],
        );
        assert_eq!(b.peak_start, Some(Time(SECOND)));
    }
}
