//! What was typed, as the grammar of pcap-filter(7) reads it, with the place of every word.
//!
//! Qualifiers that a primitive inherits from the one before it (`port 80 or 443`) are filled in here already.
//!
//! What a text becomes, as `[protocol] [side] [kind] id` (`-` is `None`); `ether` stands for `link`, `ppp`, `slip`,
//! `fddi` and `tr` too, words are in lower case, ids as typed:
//!
//! | text | protocol | side | kind | id |
//! |---|---|---|---|---|
//! | `tcp`, `ip`, `dns`, `pppoed`, `vxlan`, `llc`, any other bare word | the word | - | - | `None` |
//! | `ingress` (`inbound`), `egress` (`outbound`) | `ingress`, `egress` | - | - | `None` |
//! | `proto dns`, `ip proto \tcp`, `ip proto tcp` | -, `ip`, `ip` | - | `Proto` | `Text("dns")`, `Text("tcp")` |
//! | `proto 6`, `ip6 proto 6`, `ether proto 0x806` | -, `ip6`, `ether` | - | `Proto` | `Number` |
//! | `10.0.0.1`, `fe80::1` alone | - | - | `Host` | `Text` |
//! | `10.0.0.0/8` alone | - | - | `Net` | `Text` |
//! | `aa:bb:cc:dd:ee:ff` alone | `ether` | - | `Host` | `Text` |
//! | `src 10.0.0.1`, `arp dst 10.0.0.1` | -, `arp` | `Src`, `Dst` | - | `Text` |
//! | `ip host 10.0.0.1`, `host 10`, `ether src aa:bb:cc:dd:ee:ff` | `ip`, -, `ether` | -, -, `Src` | `Host`, `Host`, - | `Text`, `Number(10)`, `Text` |
//! | `net 10`, `net 192.168/16`, `net 10.0.0.0 mask 255.0.0.0` | - | - | `Net` | `Number(10)`, `Text("192.168/16")`, `Masked` |
//! | `tcp dst port 80`, `port http`, `udp port in {53, 67-68}` | `tcp`, -, `udp` | `Dst`, -, - | `Port` | `Number`, `Text`, `List` |
//! | `portrange 1-1023`, `portrange 80`, `portrange ftp-ssh` | - | - | `PortRange` | `Range`, `Number`, `Text` |
//! | `vlan`, `vlan 10`, `mpls 100`, `pppoes 0x3b`, `vlan in {10, 20-29}` | - | - | `Vlan`, `Mpls`, `Pppoes` | `None`, `Number`, `List` |
//! | `ip broadcast`, `multicast` | `ip`, - | - | `Broadcast`, `Multicast` | `None` |
//! | `interface eth0`, `interface in {eth0, eth1}` | - | - | `Interface` | `Text`, `List` of `Text` |
//! | `net in file PATH` (port, host, proto, vlan ... too) | | | | `File(PATH)` |
//!
//! Members of a list are `Number`, `Range` or `Text`. `side` is `None` where nothing is said. `greater N`, `less N` and
//! `len > N` are relations of [`Arithmetic::Length`]; `-x` is `0 - x`; named constants (`tcp-syn`) are numbers. A word
//! inherited after `port`, `portrange`, `proto` is an id of that kind (`port 80 or http`); inherited after `host` or
//! `net` a bare word without a dot is a protocol (`host 10.0.0.1 and dns`), for there are no host names here. Any word with
//! a dot is a host's name (`example.com`), kind `Host`, for the meaning to refuse. The grammar
//! lets every protocol word stand before every side and kind (`tcp host 1.2.3.4`): the meaning refuses what is nonsense.
//!
//! The tree of `Expr`, `Not` and arithmetic together is at most [`MAX_DEPTH`] deep: recursion over it is safe.

use std::ops::Range;

use super::tree::{Compare, Measure};

/// Levels of the deepest expression that the grammar lets through. A level may take 4 KiB of a thread's 2 MiB of stack.
pub const MAX_DEPTH: usize = 512;

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
    /// `@web`: places inside `expr` are places of `text`, and its errors have the origin `@web`.
    Named {
        name: String,
        text: String,
        expr: Box<Expr>,
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

impl Kind {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Net => "net",
            Kind::Port => "port",
            Kind::PortRange => "portrange",
            Kind::Proto => "proto",
            Kind::Vlan => "vlan",
            Kind::Mpls => "mpls",
            Kind::Pppoes => "pppoes",
            Kind::Broadcast => "broadcast",
            Kind::Multicast => "multicast",
            Kind::Interface => "interface",
        }
    }
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
