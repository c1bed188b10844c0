//! totals.csv: what is no list, one fact a row.

use std::fmt::Display;
use std::io;

use super::File;
use super::table::Table;
use crate::report::{Counts, Report};

pub(super) const FILE: File = File {
    name: "totals.csv",
    columns: &["group", "name", "packets", "bytes", "value"],
    rows,
};

fn rows(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    about(report, table)?;
    source(report, table)?;
    totals(report, table)?;
    accounting(report, table)?;
    rates(report, table)?;
    for note in &report.notes {
        value(table, "note", "", note)?;
    }
    Ok(())
}

fn about(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    value(table, "report", "schema", &report.schema)?;
    value(table, "report", "version", &report.sensor.version)?;
    value(table, "report", "hostname", &report.sensor.hostname)?;
    value(table, "report", "backend", &report.source.backend)?;
    let filter = report.filter.as_deref();
    value(table, "report", "filter", filter.unwrap_or_default())?;
    number(table, "report", "start", report.start)?;
    number(table, "report", "end", report.end)?;
    number(
        table,
        "report",
        "duration_seconds",
        Some(report.duration_seconds),
    )?;
    number(
        table,
        "report",
        "interval_seconds",
        Some(report.interval_seconds),
    )
}

fn source(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    for one in &report.source.interfaces {
        for (way, counted) in [
            ("ingress", one.counted.ingress),
            ("egress", one.counted.egress),
            ("unknown_direction", one.counted.unknown),
        ] {
            counts(table, "interface", &format!("{} {way}", one.name), counted)?;
        }
    }
    for one in &report.accounting.interface_counters {
        table.text("interface_counters")?;
        table.text(&format!("{} {}", one.interface, one.direction))?;
        table.number(one.packets)?;
        table.number(one.bytes)?;
        table.text(&one.verdict)?;
        table.end_row()?;
    }
    for one in &report.source.files {
        table.text("file")?;
        table.text(&one.path)?;
        table.number(one.packets)?;
        table.empty(1)?;
        table.text(one.error.as_deref().unwrap_or("complete"))?;
        table.end_row()?;
    }
    Ok(())
}

fn totals(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    let totals = &report.totals;
    counts(table, "totals", "all", totals.counts())?;
    counts(table, "totals", "ingress", totals.ingress)?;
    counts(table, "totals", "egress", totals.egress)?;
    counts(
        table,
        "totals",
        "unknown_direction",
        totals.unknown_direction,
    )?;
    table.text("totals")?;
    table.text("captured")?;
    table.empty(1)?;
    table.number(totals.captured_bytes)?;
    table.empty(1)?;
    table.end_row()
}

fn accounting(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    let accounting = &report.accounting;
    for (name, counted) in [
        ("seen", accounting.seen),
        ("in_flows", accounting.in_flows),
        ("overflow", accounting.overflow),
        ("not_ip", accounting.not_ip),
        ("filtered", accounting.filtered),
        ("duplicates", accounting.duplicates),
    ] {
        counts(table, "accounting", name, counted)?;
    }
    let holds = accounting.identity_holds.to_string();
    value(table, "accounting", "identity_holds", &holds)?;
    for (transport, counted) in &accounting.overflow_by_transport {
        counts(table, "overflow_by_transport", transport, *counted)?;
    }
    for (reason, counted) in &accounting.malformed {
        counts(table, "malformed", reason, *counted)?;
    }
    for (place, packets) in &accounting.lost {
        table.text("lost")?;
        table.text(place)?;
        table.number(packets)?;
        table.empty(2)?;
        table.end_row()?;
    }
    Ok(())
}

fn rates(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    let rates = &report.bandwidth;
    for (name, rate) in [
        ("mean_bits_per_sec", rates.mean_bits_per_sec),
        ("peak_bits_per_sec", rates.peak_bits_per_sec),
        ("p50_bits_per_sec", rates.p50_bits_per_sec),
        ("p95_bits_per_sec", rates.p95_bits_per_sec),
        ("p99_bits_per_sec", rates.p99_bits_per_sec),
        ("mean_packets_per_sec", rates.mean_packets_per_sec),
    ] {
        number(table, "bandwidth", name, rate)?;
    }
    number(table, "bandwidth", "peak_start", rates.peak_start)
}

fn counts(table: &mut Table<'_>, group: &str, name: &str, counts: Counts) -> io::Result<()> {
    table.text(group)?;
    table.text(name)?;
    table.counts(counts)?;
    table.empty(1)?;
    table.end_row()
}

fn value(table: &mut Table<'_>, group: &str, name: &str, value: &str) -> io::Result<()> {
    table.text(group)?;
    table.text(name)?;
    table.empty(2)?;
    table.text(value)?;
    table.end_row()
}

fn number(
    table: &mut Table<'_>,
    group: &str,
    name: &str,
    number: Option<impl Display>,
) -> io::Result<()> {
    table.text(group)?;
    table.text(name)?;
    table.empty(2)?;
    table.maybe_number(number)?;
    table.end_row()
}
