//! The packet part of a filter as a list of yes/no questions, each of which says where to go on: what userspace
//! evaluates and what the kernel's instructions are generated from.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::tree::{Compare, Formula, PortList, PortRange, PrefixList};

/// The answer is yes.
pub const MATCH: u32 = u32::MAX;
/// The answer is no.
pub const REJECT: u32 = u32::MAX - 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The first node, or [`MATCH`] or [`REJECT`].
    pub start: u32,
    /// Every step leads to a later node: evaluation ends.
    pub nodes: Vec<Node>,
    pub prefix_lists: Vec<Arc<PrefixList>>,
    pub port_lists: Vec<Arc<PortList>>,
    pub tag_lists: Vec<TagList>,
}

impl Program {
    /// Whether something is asked of VLAN tags, MPLS labels or PPPoE sessions.
    pub fn needs_link(&self) -> bool {
        self.asks(|check| {
            matches!(
                check,
                Check::Vlan(_) | Check::Mpls(_) | Check::Pppoe(_) | Check::TagIn { .. }
            )
        })
    }

    /// Whether something is asked of VLAN tags, which hardware may take off.
    pub fn asks_for_vlans(&self) -> bool {
        self.asks(|check| matches!(check, Check::Vlan(_) | Check::TagIn { tag: Tag::Vlan, .. }))
    }

    fn asks(&self, kind: impl Fn(&Check) -> bool) -> bool {
        self.nodes.iter().any(|node| kind(&node.check))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub check: Check,
    /// Where to go on: an index into the nodes, [`MATCH`] or [`REJECT`].
    pub yes: u32,
    pub no: u32,
}

/// One question about [`sensor_common::facts::Facts`] and the packet's bytes. Each is complete: what a packet lacks makes
/// it false.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// `key[word] & mask == value`.
    Word {
        word: u8,
        mask: u64,
        value: u64,
    },
    /// The packet has ports, and its source (destination) port is in the range.
    Port {
        dst: bool,
        range: PortRange,
    },
    /// The packet has ports, and the port is in this list (index into [`Program::port_lists`]).
    PortIn {
        dst: bool,
        list: u16,
    },
    /// The packet is IP, and the address is in this list (index into [`Program::prefix_lists`]).
    AddressIn {
        dst: bool,
        list: u16,
    },
    Length(Compare, u32),
    Vlan(Option<u16>),
    Mpls(Option<u32>),
    Pppoe(Option<u16>),
    /// Any tag of the kind has a number that is in this list (index into [`Program::tag_lists`]).
    TagIn {
        tag: Tag,
        list: u16,
    },
    /// Bytes of an Ethernet header under a mask, from offset 0 (destination) or 6 (source).
    Mac {
        dst: bool,
        addr: [u8; 6],
        mask: [u8; 6],
    },
    /// The packet is ARP over IPv4 addresses, and its sender's (target's) is in the prefix, as in memory.
    ArpAddress {
        target: bool,
        addr: u32,
        mask: u32,
    },
    Formula(Arc<Formula>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    Vlan,
    Mpls,
    Pppoe,
}

/// Numbers of tags, in ranges: sorted, disjoint, not adjacent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagList(pub Vec<RangeInclusive<u32>>);

impl TagList {
    pub fn new(mut numbers: Vec<u32>) -> Self {
        numbers.sort_unstable();
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some(last) if number <= last.end().saturating_add(1) => {
                    *last = *last.start()..=number;
                }
                _ => ranges.push(number..=number),
            }
        }
        TagList(ranges)
    }

    pub fn has(&self, number: u32) -> bool {
        let place = self.0.partition_point(|range| *range.end() < number);
        self.0
            .get(place)
            .is_some_and(|range| range.contains(&number))
    }
}
