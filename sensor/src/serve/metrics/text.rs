//! The exposition: every metric with its help, in one place.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Timetable;
use super::counted::{Counted, Sums};
use super::labelled::Labelled;
use crate::cost::Cost;
use crate::counters::Counts;

type Labels = Vec<(&'static str, Cow<'static, str>)>;
type Seconds = Counter<f64, AtomicU64>;

pub(super) fn registry(
    counted: &Counted,
    interval: Duration,
    polls: &Timetable,
    cost: &Cost,
) -> Registry {
    let mut registry = Registry::with_prefix("sensor");
    traffic(&mut registry, counted);
    protocols(&mut registry, counted);
    trouble(&mut registry, counted);
    own(&mut registry, counted, interval);
    costs(&mut registry, polls, cost);
    registry
}

pub(super) fn open_metrics(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to memory can't fail.
    let _ = encode(&mut text, registry);
    text
}

/// The older form, which every tool reads: counters have their whole name in front, and there is no end mark.
pub(super) fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        let help = line.strip_prefix("# HELP ");
        let typed = match help {
            Some(_) => lines.peek().copied(),
            None => Some(line),
        };
        let is_counter =
            typed.is_some_and(|line| line.starts_with("# TYPE ") && line.ends_with(" counter"));
        let rest = help.or_else(|| line.strip_prefix("# TYPE "));
        match rest.and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) if is_counter => {
                let kind = &line[..7];
                text.push_str(&format!("{kind}{name}_total {rest}\n"));
            }
            _ if line == "# EOF" => {}
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

/// Two counters: packets and bytes.
fn counts(
    registry: &mut Registry,
    name: &str,
    help: &str,
    rows: impl Iterator<Item = (Labels, Counts)>,
) {
    let (packets, bytes) = (
        Family::<Labels, Counter>::default(),
        Family::<Labels, Counter>::default(),
    );
    for (labels, counts) in rows {
        packets.get_or_create(&labels).inc_by(counts.packets);
        bytes.get_or_create(&labels).inc_by(counts.bytes);
    }
    registry.register(
        format!("{name}_packets"),
        format!("Packets {help}"),
        packets,
    );
    registry.register(
        format!("{name}_bytes"),
        format!("Bytes on the wire {help}"),
        bytes,
    );
}

fn traffic(registry: &mut Registry, counted: &Counted) {
    let mut of = |name: &str, help: &str, pick: fn(&Sums) -> Counts| {
        let rows = counted
            .interfaces
            .iter()
            .map(|((interface, direction), sums)| {
                let labels = vec![
                    ("interface", interface.clone().into()),
                    ("direction", (*direction).into()),
                ];
                (labels, pick(sums))
            });
        counts(registry, name, help, rows);
    };
    of(
        "traffic",
        "that were counted: seen, and not left out by the filter or as duplicates",
        |sums| Counts {
            packets: sums.seen.packets - sums.filtered.packets - sums.duplicates.packets,
            bytes: sums.seen.bytes - sums.filtered.bytes - sums.duplicates.bytes,
        },
    );
    of("seen", "that crossed the interface", |sums| sums.seen);
    of("in_flows", "that are in flows", |sums| sums.in_flows);
    of(
        "overflow",
        "whose flow found no room in the table",
        |sums| sums.overflow,
    );
    of("not_ip", "without IP", |sums| sums.not_ip);
    of("filtered", "that the filter left out", |sums| sums.filtered);
    of("duplicates", "that came before", |sums| sums.duplicates);
    let rows = counted.malformed.iter();
    let rows = rows.map(|(reason, counts)| (vec![("reason", reason.clone().into())], *counts));
    counts(registry, "malformed", "that could not be understood", rows);
}

fn protocols(registry: &mut Registry, counted: &Counted) {
    let mut of = |label: &'static str, help: &str, list: &Labelled| {
        let rows = list.iter();
        let rows = rows.map(|(name, counts)| (vec![(label, name.to_owned().into())], counts));
        counts(registry, label, help, rows);
    };
    of("network", "by network protocol", &counted.network);
    of("transport", "by transport protocol", &counted.transport);
    of(
        "application",
        "by application, as known when their interval ended",
        &counted.application,
    );
}

fn trouble(registry: &mut Registry, counted: &Counted) {
    let lost = Family::<Labels, Counter>::default();
    // There from the start: an increase from nothing is no increase to Prometheus.
    lost.get_or_create(&vec![("place", "af-packet".into())])
        .inc_by(0);
    for (place, packets) in &counted.lost {
        lost.get_or_create(&vec![("place", (*place).into())])
            .inc_by(*packets);
    }
    registry.register(
        "lost_packets",
        "Packets that the kernel says were lost before they were counted",
        lost,
    );
    counter(
        registry,
        "lost_samples",
        "Payloads that were lost; they cost names, never counts",
        counted.samples_lost,
    );
    counter(
        registry,
        "accounting_violations",
        "Intervals whose accounting did not add up; more than 0 is a bug",
        counted.violations,
    );
}

fn own(registry: &mut Registry, counted: &Counted, interval: Duration) {
    gauge(
        registry,
        "interval_flows",
        "Flows of the last interval",
        counted.flows as f64,
    );
    gauge(
        registry,
        "interval_seconds",
        "Length of an interval, as it was asked for",
        interval.as_secs_f64(),
    );
    gauge(
        registry,
        "counted_until_timestamp_seconds",
        "End of the last interval that is counted here, since the epoch",
        counted.until as f64 / 1e9,
    );
    seconds(
        registry,
        "counted_seconds",
        "Time that is counted here",
        counted.watched as f64 / 1e9,
    );
    let build = Family::<Labels, Gauge>::default();
    build
        .get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").into())])
        .set(1);
    registry.register("build_info", "1, by the version of sensor", build);
}

fn costs(registry: &mut Registry, polls: &Timetable, cost: &Cost) {
    timetable(registry, polls);
    seconds(
        registry,
        "cpu_seconds",
        "CPU time of the sensor's own process, not of its programs in the kernel",
        (cost.cpu_user + cost.cpu_system).as_secs_f64(),
    );
    let memory = [
        (
            "resident_memory_bytes",
            "Memory of the sensor's process",
            cost.resident_bytes,
        ),
        (
            "resident_memory_peak_bytes",
            "The most memory that the sensor's process had",
            cost.peak_bytes,
        ),
        (
            "bpf_map_memory_bytes",
            "Memory of the tables in the kernel",
            cost.map_bytes,
        ),
    ];
    for (name, help, bytes) in memory {
        if let Some(bytes) = bytes {
            gauge(registry, name, help, bytes as f64);
        }
    }
}

fn timetable(registry: &mut Registry, polls: &Timetable) {
    counter(
        registry,
        "polls",
        "Polls that ended an interval",
        polls.on_schedule,
    );
    seconds(
        registry,
        "poll_late_seconds",
        "Time by which the polls that ended an interval came late",
        polls.late.as_secs_f64(),
    );
    counter(
        registry,
        "polls_late",
        "Polls that came more than 0.1 s late",
        polls.very_late,
    );
    gauge(
        registry,
        "poll_latest_seconds",
        "By how much the latest poll came late",
        polls.latest.as_secs_f64(),
    );
    if let Some(time) = polls.programs {
        counter(
            registry,
            "bpf_program_runs",
            "Runs of the programs in the kernel, one for each packet or super-packet",
            time.runs,
        );
        seconds(
            registry,
            "bpf_program_seconds",
            "Time that the programs in the kernel ran",
            time.nanoseconds as f64 / 1e9,
        );
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter = Counter::<u64>::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn seconds(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let counter = Seconds::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}
