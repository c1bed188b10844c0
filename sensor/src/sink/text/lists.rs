//! The tables of a report: protocols, top talkers, conversations, flows.

use std::net::IpAddr;

use super::names::{self, GUESS};
use super::spark::two_toned_bar;
use super::table::{Align, Table};
use crate::names::How;
use crate::report::{Counts, FlowRow, Protocol, Report, Time};
use crate::units;

use Align::{Left, Right};

pub(super) fn protocols(list: &[Protocol], layer: &str, width: usize) -> Vec<String> {
    let titles = [
        (layer, Left),
        ("packets", Right),
        ("bytes", Right),
        ("share", Right),
        ("", Left),
    ];
    let mut table = Table::new(&titles);
    let bar_width = if width >= 80 { 24 } else { 10 };
    for one in list {
        let by_port = match one.bytes {
            0 => 0.0,
            all => one.bytes_percent * one.by_port().bytes as f64 / all as f64,
        };
        let cells = vec![
            units::count(one.packets),
            units::bytes(one.bytes),
            units::percent(one.bytes_percent),
            two_toned_bar(one.bytes_percent, by_port, bar_width),
        ];
        table.row(vec![name_column(one)], cells);
    }
    table.lines(width)
}

pub(super) fn endpoints(report: &Report, width: usize) -> Vec<String> {
    let titles = [
        ("address", Left),
        ("sent", Right),
        ("received", Right),
        ("total", Right),
        ("packets", Right),
    ];
    let mut table = Table::new(&titles);
    for one in &report.endpoints {
        let both = one.sent + one.received;
        let cells = vec![
            units::bytes(one.sent.bytes),
            units::bytes(one.received.bytes),
            units::bytes(both.bytes),
            units::count(both.packets),
        ];
        let addr = vec![one.addr.to_string()];
        table.row_with(addr, cells, names::of_endpoint(one));
    }
    let listed = report.endpoints.len();
    let more = more(listed, report.endpoints_total, report.others.endpoints);
    finished(&table, listed, more, width)
}

pub(super) fn conversations(report: &Report, width: usize) -> Vec<String> {
    let titles = [
        ("a <> b", Left),
        ("a > b", Right),
        ("b > a", Right),
        ("packets", Right),
        ("time", Right),
    ];
    let mut table = Table::new(&titles);
    for one in &report.conversations {
        let cells = vec![
            units::bytes(one.a_to_b.bytes),
            units::bytes(one.b_to_a.bytes),
            units::count((one.a_to_b + one.b_to_a).packets),
            lasted(one.start, one.end),
        ];
        let ends = vec![one.a.to_string(), format!("<> {}", one.b)];
        table.row_with(ends, cells, names::of_conversation(one));
    }
    let listed = report.conversations.len();
    let more = more(
        listed,
        report.conversations_total,
        report.others.conversations,
    );
    finished(&table, listed, more, width)
}

pub(super) fn flows(report: &Report, width: usize) -> Vec<String> {
    let titles = [
        ("source > destination", Left),
        ("protocol", Left),
        ("bytes", Right),
        ("packets", Right),
        ("time", Right),
        ("flags", Left),
    ];
    // Where there is little room the first columns are worth the most.
    let columns = if width >= 90 { titles.len() } else { 4 };
    let mut table = Table::new(&titles[..columns]);
    for one in &report.flows {
        let mut cells = vec![
            protocol(one),
            units::bytes(one.bytes),
            units::count(one.packets),
            lasted(one.start, one.end),
            one.tcp_flags.clone().unwrap_or_default(),
        ];
        cells.truncate(columns - 1);
        let source = end(one.src_addr, one.src_port);
        let destination = end(one.dst_addr, one.dst_port);
        let ends = vec![source, format!("> {destination}")];
        table.row_with(ends, cells, names::of_flow(one));
    }
    let listed = report.flows.len();
    let more = more(listed, report.flows_total, report.others.flows);
    finished(&table, listed, more, width)
}

/// The column has the same width in all three layers, so that their numbers stand below each other: that of
/// `ethertype-0x8899`.
fn name_column(one: &Protocol) -> String {
    let mut name = one.name.clone();
    if names::is_guess(one) {
        name.push(GUESS);
    }
    format!("{name:<16}")
}

fn finished(table: &Table, listed: usize, more: Option<String>, width: usize) -> Vec<String> {
    let mut lines = match listed {
        0 => vec!["  none".to_owned()],
        _ => table.lines(width),
    };
    lines.extend(more);
    lines
}

fn more(listed: usize, total: u64, left_out: Counts) -> Option<String> {
    if left_out == Counts::ZERO {
        return None;
    }
    let packets = units::packets(left_out.packets);
    let bytes = units::bytes(left_out.bytes);
    Some(match total.saturating_sub(listed as u64) {
        0 => format!("  and, without room in the flow table: {packets}, {bytes}"),
        rows => format!("  and {} more: {packets}, {bytes}", units::count(rows)),
    })
}

fn lasted(start: Option<Time>, end: Option<Time>) -> String {
    match (start, end) {
        (Some(start), Some(end)) => {
            units::duration((i128::from(end.0) - i128::from(start.0)) as f64 / 1e9)
        }
        _ => "-".into(),
    }
}

fn protocol(flow: &FlowRow) -> String {
    if flow.classified_by.is_none() {
        return flow.transport.clone();
    }
    let guess = match flow.classified_by.as_deref() == Some(How::Port.name()) {
        true => GUESS.to_string(),
        false => String::new(),
    };
    format!("{}/{}{guess}", flow.transport, flow.protocol)
}

fn end(addr: IpAddr, port: u16) -> String {
    match (addr, port) {
        (_, 0) => addr.to_string(),
        (IpAddr::V4(addr), port) => format!("{addr}:{port}"),
        (IpAddr::V6(addr), port) => format!("[{addr}]:{port}"),
    }
}
