//! The rows of two reports side by side.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use sensor_common::classify::by_port;
use sensor_common::protocol::ip;

use super::amount::{Range, certain_change, possible_change, verdict};
use super::{Amount, Both, Everything, List, Measure, Row, Verdict, Verdicts};
use crate::report::{self, Counts, Name, Report};

/// One list of a report by what its rows are about, and what may be said of those that are not in it.
pub(super) struct Table<K, X> {
    rows: BTreeMap<K, (Counts, X)>,
    /// Of what is not listed: the most bytes of one. 0: everything is listed.
    unlisted: u64,
    /// What each listed row may have beyond what is said.
    beyond: u64,
}

/// How two reports are compared.
pub(super) struct Compare {
    seconds: Both<f64>,
    counts: Both<Counts>,
    top_n: usize,
}

impl Compare {
    pub(super) fn new(both: &Both<&Report>, top_n: usize) -> Self {
        Compare {
            seconds: both.map(|report| report.duration_seconds),
            counts: both.map(|report| report.totals.counts()),
            top_n,
        }
    }

    pub(super) fn measure(&self) -> Measure {
        match self.seconds.a > 0.0 && self.seconds.b > 0.0 {
            true => Measure::BitsPerSec,
            false => Measure::Bytes,
        }
    }

    pub(super) fn totals(&self) -> Row<Everything> {
        self.row(Everything {}, (self.counts.a, None), (self.counts.b, None))
            .0
    }

    /// `key` makes what is shown of a row from its key, and from what B says more of it, else A.
    pub(super) fn list<K: Ord + Clone, X: Clone + Default + PartialEq, Shown>(
        &self,
        tables: Both<Table<K, X>>,
        key: impl Fn(K, X) -> Shown,
    ) -> List<Shown> {
        let Both { a, b } = &tables;
        let keys: BTreeSet<&K> = a.rows.keys().chain(b.rows.keys()).collect();
        let mut verdicts = Verdicts::default();
        let mut list: Vec<(Row<K>, f64)> = Vec::new();
        for one in keys {
            let (row, possible) = self.row(one.clone(), a.amount(one), b.amount(one));
            verdicts.count(row.verdict);
            if row.verdict != Verdict::Same {
                list.push((row, possible));
            }
        }
        list.sort_by(by_change);
        let total = list.len() as u64;
        if self.top_n > 0 {
            list.truncate(self.top_n);
        }
        let shown = |(row, _): (Row<K>, f64)| {
            let more = b.more(&row.key).or_else(|| a.more(&row.key));
            Row {
                key: key(row.key, more.unwrap_or_default()),
                verdict: row.verdict,
                a: row.a,
                b: row.b,
                change: row.change,
                factor: row.factor,
            }
        };
        List {
            rows: list.into_iter().map(shown).collect(),
            total,
            verdicts,
        }
    }

    /// And the largest change that there may be.
    fn row<K>(&self, key: K, a: (Counts, Option<u64>), b: (Counts, Option<u64>)) -> (Row<K>, f64) {
        let amount = |(counts, most), seconds| Amount::new(counts, most, seconds);
        let (a, b) = (amount(a, self.seconds.a), amount(b, self.seconds.b));
        let unit = |seconds: f64| match self.measure() {
            Measure::BitsPerSec => 8.0 / seconds,
            Measure::Bytes => 1.0,
        };
        let (in_a, in_b) = (
            Range::of(&a, unit(self.seconds.a)),
            Range::of(&b, unit(self.seconds.b)),
        );
        let factor = in_b.least / in_a.least;
        let row = Row {
            key,
            verdict: verdict(in_a, in_b),
            a,
            b,
            change: certain_change(in_a, in_b),
            factor: Some(factor).filter(|factor| factor.is_finite() && *factor > 0.0),
        };
        (row, possible_change(in_a, in_b))
    }
}

/// The largest certain change first, then the largest that there may be, then by what the rows are about.
fn by_change<K: Ord>((a, may_a): &(Row<K>, f64), (b, may_b): &(Row<K>, f64)) -> Ordering {
    let certain = |row: &Row<K>| row.change.abs();
    certain(b)
        .total_cmp(&certain(a))
        .then(may_b.total_cmp(may_a))
        .then_with(|| a.key.cmp(&b.key))
}

impl<K: Ord, X: Clone + Default + PartialEq> Table<K, X> {
    fn new(unlisted: u64, beyond: u64) -> Self {
        Table {
            rows: BTreeMap::new(),
            unlisted,
            beyond,
        }
    }

    fn add(&mut self, key: K, counts: Counts, more: X) {
        let row = self.rows.entry(key).or_insert((Counts::ZERO, more));
        row.0 = Counts {
            packets: row.0.packets.saturating_add(counts.packets),
            bytes: row.0.bytes.saturating_add(counts.bytes),
        };
    }

    /// What there is of it, and the most bytes that it may have.
    fn amount(&self, key: &K) -> (Counts, Option<u64>) {
        match self.rows.get(key) {
            Some((counts, _)) => (*counts, Some(counts.bytes.saturating_add(self.beyond))),
            None => (Counts::ZERO, Some(self.unlisted)),
        }
    }

    fn more(&self, key: &K) -> Option<X> {
        let (_, more) = self.rows.get(key)?;
        Some(more.clone()).filter(|more| *more != X::default())
    }
}

/// Each of the layers' lists is complete.
pub(super) fn protocols(list: &[report::Protocol]) -> Table<String, ()> {
    let mut table = Table::new(0, 0);
    for one in list {
        let counts = Counts {
            packets: one.packets,
            bytes: one.bytes,
        };
        table.add(one.name.clone(), counts, ());
    }
    table
}

pub(super) fn endpoints(report: &Report) -> Table<IpAddr, Vec<Name>> {
    let list = &report.endpoints;
    let smallest = list.last().map(|one| (one.sent + one.received).bytes);
    let (unlisted, beyond) = limits(report, smallest, report.others.endpoints);
    let mut table = Table::new(unlisted, beyond);
    for one in list {
        table.add(one.addr, one.sent + one.received, one.names.clone());
    }
    table
}

type PairNames = (Vec<Name>, Vec<Name>);

pub(super) fn conversations(report: &Report) -> Table<(IpAddr, IpAddr), PairNames> {
    let list = &report.conversations;
    let smallest = list.last().map(|one| (one.a_to_b + one.b_to_a).bytes);
    let (unlisted, beyond) = limits(report, smallest, report.others.conversations);
    let mut table = Table::new(unlisted, beyond);
    for one in list {
        let names = (one.a_names.clone(), one.b_names.clone());
        table.add((one.a, one.b), one.a_to_b + one.b_to_a, names);
    }
    table
}

/// Any of the flows that are left out may be of any port.
pub(super) fn ports(report: &Report) -> Table<(String, u16), ()> {
    let left_out = report.others.flows.bytes;
    let mut table = Table::new(left_out, left_out);
    for flow in &report.flows {
        let counts = Counts {
            packets: flow.packets,
            bytes: flow.bytes,
        };
        let port = server_port(&flow.transport, flow.src_port, flow.dst_port);
        if port > 0 {
            table.add((flow.transport.clone(), port), counts, ());
        }
    }
    table
}

/// The most that an unlisted row may have, and what a listed one may have beyond what is said.
fn limits(report: &Report, smallest: Option<u64>, left_out: Counts) -> (u64, u64) {
    if report.lists_at_least {
        return (left_out.bytes, left_out.bytes);
    }
    // Packets without room in the flow table are in no row, and may be all of one address.
    let unplaced = report.accounting.overflow.bytes;
    let ranked = smallest.filter(|_| unplaced == 0).unwrap_or(u64::MAX);
    (left_out.bytes.min(ranked), 0)
}

/// The side of a flow that is asked: the lower known port, else the lower one. 0 where there are no ports.
fn server_port(transport: &str, one: u16, other: u16) -> u16 {
    let (low, high) = (one.min(other), one.max(other));
    let known = |port: &u16| service(transport, *port).is_some();
    [low, high].into_iter().find(known).unwrap_or(low)
}

pub(super) fn service(transport: &str, port: u16) -> Option<Cow<'static, str>> {
    let protocol = match transport {
        "tcp" => ip::TCP,
        "udp" => ip::UDP,
        "sctp" => ip::SCTP,
        _ => return None,
    };
    by_port(protocol, port, port).map(|known| known.name().into())
}
