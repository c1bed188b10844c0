//! Names of protocols with their shares, by layer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Counts, Protocol, Protocols};
use crate::counters::Class;

type Named = BTreeMap<String, Counts>;

pub(super) fn protocols(classes: &[(Class, Counts)], totals: Counts) -> Protocols {
    Protocols {
        network: ranked(by_name(classes, Class::network), totals),
        transport: ranked(by_name(classes, Class::transport), totals),
        application: ranked(by_name(classes, Class::application), totals),
    }
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

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 * 100.0 / whole as f64
}
