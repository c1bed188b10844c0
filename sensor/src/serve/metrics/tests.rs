//! That counters are the report's figures, never fall, and are written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sensor_common::flow::Direction;

use super::text::{classic, open_metrics, registry};
use super::{Meter, counted};
use crate::agent::Period;
use crate::follow::Part;
use crate::report::samples::{self, HOST, SECOND, arp, malformed, tcp4};
use crate::source::kernel::RunTime;

fn meter() -> Meter {
    Meter::new(Duration::from_secs(1), Arc::default())
}

fn part(samples: &[samples::Sample], start: i64) -> Part {
    let delta = samples::delta_of(samples, 1000);
    let period = Period {
        delta,
        start,
        end: start + SECOND,
    };
    Part::new(period, Arc::default(), samples::context())
}

/// A second with flows, without IP, and with something malformed in it.
fn second(number: i64) -> Part {
    let at = samples::START + number * SECOND;
    let tcp = |port| {
        tcp4(HOST, port, [192, 0, 2, 1], 443)
            .way(0, Direction::Egress)
            .at(at)
    };
    let all = [
        tcp(1000).of(3, 300),
        tcp(1001),
        arp().at(at),
        malformed().at(at),
    ];
    part(&all, at)
}

/// Value by series.
fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(pair).collect()
}

/// Of all series of one metric.
fn sum(text: &str, metric: &str) -> u64 {
    let of = |name: &str| name == metric || name.starts_with(&format!("{metric}{{"));
    let all = series(text);
    all.iter()
        .filter(|(name, _)| of(name))
        .map(|(_, value)| *value as u64)
        .sum()
}

#[test]
fn counters_are_the_sums_of_the_whole_report_and_never_fall() {
    let meter = meter();
    let mut whole: Option<Part> = None;
    let mut before = BTreeMap::new();
    for number in 0..5 {
        let part = second(number);
        meter.add(&part);
        match &mut whole {
            Some(whole) => whole.join(&part),
            None => whole = Some(part),
        }
        let now = series(&meter.text(false));
        for (name, value) in before
            .iter()
            .filter(|(name, _): &(&String, &f64)| name.contains("_total"))
        {
            assert!(
                now[name] >= *value,
                "{name} fell from {value} to {}",
                now[name]
            );
        }
        before = now;
    }
    let report = whole.unwrap().report();
    let text = meter.text(false);
    let told = &report.accounting;
    let malformed = told.malformed.values().map(|counts| counts.packets).sum();
    for (metric, expected) in [
        ("traffic_packets", report.totals.packets),
        ("traffic_bytes", report.totals.bytes),
        ("seen_packets", told.seen.packets),
        ("in_flows_bytes", told.in_flows.bytes),
        ("not_ip_packets", told.not_ip.packets),
        ("malformed_packets", malformed),
        ("overflow_packets", 0),
        ("network_packets", report.totals.packets),
        ("transport_bytes", report.totals.bytes),
        ("application_packets", report.totals.packets),
        ("accounting_violations", 0),
        ("counted_seconds", 5),
    ] {
        assert_eq!(
            sum(&text, &format!("sensor_{metric}_total")),
            expected,
            "{metric}"
        );
    }
    for row in &report.protocols.application {
        let name = format!(
            "sensor_application_bytes_total{{application=\"{}\"}}",
            row.name
        );
        assert_eq!(series(&text)[&name] as u64, row.bytes, "{name}");
    }
}

#[test]
fn both_forms_say_the_same_and_each_in_its_way() {
    let meter = meter();
    meter.add(&second(0));
    let (classic, open) = (meter.text(false), meter.text(true));
    let counters = |text: &str| {
        let mut all = series(text);
        all.retain(|name, _| !name.starts_with("sensor_cpu") && !name.contains("memory"));
        all
    };
    assert_eq!(counters(&classic), counters(&open));
    assert!(open.contains("# TYPE sensor_traffic_packets counter\n") && open.ends_with("# EOF\n"));
    assert!(classic.contains("# TYPE sensor_traffic_packets_total counter\n"));
    assert!(classic.contains("# HELP sensor_traffic_packets_total Packets "));
    assert!(classic.contains("# TYPE sensor_interval_flows gauge\n") && !classic.contains("EOF"));
}

/// A table in `docs/fields.md` that is not what is served would be worse than none.
#[test]
fn every_metric_is_in_the_fields_and_nothing_else_is() {
    let mut counted_so_far = counted::Counted::default();
    counted_so_far.add(&counted::of(&second(0)));
    let cost = crate::cost::Cost {
        resident_bytes: Some(1),
        peak_bytes: Some(1),
        map_bytes: Some(1),
        ..crate::cost::Cost::default()
    };
    let timetable = super::Timetable {
        programs: Some(RunTime::default()),
        ..super::Timetable::default()
    };
    let second = Duration::from_secs(1);
    let text = classic(&open_metrics(&registry(
        &counted_so_far,
        second,
        &timetable,
        &cost,
    )));
    let mut served = BTreeSet::new();
    for name in series(&text).keys() {
        let (metric, labels) = name.split_once('{').unwrap_or((name, ""));
        let labels = labels
            .trim_end_matches('}')
            .split(',')
            .filter_map(|pair| pair.split_once('='));
        let labels: Vec<_> = labels.map(|(label, _)| label).collect();
        served.insert(format!("{metric} {}", labels.join(", ")));
    }
    let fields = include_str!("../../../../docs/fields.md");
    let rows = fields.lines().filter(|line| line.starts_with("| `sensor_"));
    let written = rows.flat_map(|line| {
        let cells: Vec<_> = line
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect();
        let names: Vec<_> = cells[1].split(", ").map(str::to_owned).collect();
        names
            .into_iter()
            .map(move |name| format!("{name} {}", cells[2]))
    });
    assert_eq!(written.collect::<BTreeSet<_>>(), served);
}

#[test]
fn a_run_without_a_packet_has_its_metrics_too() {
    let meter = meter();
    meter.add(&part(&[], 0));
    let text = meter.text(false);
    assert_eq!(sum(&text, "sensor_traffic_packets_total"), 0);
    assert_eq!(sum(&text, "sensor_lost_packets_total"), 0);
    assert!(text.contains("sensor_lost_packets_total{place=\"af-packet\"} 0"));
}

/// An interface may be called almost anything.
#[test]
fn a_name_with_quotes_stays_in_its_label() {
    let meter = meter();
    let mut second = second(0);
    second.context.interfaces[0].name = "a\"} 7\\b".to_owned();
    meter.add(&second);
    let text = meter.text(false);
    let label = r#"interface="a\"} 7\\b""#;
    assert!(text.contains(label), "{text}");
    assert!(!text.contains("\"a\"}"), "{text}");
}
