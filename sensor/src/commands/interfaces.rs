//! `sensor interfaces`: what can be captured here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::cli;
use crate::failure::{Exit, Failure};
use crate::link::{self, Link, LinkError};
use crate::privilege;
use crate::{escape, sink, status};

#[derive(Serialize)]
struct Row {
    name: String,
    ifindex: u32,
    state: &'static str,
    link_type: &'static str,
    kind: Option<String>,
    driver: Option<String>,
    mtu: u32,
    addresses: Vec<IpAddr>,
    /// Program id of what holds the XDP hook.
    xdp_program: Option<u32>,
    default_route: bool,
}

pub fn run(args: &cli::Interfaces) -> Result<Exit, Failure> {
    let rows = rows().map_err(|error| Failure::new(Exit::Failed, error))?;
    let result = sink::write_stdout(|to| {
        if args.json {
            serde_json::to_writer_pretty(&mut *to, &rows)?;
            writeln!(to)
        } else {
            write!(to, "{}", table(&rows))
        }
    });
    result.map_err(|error| Failure::new(Exit::Output, error))?;
    if let Some(missing) =
        privilege::missing(privilege::EBPF).or_else(|| privilege::missing(privilege::AF_PACKET))
    {
        status::note(&format!("counting on them: {missing}"));
    }
    Ok(Exit::Ok)
}

fn rows() -> Result<Vec<Row>, LinkError> {
    let mut addresses = link::addresses()?;
    let default = link::default_route()?;
    let row = |link: Link| Row {
        ifindex: link.index,
        state: link.state(),
        link_type: link.link_type(),
        driver: link::driver(&link.name),
        kind: link.kind,
        mtu: link.mtu,
        addresses: take_addresses(&mut addresses, link.index),
        xdp_program: link.xdp.map(|xdp| xdp.prog_id),
        default_route: default == Some(link.index),
        name: link.name,
    };
    Ok(link::links()?.into_iter().map(row).collect())
}

fn take_addresses(all: &mut BTreeMap<u32, Vec<link::Address>>, index: u32) -> Vec<IpAddr> {
    all.remove(&index)
        .unwrap_or_default()
        .into_iter()
        .map(|address| address.addr)
        .collect()
}

fn table(rows: &[Row]) -> String {
    let mut cells = vec![["NAME", "STATE", "TYPE", "DRIVER", "MTU", "NOTES"].map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        [
            escape::text(&row.name),
            row.state.to_owned(),
            escape::text(row.kind.as_deref().unwrap_or(row.link_type)),
            escape::text(row.driver.as_deref().unwrap_or("-")),
            row.mtu.to_string(),
            notes(row),
        ]
    }));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        cells
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for row in &cells {
        let padded: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text += padded.join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn notes(row: &Row) -> String {
    let mut notes: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
    if row.default_route {
        notes.insert(0, "default route".to_owned());
    }
    if let Some(program) = row.xdp_program {
        notes.push(format!("XDP hook taken by program id {program}"));
    }
    notes.join(", ")
}
