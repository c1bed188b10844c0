//! The rows of endpoints, conversations and flows, ranked.

use sensor_common::flow::Direction;
use sensor_common::protocol::ip;
use std::cmp::Ordering;
use std::thread;

use super::addresses::{Addr, Pair};
use super::rank::Top;
use super::{Context, Conversation, Counts, Endpoint, FlowRow, Time, names, parted};
use crate::counters::{Delta, Flow, FlowTable, transport_name};
use crate::names::Book;

/// One ranked list: its first rows, how many rows there are, and the sum of those left out.
pub(super) struct Ranked<T> {
    pub(super) rows: Vec<T>,
    pub(super) total: u64,
    pub(super) left_out: Counts,
}

/// Adding up fewer flows takes no longer than starting a thread and waiting for it.
const WORTH_A_THREAD: usize = 10_000;

/// By two threads, where that is wanted.
pub(super) fn lists(
    flows: &FlowTable,
    book: Option<&Book>,
    context: &Context,
) -> (Ranked<Endpoint>, Ranked<Conversation>, Ranked<FlowRow>) {
    let by_two = context.by_two && flows.len() >= WORTH_A_THREAD;
    let endpoints = || endpoints(flows, book, context.top_n);
    let (endpoints, (conversations, flows)) = both(by_two, endpoints, || {
        let conversations = conversations(flows, book, context.top_n);
        (conversations, self::flows(flows, book, context))
    });
    (endpoints, conversations, flows)
}

/// What both yield, at the same time if that is wanted and a thread is to be had.
fn both<A: Send, B>(
    at_once: bool,
    one: impl Fn() -> A + Sync,
    other: impl FnOnce() -> B,
) -> (A, B) {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("report".into());
        let aside = match at_once {
            true => builder.spawn_scoped(scope, &one).ok(),
            false => None,
        };
        let other = other();
        let one = match aside.map(thread::ScopedJoinHandle::join) {
            Some(Ok(one)) => one,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => one(),
        };
        (one, other)
    })
}

/// `book` is asked for the rows that are listed, no others.
fn endpoints(flows: &FlowTable, book: Option<&Book>, top_n: usize) -> Ranked<Endpoint> {
    let size = |(_, (sent, received)): &(Addr, (Counts, Counts))| *sent + *received;
    let mut ranking = Ranking::new(top_n, size, |a, b| a.0.cmp(&b.0));
    parted::by_address(flows, |one| ranking.add(size(&one), || one));
    ranking.finish().map(|(addr, (sent, received))| Endpoint {
        addr: addr.into(),
        names: names::of_address(book, addr.into()),
        geo: None,
        sent,
        received,
    })
}

fn conversations(flows: &FlowTable, book: Option<&Book>, top_n: usize) -> Ranked<Conversation> {
    let size = |(_, pair): &((Addr, Addr), Pair<Counts>)| pair.a_to_b + pair.b_to_a;
    let mut ranking = Ranking::new(top_n, size, |a, b| a.0.cmp(&b.0));
    parted::by_pair(flows, |one| ranking.add(size(&one), || one));
    ranking.finish().map(|((a, b), pair)| {
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

fn flows(flows: &FlowTable, book: Option<&Book>, context: &Context) -> Ranked<FlowRow> {
    by_size(flows, context.top_n).map(|flow| flow_row(&flow, book, context))
}

/// The flows that [`super::Report::flows`] lists, in its order.
pub fn listed_flows(delta: &Delta, top_n: usize) -> Vec<Flow> {
    by_size(delta.flows(), top_n).rows
}

fn by_size(flows: &FlowTable, top_n: usize) -> Ranked<Flow> {
    let tie = |a: &Flow, b: &Flow| order_of(a).cmp(&order_of(b));
    let mut ranking = Ranking::new(top_n, Flow::counts, tie);
    flows.each(|_, flow| {
        if flow.key().is_ip() {
            ranking.add(flow.counts(), || flow.flow());
        }
    });
    ranking.finish()
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

/// By bytes, then packets, the least first.
fn rank(Counts { packets, bytes }: Counts) -> (u64, u64) {
    (bytes, packets)
}

/// A list on its way to be [`Ranked`].
struct Ranking<T, S, C> {
    top: Top<T, C>,
    size: S,
    total: u64,
    sum: Counts,
}

impl<T, S: Fn(&T) -> Counts + Copy> Ranking<T, S, ()> {
    /// By bytes, then packets, descending; ties in the order of `tie`, which must tell any two apart.
    fn new<C: Fn(&T, &T) -> Ordering>(
        top_n: usize,
        size: S,
        tie: C,
    ) -> Ranking<T, S, impl Fn(&T, &T) -> Ordering> {
        let compare = move |a: &T, b: &T| {
            let descending = rank(size(b)).cmp(&rank(size(a)));
            descending.then_with(|| tie(a, b))
        };
        Ranking {
            top: Top::new(top_n, compare),
            size,
            total: 0,
            sum: Counts::ZERO,
        }
    }
}

impl<T, S: Fn(&T) -> Counts, C: Fn(&T, &T) -> Ordering> Ranking<T, S, C> {
    /// One of this size, which is made if it may be among the first.
    #[inline]
    fn add(&mut self, size: Counts, make: impl FnOnce() -> T) {
        self.total += 1;
        self.sum += size;
        let last = self.top.last().map(&self.size);
        if last.is_none_or(|last| rank(last) <= rank(size)) {
            self.top.push(make());
        }
    }

    fn finish(self) -> Ranked<T> {
        let rows = self.top.into_sorted();
        let mut left_out = self.sum;
        for row in &rows {
            let Counts { packets, bytes } = (self.size)(row);
            left_out.packets = left_out.packets.wrapping_sub(packets);
            left_out.bytes = left_out.bytes.wrapping_sub(bytes);
        }
        Ranked {
            rows,
            total: self.total,
            left_out,
        }
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
