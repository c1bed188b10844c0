//! Rows of flows by the minute, and buckets by the second.

use super::super::decode::Window;
use super::labels::{assert_named, back, named, say, there};
use super::*;
use crate::filter::{Filter, Nothing};
use crate::report::Time;

const MINUTE: i64 = 60 * SECOND;

fn by_minute(root: &Path, delta: DeltaConfig) -> Run {
    let mut run = Run::new(root, RUN, delta);
    let mut config = config(root, RUN);
    config.lengths.flows = MINUTE;
    run.writer = Writer::new(config);
    run
}

/// The parts of so many seconds, those of each minute as one.
fn minutes(number: i64) -> Vec<Vec<Sample>> {
    let mut minutes: Vec<(i64, Vec<Sample>)> = Vec::new();
    for (second, part) in (0..).zip(seconds(number)) {
        let minute = (START + second * SECOND).div_euclid(MINUTE);
        match minutes.last_mut() {
            Some((last, samples)) if *last == minute => samples.extend(part),
            _ => minutes.push((minute, part)),
        }
    }
    minutes.into_iter().map(|(_, samples)| samples).collect()
}

#[test]
fn the_report_is_the_same_to_the_second() {
    for parts in [seconds(200), minutes(200)] {
        let folder = tempfile::tempdir().unwrap();
        let mut run = by_minute(folder.path(), samples::config(10_000));
        parts.iter().for_each(|part| run.part(part));
        run.commit();
        let rows = run.writer.written().flow_rows;
        let report = run.finish();
        // Four flows have packets each second.
        assert!(rows < 4 * 200 / 2, "{rows}");
        assert_eq!(report.buckets.len(), 200);
        assert_same(&report, &merged(folder.path(), &asked()));
    }
}

#[test]
fn a_window_is_of_whole_minutes_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = by_minute(folder.path(), samples::config(10_000));
    run.observed = Some((START, START + 200 * SECOND));
    minutes(200).iter().for_each(|part| run.part(part));
    run.finish();
    // The first minute ends 40 s after the start.
    let window = Asked {
        from: Some(START + 50 * SECOND),
        to: Some(START + 55 * SECOND),
        ..asked()
    };
    let report = merged(folder.path(), &window);
    assert_eq!(report.totals.packets, 60 * 7);
    assert_eq!(report.buckets.len(), 60);
    assert_eq!(report.duration_seconds, 60.0);
    let said = report.notes.join("; ");
    for edge in [40, 50, 55, 100] {
        let edge = Time(START + edge * SECOND).to_string();
        assert!(said.contains(&edge), "{edge}: {said}");
    }
    let whole = Asked {
        from: Some(START + 40 * SECOND),
        to: Some(START + 100 * SECOND),
        ..asked()
    };
    let same = merged(folder.path(), &whole);
    assert_eq!(same.totals, report.totals);
    assert!(same.notes.is_empty(), "{:?}", same.notes);
}

#[test]
fn where_flows_are_asked_for_buckets_are_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = by_minute(folder.path(), samples::config(10_000));
    minutes(200).iter().for_each(|part| run.part(part));
    run.finish();
    let by_flow = Asked {
        by_flow: true,
        ..asked()
    };
    let opened = open(&[folder.path().to_owned()], &by_flow).unwrap();
    let filter = Filter::compile("https", &Nothing).unwrap();
    let selected = filter.selection().unwrap().apply(&opened.delta, &|_| None);
    let report = build(&selected, &opened.context);
    assert!(report.accounting.identity_holds);
    assert_eq!(report.interval_seconds, 60.0);
    let packets: Vec<u64> = report.buckets.iter().map(|row| row.packets).collect();
    assert_eq!(packets, [40 * 4, 60 * 4, 60 * 4, 40 * 4]);
    assert!(report.notes.iter().any(|note| note.contains("kept by 1m")));
}

#[test]
fn a_label_of_a_later_minute_moves_the_packets_of_each_second() {
    // In the minute itself, in the next one, and when the first one lies on the disk.
    for (said_at, committed) in [(0, false), (1, false), (1, true), (2, true)] {
        let folder = tempfile::tempdir().unwrap();
        let mut run = by_minute(folder.path(), named());
        for minute in 0..3 {
            if minute == said_at {
                say(&mut run, minute * 60);
            }
            let part: Vec<Sample> = [0, 3, 9, 30]
                .into_iter()
                .flat_map(|second| [there(minute * 60 + second), back(minute * 60 + second)])
                .collect();
            run.part(&part);
            if committed {
                run.commit();
            }
        }
        let rows = run.writer.written().flow_rows;
        assert!(
            !committed || rows > 3 * 2,
            "unsure ones have rows by the second: {rows}"
        );
        let report = run.finish();
        assert_named(&report);
        assert_same(&report, &merged(folder.path(), &asked()));
    }
}

#[test]
fn what_is_unsure_to_the_end_has_a_row_for_each_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = by_minute(folder.path(), named());
    for minute in 0..3 {
        run.part(&[0, 3, 9, 30].map(|second| there(minute * 60 + second)));
    }
    let report = run.finish();
    let sets = store::list(folder.path()).unwrap();
    let rows: Vec<_> = sets
        .iter()
        .map(|set| load::set(&set.place, Window::ALL).unwrap().0)
        .collect();
    let parts = rows.iter().flat_map(|rows| rows.parts.iter());
    let lengths: Vec<i64> = parts.map(|part| part.stretch.length).collect();
    assert_eq!(lengths, [MINUTE; 3]);
    assert!(!rows[0].flows[0].settled);
    assert_same(&report, &merged(folder.path(), &asked()));
}

#[test]
fn what_is_made_coarser_still_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = by_minute(folder.path(), named());
    for minute in 0..3 {
        run.part(&[there(minute * 60), back(minute * 60 + 7)]);
        run.commit();
    }
    say(&mut run, 180);
    run.part(&[there(180)]);
    let report = run.finish();
    let mut work = tend::Work {
        root: folder.path().to_owned(),
        run: "ffffffffffff".to_owned(),
        number: 0,
    };
    for (hours, length) in [(1, 1.0), (9, 60.0), (200, 3600.0)] {
        let now = START + hours * 3600 * SECOND + 3600 * SECOND;
        work.tend(&Policy::default(), now).unwrap();
        let history = merged(folder.path(), &asked());
        assert_eq!(history.interval_seconds, length);
        assert_eq!(history.totals, report.totals);
        assert_eq!(history.protocols, report.protocols);
        assert_eq!(history.flows, report.flows);
        assert_named(&history);
    }
}
