//! A report with its processes: each flow's, and all of them by what they sent and received.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use sensor_common::flow::Direction;
use sensor_common::protocol::ip;

use super::memory::Memory;
use crate::counters::{Counts, Delta};
use crate::report::{FlowRow, InterfaceInfo, Process, ProcessRow, Processes, Report};

pub(super) fn explain(
    memory: &Memory,
    delta: &Delta,
    interfaces: &[InterfaceInfo],
    top_n: usize,
    report: &mut Report,
) {
    for row in &mut report.flows {
        row.process = of_row(memory, interfaces, row);
    }
    report.processes = Some(ranked(memory, delta, interfaces, top_n));
}

/// Which ends of a flow are local sockets of this machine: the one at our side of the interface; on loopback both.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Local {
    Src,
    Dst,
    /// Nobody says which: the first that is known.
    Either,
    Both,
}

impl Local {
    fn new(direction: Direction, loopback: bool) -> Self {
        match direction {
            _ if loopback => Local::Both,
            Direction::Egress => Local::Src,
            Direction::Ingress => Local::Dst,
            Direction::Unknown => Local::Either,
        }
    }

    /// A packet has one local end, but on loopback one process sends it and one receives it.
    fn ends(self) -> usize {
        if self == Local::Both { 2 } else { 1 }
    }
}

struct Owners<'a> {
    src: Option<&'a Arc<Process>>,
    dst: Option<&'a Arc<Process>>,
}

type End = (IpAddr, u16);

fn owners(memory: &Memory, local: Local, transport: u8, src: End, dst: End) -> Owners<'_> {
    let ported = src.1 != 0 || dst.1 != 0;
    let of = |is_local: bool, this, other| match is_local && ported {
        true => memory.owner(transport, this, other),
        false => None,
    };
    let src_owner = of(local != Local::Dst, src, dst);
    let dst_asked = match local {
        Local::Src => false,
        Local::Either => src_owner.is_none(),
        Local::Dst | Local::Both => true,
    };
    Owners {
        src: src_owner,
        dst: of(dst_asked, dst, src),
    }
}

pub(super) fn of_row(
    memory: &Memory,
    interfaces: &[InterfaceInfo],
    row: &FlowRow,
) -> Option<Process> {
    let transport = match row.transport.as_str() {
        "tcp" => ip::TCP,
        "udp" => ip::UDP,
        _ => return None,
    };
    let name = row.interface.as_ref()?;
    let loopback = interfaces
        .iter()
        .any(|one| one.name == *name && is_loopback(one));
    let direction = match &*row.direction {
        "ingress" => Direction::Ingress,
        "egress" => Direction::Egress,
        _ => Direction::Unknown,
    };
    let (src, dst) = ((row.src_addr, row.src_port), (row.dst_addr, row.dst_port));
    let owners = owners(memory, Local::new(direction, loopback), transport, src, dst);
    owners.src.or(owners.dst).map(|owner| Process::clone(owner))
}

#[derive(Default)]
struct Sum {
    pid: Option<u32>,
    several: bool,
    sent: Counts,
    received: Counts,
    flows: u64,
}

type Who<'a> = (Option<&'a str>, Option<&'a str>);

fn ranked(memory: &Memory, delta: &Delta, interfaces: &[InterfaceInfo], top_n: usize) -> Processes {
    let mut sums: HashMap<Who<'_>, Sum, RandomState> = HashMap::default();
    let mut unknown = overflow(delta, interfaces);
    for flow in delta.flows().iter().filter(|flow| flow.key.is_ip()) {
        let key = &flow.key;
        let local = Local::new(key.direction(), on_loopback(interfaces, key.slot()));
        let (src, dst) = (
            (key.src_addr(), key.src_port()),
            (key.dst_addr(), key.dst_port()),
        );
        let owners = owners(memory, local, key.protocol(), src, dst);
        let counts = flow.counts();
        if let Some(owner) = owners.src {
            sum_of(&mut sums, owner).sent += counts;
        }
        if let Some(owner) = owners.dst {
            sum_of(&mut sums, owner).received += counts;
        }
        let known = usize::from(owners.src.is_some()) + usize::from(owners.dst.is_some());
        for _ in known..local.ends() {
            unknown += counts;
        }
    }
    let mut list: Vec<ProcessRow> = sums.into_iter().map(row).collect();
    list.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)));
    let total = list.len() as u64;
    let rest = match top_n {
        0 => Vec::new(),
        n => list.split_off(n.min(list.len())),
    };
    Processes {
        list,
        total,
        others: rest.iter().map(|row| row.sent + row.received).sum(),
        unknown,
    }
}

fn sum_of<'a, 'b>(
    sums: &'b mut HashMap<Who<'a>, Sum, RandomState>,
    owner: &'a Process,
) -> &'b mut Sum {
    let sum = sums
        .entry((owner.name.as_deref(), owner.cgroup.as_deref()))
        .or_default();
    sum.several |= sum.flows > 0 && sum.pid != owner.pid;
    sum.pid = owner.pid;
    sum.flows += 1;
    sum
}

fn row(((name, cgroup), sum): (Who<'_>, Sum)) -> ProcessRow {
    ProcessRow {
        name: name.map(str::to_owned),
        cgroup: cgroup.map(str::to_owned),
        pid: sum.pid.filter(|_| !sum.several),
        sent: sum.sent,
        received: sum.received,
        flows: sum.flows,
    }
}

/// By bytes, then packets, descending; then by name.
fn rank(row: &ProcessRow) -> impl Ord + use<'_> {
    let both = row.sent + row.received;
    (Reverse((both.bytes, both.packets)), &row.name, &row.cgroup)
}

/// Whose addresses nobody kept.
fn overflow(delta: &Delta, interfaces: &[InterfaceInfo]) -> Counts {
    let (_, slots) = delta.accounting();
    let of_slot = |one: &crate::counters::SlotAccounting| {
        let counts = one.accounting.overflow;
        match on_loopback(interfaces, one.slot) {
            true => counts + counts,
            false => counts,
        }
    };
    slots.iter().map(of_slot).sum()
}

fn on_loopback(interfaces: &[InterfaceInfo], slot: u8) -> bool {
    interfaces
        .iter()
        .any(|one| one.slot == slot && is_loopback(one))
}

fn is_loopback(interface: &InterfaceInfo) -> bool {
    interface.link_type == "loopback"
}
