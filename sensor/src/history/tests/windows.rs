//! A part of the time.

use super::*;
use crate::filter::{Filter, Nothing};

fn folder() -> (TempDir, Vec<Vec<Sample>>) {
    let folder = tempfile::tempdir().unwrap();
    let parts = seconds(100);
    let mut run = Run::new(folder.path(), RUN, samples::config(100));
    run.observed = Some((START, START + 100 * SECOND));
    for (number, part) in parts.iter().enumerate() {
        run.part(part);
        if number % 10 == 9 {
            run.commit();
        }
    }
    run.finish();
    (folder, parts)
}

#[test]
fn a_window_has_what_begins_in_it_and_its_accounting_holds() {
    let (folder, parts) = folder();
    for (from, to) in [(0, 100), (0, 1), (37, 64), (40, 50), (99, 100), (12, 13)] {
        let window = Asked {
            from: Some(START + from * SECOND),
            to: Some(START + to * SECOND),
            ..asked()
        };
        let report = merged(folder.path(), &window);
        let wanted = &parts[from as usize..to as usize];
        let whole = samples::delta_of(&wanted.concat(), 100);
        let expected = build(
            &whole,
            &Context {
                top_n: 0,
                ..samples::context()
            },
        );
        assert!(report.accounting.identity_holds);
        assert_eq!(report.totals, expected.totals, "{from} to {to}");
        assert_eq!(report.flows, expected.flows);
        assert_eq!(report.buckets, expected.buckets);
    }
}

#[test]
fn sets_beside_the_window_are_not_opened() {
    let (folder, _) = folder();
    for found in store::list(folder.path()).unwrap() {
        if found.place.name.start >= START / SECOND + 10 {
            std::fs::write(load::Files::path(&found.place, "flows"), "not Parquet").unwrap();
        }
    }
    let window = Asked {
        to: Some(START + 5 * SECOND),
        ..asked()
    };
    assert_eq!(merged(folder.path(), &window).totals.packets, 5 * 7);
    let opened = open(&[folder.path().to_owned()], &asked()).unwrap();
    assert_eq!(opened.troubles.len(), 9);
}

#[test]
fn when_nobody_looked_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (run, start) in [(RUN, 0), ("ffffffffffff", 60)] {
        let mut run = Run::new(folder.path(), run, samples::config(100));
        let start = START + start * SECOND;
        run.observed = Some((start, start + 10 * SECOND));
        run.part(&[samples::arp().at(start - START)]);
        run.finish();
    }
    let report = merged(folder.path(), &asked());
    let gap = report.not_observed[0];
    assert_eq!(gap.start.0, START + 10 * SECOND);
    assert_eq!(gap.end.0, START + 60 * SECOND);
    assert_eq!(report.duration_seconds, 70.0);
}

#[test]
fn what_was_written_late_can_be_asked_for_by_flow_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let parts = seconds(9);
    let mut run = Run::new(folder.path(), RUN, samples::config(100));
    run.part(&parts[0]);
    // The writer lagged: intervals came as one.
    run.part(&parts[1..8].concat());
    run.part(&parts[8]);
    run.finish();
    let by_flow = Asked {
        by_flow: true,
        ..asked()
    };
    let opened = open(&[folder.path().to_owned()], &by_flow).unwrap();
    let filter = Filter::compile("https", &Nothing).unwrap();
    let selection = filter.selection().unwrap();
    let selected = selection.apply(&opened.delta, &|_| None);
    let report = build(&selected, &opened.context);
    assert!(report.accounting.identity_holds);
    assert_eq!(report.totals.packets, 9 * 4);
    let in_buckets: u64 = report.buckets.iter().map(|row| row.packets).sum();
    assert_eq!(in_buckets, 9 * 4);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("written late"))
    );
    // Without questions about flows every packet is where it was.
    assert_eq!(merged(folder.path(), &asked()).buckets.len(), 9);
}
