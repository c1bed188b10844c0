//! buckets.csv: one row an interval; bucket_protocols.csv: one row an interval and protocol, as a pivot table takes it.

use std::io;

use super::File;
use super::table::Table;
use crate::report::Report;

pub(super) const FILE: File = File {
    name: "buckets.csv",
    columns: &[
        "start",
        "packets",
        "bytes",
        "ingress_packets",
        "ingress_bytes",
        "egress_packets",
        "egress_bytes",
        "unknown_direction_packets",
        "unknown_direction_bytes",
    ],
    rows,
};

pub(super) const PROTOCOLS: File = File {
    name: "bucket_protocols.csv",
    columns: &["start", "layer", "name", "packets", "bytes"],
    rows: protocols,
};

fn rows(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    for bucket in &report.buckets {
        table.number(bucket.start)?;
        table.number(bucket.packets)?;
        table.number(bucket.bytes)?;
        table.counts(bucket.ingress)?;
        table.counts(bucket.egress)?;
        table.counts(bucket.unknown_direction())?;
        table.end_row()?;
    }
    Ok(())
}

fn protocols(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    for bucket in &report.buckets {
        for (layer, protocols) in [
            ("transport", &bucket.transport),
            ("application", &bucket.application),
        ] {
            for (name, counts) in protocols {
                table.number(bucket.start)?;
                table.text(layer)?;
                table.text(name)?;
                table.counts(*counts)?;
                table.end_row()?;
            }
        }
    }
    Ok(())
}
