//! Flows folded into endpoints and conversations, and the rows of the flow list.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::AddAssign;

use foldhash::fast::RandomState;
use sensor_common::flow::Direction;
use sensor_common::protocol::ip;

use super::rank::top;
use super::{Context, Conversation, Counts, Endpoint, FlowRow, Time, names};
use crate::counters::{Delta, Flow, FlowTable, transport_name};
use crate::names::Book;

/// One ranked list: its first rows, how many rows there are, and the sum of those left out.
pub(super) struct Ranked<T> {
    pub(super) rows: Vec<T>,
    pub(super) total: u64,
    pub(super) left_out: Counts,
}

/// `book` is asked for the rows that are listed, no others.
pub(super) fn endpoints(flows: &FlowTable, book: Option<&Book>, top_n: usize) -> Ranked<Endpoint> {
    let list = by_address(counted(flows), flows.len());
    let size = |(_, (sent, received)): &(Addr, (Counts, Counts))| *sent + *received;
    let ranked = ranked(list, top_n, size, |a, b| a.0.cmp(&b.0));
    ranked.map(|(addr, (sent, received))| Endpoint {
        addr: addr.into(),
        names: names::of_address(book, addr.into()),
        geo: None,
        sent,
        received,
    })
}

/// What the flows of each address add up to: what it sent, and what it received. `room`: how many flows there may be.
pub(crate) fn by_address<'a, V: Copy + Default + AddAssign>(
    flows: impl Iterator<Item = (&'a Flow, V)>,
    room: usize,
) -> Vec<(Addr, (V, V))> {
    let mut sums: HashMap<Addr, (V, V), RandomState> = sized_for(room);
    for (flow, amount) in flows {
        let (sent, _) = sums.entry(Addr::from(flow.key.src_addr())).or_default();
        *sent += amount;
        let (_, received) = sums.entry(Addr::from(flow.key.dst_addr())).or_default();
        *received += amount;
    }
    sums.into_iter().collect()
}

/// An [`IpAddr`] in the same order, that is hashed by the word instead of by the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Addr {
    ipv6: bool,
    bits: u128,
}

impl From<IpAddr> for Addr {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Addr {
                ipv6: false,
                bits: addr.to_bits().into(),
            },
            IpAddr::V6(addr) => Addr {
                ipv6: true,
                bits: addr.to_bits(),
            },
        }
    }
}

impl From<Addr> for IpAddr {
    fn from(addr: Addr) -> Self {
        match addr.ipv6 {
            false => Ipv4Addr::from_bits(addr.bits as u32).into(),
            true => Ipv6Addr::from_bits(addr.bits).into(),
        }
    }
}

/// What the flows between two addresses add up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<V> {
    pub(crate) a_to_b: V,
    pub(crate) b_to_a: V,
    first: i64,
    last: i64,
}

/// The same as [`by_address`] for each pair of addresses, the lesser one first.
pub(crate) fn by_pair<'a, V: Copy + Default + AddAssign>(
    flows: impl Iterator<Item = (&'a Flow, V)>,
    room: usize,
) -> Vec<((Addr, Addr), Pair<V>)> {
    let mut pairs: HashMap<(Addr, Addr), Pair<V>, RandomState> = sized_for(room);
    for (flow, amount) in flows {
        let (src, dst) = (
            Addr::from(flow.key.src_addr()),
            Addr::from(flow.key.dst_addr()),
        );
        let forward = src <= dst;
        let ends = if forward { (src, dst) } else { (dst, src) };
        let pair = match pairs.entry(ends) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Pair {
                a_to_b: V::default(),
                b_to_a: V::default(),
                first: i64::MAX,
                last: i64::MIN,
            }),
        };
        let way = if forward {
            &mut pair.a_to_b
        } else {
            &mut pair.b_to_a
        };
        *way += amount;
        pair.first = pair.first.min(flow.first);
        pair.last = pair.last.max(flow.last);
    }
    pairs.into_iter().collect()
}

pub(super) fn conversations(
    flows: &FlowTable,
    book: Option<&Book>,
    top_n: usize,
) -> Ranked<Conversation> {
    let list = by_pair(counted(flows), flows.len());
    let size = |(_, pair): &((Addr, Addr), Pair<Counts>)| pair.a_to_b + pair.b_to_a;
    let ranked = ranked(list, top_n, size, |a, b| a.0.cmp(&b.0));
    ranked.map(|((a, b), pair)| {
        let (start, end) = times(pair.first, pair.last);
        Conversation {
            a: a.into(),
            b: b.into(),
            a_names: names::of_address(book, a.into()),
            b_names: names::of_address(book, b.into()),
            a_to_b: pair.a_to_b,
            b_to_a: pair.b_to_a,
            start,
            end,
        }
    })
}

pub(super) fn flows(flows: &FlowTable, book: Option<&Book>, context: &Context) -> Ranked<FlowRow> {
    by_size(flows, context.top_n).map(|flow| flow_row(flow, book, context))
}

/// The flows that [`super::Report::flows`] lists, in its order.
pub fn listed_flows(delta: &Delta, top_n: usize) -> Vec<&Flow> {
    by_size(delta.flows(), top_n).rows
}

fn by_size(flows: &FlowTable, top_n: usize) -> Ranked<&Flow> {
    let list: Vec<&Flow> = with_addresses(flows).collect();
    let size = |flow: &&Flow| flow.counts();
    ranked(list, top_n, size, |a, b| order_of(a).cmp(&order_of(b)))
}

fn with_addresses(flows: &FlowTable) -> impl Iterator<Item = &Flow> {
    flows.iter().filter(|flow| flow.key.is_ip())
}

fn counted(flows: &FlowTable) -> impl Iterator<Item = (&Flow, Counts)> {
    with_addresses(flows).map(|flow| (flow, flow.counts()))
}

/// Room for as many as there are flows: growing step by step costs more than the counting itself.
fn sized_for<K, V>(flows: usize) -> HashMap<K, V, RandomState> {
    HashMap::with_capacity_and_hasher(flows, RandomState::default())
}

impl<T> Ranked<T> {
    fn map<U>(self, make: impl FnMut(T) -> U) -> Ranked<U> {
        Ranked {
            rows: self.rows.into_iter().map(make).collect(),
            total: self.total,
            left_out: self.left_out,
        }
    }
}

/// By bytes, then packets, descending; ties in the order of `tie`, which must tell any two apart.
fn ranked<T>(
    list: Vec<T>,
    top_n: usize,
    size: impl Fn(&T) -> Counts,
    tie: impl Fn(&T, &T) -> Ordering,
) -> Ranked<T> {
    let total = list.len() as u64;
    let rank = |one: &T| {
        let Counts { packets, bytes } = size(one);
        Reverse((bytes, packets))
    };
    let (rows, rest) = top(list, top_n, |a, b| {
        rank(a).cmp(&rank(b)).then_with(|| tie(a, b))
    });
    Ranked {
        rows,
        total,
        left_out: rest.iter().map(size).sum(),
    }
}

/// The key itself is no order: its words hold bytes in the packet's order.
fn order_of(flow: &Flow) -> impl Ord + use<> {
    let key = &flow.key;
    let from = (key.src_addr(), key.src_port());
    let to = (key.dst_addr(), key.dst_port());
    (
        from,
        to,
        key.protocol(),
        key.slot(),
        key.direction(),
        key.has_ports(),
    )
}

/// What a report says of one flow.
pub fn flow_row(flow: &Flow, book: Option<&Book>, context: &Context) -> FlowRow {
    let key = &flow.key;
    let (start, end) = times(flow.first, flow.last);
    let transport = transport_name(key.protocol()).into_owned();
    let application = flow.application();
    let told = names::of_flow(book, key);
    let interface = context
        .interfaces
        .iter()
        .find(|one| one.slot == key.slot())
        .map(|one| one.name.clone());
    FlowRow {
        src_addr: key.src_addr(),
        src_port: key.src_port(),
        dst_addr: key.dst_addr(),
        dst_port: key.dst_port(),
        protocol: application.map_or_else(|| transport.clone(), |known| known.name().to_owned()),
        classified_by: flow.how().map(|how| how.name().into()),
        transport,
        names: told.names,
        tls: told.tls,
        http: told.http,
        packets: flow.packets,
        bytes: flow.bytes,
        start,
        end,
        tcp_flags: (key.protocol() == ip::TCP).then(|| flag_letters(flow.tcp_flags)),
        interface,
        direction: direction_name(key.direction()).into(),
        process: None,
    }
}

fn flag_letters(flags: u8) -> String {
    "FSRPAUEC"
        .chars()
        .enumerate()
        .filter(|(bit, _)| flags & (1 << bit) != 0)
        .map(|(_, letter)| letter)
        .collect()
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Unknown => "unknown",
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

fn times(first: i64, last: i64) -> (Option<Time>, Option<Time>) {
    let timed = first <= last;
    (timed.then_some(Time(first)), timed.then_some(Time(last)))
}
