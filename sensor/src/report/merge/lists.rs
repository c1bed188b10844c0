//! Rows of lists, added up by what they are about.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::{
    Conversation, Counts, Endpoint, FlowRow, Name, Others, ProcessRow, Processes, Report, Time,
};
use super::sums::{add, apart, of};

/// A flow: the host that saw it, its ends, its transport, interface and direction.
type FlowId = (
    String,
    (IpAddr, u16),
    (IpAddr, u16),
    String,
    Option<String>,
    String,
);

#[derive(Default)]
pub(super) struct Lists {
    endpoints: BTreeMap<IpAddr, Endpoint>,
    conversations: BTreeMap<(IpAddr, IpAddr), Conversation>,
    flows: BTreeMap<FlowId, FlowRow>,
    processes: Option<BTreeMap<ProcessId, ProcessRow>>,
    process_rest: Processes,
    others: Others,
    /// Rows that the reports have and don't list.
    unlisted: ListTotals,
    unlisted_processes: u64,
    at_least: bool,
}

type ProcessId = (Option<String>, Option<String>);

/// How many rows each list has.
#[derive(Clone, Copy, Default)]
pub(super) struct ListTotals {
    pub(super) endpoints: u64,
    pub(super) conversations: u64,
    pub(super) flows: u64,
}

/// All rows, ranked, with what no report lists.
pub(super) struct Merged {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) conversations: Vec<Conversation>,
    pub(super) flows: Vec<FlowRow>,
    pub(super) processes: Option<Processes>,
    pub(super) others: Others,
    /// Where a row is below the top N of several reports, it is counted for each of them.
    pub(super) totals: ListTotals,
    pub(super) at_least: bool,
}

impl Lists {
    pub(super) fn add(&mut self, report: Report) {
        let left_out = |total: u64, listed: usize| total.saturating_sub(listed as u64);
        let unlisted = ListTotals {
            endpoints: left_out(report.endpoints_total, report.endpoints.len()),
            conversations: left_out(report.conversations_total, report.conversations.len()),
            flows: left_out(report.flows_total, report.flows.len()),
        };
        self.at_least |= report.lists_at_least
            || unlisted.endpoints + unlisted.conversations + unlisted.flows > 0;
        let sum = &mut self.unlisted;
        sum.endpoints = sum.endpoints.saturating_add(unlisted.endpoints);
        sum.conversations = sum.conversations.saturating_add(unlisted.conversations);
        sum.flows = sum.flows.saturating_add(unlisted.flows);
        add(&mut self.others.endpoints, report.others.endpoints);
        add(&mut self.others.conversations, report.others.conversations);
        add(&mut self.others.flows, report.others.flows);
        report
            .endpoints
            .into_iter()
            .for_each(|one| self.endpoint(one));
        let conversations = report.conversations.into_iter();
        conversations.for_each(|one| self.conversation(one));
        let host = &report.sensor.hostname;
        report
            .flows
            .into_iter()
            .for_each(|one| self.flow(host, one));
        if let Some(processes) = report.processes {
            self.processes(processes);
        }
    }

    /// `several`: interfaces are named with their hosts.
    pub(super) fn finish(self, several: bool) -> Merged {
        let flow = |((host, ..), mut row): (FlowId, FlowRow)| {
            if several {
                row.interface = row.interface.map(|name| apart(&host, &name));
            }
            row
        };
        let total = |listed: usize, unlisted: u64| unlisted.saturating_add(listed as u64);
        let mut rest = self.process_rest;
        let unlisted_processes = self.unlisted_processes;
        let processes = self.processes.map(|list| {
            rest.total = total(list.len(), unlisted_processes);
            rest.list = list.into_values().collect();
            rest
        });
        Merged {
            totals: ListTotals {
                endpoints: total(self.endpoints.len(), self.unlisted.endpoints),
                conversations: total(self.conversations.len(), self.unlisted.conversations),
                flows: total(self.flows.len(), self.unlisted.flows),
            },
            endpoints: self.endpoints.into_values().collect(),
            conversations: self.conversations.into_values().collect(),
            flows: self.flows.into_iter().map(flow).collect(),
            processes,
            others: self.others,
            at_least: self.at_least,
        }
    }

    fn endpoint(&mut self, one: Endpoint) {
        let Some(known) = self.endpoints.get_mut(&one.addr) else {
            self.endpoints.insert(one.addr, one);
            return;
        };
        add(&mut known.sent, one.sent);
        add(&mut known.received, one.received);
        unite(&mut known.names, one.names);
        known.geo = one.geo.or(known.geo.take());
    }

    fn conversation(&mut self, one: Conversation) {
        let Some(known) = self.conversations.get_mut(&(one.a, one.b)) else {
            self.conversations.insert((one.a, one.b), one);
            return;
        };
        add(&mut known.a_to_b, one.a_to_b);
        add(&mut known.b_to_a, one.b_to_a);
        unite(&mut known.a_names, one.a_names);
        unite(&mut known.b_names, one.b_names);
        known.start = earlier(known.start, one.start);
        known.end = known.end.max(one.end);
    }

    fn flow(&mut self, host: &str, one: FlowRow) {
        let id = (
            host.to_owned(),
            (one.src_addr, one.src_port),
            (one.dst_addr, one.dst_port),
            one.transport.clone(),
            one.interface.clone(),
            one.direction.to_string(),
        );
        let Some(known) = self.flows.get_mut(&id) else {
            self.flows.insert(id, one);
            return;
        };
        known.packets = known.packets.saturating_add(one.packets);
        known.bytes = known.bytes.saturating_add(one.bytes);
        if sureness(&one) >= sureness(known) {
            known.protocol = one.protocol;
            known.classified_by = one.classified_by;
        }
        unite(&mut known.names, one.names);
        known.tls = one.tls.or(known.tls.take());
        known.http = one.http.or(known.http.take());
        known.start = earlier(known.start, one.start);
        known.end = known.end.max(one.end);
        known.tcp_flags = flags(known.tcp_flags.take(), one.tcp_flags);
        known.process = one.process.or(known.process.take());
    }

    fn processes(&mut self, more: Processes) {
        let listed = more.list.len() as u64;
        let unlisted = more.total.saturating_sub(listed);
        self.unlisted_processes = self.unlisted_processes.saturating_add(unlisted);
        add(&mut self.process_rest.others, more.others);
        add(&mut self.process_rest.unknown, more.unknown);
        let rows = self.processes.get_or_insert_default();
        for one in more.list {
            let id = (one.name.clone(), one.cgroup.clone());
            let Some(known) = rows.get_mut(&id) else {
                rows.insert(id, one);
                continue;
            };
            add(&mut known.sent, one.sent);
            add(&mut known.received, one.received);
            known.flows = known.flows.saturating_add(one.flows);
            known.pid = known.pid.filter(|pid| one.pid == Some(*pid));
        }
    }
}

impl Merged {
    /// By bytes, then packets, as in every report; equal ones stay in the order of what they are about.
    pub(super) fn rank(&mut self) {
        let sum = |a: Counts, b: Counts| {
            let mut sum = a;
            add(&mut sum, b);
            sum
        };
        self.endpoints
            .sort_by(|a, b| by_size(sum(a.sent, a.received), sum(b.sent, b.received)));
        self.conversations
            .sort_by(|a, b| by_size(sum(a.a_to_b, a.b_to_a), sum(b.a_to_b, b.b_to_a)));
        self.flows
            .sort_by(|a, b| by_size(of(a.packets, a.bytes), of(b.packets, b.bytes)));
        if let Some(processes) = &mut self.processes {
            processes
                .list
                .sort_by(|a, b| by_size(sum(a.sent, a.received), sum(b.sent, b.received)));
        }
    }
}

fn by_size(a: Counts, b: Counts) -> Ordering {
    let size = |counts: Counts| Reverse((counts.bytes, counts.packets));
    size(a).cmp(&size(b))
}

fn unite(known: &mut Vec<Name>, more: Vec<Name>) {
    for name in more {
        if !known.contains(&name) {
            known.push(name);
        }
    }
}

fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A payload that came later tells more than a port.
fn sureness(flow: &FlowRow) -> u8 {
    match flow.classified_by.as_deref() {
        None => 0,
        Some("port") => 1,
        Some(_) => 2,
    }
}

fn flags(a: Option<String>, b: Option<String>) -> Option<String> {
    let (Some(a), Some(b)) = (&a, &b) else {
        return a.or(b);
    };
    let letters = "FSRPAUEC".chars();
    Some(
        letters
            .filter(|letter| a.contains(*letter) || b.contains(*letter))
            .collect(),
    )
}
