//! What is said of live counting: by what each interface is counted, and in the end how much it was.

use super::events;
use crate::escape;
use crate::report::Report;
use crate::source::Hook;
use crate::source::live::Interface;
use crate::status;
use crate::units;

/// `captured 67,730 packets, 99.6 MB; lost 0`, and whatever else must not be overlooked.
pub(in crate::commands) fn captured(report: &Report) -> String {
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
    if accounting.duplicates.packets > 0 {
        line += &format!(
            "duplicates {}; ",
            units::count(accounting.duplicates.packets)
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
    line
}

/// A line for each interface: what was chosen; with `verbose` also why not better.
pub(in crate::commands) fn say_how(interface: &Interface, verbose: bool) {
    if verbose {
        for refusal in &interface.refusals {
            status::note(&format!("{}: {refusal}", name(interface)));
        }
    }
    if let Some(why) = interface.never_counted() {
        status::warn(&events::refused(&interface.link.name, why, false));
        return;
    }
    status::note(&announcement(interface));
    if !interface.link.up {
        status::warn(&format!(
            "{} is down: nothing will be counted until it is up",
            name(interface)
        ));
    }
}

fn announcement(interface: &Interface) -> String {
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

pub(in crate::commands) fn name(interface: &Interface) -> String {
    escape::text(&interface.link.name)
}
