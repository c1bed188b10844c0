//! protocols.csv: the three lists of protocols below one another.

use std::io;

use super::File;
use super::table::Table;
use crate::names::How;
use crate::report::{Protocol, Report};

pub(super) const FILE: File = File {
    name: "protocols.csv",
    columns: &[
        "layer",
        "name",
        "packets",
        "bytes",
        "packets_percent",
        "bytes_percent",
        "payload_packets",
        "payload_bytes",
        "handshake_packets",
        "handshake_bytes",
        "expectation_packets",
        "expectation_bytes",
        "port_packets",
        "port_bytes",
    ],
    rows,
};

/// In the order of the columns.
const HOWS: [How; 4] = [How::Payload, How::Handshake, How::Expectation, How::Port];

fn rows(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    let lists = &report.protocols;
    for (layer, list) in [
        ("network", &lists.network),
        ("transport", &lists.transport),
        ("application", &lists.application),
    ] {
        list.iter().try_for_each(|one| row(layer, one, table))?;
    }
    Ok(())
}

fn row(layer: &str, one: &Protocol, table: &mut Table<'_>) -> io::Result<()> {
    table.text(layer)?;
    table.text(&one.name)?;
    table.number(one.packets)?;
    table.number(one.bytes)?;
    table.number(one.packets_percent)?;
    table.number(one.bytes_percent)?;
    for how in HOWS {
        match one.classified_by.get(how.name()) {
            Some(counts) => table.counts(*counts)?,
            None => table.empty(2)?,
        }
    }
    table.end_row()
}
