//! What was typed, as the grammar of pcap-filter(7) reads it, with the place of every word.
//!
//! Qualifiers that a primitive inherits from the one before it (`port 80 or 443`) are filled in here already.

use std::ops::Range;

use super::tree::{Compare, Measure};

/// Bytes of the text.
pub type Span = Range<usize>;

/// `and` and `or` bind equally tight, left to right, so a chain of one of them is one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// The empty filter: every packet.
    Everything,
    Not(Box<Expr>, Span),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Primitive(Primitive),
    Relation(Relation),
    /// `bytes > 10M`, `duration >= 2s` (nanoseconds).
    Measure {
        measure: Measure,
        compare: Compare,
        value: u64,
        span: Span,
    },
}

/// `[protocol] [direction] [kind] id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primitive {
    pub qualifiers: Qualifiers,
    pub id: Id,
    pub span: Span,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qualifiers {
    /// `ip`, `ip6`, `arp`, `rarp`, `ether` (also `link`), `tcp`, `udp`, `icmp` ... in lower case.
    pub protocol: Option<String>,
    pub side: Option<Side>,
    pub kind: Option<Kind>,
}

/// Whose address or port is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    Src,
    Dst,
    /// `src or dst`, and where nothing is said.
    Either,
    /// `src and dst`.
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    /// `proto`.
    Proto,
    Vlan,
    Mpls,
    Pppoes,
    Broadcast,
    Multicast,
    Interface,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// A protocol's name alone (`tcp`, `dns`), `vlan` without a number, `ip broadcast`, `ingress` ...
    None,
    /// Decimal, octal or hexadecimal.
    Number(u32),
    /// A range of numbers, `6000-6008`.
    Range(u32, u32),
    /// As typed: an address, a network with its length, a name of a port, protocol or interface.
    Text(String),
    /// `net 10.0.0.0 mask 255.0.0.0`.
    Masked(String, String),
    /// `port in {80, 443, 8000-8100}`: each with its own place.
    List(Vec<(Id, Span)>),
    /// `net in file blocklist.txt`.
    File(String),
}

/// `len > 100`, `tcp[tcpflags] & tcp-syn != 0`: arithmetic of 32 bits without a sign, modulo 2^32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub left: Arithmetic,
    pub compare: Compare,
    pub right: Arithmetic,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Number(u32),
    Length,
    /// `protocol[offset:size]`, size 1, 2 or 4.
    Bytes {
        protocol: String,
        offset: Box<Arithmetic>,
        size: u8,
        span: Span,
    },
    Operation {
        operator: Operator,
        left: Box<Arithmetic>,
        right: Box<Arithmetic>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}
