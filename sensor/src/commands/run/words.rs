//! What a run says of itself on standard error: how far it is, what it counted.

use super::recorder::Summary;
use crate::commands::live::captured;
use crate::counters::Counts;
use crate::report::Report;
use crate::units;

pub(super) fn closing_line(report: &Report, summary: &Summary) -> String {
    let mut line = captured(report);
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
