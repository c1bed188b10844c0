//! Lines of the report's head: where it comes from, and of what time.

use super::NO_BREAK;
use crate::report::{FileInfo, Interface, LeftOut, Report, Time, Written};
use crate::units;

/// Lines are broken between the parts, not within.
pub(super) fn together(parts: &[String], separator: &str) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| part.replace(' ', &NO_BREAK.to_string()))
        .collect();
    parts.join(separator)
}

pub(super) fn left_out_line(one: &LeftOut) -> String {
    let on = match one.counted_on.is_empty() {
        true => "its ports".to_owned(),
        false => one.counted_on.join(", "),
    };
    format!("{}: counted on {on}", one.name)
}

pub(super) fn interface_line(interface: &Interface) -> String {
    let (ingress, egress) = (&interface.ingress, &interface.egress);
    let mut line = format!("{}: ingress ", interface.name);
    line.push_str(ingress.hook.as_deref().unwrap_or("not counted"));
    if let Some(mode) = &ingress.mode {
        line.push_str(&format!(" {mode}"));
    }
    line.push_str(", egress ");
    line.push_str(egress.hook.as_deref().unwrap_or("not counted"));
    line
}

pub(super) fn file_line(file: &FileInfo) -> String {
    let mut line = format!("{} ({}", file.path, file.format);
    for link_type in &file.link_types {
        line.push_str(&format!(", {link_type}"));
    }
    line.push_str(&format!("), {}", units::packets(file.packets)));
    if let Some(error) = &file.error {
        line.push_str(&format!(", then: {error}"));
    } else if !file.complete {
        line.push_str(", incomplete");
    }
    line
}

pub(super) fn written_line(one: &Written) -> String {
    let (packets, bytes) = (units::packets(one.packets), units::bytes(one.bytes));
    let mut parts = vec![format!("{}: {packets}", one.path), bytes];
    if one.files > 1 {
        parts.push(format!("{} files", units::count(one.files)));
    }
    if one.files_replaced > 0 {
        let gone = units::count(one.files_replaced);
        parts.push(format!("of which {gone} were replaced"));
    }
    if one.packets_after_last > 0 {
        let after = units::packets(one.packets_after_last);
        parts.push(format!("{after} after the last file"));
    }
    if one.packets_unwritten > 0 {
        let unwritten = units::packets(one.packets_unwritten);
        parts.push(format!("{unwritten} NOT written"));
    }
    parts.extend(one.error.clone());
    parts.join(", ")
}

pub(super) fn matched_line(report: &Report) -> String {
    let seen = units::packets(report.accounting.seen.packets);
    format!("{} of {seen} matched", units::count(report.totals.packets))
}

pub(super) fn time_line(report: &Report) -> String {
    let (Some(start), Some(end)) = (report.start, report.end) else {
        return match report.totals.packets == 0 && report.accounting.seen.packets > 0 {
            true => "no packet matched".into(),
            false => "no packet has one".into(),
        };
    };
    let day = |time: Time| time.strftime("%Y-%m-%d");
    let clock = if day(start) == day(end) {
        ""
    } else {
        "%Y-%m-%d "
    };
    format!(
        "{} to {} UTC, {}",
        start.strftime("%Y-%m-%d %H:%M:%S%.3f"),
        end.strftime(&format!("{clock}%H:%M:%S%.3f")),
        units::duration(report.duration_seconds).replace(' ', &NO_BREAK.to_string())
    )
}
