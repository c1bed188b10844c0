use crate::chart::series::Columns;
use crate::report::samples::*;
use crate::report::{Report, Span, Time, build};

fn report(times: &[i64]) -> Report {
    let samples: Vec<Sample> = times
        .iter()
        .map(|at| arp().of(1, 100).at(at * SECOND))
        .collect();
    build(&delta_of(&samples, 10), &context())
}

fn gap(report: &mut Report, from: i64, to: i64) {
    report.not_observed.push(Span {
        start: Time(START + from * SECOND),
        end: Time(START + to * SECOND),
    });
}

#[test]
fn no_buckets_no_columns() {
    assert!(Columns::new(&report(&[]), 10).list.is_empty());
}

#[test]
fn every_interval_has_a_column_where_there_is_room() {
    let report = report(&[0, 2, 2]);
    let columns = Columns::new(&report, 10);
    assert!(!columns.is_reduced());
    let rates: Vec<f64> = columns
        .list
        .iter()
        .map(|one| columns.peak(one, |bucket| bucket.bytes))
        .collect();
    assert_eq!(rates, [100.0, 0.0, 200.0]);
    assert_eq!(columns.list[2].start, START + 2 * SECOND);
    assert_eq!(columns.list[2].end, START + 3 * SECOND);
}

#[test]
fn no_byte_is_lost_in_columns() {
    let times: Vec<i64> = (0..1000).map(|n| n * 7 % 997).chain([99_999]).collect();
    let report = report(&times);
    for most in [1, 2, 7, 64, 1001] {
        let columns = Columns::new(&report, most);
        assert!(columns.list.len() <= most + 1);
        assert!(
            columns
                .list
                .windows(2)
                .all(|pair| pair[0].end == pair[1].start)
        );
        let inner = columns.list.get(1..columns.list.len() - 1);
        assert!(
            inner
                .unwrap_or_default()
                .iter()
                .all(|one| one.start % columns.step == 0 && one.end - one.start == columns.step)
        );
        let bytes = columns
            .list
            .iter()
            .map(|one| columns.mean(one, |bucket| bucket.bytes) * one.observed as f64 / 1e9);
        assert!((bytes.sum::<f64>() - 100_100.0).abs() < 1e-3);
        let highest = columns
            .list
            .iter()
            .map(|one| columns.peak(one, |bucket| bucket.bytes));
        assert_eq!(highest.fold(0.0, f64::max), 200.0);
    }
}

#[test]
fn a_gap_is_no_zero_and_lowers_no_mean() {
    let mut gone = report(&[0, 9]);
    gap(&mut gone, 1, 5);
    let columns = Columns::new(&gone, 10);
    let blind: Vec<usize> = (0..10).filter(|n| columns.list[*n].observed == 0).collect();
    assert_eq!(blind, [1, 2, 3, 4]);

    let mut long = report(&(0..600).chain([5999]).collect::<Vec<i64>>());
    gap(&mut long, 600, 900);
    let columns = Columns::new(&long, 10);
    assert!(columns.is_reduced());
    let half = columns
        .list
        .iter()
        .find(|one| one.end > START + 600 * SECOND)
        .unwrap();
    let seen = half.observed as f64 / 1e9;
    let bytes = (START + 600 * SECOND - half.start) as f64 / 1e9 * 100.0;
    assert!(seen < (half.end - half.start) as f64 / 1e9);
    assert!((columns.mean(half, |bucket| bucket.bytes) - bytes / seen).abs() < 1e-6);
}

#[test]
fn a_live_run_begins_before_its_first_packet() {
    let mut report = report(&[5]);
    report.start = Some(Time(START));
    report.end = Some(Time(START + 8 * SECOND + 1));
    let columns = Columns::new(&report, 100);
    assert_eq!(columns.list.len(), 9);
    assert_eq!(
        columns.highest(|bucket| bucket.bytes),
        Some((START + 5 * SECOND, 100.0))
    );
}

/// The mean of one second, drawn on no pixel, would set the scale.
#[test]
fn a_moment_at_an_end_belongs_to_the_column_beside_it() {
    let report = report(&(0..1000).step_by(10).chain([1001]).collect::<Vec<i64>>());
    for most in [3, 10, 50, 100] {
        let columns = Columns::new(&report, most);
        let lengths = columns.list.iter().map(|one| one.end - one.start);
        assert!(columns.is_reduced() && columns.list.len() > 1);
        assert!(
            lengths
                .into_iter()
                .all(|length| length >= columns.step / 2 && length < columns.step * 2),
            "{most}"
        );
        assert_eq!(columns.list[0].start, START);
        assert_eq!(columns.list.last().unwrap().end, START + 1002 * SECOND);
    }
}

#[test]
fn a_packet_a_year_is_sparse_and_one_an_hour_is_not() {
    const YEAR: i64 = 365 * 86_400;
    let years: Vec<i64> = (0..40).map(|n| n * YEAR).collect();
    let report_of = |times: &[i64]| Columns::new(&report(times), 100).is_sparse();
    assert!(report_of(&years));
    assert!(report_of(&[0, 1, 2, 10 * YEAR]));
    assert!(!report_of(&(0..400).map(|n| n * 600).collect::<Vec<i64>>()));
    assert!(!report_of(&[0, 5]), "every interval has its column");
}

#[test]
fn centuries_fit() {
    let report = report(&[-3_000_000_000, 7_000_000_000]);
    for most in [1, 100, 100_000] {
        let columns = Columns::new(&report, most);
        assert!((1..=most + 1).contains(&columns.list.len()));
    }
}
