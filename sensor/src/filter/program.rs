//! The packet part of a filter as a list of yes/no questions, each of which says where to go on: what userspace
//! evaluates and what the kernel's instructions are generated from.

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
