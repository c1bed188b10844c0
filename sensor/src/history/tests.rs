//! History as its users see it: what was counted is written, read, and the same.

use std::path::Path;

use sensor_common::flow::Direction;
use tempfile::TempDir;

use super::*;
use crate::counters::{Counts, Delta, DeltaConfig, When};
use crate::report::samples::{self, SECOND, START, Sample};
use crate::report::{Context, Report, build};

mod cut;
mod damage;
mod faults;
mod labels;
mod minutes;
mod windows;

const RUN: &str = "0123456789ab";

fn config(root: &Path, run: &str) -> Config {
    Config {
        root: root.to_owned(),
        run: run.to_owned(),
        lengths: Lengths {
            interval: SECOND,
            flows: SECOND,
        },
        most_rows: Config::MOST_ROWS,
    }
}

fn asked() -> Asked {
    Asked {
        from: None,
        to: None,
        config: DeltaConfig {
            trail: true,
            names: 1000,
            ..samples::config(10_000)
        },
        by_flow: false,
        top_n: 0,
    }
}

/// A run: its parts are counted apart, as a run's are.
struct Run {
    writer: Writer,
    current: Delta,
    whole: Delta,
    context: Context,
    observed: Option<(i64, i64)>,
}

impl Run {
    fn new(root: &Path, run: &str, delta: DeltaConfig) -> Self {
        Run {
            writer: Writer::new(config(root, run)),
            current: Delta::new(delta),
            whole: Delta::new(delta),
            context: Context {
                top_n: 0,
                ..samples::context()
            },
            observed: None,
        }
    }

    /// The next part.
    fn part(&mut self, samples: &[Sample]) {
        samples.iter().for_each(|one| one.count(&mut self.current));
        let delta = self.current.take();
        self.whole.merge(&delta);
        self.whole.settle();
        let beside = Beside {
            context: &self.context,
            observed: self.observed,
        };
        self.writer.part(&delta, beside).unwrap();
    }

    fn commit(&mut self) {
        let known = self.current.take();
        let beside = Beside {
            context: &self.context,
            observed: self.observed,
        };
        self.writer.commit(&known, beside).unwrap();
    }

    fn finish(mut self) -> Report {
        self.whole.conclude();
        let beside = Beside {
            context: &self.context,
            observed: self.observed,
        };
        self.writer.conclude(&self.whole, beside).unwrap();
        build(&self.whole, &self.context)
    }
}

fn merged(folder: &Path, asked: &Asked) -> Report {
    let opened = open(&[folder.to_owned()], asked).unwrap();
    assert!(opened.troubles.is_empty(), "{:?}", opened.troubles);
    build(&opened.delta, &opened.context)
}

/// All but what only a run itself knows.
fn assert_same(run: &Report, history: &Report) {
    let plain = |report: &Report| {
        let mut report = report.clone();
        report.accounting.interface_counters.clear();
        serde_json::to_value(report).unwrap()
    };
    let (run, history) = (plain(run), plain(history));
    for (name, value) in run.as_object().unwrap() {
        assert_eq!(value, &history[name], "{name}");
    }
}

/// Some seconds of a bit of everything, on two interfaces and both ways.
fn seconds(number: i64) -> Vec<Vec<Sample>> {
    (0..number)
        .map(|second| {
            let at = |sample: Sample| sample.at(second * SECOND + 7_000_000);
            let port = 1000 + (second % 7) as u16;
            let far = [192, 0, 2, (second % 5) as u8];
            vec![
                at(samples::arp()),
                at(samples::malformed()).way(1, Direction::Ingress),
                at(samples::tcp4(samples::HOST, port, far, 443)).way(0, Direction::Egress),
                at(samples::tcp4(far, 443, samples::HOST, port))
                    .of(3, 4000 + second as u64)
                    .way(0, Direction::Ingress),
                at(samples::udp6(samples::LONG6, 40_000, samples::DNS6, 53))
                    .way(1, Direction::Egress),
            ]
        })
        .collect()
}

#[test]
fn the_history_of_a_run_merged_is_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path(), RUN, samples::config(10_000));
    for (number, part) in seconds(150).iter().enumerate() {
        run.part(part);
        if number % 60 == 59 {
            run.commit();
        }
    }
    let report = run.finish();
    let history = merged(folder.path(), &asked());
    assert!(report.accounting.identity_holds && history.accounting.identity_holds);
    assert!(report.flows.len() > 10 && report.buckets.len() == 150);
    assert_same(&report, &history);
}

#[test]
fn a_full_table_packets_without_a_time_and_losses_come_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let small = samples::config(3);
    let mut run = Run::new(folder.path(), RUN, small);
    let mut untimed = samples::tcp4([1; 4], 1, [2; 4], 22);
    untimed.when = When::Missing;
    let mut odd = untimed.clone();
    odd.when = When::OutOfRange;
    run.part(&[untimed, odd]);
    run.current.lost("af-packet", 17);
    run.current.lost_samples(5);
    let left_out = Counts {
        packets: 9,
        bytes: 900,
    };
    run.current.filtered(1, Direction::Ingress, left_out);
    for part in seconds(9) {
        run.part(&part);
    }
    let report = run.finish();
    let history = merged(
        folder.path(),
        &Asked {
            config: DeltaConfig { names: 0, ..small },
            ..asked()
        },
    );
    assert!(report.accounting.overflow.packets > 0);
    assert_eq!(history.accounting.lost["af-packet"], 17);
    assert_eq!(history.accounting.filtered.packets, 9);
    assert!(history.accounting.identity_holds);
    assert_eq!(report.totals, history.totals);
    assert_eq!(report.accounting.seen, history.accounting.seen);
    assert_eq!(report.buckets.len(), history.buckets.len());
}

#[test]
fn a_delta_of_many_buckets_keeps_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let delta = samples::minute(9);
    let context = Context {
        top_n: 0,
        ..samples::context()
    };
    let beside = Beside {
        context: &context,
        observed: None,
    };
    let mut writer = Writer::new(config(folder.path(), RUN));
    writer.part(&delta, beside).unwrap();
    writer.commit(&delta, beside).unwrap();
    assert_same(&build(&delta, &context), &merged(folder.path(), &asked()));
}

#[test]
fn two_runs_on_one_folder_add_up_and_a_set_given_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let parts = seconds(5);
    for run in [RUN, "ffffffffffff"] {
        let mut run = Run::new(folder.path(), run, samples::config(100));
        parts.iter().for_each(|part| run.part(part));
        run.finish();
    }
    let twice = [folder.path().to_owned(), folder.path().join(".")];
    let opened = open(&twice, &asked()).unwrap();
    let report = build(&opened.delta, &opened.context);
    assert_eq!((opened.sets, report.totals.packets), (2, 2 * 5 * 7));
    let files = store::list(folder.path()).unwrap();
    let path = load::Files::path(&files[0].place, "names");
    assert!(is_history(&path) && is_history(folder.path()));
    assert_eq!(merged(&path, &asked()).totals.packets, 5 * 7);
}

#[test]
fn sensors_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for (run, name) in [(RUN, "web1"), ("ffffffffffff", "web/2")] {
        let mut run = Run::new(folder.path(), run, samples::config(100));
        run.context.hostname = name.into();
        seconds(3).iter().for_each(|part| run.part(part));
        run.finish();
    }
    let report = merged(folder.path(), &asked());
    assert_eq!(report.sensor.hostname, "web/2, web1");
    let names: Vec<&str> = report
        .source
        .interfaces
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["web/2/eth0", "web1/eth0"]);
    assert_eq!(report.source.interfaces[0].counted.egress.packets, 3);
}
