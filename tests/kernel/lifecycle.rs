//! How a run begins and ends, and that no way of ending it loses a packet or leaves anything behind.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use aya::programs::{SchedClassifier, TcAttachType};
use sensor::link;

use crate::harness::{Namespace, Pair, Sensor, eventually, need_kernel};
use crate::reports;
use crate::traffic::{self, LEN, Traffic};

#[test]
fn a_killed_agent_leaves_the_interface_clean() {
    need_kernel!();
    for (backend, xdp, ingress) in [("xdp", true, 0), ("tc", false, 1)] {
        let pair = Pair::new(1500);
        let sensor = Sensor::start(&pair.b, &["-i", "b0", "--backend", backend]);
        assert_eq!(
            attached(&pair.b),
            (xdp, ingress, 1),
            "attached by {backend}"
        );
        traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
        sensor.signal(libc::SIGKILL);
        let ended = sensor.wait();
        assert_eq!(ended.status.signal(), Some(libc::SIGKILL));
        eventually("a clean interface", || attached(&pair.b) == (false, 0, 0));
        // And the next one counts as if nothing had been.
        let mut next = Sensor::start(&pair.b, &["-i", "b0", "--backend", backend]);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
        next.counted(10);
        assert_eq!(next.stop().checked()["totals"]["packets"], 10);
        assert_eq!(attached(&pair.b), (false, 0, 0), "stopped by SIGTERM");
    }
}

#[test]
fn sigterm_under_traffic_loses_nothing_on_egress_by_tc() {
    under_traffic(libc::SIGTERM, "a0", "tc");
}

#[test]
fn sigint_under_traffic_loses_nothing_on_egress_by_af_packet() {
    under_traffic(libc::SIGINT, "a0", "af-packet");
}

#[test]
fn sigint_under_traffic_loses_nothing_on_ingress_by_xdp() {
    under_traffic(libc::SIGINT, "b0", "xdp");
}

fn under_traffic(signal: i32, interface: &str, backend: &str) {
    need_kernel!();
    let pair = Pair::new(1500);
    let arguments = ["-i", interface, "--backend", backend];
    let periods = ["--interval", "100ms", "--report-every", "1s"];
    let namespace = if interface == "a0" { &pair.a } else { &pair.b };
    let sensor = Sensor::start(namespace, &[arguments, periods].concat());
    let traffic = Traffic::start(&pair.a, "a0");
    eventually("three periodic reports", || sensor.written().len() >= 3);
    let before = traffic.sent();
    if interface == "b0" {
        traffic::received(&pair.b, "b0", before);
    }
    sensor.signal(signal);
    let ended = sensor.wait();
    let sent = traffic.stop();
    assert!(ended.stderr.contains("captured "), "{}", ended.stderr);
    reports::add_up(&ended);
    let report = ended.checked();
    let counted = report["totals"]["packets"].as_u64().unwrap();
    assert!(
        (before..=sent).contains(&counted),
        "{counted} of {before} to {sent}"
    );
    assert_eq!(report["totals"]["bytes"], counted * LEN);
    assert_eq!(reports::lost(&report), 0);
}

/// The signal that comes as soon as the sensor says that it counts.
#[test]
fn the_earliest_sigterm_still_writes_the_report() {
    need_kernel!();
    let pair = Pair::new(1500);
    for _ in 0..5 {
        let ended = Sensor::start(&pair.a, &["-i", "a0"]).stop();
        assert_eq!(ended.periods.len(), 1);
        assert_eq!(ended.checked()["totals"]["packets"], 0);
    }
}

#[test]
fn sigusr1_shows_the_counts_of_this_moment_and_sighup_does_not_kill() {
    need_kernel!();
    let pair = Pair::new(1500);
    let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "--interval", "1h"]);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
    sensor.signal(libc::SIGUSR1);
    let line = sensor.wait_for_line("so far");
    assert!(line.contains("100 packets, 14.2 kB"), "{line}");
    sensor.signal(libc::SIGHUP);
    sensor.wait_for_line("SIGHUP");
    traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    sensor.signal(libc::SIGUSR1);
    let line = sensor.wait_for_line("so far");
    assert!(line.contains("110 packets"), "{line}");
    let ended = sensor.stop();
    reports::add_up(&ended);
    assert_eq!(ended.checked()["totals"]["packets"], 110);
}

#[test]
fn duration_ends_the_run() {
    need_kernel!();
    let pair = Pair::new(1500);
    let start = Instant::now();
    let sensor = Sensor::start(&pair.a, &["-i", "a0", "--duration", "2s"]);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
    let report = sensor.wait().checked();
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(report["totals"]["packets"], 100);
    let duration = report["duration_seconds"].as_f64().unwrap();
    assert!((1.9..4.0).contains(&duration), "{duration} s");
}

#[test]
fn count_ends_the_run() {
    need_kernel!();
    for backend in ["tc", "af-packet"] {
        let pair = Pair::new(1500);
        let arguments = ["-i", "a0", "--count", "500", "--interval", "1h"];
        let sensor = Sensor::start(&pair.a, &[&arguments[..], &["--backend", backend]].concat());
        let traffic = Traffic::start(&pair.a, "a0");
        let report = sensor.wait().checked();
        let sent = traffic.stop();
        let counted = report["totals"]["packets"].as_u64().unwrap();
        assert!((500..=sent).contains(&counted), "{counted} of {sent}");
    }
}

#[test]
fn what_is_reached_first_ends_the_run() {
    need_kernel!();
    let pair = Pair::new(1500);
    let ended = |duration: &str, count: &str| {
        let arguments = ["-i", "a0", "--duration", duration, "--count", count];
        let sensor = Sensor::start(&pair.a, &arguments);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
        sensor.wait().checked()["totals"]["packets"].clone()
    };
    assert_eq!(ended("3s", "1000000"), 100);
    assert_eq!(ended("1h", "100"), 100);
}

#[test]
fn polls_every_ten_milliseconds_stay_exact_on_ingress_by_xdp() {
    while_polling("b0", "xdp");
}

#[test]
fn polls_every_ten_milliseconds_stay_exact_on_egress_by_tc() {
    while_polling("a0", "tc");
}

fn while_polling(interface: &str, backend: &str) {
    need_kernel!();
    const FLOWS: u16 = 1000;
    const TIMES: u64 = 200;
    let pair = Pair::new(1500);
    let arguments = ["-i", interface, "--backend", backend];
    let periods = ["--interval", "10ms", "--report-every", "200ms"];
    let namespace = if interface == "a0" { &pair.a } else { &pair.b };
    let mut sensor = Sensor::start(namespace, &[arguments, periods].concat());
    traffic::send(&pair.a, "a0", &traffic::frames(FLOWS), TIMES as usize);
    sensor.counted(u64::from(FLOWS) * TIMES);
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    let packets = u64::from(FLOWS) * TIMES;
    assert_eq!(report["totals"]["packets"], packets);
    assert_eq!(report["totals"]["bytes"], packets * LEN);
    let flows = report["flows"].as_array().unwrap();
    assert_eq!(flows.len(), usize::from(FLOWS));
    for flow in flows {
        assert_eq!(flow["packets"], TIMES, "{flow}");
        assert_eq!(flow["bytes"], TIMES * LEN, "{flow}");
    }
    let buckets = report["buckets"].as_array().unwrap();
    let in_buckets: u64 = buckets
        .iter()
        .map(|bucket| bucket["packets"].as_u64().unwrap())
        .sum();
    assert_eq!(in_buckets, packets);
}

/// Whether XDP holds `b0`, and how many of our programs its TCX ingress and egress.
fn attached(namespace: &Namespace) -> (bool, usize, usize) {
    namespace.inside(|| {
        let xdp = link::by_name("b0").unwrap().unwrap().xdp;
        let ours = |way| {
            let (_, programs) = SchedClassifier::query_tcx("b0", way).unwrap();
            let named = |program: &aya::programs::ProgramInfo| {
                program
                    .name_as_str()
                    .is_some_and(|name| name.starts_with("sensor_"))
            };
            programs.iter().filter(|program| named(program)).count()
        };
        (
            xdp.is_some(),
            ours(TcAttachType::Ingress),
            ours(TcAttachType::Egress),
        )
    })
}
