//! The sums that metrics are made from. All only grow.

use std::collections::BTreeMap;

use sensor_common::flow::Direction;

use super::labelled::Labelled;
use crate::counters::{Class, Counts, Delta, SlotAccounting};
use crate::follow::Part;

/// Since the run began.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) interfaces: BTreeMap<Way, Sums>,
    pub(super) malformed: BTreeMap<String, Counts>,
    pub(super) network: Labelled,
    pub(super) transport: Labelled,
    pub(super) application: Labelled,
    pub(super) lost: BTreeMap<&'static str, u64>,
    pub(super) samples_lost: u64,
    pub(super) violations: u64,
    /// Of the last part.
    pub(super) flows: u64,
    /// Nanoseconds since the epoch.
    pub(super) until: i64,
    /// Nanoseconds.
    pub(super) watched: i64,
}

/// Name of an interface, and which way.
pub(super) type Way = (String, &'static str);

/// As in a report's accounting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) seen: Counts,
    pub(super) in_flows: Counts,
    pub(super) overflow: Counts,
    pub(super) not_ip: Counts,
    pub(super) malformed: Counts,
    pub(super) filtered: Counts,
    pub(super) duplicates: Counts,
}

/// What one part adds.
pub(super) struct Added {
    interfaces: BTreeMap<Way, Sums>,
    malformed: BTreeMap<String, Counts>,
    network: BTreeMap<String, Counts>,
    transport: BTreeMap<String, Counts>,
    application: BTreeMap<String, Counts>,
    lost: BTreeMap<&'static str, u64>,
    samples_lost: u64,
    violated: bool,
    flows: u64,
    start: i64,
    end: i64,
}

/// With the filter's part about flows applied to this part.
pub(super) fn of(part: &Part) -> Added {
    let delta = &*part.counted();
    let (whole, slots) = delta.accounting();
    let mut interfaces: BTreeMap<Way, Sums> = BTreeMap::new();
    for slot in &slots {
        let sums = interfaces.entry(way(part, slot)).or_default();
        sums.add(&Sums::of(slot));
    }
    let classes = delta.by_class();
    let named = |of: &dyn Fn(&Class) -> String| {
        let mut sums: BTreeMap<String, Counts> = BTreeMap::new();
        for (class, counts) in &classes {
            *sums.entry(of(class)).or_default() += *counts;
        }
        sums
    };
    let malformed = whole.malformed.iter();
    Added {
        interfaces,
        malformed: malformed
            .map(|(reason, counts)| ((*reason).to_owned(), *counts))
            .collect(),
        network: named(&|class| class.network().into_owned()),
        transport: named(&|class| class.transport().into_owned()),
        application: named(&|class| class.application().into_owned()),
        lost: delta.lost_by_place().clone(),
        samples_lost: Delta::samples_lost(delta),
        violated: !whole.identity_holds,
        flows: delta.flows().iter().count() as u64,
        start: part.period.start,
        end: part.period.end,
    }
}

fn way(part: &Part, slot: &SlotAccounting) -> Way {
    let infos = &part.context.interfaces;
    let info = infos.iter().find(|info| info.slot == slot.slot);
    let name = info.map_or_else(|| slot.slot.to_string(), |info| info.name.clone());
    let direction = match slot.direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
        Direction::Unknown => "unknown",
    };
    (name, direction)
}

impl Sums {
    fn of(slot: &SlotAccounting) -> Self {
        let of = &slot.accounting;
        Sums {
            seen: of.seen,
            in_flows: of.in_flows,
            overflow: of.overflow,
            not_ip: of.not_ip,
            malformed: of.malformed.values().copied().sum(),
            filtered: of.filtered,
            duplicates: of.duplicates,
        }
    }

    fn add(&mut self, more: &Sums) {
        self.seen += more.seen;
        self.in_flows += more.in_flows;
        self.overflow += more.overflow;
        self.not_ip += more.not_ip;
        self.malformed += more.malformed;
        self.filtered += more.filtered;
        self.duplicates += more.duplicates;
    }
}

impl Counted {
    pub(super) fn add(&mut self, part: &Added) {
        for (way, sums) in &part.interfaces {
            self.interfaces.entry(way.clone()).or_default().add(sums);
        }
        for (reason, counts) in &part.malformed {
            *self.malformed.entry(reason.clone()).or_default() += *counts;
        }
        self.network.add(&part.network);
        self.transport.add(&part.transport);
        self.application.add(&part.application);
        for (place, packets) in &part.lost {
            *self.lost.entry(place).or_default() += packets;
        }
        self.samples_lost += part.samples_lost;
        self.violations += u64::from(part.violated);
        self.flows = part.flows;
        self.until = part.end;
        self.watched += (part.end - part.start).max(0);
    }
}
