//! The lists that are looked at: talkers, conversations, flows and protocols, in the order that was asked for.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;

use sensor_common::flow::FlowKey;

use super::figures::{Amount, Figures};
use super::matching::Matching;
use crate::counters::{Class, Counts, Flow, transport_name};
use crate::names::How;
use crate::report;

/// Rows that can be scrolled through; there may be millions.
pub(super) const MOST_ROWS: usize = 1000;

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    Talker(IpAddr),
    Conversation(IpAddr, IpAddr),
    Flow(FlowKey),
    Protocol(String),
}

#[derive(Clone, Debug)]
pub struct Row {
    pub id: Id,
    /// Sent; from a to b; of flows and protocols all there is.
    pub forth: Amount,
    pub back: Amount,
    /// Protocol of a flow.
    pub protocol: Cow<'static, str>,
    /// Of a flow's protocol, or how much of a protocol: told by the port alone.
    pub by_port: Counts,
}

impl Row {
    pub fn both(&self) -> Amount {
        let mut both = self.forth;
        both += self.back;
        both
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Name,
    Protocol,
    /// Of the short window, one way each.
    Forth,
    Back,
    Short,
    Long,
    Total,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub column: Column,
    /// The least first; of names: the last first.
    pub reversed: bool,
    /// By packets instead of bytes.
    pub packets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Application,
    Transport,
    Network,
}

#[derive(Clone, Debug, Default)]
pub struct List {
    /// In order, not more than [`MOST_ROWS`].
    pub rows: Vec<Row>,
    /// How many rows the whole list has.
    pub total: usize,
}

pub(super) fn talkers(figures: &Figures, matching: Option<&Matching>, order: Order) -> List {
    let sums = report::by_address(with_addresses(figures, matching));
    let rows = sums.into_iter().map(|(addr, (sent, received))| {
        let mut row = row(Id::Talker(addr.into()), sent);
        row.back = received;
        row
    });
    ranked(rows.collect(), order)
}

pub(super) fn conversations(figures: &Figures, matching: Option<&Matching>, order: Order) -> List {
    let sums = report::by_pair(with_addresses(figures, matching));
    let rows = sums.into_iter().map(|((a, b), pair)| {
        let mut row = row(Id::Conversation(a.into(), b.into()), pair.a_to_b);
        row.back = pair.b_to_a;
        row
    });
    ranked(rows.collect(), order)
}

pub(super) fn flows(figures: &Figures, matching: Option<&Matching>, order: Order) -> List {
    let rows = with_addresses(figures, matching).map(|(flow, amount)| Row {
        protocol: protocol_of(&flow),
        by_port: by_port(&flow, amount.total),
        ..row(Id::Flow(flow.key), amount)
    });
    ranked(rows.collect(), order)
}

pub(super) fn protocols(
    figures: &Figures,
    matching: Option<&Matching>,
    layer: Layer,
    order: Order,
) -> List {
    let name: fn(&Class) -> Cow<'static, str> = match layer {
        Layer::Application => Class::application,
        Layer::Transport => Class::transport,
        Layer::Network => Class::network,
    };
    let mut sums: BTreeMap<Cow<'static, str>, (Amount, Counts)> = BTreeMap::new();
    let mut add = |name, amount, by_port| {
        let sum = sums.entry(name).or_default();
        sum.0 += amount;
        sum.1 += by_port;
    };
    for (flow, amount) in amounts(figures, matching) {
        let class = Class::of_flow(&flow.key, flow.label);
        let by_port = match layer {
            Layer::Application => by_port(&flow, amount.total),
            Layer::Transport | Layer::Network => Counts::ZERO,
        };
        let amount = match matching {
            Some(_) => amount,
            None => Amount::default(), // it is among the classes
        };
        add(name(&class), amount, by_port);
    }
    if matching.is_none() {
        for (class, amount) in figures.by_class() {
            add(name(&class), amount, Counts::ZERO);
        }
    }
    let rows = sums.into_iter().map(|(name, (amount, by_port))| Row {
        by_port,
        ..row(Id::Protocol(name.into_owned()), amount)
    });
    ranked(rows.collect(), order)
}

/// Every flow that is looked at; those without IP too.
pub(super) fn amounts<'a>(
    figures: &'a Figures,
    matching: Option<&'a Matching>,
) -> impl Iterator<Item = (Flow, Amount)> {
    let flows = figures.whole().flows().iter();
    flows
        .filter(move |flow| matching.is_none_or(|matching| matching.keeps(flow)))
        .map(|flow| {
            let amount = figures.of_flow(&flow);
            (flow, amount)
        })
}

fn with_addresses<'a>(
    figures: &'a Figures,
    matching: Option<&'a Matching>,
) -> impl Iterator<Item = (Flow, Amount)> {
    amounts(figures, matching).filter(|(flow, _)| flow.key.is_ip())
}

fn row(id: Id, forth: Amount) -> Row {
    Row {
        id,
        forth,
        back: Amount::default(),
        protocol: Cow::Borrowed(""),
        by_port: Counts::ZERO,
    }
}

fn protocol_of(flow: &Flow) -> Cow<'static, str> {
    match flow.application() {
        Some(application) => application.name().into(),
        None => transport_name(flow.key.protocol()),
    }
}

fn by_port(flow: &Flow, counts: Counts) -> Counts {
    match flow.how() {
        Some(How::Port) => counts,
        _ => Counts::ZERO,
    }
}

fn ranked(rows: Vec<Row>, order: Order) -> List {
    let total = rows.len();
    let rows = report::top(rows, MOST_ROWS, |a, b| compare(a, b, order));
    List { rows, total }
}

fn compare(a: &Row, b: &Row, order: Order) -> Ordering {
    let size = |counts: Counts| match order.packets {
        true => (counts.packets, counts.bytes),
        false => (counts.bytes, counts.packets),
    };
    let most_first = |of: fn(&Row) -> Counts| size(of(b)).cmp(&size(of(a)));
    let by_column = match order.column {
        Column::Name => a.id.cmp(&b.id),
        Column::Protocol => a.protocol.cmp(&b.protocol),
        Column::Forth => most_first(|row| row.forth.short),
        Column::Back => most_first(|row| row.back.short),
        Column::Short => most_first(|row| row.both().short),
        Column::Long => most_first(|row| row.both().long),
        Column::Total => most_first(|row| row.both().total),
    };
    let by_column = match order.reversed {
        true => by_column.reverse(),
        false => by_column,
    };
    // Two rows are never alike, so that none jumps about.
    by_column
        .then_with(|| most_first(|row| row.both().total))
        .then_with(|| a.id.cmp(&b.id))
}
