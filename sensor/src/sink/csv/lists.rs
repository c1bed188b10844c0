//! The ranked lists: endpoints.csv, conversations.csv and flows.csv.

use std::io;

use super::table::Table;
use super::{File, OTHERS};
use crate::report::{Conversation, Counts, Endpoint, FlowRow, Report};

pub(super) const ENDPOINTS: File = File {
    name: "endpoints.csv",
    columns: &[
        "addr",
        "name",
        "name_source",
        "more_names",
        "country",
        "country_name",
        "city",
        "asn",
        "as_org",
        "sent_packets",
        "sent_bytes",
        "received_packets",
        "received_bytes",
        "packets",
        "bytes",
    ],
    rows: endpoints,
};

pub(super) const CONVERSATIONS: File = File {
    name: "conversations.csv",
    columns: &[
        "a",
        "a_name",
        "a_name_source",
        "a_more_names",
        "b",
        "b_name",
        "b_name_source",
        "b_more_names",
        "a_to_b_packets",
        "a_to_b_bytes",
        "b_to_a_packets",
        "b_to_a_bytes",
        "packets",
        "bytes",
        "start",
        "end",
        "duration_seconds",
    ],
    rows: conversations,
};

pub(super) const FLOWS: File = File {
    name: "flows.csv",
    columns: &[
        "src_addr",
        "src_port",
        "dst_addr",
        "dst_port",
        "transport",
        "protocol",
        "classified_by",
        "name",
        "name_source",
        "more_names",
        "packets",
        "bytes",
        "start",
        "end",
        "duration_seconds",
        "tcp_flags",
        "interface",
        "direction",
        "tls_version",
        "tls_alpn",
        "tls_ja4",
        "http_method",
        "http_host",
        "http_status",
        "http_user_agent",
        "pid",
        "process",
        "cgroup",
    ],
    rows: flows,
};

fn endpoints(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    let (mut sent, mut received) = (Counts::ZERO, Counts::ZERO);
    for one in &report.endpoints {
        endpoint(one, table)?;
        sent += one.sent;
        received += one.received;
    }
    let others = report.others.endpoints;
    if others == Counts::ZERO {
        return Ok(());
    }
    table.text(OTHERS)?;
    table.empty(8)?;
    // Each packet is sent by one endpoint and received by one: so the report says how much of each is left out.
    let whole = report.accounting.in_flows + report.accounting.overflow;
    table.counts(less(whole, sent))?;
    table.counts(less(whole, received))?;
    table.counts(others)?;
    table.end_row()
}

fn endpoint(one: &Endpoint, table: &mut Table<'_>) -> io::Result<()> {
    table.number(one.addr)?;
    table.names(&one.names)?;
    match &one.geo {
        None => table.empty(5)?,
        Some(geo) => {
            table.maybe(geo.country.as_deref())?;
            table.maybe(geo.country_name.as_deref())?;
            table.maybe(geo.city.as_deref())?;
            table.maybe_number(geo.asn)?;
            table.maybe(geo.as_org.as_deref())?;
        }
    }
    table.counts(one.sent)?;
    table.counts(one.received)?;
    table.counts(one.sent + one.received)?;
    table.end_row()
}

fn conversations(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    for one in &report.conversations {
        conversation(one, table)?;
    }
    let others = report.others.conversations;
    if others == Counts::ZERO {
        return Ok(());
    }
    table.text(OTHERS)?;
    // Which way they went the report does not say.
    table.empty(11)?;
    table.counts(others)?;
    table.empty(3)?;
    table.end_row()
}

fn conversation(one: &Conversation, table: &mut Table<'_>) -> io::Result<()> {
    table.number(one.a)?;
    table.names(&one.a_names)?;
    table.number(one.b)?;
    table.names(&one.b_names)?;
    table.counts(one.a_to_b)?;
    table.counts(one.b_to_a)?;
    table.counts(one.a_to_b + one.b_to_a)?;
    table.span(one.start, one.end)?;
    table.end_row()
}

fn flows(report: &Report, table: &mut Table<'_>) -> io::Result<()> {
    for one in &report.flows {
        flow(one, table)?;
    }
    let others = report.others.flows;
    if others == Counts::ZERO {
        return Ok(());
    }
    table.text(OTHERS)?;
    table.empty(9)?;
    table.counts(others)?;
    table.empty(16)?;
    table.end_row()
}

fn flow(one: &FlowRow, table: &mut Table<'_>) -> io::Result<()> {
    table.number(one.src_addr)?;
    table.number(one.src_port)?;
    table.number(one.dst_addr)?;
    table.number(one.dst_port)?;
    table.text(&one.transport)?;
    table.text(&one.protocol)?;
    table.maybe(one.classified_by.as_deref())?;
    table.names(&one.names)?;
    table.number(one.packets)?;
    table.number(one.bytes)?;
    table.span(one.start, one.end)?;
    table.maybe(one.tcp_flags.as_deref())?;
    table.maybe(one.interface.as_deref())?;
    table.text(&one.direction)?;
    handshake(one, table)?;
    match &one.process {
        None => table.empty(3)?,
        Some(process) => {
            table.maybe_number(process.pid)?;
            table.maybe(process.name.as_deref())?;
            table.maybe(process.cgroup.as_deref())?;
        }
    }
    table.end_row()
}

fn handshake(one: &FlowRow, table: &mut Table<'_>) -> io::Result<()> {
    match &one.tls {
        None => table.empty(3)?,
        Some(tls) => {
            table.maybe(tls.version.as_deref())?;
            table.text(&tls.alpn.join(" "))?;
            table.maybe(tls.ja4.as_deref())?;
        }
    }
    match &one.http {
        None => table.empty(4),
        Some(http) => {
            table.maybe(http.method.as_deref())?;
            table.maybe(http.host.as_deref())?;
            table.maybe_number(http.status)?;
            table.maybe(http.user_agent.as_deref())
        }
    }
}

/// Zero where a report that was read from a file does not add up.
fn less(whole: Counts, part: Counts) -> Counts {
    Counts {
        packets: whole.packets.saturating_sub(part.packets),
        bytes: whole.bytes.saturating_sub(part.bytes),
    }
}
