//! What an expression means: a tree of tests, each on one thing that is known of a packet or of a flow.
//!
//! The meaning is the packet's (its outermost IP header and that header's transport), never a byte offset's. A test of
//! something that a packet does not have is false: `port 80` of ARP, `bytes > 1` of a packet outside every flow.

use std::sync::Arc;

use sensor_common::flow::Direction;

pub use super::ast::{Operator, Side};

mod list;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tree {
    True,
    False,
    Test(Test),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    // Of the flow key: known of packets, of flow records in the kernel and of flows in a report.
    Ipv4,
    Ipv6,
    /// IP protocol number behind the extension headers, of either version.
    Protocol(u8),
    /// Packets that carry no IP: their network id (see `sensor_common::protocol::network`).
    Network(u16),
    Address(Side, Prefix),
    AddressIn(Side, Arc<PrefixList>),
    Port(Side, PortRange),
    PortIn(Side, Arc<PortList>),
    Direction(Direction),
    Interface(String),

    // Of single packets.
    /// Bytes on the wire.
    Length(Compare, u32),
    /// Any tag of the packet (802.1Q, 802.1ad, 0x9100, 0x9200), or any with this id.
    Vlan(Option<u16>),
    Mpls(Option<u32>),
    /// PPPoE session packets, or those of this session.
    Pppoe(Option<u16>),
    /// Addresses of the Ethernet header, compared under a mask.
    Mac(Side, [u8; 6], [u8; 6]),
    /// IPv4 addresses inside ARP (sender and target).
    ArpAddress(Side, Prefix),
    Relation(Arc<Formula>),

    // Of whole flows, known when the report is made.
    /// Label of the application, as the report has it.
    Application(&'static str),
    Measure(Measure, Compare, u64),
}

/// Leading bits of an address, as it lies in the two words of a flow key (IPv4 is v4-mapped there).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// Bits behind the prefix are zero.
    pub addr: std::net::IpAddr,
    /// 0 to 32 or 0 to 128.
    pub len: u8,
}

/// Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    pub first: u16,
    pub last: u16,
}

/// Sorted, without prefixes that another one covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrefixList {
    /// The file that it was read from.
    pub file: Option<String>,
    pub prefixes: Vec<Prefix>,
}

/// Sorted, disjoint, not adjacent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortList {
    pub file: Option<String>,
    pub ranges: Vec<PortRange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    pub fn holds<T: Ord>(self, left: T, right: T) -> bool {
        match self {
            Compare::Equal => left == right,
            Compare::NotEqual => left != right,
            Compare::Less => left < right,
            Compare::LessOrEqual => left <= right,
            Compare::Greater => left > right,
            Compare::GreaterOrEqual => left >= right,
        }
    }
}

/// What a report says of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    Bytes,
    Packets,
    /// Nanoseconds from the first to the last packet.
    Duration,
}

/// Two sides of 32-bit arithmetic over the packet's bytes. False where a byte is missing (not captured, another
/// protocol, a later fragment) or something is divided by zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Formula {
    pub left: Term,
    pub compare: Compare,
    pub right: Term,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    Number(u32),
    Length,
    Bytes {
        base: Base,
        offset: Box<Term>,
        /// 1, 2 or 4; big-endian.
        size: u8,
    },
    Operation(Operator, Box<Term>, Box<Term>),
}

/// Where offsets count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// The first byte of the packet (`ether[..]`, `link[..]`).
    Link,
    /// The outermost IPv4 header, of packets that have one.
    Ipv4,
    Ipv6,
    /// The network header of packets that carry no IP, with this network id (`arp[..]`).
    Network(u16),
    /// The header behind the outermost IP header, of packets of this IP protocol that are no later fragment.
    Transport(u8),
}

/// What must be at hand to answer a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// The flow key.
    Key,
    /// The packet itself.
    Packet,
    /// The whole flow.
    Flow,
}

impl Test {
    pub fn needs(&self) -> Needs {
        match self {
            Test::Ipv4
            | Test::Ipv6
            | Test::Protocol(_)
            | Test::Network(_)
            | Test::Address(..)
            | Test::AddressIn(..)
            | Test::Port(..)
            | Test::PortIn(..)
            | Test::Direction(_)
            | Test::Interface(_) => Needs::Key,
            Test::Length(..)
            | Test::Vlan(_)
            | Test::Mpls(_)
            | Test::Pppoe(_)
            | Test::Mac(..)
            | Test::ArpAddress(..)
            | Test::Relation(_) => Needs::Packet,
            Test::Application(_) | Test::Measure(..) => Needs::Flow,
        }
    }
}

impl Tree {
    /// Every test, from left to right.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Tree::True | Tree::False => Vec::new(),
            Tree::Test(test) => vec![test],
            Tree::Not(inner) => inner.tests(),
            Tree::All(parts) | Tree::Any(parts) => parts.iter().flat_map(Tree::tests).collect(),
        }
    }
}
