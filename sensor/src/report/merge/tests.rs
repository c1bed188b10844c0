use proptest::prelude::*;
use sensor_common::flow::Direction;

use super::super::samples::{self, HOST, SECOND, START, Sample, context, delta_of, tcp4};
use super::super::{Context, Counts, Name, build};
use super::*;

fn merged(reports: &[Report], top_n: usize) -> Report {
    let mut merging = Merging::new();
    for report in reports {
        merging.add(report.clone()).unwrap();
    }
    merging.finish(top_n).unwrap()
}

fn packet(at: i64, far: u8, port: u16, bytes: u64) -> Sample {
    let way = match far % 2 {
        0 => Direction::Ingress,
        _ => Direction::Egress,
    };
    let sample = tcp4(HOST, 40_000 + u16::from(far), [192, 0, 2, far], port);
    sample.of(1, bytes).at(at).way(0, way)
}

/// What was counted from one second to another, of all that there was.
fn period(packets: &[Sample], from: i64, to: i64, top_n: usize) -> Report {
    let within = |sample: &&Sample| match sample.when {
        crate::counters::When::At(at) => (from..to).contains(&((at - START).div_euclid(SECOND))),
        _ => false,
    };
    let samples: Vec<Sample> = packets.iter().filter(within).cloned().collect();
    let context = Context {
        top_n,
        span: Some((START + from * SECOND, START + to * SECOND)),
        ..context()
    };
    build(&delta_of(&samples, 1000), &context)
}

/// Without what names the merge itself.
fn bare(mut report: Report) -> Report {
    report.notes.clear();
    report
}

fn any_packets() -> impl Strategy<Value = Vec<Sample>> {
    let port = prop::sample::select(vec![22_u16, 80, 443, 5000]);
    let packet = (0..60 * SECOND, 0..9_u8, port, 60..9_000_u64)
        .prop_map(|(at, far, port, bytes)| packet(at, far, port, bytes));
    prop::collection::vec(packet, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_periods_of_a_run_are_the_run(packets in any_packets(), mut cuts in prop::collection::vec(1..60_i64, 0..5)) {
        cuts.extend([0, 60]);
        cuts.sort_unstable();
        cuts.dedup();
        let periods: Vec<Report> = cuts.windows(2).map(|pair| period(&packets, pair[0], pair[1], 0)).collect();
        let whole = period(&packets, 0, 60, 0);
        prop_assert_eq!(bare(merged(&periods, 0)), bare(whole));
    }

    #[test]
    fn sums_add_up_whatever_the_lists_leave_out(packets in any_packets(), top_n in 1..4_usize, less in 0..3_usize) {
        let periods: Vec<Report> = (0..6).map(|n| period(&packets, n * 10, n * 10 + 10, top_n)).collect();
        let merged = merged(&periods, less);
        let whole = period(&packets, 0, 60, 0);
        prop_assert_eq!(&merged.totals, &whole.totals);
        prop_assert_eq!(&merged.protocols, &whole.protocols);
        prop_assert_eq!(&merged.bandwidth, &whole.bandwidth);
        prop_assert!(merged.accounting.identity_holds);
        let flows: Counts = merged.flows.iter().map(|one| sums::of(one.packets, one.bytes)).sum();
        prop_assert_eq!(flows + merged.others.flows, whole.accounting.in_flows);
        for row in &merged.endpoints {
            let truth = whole.endpoints.iter().find(|one| one.addr == row.addr).unwrap();
            prop_assert!((row.sent + row.received).bytes <= (truth.sent + truth.received).bytes);
        }
        let cut = periods.iter().any(|one| one.flows_total > one.flows.len() as u64);
        prop_assert!(merged.lists_at_least || !cut);
        prop_assert!(merged.flows_total >= whole.flows_total);
    }
}

#[test]
fn several_sensors_are_told_apart() {
    let a = samples::report(3);
    let mut b = a.clone();
    b.sensor.hostname = "edge-8".to_owned();
    let both = merged(&[a.clone(), b], 0);
    assert_eq!(both.sensor.hostname, "edge-7, edge-8");
    let names: Vec<&str> = both
        .source
        .interfaces
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["edge-7:eth0", "edge-8:eth0"]);
    assert_eq!(both.flows.len(), 2 * a.flows.len());
    assert_eq!(both.flows[0].interface.as_deref(), Some("edge-7:eth0"));
    assert_eq!(both.endpoints.len(), a.endpoints.len());
    assert_eq!(both.totals.bytes, 2 * a.totals.bytes);
    assert_eq!(both.duration_seconds, a.duration_seconds);
    assert!(both.notes[1].starts_with("several sensors: "));
    assert!(!both.notes.iter().any(|note| note.contains("counted twice")));
}

#[test]
fn the_same_time_of_the_same_interface_is_counted_twice() {
    let packets = [packet(5 * SECOND, 1, 443, 100)];
    let reports = [period(&packets, 0, 20, 0), period(&packets, 10, 30, 0)];
    let notes = merged(&reports, 0).notes;
    let note = notes
        .iter()
        .find(|note| note.starts_with("counted twice: eth0 of edge-7"))
        .unwrap();
    assert!(
        note.contains("from 2023-11-14 22:13:30 to 2023-11-14 22:13:40"),
        "{note}"
    );
}

#[test]
fn what_no_report_has_is_not_zero() {
    let packets: Vec<Sample> = (0..60)
        .map(|at| packet(at * SECOND, 1, 443, 1000))
        .collect();
    let reports = [period(&packets, 0, 10, 0), period(&packets, 50, 60, 0)];
    let report = merged(&reports, 0);
    assert_eq!(report.duration_seconds, 20.0);
    assert_eq!(report.end.unwrap().0 - report.start.unwrap().0, 60 * SECOND);
    assert_eq!(report.not_observed.len(), 1);
    assert_eq!(report.bandwidth.p50_bits_per_sec, Some(8000.0));
    assert_eq!(report.bandwidth.mean_bits_per_sec, Some(8000.0));
    assert!(report.notes[1].starts_with("no report has 40 s of the time"));
}

#[test]
fn wider_buckets_hold_narrower_ones() {
    let packets: Vec<Sample> = (0..20)
        .map(|at| packet(at * SECOND, 1, 443, 1000))
        .collect();
    let mut narrow = period(&packets, 0, 10, 0);
    let wide = merged(&[narrow.clone()], 0);
    narrow.interval_seconds = 10.0;
    narrow.buckets = vec![wide.buckets[0].clone()];
    let report = merged(&[wide, narrow.clone()], 0);
    assert_eq!(report.interval_seconds, 10.0);
    assert_eq!(
        report.buckets.iter().map(|one| one.packets).sum::<u64>(),
        11
    );
    assert_eq!(report.buckets[0].packets, 11);
    let mut odd = narrow.clone();
    odd.interval_seconds = 86_399.999_999_999;
    let mut merging = Merging::new();
    merging.add(narrow).unwrap();
    let error = merging.add(odd).unwrap_err();
    assert!(
        error.to_string().contains("no common multiple of a day"),
        "{error}"
    );
}

#[test]
fn names_are_united_and_a_payload_tells_more_than_a_port() {
    let mut a = samples::report(1);
    let mut b = a.clone();
    let name = |text: &str| Name {
        name: text.into(),
        source: "sni".into(),
    };
    a.endpoints[0].names = vec![name("one")];
    b.endpoints[0].names = vec![name("one"), name("two")];
    a.flows[0].classified_by = Some("payload".into());
    a.flows[0].protocol = "http2".into();
    b.flows[0].classified_by = Some("port".into());
    let both = merged(&[a, b], 0);
    assert_eq!(both.endpoints[0].names, [name("one"), name("two")]);
    assert_eq!(both.flows[0].protocol, "http2");
}

#[test]
fn numbers_that_nobody_counted_are_refused() {
    let mut hostile = samples::report(1);
    hostile.buckets[0].bytes = u64::MAX - 100_000_000;
    let mut merging = Merging::new();
    merging.add(hostile.clone()).unwrap();
    merging.add(hostile).unwrap();
    assert_eq!(merging.finish(0), Err(MergeError::TooMuch));
    let mut counters = samples::report(1);
    counters.accounting.interface_counters = vec![super::super::InterfaceCounters {
        interface: "eth0".into(),
        packets: u64::MAX,
        bytes: u64::MAX,
        ..Default::default()
    }];
    merged(&[counters.clone(), counters], 0);
}

#[test]
fn notes_are_said_once_and_never_by_the_hundred() {
    let mut reports = Vec::new();
    for n in 0..40 {
        let mut report = samples::report(1);
        report.notes = vec!["all say this".to_owned(), format!("{n} says this")];
        reports.push(report);
    }
    let notes = merged(&reports, 0).notes;
    assert!(notes.contains(&"all say this".to_owned()));
    assert!(notes.contains(&"0 says this (said by 1 of the 40 reports)".to_owned()));
    assert_eq!(
        notes.last().unwrap(),
        "further notes of the reports: 21; they are in each of them"
    );
}

#[test]
fn of_what_was_written_the_latest_of_each_sensor_counts() {
    let one = |hostname: &str, packets| {
        let written = Written {
            path: "out.pcapng".to_owned(),
            packets,
            ..Written::default()
        };
        let context = Context {
            hostname: hostname.to_owned(),
            written: vec![written],
            ..context()
        };
        build(&delta_of(&[], 10), &context)
    };
    let paths = |report: Report| -> Vec<(String, u64)> {
        let written = report.written.into_iter();
        written.map(|one| (one.path, one.packets)).collect()
    };
    let run = [one("web1", 10), one("web1", 25), one("web1", 20)];
    assert_eq!(paths(merged(&run, 0)), [("out.pcapng".to_owned(), 25)]);
    let both = [&run[..], &[one("web2", 7)]].concat();
    let apart = [("web1:out.pcapng", 25), ("web2:out.pcapng", 7)];
    assert_eq!(
        paths(merged(&both, 0)),
        apart.map(|(path, n)| (path.to_owned(), n))
    );
}
