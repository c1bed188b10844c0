//! Buckets as JSON Lines: one object an interval, that can be told from another run's without its report.

mod live;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

pub use live::Live;

use super::{SinkError, write_atomically, write_stdout};
use crate::report::{BucketRow, Counts, Report, Time, schema_of};

/// Value of [`Line::schema`].
pub const SCHEMA: &str = "sensor.bucket/1";

/// What all lines of one run say.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    pub hostname: &'a str,
    pub backend: &'a str,
    pub filter: Option<&'a str>,
    pub interval_seconds: f64,
}

impl<'a> Origin<'a> {
    pub fn of(report: &'a Report) -> Self {
        Origin {
            hostname: &report.sensor.hostname,
            backend: &report.source.backend,
            filter: report.filter.as_deref(),
            interval_seconds: report.interval_seconds,
        }
    }
}

/// One interval with packets in it, schema `sensor.bucket/1`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Bucket")]
pub struct Line<'a> {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: Cow<'static, str>,
    /// Of where it was counted.
    pub hostname: &'a str,
    /// `xdp`, `tc`, `af-packet`, `af-xdp` or `file`.
    pub backend: &'a str,
    /// The expression that the packets match; null where there was none.
    pub filter: Option<&'a str>,
    pub start: Time,
    /// How long it is.
    pub interval_seconds: f64,
    pub packets: u64,
    pub bytes: u64,
    pub ingress: Counts,
    pub egress: Counts,
    pub unknown_direction: Counts,
    /// By the name of the transport; adds up to the whole.
    pub transport: &'a BTreeMap<String, Counts>,
    /// By the name of the application; adds up to the whole.
    pub application: &'a BTreeMap<String, Counts>,
}

/// What every line keeps to.
pub fn json_schema() -> Schema {
    schema_of::<Line<'_>>()
}

/// One line.
pub fn write_bucket(row: &BucketRow, origin: &Origin<'_>, mut to: impl Write) -> io::Result<()> {
    let line = Line {
        schema: SCHEMA.into(),
        hostname: origin.hostname,
        backend: origin.backend,
        filter: origin.filter,
        start: row.start,
        interval_seconds: origin.interval_seconds,
        packets: row.packets,
        bytes: row.bytes,
        ingress: row.ingress,
        egress: row.egress,
        unknown_direction: row.unknown_direction(),
        transport: &row.transport,
        application: &row.application,
    };
    serde_json::to_writer(&mut to, &line)?;
    to.write_all(b"\n")
}

/// All buckets of a report, in order of time.
pub fn write(report: &Report, mut to: impl Write) -> io::Result<()> {
    let origin = Origin::of(report);
    let mut buckets = report.buckets.iter();
    buckets.try_for_each(|row| write_bucket(row, &origin, &mut to))
}

/// To a file, whole or not at all; `-` is standard output.
pub fn write_to(report: &Report, path: &Path) -> Result<(), SinkError> {
    if path == Path::new("-") {
        return write_stdout(|to| write(report, to));
    }
    write_atomically(path, |to| write(report, to))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::samples;

    #[test]
    fn each_line_is_a_bucket_and_they_add_up() {
        let mut report = samples::report(5);
        report.filter = Some("tcp or udp".into());
        let mut out = Vec::new();
        write(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), report.buckets.len());
        let sum =
            |field: &str| -> u64 { lines.iter().map(|line| line[field].as_u64().unwrap()).sum() };
        assert_eq!(
            (sum("packets"), sum("bytes")),
            (report.totals.packets, report.totals.bytes)
        );
        for (line, row) in lines.iter().zip(&report.buckets) {
            assert_eq!(line["schema"], SCHEMA);
            assert_eq!(line["hostname"], "edge-7");
            assert_eq!(line["backend"], "xdp");
            assert_eq!(line["filter"], "tcp or udp");
            assert_eq!(line["start"], row.start.to_string());
            assert_eq!(line["interval_seconds"], report.interval_seconds);
            assert_eq!(
                line["transport"],
                serde_json::to_value(&row.transport).unwrap()
            );
            let ways = ["ingress", "egress", "unknown_direction"];
            let bytes: u64 = ways
                .iter()
                .map(|way| line[way]["bytes"].as_u64().unwrap())
                .sum();
            assert_eq!(line["bytes"], bytes);
        }
    }
}
