//! What adds up exactly: totals, the accounting, protocols.

use std::collections::BTreeMap;

use super::super::interface_counters;
use super::super::protocols::{add_up, percent};
use super::super::{Accounting, Counts, InterfaceCounters, Protocol, Protocols, Report, Totals};

/// Numbers of a stranger's report may be as large as they like: what does not fit stays at the limit, and
/// [`super::MergeError::TooMuch`] comes of it.
pub(super) fn add(sum: &mut Counts, more: Counts) {
    sum.packets = sum.packets.saturating_add(more.packets);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
}

pub(super) fn of(packets: u64, bytes: u64) -> Counts {
    Counts { packets, bytes }
}

pub(super) fn distinct<T: Clone + PartialEq>(list: &mut Vec<T>, one: &T) {
    if !list.contains(one) {
        list.push(one.clone());
    }
}

/// The name of an interface among those of other hosts.
pub(super) fn apart(host: &str, interface: &str) -> String {
    format!("{host}:{interface}")
}

#[derive(Default)]
pub(super) struct Sums {
    totals: Option<Totals>,
    accounting: Option<Accounting>,
    counters: Vec<(String, InterfaceCounters)>,
    network: Layer,
    transport: Layer,
    application: Layer,
}

type Layer = BTreeMap<String, Protocol>;

impl Sums {
    pub(super) fn add(&mut self, report: &Report) {
        match &mut self.totals {
            None => self.totals = Some(report.totals.clone()),
            Some(sum) => add_totals(sum, &report.totals),
        }
        match &mut self.accounting {
            None => self.accounting = Some(report.accounting.clone()),
            Some(sum) => add_accounting(sum, &report.accounting),
        }
        for one in &report.accounting.interface_counters {
            self.counters(&report.sensor.hostname, one);
        }
        add_layer(&mut self.network, &report.protocols.network);
        add_layer(&mut self.transport, &report.protocols.transport);
        add_layer(&mut self.application, &report.protocols.application);
    }

    /// `several`: interfaces are named with their hosts.
    pub(super) fn finish(self, several: bool) -> (Totals, Accounting, Protocols) {
        let totals = self.totals.unwrap_or_else(nothing);
        let counts = totals.counts();
        let protocols = Protocols {
            network: ranked(self.network, counts),
            transport: ranked(self.transport, counts),
            application: ranked(self.application, counts),
        };
        let mut accounting = self.accounting.unwrap_or_else(no_accounting);
        accounting.interface_counters = self
            .counters
            .into_iter()
            .map(|(host, mut one)| {
                if several {
                    one.interface = apart(&host, &one.interface);
                }
                one
            })
            .collect();
        accounting.identity_holds &= identity(&accounting) && add_up(&protocols, counts);
        (totals, accounting, protocols)
    }

    fn counters(&mut self, host: &str, one: &InterfaceCounters) {
        let same = |(of, known): &&mut (String, InterfaceCounters)| {
            of == host && known.interface == one.interface && known.direction == one.direction
        };
        let Some((_, known)) = self.counters.iter_mut().find(same) else {
            self.counters.push((host.to_owned(), one.clone()));
            return;
        };
        known.packets = known.packets.saturating_add(one.packets);
        known.bytes = known.bytes.saturating_add(one.bytes);
        let counted = of(
            known.counted_packets.saturating_add(one.counted_packets),
            known.counted_bytes.saturating_add(one.counted_bytes),
        );
        interface_counters::compare(known, counted);
    }
}

fn add_totals(sum: &mut Totals, more: &Totals) {
    sum.packets = sum.packets.saturating_add(more.packets);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    sum.captured_bytes = sum.captured_bytes.saturating_add(more.captured_bytes);
    add(&mut sum.ingress, more.ingress);
    add(&mut sum.egress, more.egress);
    add(&mut sum.unknown_direction, more.unknown_direction);
}

fn add_accounting(sum: &mut Accounting, more: &Accounting) {
    add(&mut sum.seen, more.seen);
    add(&mut sum.in_flows, more.in_flows);
    add(&mut sum.overflow, more.overflow);
    add_named(&mut sum.overflow_by_transport, &more.overflow_by_transport);
    add(&mut sum.not_ip, more.not_ip);
    add_named(&mut sum.malformed, &more.malformed);
    add(&mut sum.filtered, more.filtered);
    add(&mut sum.duplicates, more.duplicates);
    for (place, packets) in &more.lost {
        let lost = sum.lost.entry(place.clone()).or_default();
        *lost = lost.saturating_add(*packets);
    }
    sum.identity_holds &= more.identity_holds;
}

pub(super) fn add_named<K: Ord + Clone>(
    sums: &mut BTreeMap<K, Counts>,
    more: &BTreeMap<K, Counts>,
) {
    for (name, counts) in more {
        add(sums.entry(name.clone()).or_default(), *counts);
    }
}

/// Of the sums, as of every report.
fn identity(accounting: &Accounting) -> bool {
    let mut terms = Counts::ZERO;
    let parts = [
        accounting.in_flows,
        accounting.overflow,
        accounting.not_ip,
        accounting.filtered,
        accounting.duplicates,
    ];
    for part in parts.iter().chain(accounting.malformed.values()) {
        add(&mut terms, *part);
    }
    terms == accounting.seen
}

fn add_layer(layer: &mut Layer, list: &[Protocol]) {
    for one in list {
        let Some(known) = layer.get_mut(&one.name) else {
            layer.insert(one.name.clone(), one.clone());
            continue;
        };
        known.packets = known.packets.saturating_add(one.packets);
        known.bytes = known.bytes.saturating_add(one.bytes);
        add_named(&mut known.classified_by, &one.classified_by);
    }
}

fn ranked(layer: Layer, totals: Counts) -> Vec<Protocol> {
    let mut list: Vec<Protocol> = layer.into_values().collect();
    for one in &mut list {
        one.packets_percent = percent(one.packets, totals.packets);
        one.bytes_percent = percent(one.bytes, totals.bytes);
    }
    list.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    list
}

fn nothing() -> Totals {
    Totals {
        packets: 0,
        bytes: 0,
        captured_bytes: 0,
        ingress: Counts::ZERO,
        egress: Counts::ZERO,
        unknown_direction: Counts::ZERO,
    }
}

fn no_accounting() -> Accounting {
    Accounting {
        seen: Counts::ZERO,
        in_flows: Counts::ZERO,
        overflow: Counts::ZERO,
        overflow_by_transport: BTreeMap::new(),
        not_ip: Counts::ZERO,
        malformed: BTreeMap::new(),
        filtered: Counts::ZERO,
        duplicates: Counts::ZERO,
        lost: BTreeMap::new(),
        interface_counters: Vec::new(),
        identity_holds: true,
    }
}
