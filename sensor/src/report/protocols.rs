//! Names of protocols with their shares, by layer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Counts, Protocol, Protocols};
use crate::counters::{Class, FlowTable};
use crate::names::How;

type Named = BTreeMap<String, Counts>;

pub(super) fn protocols(
    classes: &[(Class, Counts)],
    flows: &FlowTable,
    totals: Counts,
) -> Protocols {
    let mut application = ranked(by_name(classes, Class::application), totals);
    for ((name, how), counts) in told_by(flows) {
        if let Some(row) = application.iter_mut().find(|row| row.name == name) {
            *row.classified_by.entry(how.name().into()).or_default() += counts;
        }
    }
    Protocols {
        network: ranked(by_name(classes, Class::network), totals),
        transport: ranked(by_name(classes, Class::transport), totals),
        application,
    }
}

/// By what the applications of the flows are known. There are few of them, so the flows are gone through once.
fn told_by(flows: &FlowTable) -> BTreeMap<(&'static str, How), Counts> {
    let mut sums: BTreeMap<_, Counts> = BTreeMap::new();
    for flow in flows.iter() {
        if let (Some(application), Some(how)) = (flow.application(), flow.how()) {
            let sum = sums.entry((application, how)).or_default();
            sum.add(flow.packets, flow.bytes);
        }
    }
    let named = sums.into_iter();
    named
        .map(|((application, how), counts)| ((application.name(), how), counts))
        .collect()
}

/// Every list adds up to the totals.
pub(super) fn add_up(protocols: &Protocols, totals: Counts) -> bool {
    [
        &protocols.network,
        &protocols.transport,
        &protocols.application,
    ]
    .into_iter()
    .all(|list| list.iter().map(counts_of).sum::<Counts>() == totals)
}

pub(super) fn by_name(
    classes: &[(Class, Counts)],
    name: impl Fn(&Class) -> Cow<'static, str>,
) -> Named {
    let mut sums = Named::new();
    for (class, counts) in classes {
        let name = name(class);
        match sums.get_mut(name.as_ref()) {
            Some(sum) => *sum += *counts,
            None => {
                sums.insert(name.into_owned(), *counts);
            }
        }
    }
    sums
}

fn ranked(sums: Named, totals: Counts) -> Vec<Protocol> {
    let mut list: Vec<Protocol> = sums
        .into_iter()
        .map(|(name, Counts { packets, bytes })| Protocol {
            name,
            packets,
            bytes,
            packets_percent: percent(packets, totals.packets),
            bytes_percent: percent(bytes, totals.bytes),
            classified_by: BTreeMap::new(),
        })
        .collect();
    // Stable: equal ones stay in the order of their names.
    list.sort_by_key(|protocol| std::cmp::Reverse(protocol.bytes));
    list
}

fn counts_of(protocol: &Protocol) -> Counts {
    Counts {
        packets: protocol.packets,
        bytes: protocol.bytes,
    }
}

pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 * 100.0 / whole as f64
}
