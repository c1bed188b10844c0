//! Where axes have their ticks, and what stands there.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::calendar;
use crate::report::Time;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Distances between ticks that people can count with, from a second up.
const STEPS: [i64; 30] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
    182 * DAY,
    365 * DAY,
    730 * DAY,
    1826 * DAY,
    3652 * DAY,
    18_262 * DAY,
    36_525 * DAY,
];

/// Ticks of a time axis: multiples of a round time since the epoch, or first days of months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TimeTicks {
    /// From one to the next, at least.
    pub(super) step: i64,
    pub(super) ticks: Vec<i64>,
    format: String,
}

impl TimeTicks {
    /// At most `most` ticks (and one), not counting what lies outside of `start..=end`.
    pub(super) fn new(start: i64, end: i64, most: usize) -> Self {
        let span = i128::from(end) - i128::from(start);
        let enough = |step: &i64| span / i128::from(*step) <= most.max(1) as i128;
        let days = STEPS.into_iter().filter(|step| *step <= 7 * DAY);
        match below_second().chain(days).find(enough) {
            Some(step) => {
                let first = i128::from(start).div_euclid(step.into());
                let last = i128::from(end).div_euclid(step.into());
                let ticks = (first..=last).filter_map(|n| i64::try_from(n * i128::from(step)).ok());
                Self::within(start, end, step, ticks)
            }
            None => {
                let least = |months: &i64| months * 30 * DAY - months / 2 * DAY;
                let months = MONTHS.into_iter().find(|months| enough(&least(months)));
                let months = months.unwrap_or(MONTHS[MONTHS.len() - 1]);
                let first = calendar::month_of(start).div_euclid(months);
                let last = calendar::month_of(end).div_euclid(months);
                let ticks = (first..=last).filter_map(|n| calendar::start_of(n * months));
                Self::within(start, end, least(&months), ticks)
            }
        }
    }

    fn within(start: i64, end: i64, step: i64, ticks: impl Iterator<Item = i64>) -> Self {
        TimeTicks {
            step,
            ticks: ticks.filter(|tick| (start..=end).contains(tick)).collect(),
            format: format_of(step, start, end),
        }
    }

    pub(super) fn label(&self, at: i64) -> String {
        Time(at).strftime(&self.format)
    }
}

/// Distances between ticks that are longer than weeks.
const MONTHS: [i64; 11] = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000];

fn format_of(step: i64, start: i64, end: i64) -> String {
    let one_day = start.div_euclid(DAY) == end.div_euclid(DAY);
    let year = |time| calendar::month_of(time).div_euclid(12);
    let one_year = year(start) == year(end);
    let clock = match step {
        // Twelve months, of thirty days some.
        step if step >= 350 * DAY => return "%Y".into(),
        step if step > 7 * DAY => return "%Y-%m".into(),
        // The year stands above, in the subtitle.
        DAY.. if one_year => return "%m-%d".into(),
        DAY.. => return "%Y-%m-%d".into(),
        MINUTE.. => "%H:%M",
        SECOND.. => "%H:%M:%S",
        1_000_000.. => "%H:%M:%S%.3f",
        1000.. => "%H:%M:%S%.6f",
        _ => "%H:%M:%S%.9f",
    };
    match one_day {
        true => clock.into(),
        false => format!("%m-%d {clock}"),
    }
}

/// A round time, of whole intervals, of which at most `most` (and one) make up `span`.
pub(super) fn round_step(span: i128, interval: i64, most: usize) -> i64 {
    let most = most.max(1) as i128;
    let enough = |step: &i64| span <= i128::from(*step) * most;
    if enough(&interval) {
        return interval;
    }
    let times = (span / most / i128::from(interval)).saturating_add(1);
    let least = i64::try_from(times.saturating_mul(interval.into())).unwrap_or(i64::MAX);
    // Odd intervals have few round multiples; far too long a step would hide too much.
    let fits = |step: &i64| enough(step) && step % interval == 0 && step / 5 <= least;
    let round = below_second().chain(STEPS).find(fits);
    round.unwrap_or(least)
}

fn below_second() -> impl Iterator<Item = i64> {
    (0..9).flat_map(|power| [1, 2, 5].map(|n| n * 10_i64.pow(power)))
}

/// Multiples of 1, 2 or 5 times a power of ten from zero to the first that is not below `highest`; some `most` of them.
pub(super) fn value_ticks(highest: f64, most: usize) -> Vec<f64> {
    if highest.is_nan() || highest <= 0.0 || highest.is_infinite() {
        return vec![0.0, 1.0];
    }
    let rough = highest / most.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999_999)
        .unwrap_or(10.0 * power);
    let count = (highest / step * 0.999_999).ceil().max(1.0) as usize;
    (0..=count).map(|n| n as f64 * step).collect()
}

/// Tick labels are round numbers: `50 Mbit/s`, not `50.0 Mbit/s`.
pub(super) fn short(label: &str) -> String {
    match label.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => label.to_owned(),
    }
}

/// An axis that plotters maps, with our ticks.
#[derive(Clone)]
pub(super) struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
}

impl Axis {
    pub(super) fn new(range: Range<f64>, ticks: Vec<f64>) -> Self {
        Axis { range, ticks }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let span = self.range.end - self.range.start;
        // Below zero where the axis runs backwards.
        let share = match span {
            0.0 => 0.0,
            span => (value - self.range.start) / span,
        };
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14T22:13:20Z
    const START: i64 = 1_700_000_000 * SECOND;

    fn labels(span: i64, most: usize) -> Vec<String> {
        let ticks = TimeTicks::new(START, START + span, most);
        ticks.ticks.iter().map(|tick| ticks.label(*tick)).collect()
    }

    #[test]
    fn ticks_are_at_round_times() {
        assert_eq!(
            labels(MINUTE, 5),
            ["22:13:30", "22:13:45", "22:14:00", "22:14:15"]
        );
        assert_eq!(labels(HOUR, 4), ["22:15", "22:30", "22:45", "23:00"]);
        assert_eq!(
            labels(3 * HOUR, 3),
            ["11-14 23:00", "11-15 00:00", "11-15 01:00"]
        );
        assert_eq!(
            labels(5_000_000, 2),
            ["22:13:20.000", "22:13:20.002", "22:13:20.004"]
        );
        assert_eq!(labels(900, 3), ["22:13:20.000000000", "22:13:20.000000500"]);
        assert_eq!(labels(20 * DAY, 3), ["11-16", "11-23", "11-30"]);
        let over_new_year = TimeTicks::new(START + 40 * DAY, START + 60 * DAY, 3);
        assert_eq!(over_new_year.label(over_new_year.ticks[0]), "2023-12-28");
        assert_eq!(labels(90 * DAY, 3), ["2023-12", "2024-01", "2024-02"]);
        assert_eq!(labels(1500 * DAY, 5), ["2024", "2025", "2026", "2027"]);
    }

    #[test]
    fn there_are_never_too_many_ticks() {
        for span in [
            0,
            1,
            17,
            SECOND,
            59 * SECOND,
            11 * HOUR,
            400 * DAY,
            60_000 * DAY,
        ] {
            for most in 1..12 {
                let ticks = TimeTicks::new(START, START.saturating_add(span), most);
                assert!(
                    ticks.ticks.len() <= most + 1,
                    "{span} {most} {:?}",
                    ticks.ticks
                );
            }
        }
        let all = TimeTicks::new(i64::MIN, i64::MAX, 8);
        assert!((2..=9).contains(&all.ticks.len()), "{:?}", all.ticks);
    }

    #[test]
    fn steps_are_round_and_of_whole_intervals() {
        let hour = i128::from(HOUR);
        assert_eq!(round_step(hour, SECOND, 4000), SECOND);
        assert_eq!(round_step(hour, SECOND, 500), 10 * SECOND);
        assert_eq!(round_step(hour, 7 * SECOND, 500), 14 * SECOND);
        assert_eq!(round_step(720 * hour, SECOND, 500), 2 * HOUR);
        let longest = round_step(i128::from(u64::MAX), 10_000_000, 100);
        assert!(i128::from(u64::MAX) / i128::from(longest) <= 100);
    }

    #[test]
    fn values_have_round_ticks_that_reach_the_top() {
        assert_eq!(value_ticks(183.0, 5), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(value_ticks(100.0, 5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(value_ticks(0.0, 5), [0.0, 1.0]);
        for highest in [1e-9, 0.3, 1.0, 7.0, 99.9, 1.1e12] {
            let ticks = value_ticks(highest, 5);
            assert!(ticks[ticks.len() - 1] >= highest * 0.999_99 && ticks.len() <= 7);
        }
    }
}
