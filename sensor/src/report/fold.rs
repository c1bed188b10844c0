//! Flows folded into endpoints and conversations, and the rows of the flow list.

use std::cmp::{Ordering, Reverse};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::AddAssign;

use sensor_common::flow::Direction;
use sensor_common::protocol::ip;

use super::rank::top;
use super::{Context, Conversation, Counts, Endpoint, FlowRow, Time, names};
use crate::counters::{Delta, Flow, FlowTable, transport_name};
use crate::grouped::Grouped;
use crate::names::Book;

/// One ranked list: its first rows, how many rows there are, and the sum of those left out.
pub(super) struct Ranked<T> {
    pub(super) rows: Vec<T>,
    pub(super) total: u64,
    pub(super) left_out: Counts,
}

/// What the flows of each address add up to: what it sent, and what it received.
pub(crate) fn by_address<V: Copy + Default + AddAssign>(
    flows: impl Iterator<Item = (Flow, V)>,
) -> Vec<(Addr, (V, V))> {
    let mut ends: Ends<V> = Grouped::default();
    for (flow, amount) in flows {
        for (addr, is_source) in [(flow.key.src_addr(), true), (flow.key.dst_addr(), false)] {
            let addr = Addr::from(addr);
            let hash = ends.hash(&addr);
            let place = ends.place(hash, addr);
            let (sent, received) = ends.at_mut(place);
            *if is_source { sent } else { received } += amount;
        }
    }
    ends.into_list()
}

/// An [`IpAddr`] in the same order, that is hashed by the word instead of by the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Addr {
    ipv6: bool,
    bits: [u64; 2], // no u128, whose alignment would make it half as long again
}

impl From<IpAddr> for Addr {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Addr {
                ipv6: false,
                bits: [0, addr.to_bits().into()],
            },
            IpAddr::V6(addr) => Addr {
                ipv6: true,
                bits: [(addr.to_bits() >> 64) as u64, addr.to_bits() as u64],
            },
        }
    }
}

impl From<Addr> for IpAddr {
    fn from(addr: Addr) -> Self {
        let [high, low] = addr.bits;
        match addr.ipv6 {
            false => Ipv4Addr::from_bits(low as u32).into(),
            true => Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)).into(),
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

impl<V: Default> Default for Pair<V> {
    fn default() -> Self {
        Pair {
            a_to_b: V::default(),
            b_to_a: V::default(),
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

type Ends<V> = Grouped<Addr, (V, V)>;

/// Flows folded by address, and by pair of addresses, the lesser one first.
pub(crate) struct Folded<V> {
    ends: Ends<V>,
    /// By the places of both addresses in `ends`.
    pairs: Grouped<[u32; 2], Pair<V>>,
}

impl<V: Copy + Default + AddAssign> Folded<V> {
    /// `expected`: about so many flows will come.
    pub(crate) fn of(expected: usize, flows: impl Iterator<Item = (Flow, V)>) -> Self {
        let mut folded = Folded {
            ends: Grouped::with_room(expected),
            pairs: Grouped::with_room(expected),
        };
        let mut batch = Vec::with_capacity(BATCH);
        for (flow, amount) in flows {
            let ends = [flow.key.src_addr(), flow.key.dst_addr()].map(Addr::from);
            batch.push(Folding {
                hashes: ends.map(|end| folded.ends.hash(&end)),
                ends,
                amount,
                span: (flow.first, flow.last),
                pair: ([0; 2], 0),
            });
            if batch.len() == BATCH {
                folded.add(&mut batch);
            }
        }
        folded.add(&mut batch);
        folded
    }

    /// What each address sent and received.
    pub(super) fn ends(&self) -> &[(Addr, (V, V))] {
        self.ends.list()
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = ([Addr; 2], Pair<V>)> {
        let pairs = self.pairs.list().iter();
        pairs.map(|(places, pair)| (places.map(|place| *self.ends.key(place as usize)), *pair))
    }

    /// Step by step for all, so that they wait for memory together.
    fn add(&mut self, batch: &mut Vec<Folding<V>>) {
        for one in &*batch {
            one.hashes.iter().for_each(|hash| self.ends.prefetch(*hash));
        }
        for one in &mut *batch {
            let ([src, dst], amount) = (one.ends, one.amount);
            let from = self.ends.place(one.hashes[0], src);
            self.ends.at_mut(from).0 += amount;
            let to = self.ends.place(one.hashes[1], dst);
            self.ends.at_mut(to).1 += amount;
            let forward = src <= dst;
            let places = if forward { [from, to] } else { [to, from] };
            let places = places.map(|place| place as u32);
            one.pair = (places, self.pairs.hash(&places));
        }
        for one in &*batch {
            self.pairs.prefetch(one.pair.1);
        }
        for one in batch.drain(..) {
            let (places, hash) = one.pair;
            let place = self.pairs.place(hash, places);
            let pair = self.pairs.at_mut(place);
            let forward = one.ends[0] <= one.ends[1];
            let way = if forward {
                &mut pair.a_to_b
            } else {
                &mut pair.b_to_a
            };
            *way += one.amount;
            pair.first = pair.first.min(one.span.0);
            pair.last = pair.last.max(one.span.1);
        }
    }
}

const BATCH: usize = 64;

/// A flow on its way into [`Folded`].
struct Folding<V> {
    ends: [Addr; 2],
    hashes: [u64; 2],
    amount: V,
    span: (i64, i64),
    pair: ([u32; 2], u64),
}

pub(super) fn folded(flows: &FlowTable) -> Folded<Counts> {
    let counted = with_addresses(flows).map(|flow| {
        let counts = flow.counts();
        (flow, counts)
    });
    Folded::of(flows.len(), counted)
}

/// `book` is asked for the rows that are listed, no others.
pub(super) fn endpoints(
    folded: &Folded<Counts>,
    book: Option<&Book>,
    top_n: usize,
) -> Ranked<Endpoint> {
    let list = folded.ends().iter().copied();
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

pub(super) fn conversations(
    folded: &Folded<Counts>,
    book: Option<&Book>,
    top_n: usize,
) -> Ranked<Conversation> {
    let size = |(_, pair): &([Addr; 2], Pair<Counts>)| pair.a_to_b + pair.b_to_a;
    let ranked = ranked(folded.pairs(), top_n, size, |a, b| a.0.cmp(&b.0));
    ranked.map(|([a, b], pair)| {
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
    by_size(flows, context.top_n).map(|flow| flow_row(&flow, book, context))
}

/// The flows that [`super::Report::flows`] lists, in its order.
pub fn listed_flows(delta: &Delta, top_n: usize) -> Vec<Flow> {
    by_size(delta.flows(), top_n).rows
}

fn by_size(flows: &FlowTable, top_n: usize) -> Ranked<Flow> {
    ranked(with_addresses(flows), top_n, Flow::counts, |a, b| {
        order_of(a).cmp(&order_of(b))
    })
}

fn with_addresses(flows: &FlowTable) -> impl Iterator<Item = Flow> {
    flows.iter().filter(|flow| flow.key.is_ip())
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
    list: impl Iterator<Item = T>,
    top_n: usize,
    size: impl Fn(&T) -> Counts,
    tie: impl Fn(&T, &T) -> Ordering,
) -> Ranked<T> {
    let rank = |one: &T| {
        let Counts { packets, bytes } = size(one);
        Reverse((bytes, packets))
    };
    let (mut total, mut left_out) = (0, Counts::ZERO);
    let all = list.inspect(|one| {
        total += 1;
        left_out += size(one);
    });
    let rows = top(all, top_n, |a, b| {
        rank(a).cmp(&rank(b)).then_with(|| tie(a, b))
    });
    for row in &rows {
        let Counts { packets, bytes } = size(row);
        left_out.packets = left_out.packets.wrapping_sub(packets);
        left_out.bytes = left_out.bytes.wrapping_sub(bytes);
    }
    Ranked {
        rows,
        total,
        left_out,
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
