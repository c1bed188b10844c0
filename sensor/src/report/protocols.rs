//! Names of protocols with their shares, by layer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Counts, Protocol, Protocols};
use crate::counters::{Class, Delta, FlowSums, Kind};
use crate::names::How;

type Named = BTreeMap<String, Counts>;

pub(super) fn protocols(
    classes: &[(Class, Counts)],
    (delta, sums): (&Delta, &FlowSums),
    totals: Counts,
) -> Protocols {
    let mut application = ranked(by_name(classes, Class::application), totals);
    for ((name, how), counts) in told_by(delta, sums) {
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

/// By what the applications of the flows are known. The class of a flow holds its application, and there are few classes.
fn told_by(delta: &Delta, sums: &FlowSums) -> BTreeMap<(&'static str, How), Counts> {
    let mut named: BTreeMap<_, Counts> = BTreeMap::new();
    for (class, sums) in delta.classes().iter().zip(sums.by_class()) {
        let Kind::Ip {
            application: Some(application),
            ..
        } = class.kind
        else {
            continue;
        };
        for (how, sum) in sums {
            if sum != Counts::ZERO {
                *named.entry((application.name(), how)).or_default() += sum;
            }
        }
    }
    named
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
