//! What a run says of itself on standard error: how it counts, how far it is, what it counted.

use super::recorder::Summary;
use crate::counters::Counts;
use crate::escape;
use crate::report::Report;
use crate::source::Hook;
use crate::source::live::Interface;
use crate::units;

pub(super) fn closing_line(report: &Report, summary: &Summary) -> String {
    let accounting = &report.accounting;
    let lost: u64 = accounting.lost.values().sum();
    let places: Vec<_> = accounting
        .lost
        .iter()
        .map(|(place, packets)| format!("{packets} {place}"))
        .collect();
    let mut line = format!(
        "captured {} packets, {}; ",
        units::count(report.totals.packets),
        units::bytes(report.totals.bytes),
    );
    if report.filter.is_some() || accounting.filtered.packets > 0 {
        line += &format!(
            "filtered out {}; ",
            units::count(accounting.filtered.packets)
        );
    }
    line += &format!("lost {}", units::count(lost));
    if lost > 0 {
        line += &format!(" ({})", places.join(", "));
    }
    if accounting.overflow.packets > 0 {
        line += &format!(
            "; flow table full for {} packets",
            units::count(accounting.overflow.packets)
        );
    }
    let reports = if summary.written == 1 {
        "report"
    } else {
        "reports"
    };
    line += &format!("; {} {reports} written", summary.written);
    if summary.failed > 0 {
        line += &format!(", {} could not be written", summary.failed);
    }
    line
}

pub(super) fn progress(counted: Counts) -> String {
    format!(
        "{} packets, {} so far",
        units::count(counted.packets),
        units::bytes(counted.bytes)
    )
}

pub(super) fn announcement(interface: &Interface) -> String {
    let hook = |hook: &Hook| match (hook.name, hook.mode) {
        (Some(name), Some(mode)) => format!("by {name} ({mode})"),
        (Some(name), None) => format!("by {name}"),
        (None, _) => "not counted".to_owned(),
    };
    let (ingress, egress) = (&interface.ingress, &interface.egress);
    format!(
        "{}: ingress {}: {}; egress {}: {}",
        name(interface),
        hook(ingress),
        ingress.why,
        hook(egress),
        egress.why,
    )
}

pub(super) fn name(interface: &Interface) -> String {
    escape::text(&interface.link.name)
}
