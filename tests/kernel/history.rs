//! History of a live run: merged again it is the run's report, also after a kill.

use std::path::Path;

use sensor::counters::DeltaConfig;
use sensor::history::{self, Asked};
use sensor::report::{self, Report};
use serde_json::Value;

use crate::harness::{Pair, Sensor, eventually, need_kernel};
use crate::traffic::{self, Traffic};

pub(crate) const PERIODS: [&str; 4] = ["--interval", "100ms", "--report-every", "1s"];
/// With history, which other tests leave away.
pub(crate) const KEEP: [&str; 2] = ["--keep", "30d"];

pub(crate) fn merged(reports: &Path) -> Report {
    let asked = Asked {
        from: None,
        to: None,
        config: DeltaConfig {
            interval: 100_000_000,
            max_flows: 1 << 20,
            seeds: [0x9e37_79b9_7f4a_7c15; 10],
            trail: false,
            names: 1000,
        },
        by_flow: false,
        top_n: 0,
    };
    let opened = history::open(&[reports.to_owned()], &asked).unwrap();
    assert!(opened.troubles.is_empty(), "{:?}", opened.troubles);
    report::build(&opened.delta, &opened.context)
}

#[test]
fn the_history_of_a_run_is_its_report_by_tc() {
    same_as_the_run("tc");
}

#[test]
fn the_history_of_a_run_is_its_report_by_af_packet() {
    same_as_the_run("af-packet");
}

fn same_as_the_run(backend: &str) {
    need_kernel!();
    let pair = Pair::new(1500);
    let arguments = ["-i", "a0", "--backend", backend];
    let sensor = Sensor::start(&pair.a, &[&arguments[..], &PERIODS, &KEEP].concat());
    let traffic = Traffic::start(&pair.a, "a0");
    eventually("three periodic reports", || sensor.written().len() >= 3);
    traffic.stop();
    let ended = sensor.stop();
    let history = merged(&ended.folder.path().join("reports"));
    let history = serde_json::to_value(&history).unwrap();
    let run = &ended.report;
    for part in [
        "totals",
        "protocols",
        "endpoints",
        "conversations",
        "flows",
        "buckets",
        "start",
        "end",
        "source",
        "others",
        "not_observed",
    ] {
        assert_eq!(history[part], run[part], "{part}");
    }
    for term in [
        "seen",
        "in_flows",
        "overflow",
        "not_ip",
        "malformed",
        "filtered",
        "lost",
        "identity_holds",
    ] {
        assert_eq!(
            history["accounting"][term], run["accounting"][term],
            "{term}"
        );
    }
    assert_eq!(history["accounting"]["identity_holds"], Value::Bool(true));
}

#[test]
fn a_kill_loses_the_running_period_and_leaves_nothing_that_can_not_be_read() {
    need_kernel!();
    let pair = Pair::new(1500);
    let arguments = ["-i", "a0", "--backend", "tc"];
    let sensor = Sensor::start(&pair.a, &[&arguments[..], &PERIODS, &KEEP].concat());
    let reports = sensor.reports().to_owned();
    traffic::send(&pair.a, "a0", &traffic::frames(40), 3);
    let sets = reports.join("history/buckets");
    eventually("history of the traffic", || {
        sets.is_dir() && merged(&reports).totals.packets >= 120
    });
    let traffic = Traffic::start(&pair.a, "a0");
    let before = sensor.written().len();
    eventually("two more reports", || sensor.written().len() >= before + 2);
    sensor.signal(libc::SIGKILL);
    let folder = sensor.killed();
    let sent = traffic.stop();
    let history = merged(&folder.path().join("reports"));
    assert!(history.accounting.identity_holds);
    assert!(history.totals.packets > 120, "only the first traffic");
    // The other end of the pair says a word of its own now and then.
    assert!(history.totals.egress.packets <= 120 + sent + 100);
}
