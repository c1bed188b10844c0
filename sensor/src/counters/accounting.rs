//! The accounting identity, computed from what a [`Delta`] holds: nothing here is assumed.

use std::collections::BTreeMap;

use sensor_common::abi::{CLASS_NOT_IP, Totals, class_of};
use sensor_common::flow::Direction;
use sensor_common::parse::Reason;
use sensor_common::protocol::network;

use super::{Class, Counts, Delta, FlowSums, Kind};

const DIRECTIONS: usize = 3;

/// `seen = in_flows + overflow + not_ip + malformed + filtered + duplicates`, in packets and in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounting {
    pub seen: Counts,
    pub in_flows: Counts,
    pub overflow: Counts,
    pub not_ip: Counts,
    pub malformed: BTreeMap<&'static str, Counts>,
    /// What the filter left out: in none of the others, nor in anything else that a delta says.
    pub filtered: Counts,
    /// Packets that came before: in none of the others either.
    pub duplicates: Counts,
    pub identity_holds: bool,
}

/// The accounting of one interface and direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotAccounting {
    pub slot: u8,
    pub direction: Direction,
    pub accounting: Accounting,
}

impl Delta {
    /// The exact totals of each interface and direction.
    pub fn totals_by_origin(&self) -> impl Iterator<Item = (u8, Direction, &Totals)> {
        let totals = self.slot_totals().iter().enumerate();
        totals.map(|(index, totals)| (slot_of(index), direction_of(index), totals))
    }

    /// Totals of what matched the filter (all, where there is none) by direction: unknown, ingress, egress.
    pub fn by_direction(&self) -> [Counts; DIRECTIONS] {
        self.sum_by_direction(Totals::matched)
    }

    /// What the filter left out, in the same order. With [`Self::by_direction`] it is all that was seen.
    pub fn filtered_by_direction(&self) -> [Counts; DIRECTIONS] {
        self.sum_by_direction(|totals| totals.filtered)
    }

    fn sum_by_direction(&self, of: impl Fn(&Totals) -> Counts) -> [Counts; DIRECTIONS] {
        let mut sums = [Counts::ZERO; DIRECTIONS];
        for (index, totals) in self.slot_totals().iter().enumerate() {
            sums[index % DIRECTIONS] += of(totals);
        }
        sums
    }

    /// Exact counts by protocol, from the totals that can't overflow: each class of the whole, the applications of
    /// flows in the table, and what is left of each transport without one.
    pub fn by_class(&self) -> Vec<(Class, Counts)> {
        self.by_class_of(&self.flow_sums())
    }

    pub(crate) fn by_class_of(&self, sums: &FlowSums) -> Vec<(Class, Counts)> {
        let sums = sums.by_class.iter();
        let mut sums: Vec<Counts> = sums.map(|hows| hows.iter().copied().sum()).collect();
        for (key, list) in self.apart().flows() {
            let Some(flow) = self.flows().get(key) else {
                continue;
            };
            for (class, counts) in list {
                sums[*class as usize] += *counts;
                let own = &mut sums[flow.class as usize];
                own.packets = own.packets.wrapping_sub(counts.packets);
                own.bytes = own.bytes.wrapping_sub(counts.bytes);
            }
        }
        let mut list: Vec<(Class, Counts)> = self.classes().iter().copied().zip(sums).collect();
        let outside = self.outside_flows().into_iter();
        list.extend(outside.map(|(_, class, counts)| (class, counts)));
        list.retain(|(_, counts)| *counts != Counts::ZERO);
        list
    }

    /// Packets that found no room in the flow table, by direction and IP protocol.
    pub fn overflow_by_class(&self) -> Vec<(Class, Counts)> {
        let outside = self.outside_flows().into_iter();
        let classes = outside.map(|(_, class, counts)| (class, counts));
        classes
            .filter(|(class, _)| matches!(class.kind, Kind::Ip { .. }))
            .collect()
    }

    /// What is in no flow, by the interface's slot: packets that found no room in the flow table, and malformed ones. With the
    /// flows of the table it is all that matched.
    pub fn outside_flows(&self) -> Vec<(u8, Class, Counts)> {
        let mut list = Vec::new();
        for (index, totals) in self.slot_totals().iter().enumerate() {
            let direction = direction_of(index);
            let overflow = totals.overflow.iter().enumerate().map(|(index, counts)| {
                let class = Class::of_overflow(direction, index as u8, index > 0xff);
                (class, *counts)
            });
            let malformed = Reason::ALL.map(|reason| {
                let class = Class::of_malformed(direction, reason);
                (class, totals.class[class_of(reason)])
            });
            let not_ip = [(not_ip_overflow(direction), totals.overflow_not_ip)];
            let all = overflow.chain(malformed).chain(not_ip);
            let some = all.filter(|(_, counts)| *counts != Counts::ZERO);
            list.extend(some.map(|(class, counts)| (slot_of(index), class, counts)));
        }
        list
    }

    /// The accounting of the whole, and of each interface and direction that saw a packet.
    pub fn accounting(&self) -> (Accounting, Vec<SlotAccounting>) {
        self.accounting_of(&self.flow_sums())
    }

    pub(crate) fn accounting_of(&self, sums: &FlowSums) -> (Accounting, Vec<SlotAccounting>) {
        let mut whole = Accounting {
            identity_holds: !sums.strange,
            ..Accounting::default()
        };
        let mut slots = Vec::new();
        for (index, totals) in self.slot_totals().iter().enumerate() {
            let part = account(totals, sums.by_origin[index]);
            if part.seen == Counts::ZERO {
                continue;
            }
            whole.add(&part);
            let slot = slot_of(index);
            slots.push(SlotAccounting {
                slot,
                direction: direction_of(index),
                accounting: part,
            });
        }
        let unexplained = self.of_no_account();
        whole.seen.add(unexplained.packets, unexplained.bytes);
        whole.identity_holds &= unexplained == Counts::ZERO;
        whole.identity_holds &=
            self.buckets().total() + self.untimed() + whole.filtered + whole.duplicates
                == whole.seen;
        (whole, slots)
    }
}

impl Accounting {
    fn add(&mut self, part: &Accounting) {
        self.seen += part.seen;
        self.in_flows += part.in_flows;
        self.overflow += part.overflow;
        self.not_ip += part.not_ip;
        self.filtered += part.filtered;
        self.duplicates += part.duplicates;
        for (reason, counts) in &part.malformed {
            *self.malformed.entry(reason).or_default() += *counts;
        }
        self.identity_holds &= part.identity_holds;
    }
}

fn account(totals: &Totals, (ip_flows, not_ip_flows): (Counts, Counts)) -> Accounting {
    let malformed: BTreeMap<_, _> = Reason::ALL
        .iter()
        .map(|reason| (reason.name(), totals.class[class_of(*reason)]))
        .filter(|(_, counts)| *counts != Counts::ZERO)
        .collect();
    let mut accounting = Accounting {
        seen: totals.matched() + totals.filtered + totals.duplicates,
        in_flows: ip_flows,
        overflow: totals.overflow.iter().copied().sum(),
        not_ip: totals.class[CLASS_NOT_IP],
        malformed,
        filtered: totals.filtered,
        duplicates: totals.duplicates,
        identity_holds: false,
    };
    let counted = accounting.in_flows
        + accounting.overflow
        + accounting.not_ip
        + accounting.malformed.values().copied().sum()
        + accounting.filtered
        + accounting.duplicates;
    accounting.identity_holds =
        accounting.seen == counted && not_ip_flows + totals.overflow_not_ip == accounting.not_ip;
    accounting
}

/// Packets without IP whose EtherType was not kept because the flow table was full.
pub(super) fn not_ip_overflow(direction: Direction) -> Class {
    Class {
        direction,
        kind: Kind::NotIp(network::UNKNOWN),
    }
}

/// Place of a slot's direction among a delta's totals.
pub(super) fn index_of(slot: u8, direction: Direction) -> usize {
    slot as usize * DIRECTIONS + direction as usize
}

pub(super) fn slot_of(index: usize) -> u8 {
    (index / DIRECTIONS) as u8
}

/// The direction of one of a delta's totals.
pub(super) fn direction_of(index: usize) -> Direction {
    [Direction::Unknown, Direction::Ingress, Direction::Egress][index % DIRECTIONS]
}
