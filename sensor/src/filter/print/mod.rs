//! A tree as text in our own grammar: what was understood, and what gives the same tree when it is read again.

mod arithmetic;
mod tags;

use std::cell::Cell;
use std::fmt::{self, Display, Formatter, Write};
use std::net::IpAddr;

use sensor_common::flow::Direction;
use sensor_common::protocol;

use super::names;
use super::tree::{PortRange, Prefix, Side, Test, Tree};

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer::default().tree(f, self)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer::default().test(f, self)
    }
}

#[derive(Default)]
struct Printer {
    /// A name that follows would be taken for a port or an EtherType, like `http` in `port 80 or http`.
    inherits: Cell<bool>,
}

impl Printer {
    fn tree(&self, f: &mut Formatter<'_>, tree: &Tree) -> fmt::Result {
        match tree {
            Tree::True => f.write_str("len >= 0"),
            Tree::False => f.write_str("len < 0"),
            Tree::Test(test) => self.test(f, test),
            Tree::Not(inner) => {
                f.write_str("not ")?;
                self.operand(f, inner, is_relation(inner))
            }
            Tree::All(parts) => self.joined(f, parts, " and "),
            Tree::Any(parts) => self.alternatives(f, parts),
        }
    }

    /// Within parentheses where it has parts of its own.
    fn operand(&self, f: &mut Formatter<'_>, tree: &Tree, enclose: bool) -> fmt::Result {
        if !enclose && !has_parts(tree) {
            return self.tree(f, tree);
        }
        let outer = self.inherits.get();
        f.write_char('(')?;
        self.tree(f, tree)?;
        self.inherits.set(outer);
        f.write_char(')')
    }

    fn joined(&self, f: &mut Formatter<'_>, parts: &[Tree], joint: &str) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(joint)?;
            }
            self.operand(f, part, false)?;
        }
        Ok(())
    }

    /// Tests that a single word stands for are printed as that word.
    fn alternatives(&self, f: &mut Formatter<'_>, mut parts: &[Tree]) -> fmt::Result {
        while let Some(first) = parts.first() {
            parts = if let Some((word, len)) = word_for(parts) {
                self.word(f, word)?;
                &parts[len..]
            } else if let Some((word, numbers)) = tags::list(parts) {
                self.keyword(f, word)?;
                f.write_str(" in ")?;
                tags::members(f, &numbers)?;
                &parts[numbers.len()..]
            } else {
                self.operand(f, first, false)?;
                &parts[1..]
            };
            if !parts.is_empty() {
                f.write_str(" or ")?;
            }
        }
        Ok(())
    }

    fn test(&self, f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
        match test {
            Test::Ipv4 => self.keyword(f, "ip"),
            Test::Ipv6 => self.keyword(f, "ip6"),
            Test::Protocol(number) => self.protocol(f, *number),
            Test::Network(id) => self.network(f, *id),
            Test::Application(label) => self.word(f, label),
            Test::Port(side, range) => {
                self.inherits.set(true);
                port(f, *side, *range)
            }
            Test::PortIn(side, list) => {
                self.inherits.set(true);
                write!(f, "{}port in ", prefix_of(*side))?;
                members(f, list.file.as_deref(), &list.ranges, |f, range| {
                    ends(f, *range)
                })
            }
            Test::Vlan(_)
            | Test::Mpls(_)
            | Test::Pppoe(_)
            | Test::Direction(_)
            | Test::Interface(_) => {
                self.inherits.set(false);
                plain(f, test)
            }
            Test::Address(..) | Test::AddressIn(..) | Test::Mac(..) | Test::ArpAddress(..) => {
                // What is inherited from an address is an address or a protocol's name.
                self.inherits.set(false);
                addresses(f, test)
            }
            Test::Length(..) | Test::Relation(_) | Test::Measure(..) => {
                self.inherits.set(false);
                relation(f, test)
            }
        }
    }

    /// A word of the grammar: never taken for anything else.
    fn keyword(&self, f: &mut Formatter<'_>, word: &str) -> fmt::Result {
        self.inherits.set(false);
        f.write_str(word)
    }

    fn word(&self, f: &mut Formatter<'_>, word: &str) -> fmt::Result {
        if !self.inherits.get() {
            return f.write_str(word);
        }
        self.inherits.set(false);
        write!(f, "proto {word}")
    }

    fn protocol(&self, f: &mut Formatter<'_>, number: u8) -> fmt::Result {
        let word = protocol::transport_name(number)
            .filter(|word| stands_for(word, &Test::Protocol(number)));
        match word {
            Some("icmpv6") => self.keyword(f, "icmp6"),
            Some(word) if KEYWORDS.contains(&word) => self.keyword(f, word),
            Some(word) => self.word(f, word),
            None => {
                self.inherits.set(false);
                write!(f, "proto {number}")
            }
        }
    }

    fn network(&self, f: &mut Formatter<'_>, id: u16) -> fmt::Result {
        let word = protocol::network_name(id).filter(|word| stands_for(word, &Test::Network(id)));
        match word {
            // To pcap-filter(7) it is the link layer.
            Some("ppp") | None => {
                self.inherits.set(true);
                write!(f, "ether proto {id:#06x}")
            }
            Some(word) if KEYWORDS.contains(&word) => self.keyword(f, word),
            Some(word) => self.word(f, word),
        }
    }
}

/// Names that are words of the grammar too.
const KEYWORDS: [&str; 17] = [
    "arp", "rarp", "tcp", "udp", "sctp", "icmp", "igmp", "pim", "vrrp", "ah", "esp", "aarp",
    "decnet", "stp", "ipx", "netbeui", "iso",
];

/// Whether it is printed as more than one primitive.
fn has_parts(tree: &Tree) -> bool {
    match tree {
        Tree::Any(parts) => {
            let word = word_for(parts).map(|(_, len)| len);
            let tags = || tags::list(parts).map(|(_, numbers)| numbers.len());
            word.or_else(tags).is_none_or(|len| len < parts.len())
        }
        tree => matches!(tree, Tree::All(_)),
    }
}

fn stands_for(word: &str, test: &Test) -> bool {
    names::uses(word).is_some_and(|tests| tests == std::slice::from_ref(test))
}

/// The word that the first of these parts, and maybe some more, are the whole meaning of.
fn word_for(parts: &[Tree]) -> Option<(&'static str, usize)> {
    let Some(Tree::Test(Test::Protocol(_) | Test::Network(_))) = parts.first() else {
        return None;
    };
    let starts = |tests: &[Test]| {
        let (Some(part), false) = (parts.get(..tests.len()), tests.is_empty()) else {
            return false;
        };
        part.iter()
            .zip(tests)
            .all(|(part, test)| matches!(part, Tree::Test(own) if own == test))
    };
    let words = names::ambiguous().filter(|(_, tests)| starts(tests));
    words
        .map(|(word, tests)| (word, tests.len()))
        .max_by_key(|(_, len)| *len)
}

fn is_relation(tree: &Tree) -> bool {
    let Tree::Test(test) = tree else {
        return false;
    };
    matches!(
        test,
        Test::Relation(_) | Test::Length(..) | Test::Measure(..)
    )
}

fn relation(f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
    match test {
        Test::Length(compare, number) => write!(f, "len {compare} {number}"),
        Test::Relation(formula) => formula.fmt(f),
        Test::Measure(measure, compare, value) => {
            arithmetic::measured(f, *measure, *compare, *value)
        }
        _ => Ok(()),
    }
}

fn plain(f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
    match test {
        Test::Vlan(Some(id)) => write!(f, "vlan {id}"),
        Test::Vlan(None) => f.write_str("vlan"),
        Test::Mpls(Some(label)) => write!(f, "mpls {label}"),
        Test::Mpls(None) => f.write_str("mpls"),
        Test::Pppoe(Some(session)) => write!(f, "pppoes {session}"),
        Test::Pppoe(None) => f.write_str("pppoes"),
        Test::Direction(Direction::Ingress) => f.write_str("ingress"),
        Test::Direction(Direction::Egress) => f.write_str("egress"),
        Test::Direction(Direction::Unknown) => f.write_str("not (ingress or egress)"),
        Test::Interface(name) => {
            let special =
                |c: char| c.is_whitespace() || c.is_control() || "(){}[],!=<>&|\"'#".contains(c);
            let operator = ["in", "and", "or", "not"]
                .iter()
                .any(|word| name.eq_ignore_ascii_case(word));
            f.write_str("interface ")?;
            quoted(f, name, operator || name.contains(special))
        }
        _ => Ok(()),
    }
}

fn addresses(f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
    match test {
        Test::Address(side, prefix) => {
            f.write_str(prefix_of(*side))?;
            address(f, *prefix)
        }
        Test::ArpAddress(side, prefix) => {
            write!(f, "arp {}", prefix_of(*side))?;
            address(f, *prefix)
        }
        Test::AddressIn(side, list) => {
            let hosts = list.file.is_none() && list.prefixes.iter().all(is_host);
            let kind = if hosts { "host" } else { "net" };
            write!(f, "{}{kind} in ", prefix_of(*side))?;
            members(f, list.file.as_deref(), &list.prefixes, |f, prefix| {
                network(f, *prefix)
            })
        }
        Test::Mac(Side::Dst, [1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]) => f.write_str("multicast"),
        Test::Mac(Side::Dst, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], _) => f.write_str("broadcast"),
        Test::Mac(side, [a, b, c, d, e, g], _) => {
            let side = prefix_of(*side);
            write!(
                f,
                "ether {side}host {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"
            )
        }
        _ => Ok(()),
    }
}

fn prefix_of(side: Side) -> &'static str {
    match side {
        Side::Src => "src ",
        Side::Dst => "dst ",
        Side::Either => "",
        Side::Both => "src and dst ",
    }
}

fn address(f: &mut Formatter<'_>, prefix: Prefix) -> fmt::Result {
    f.write_str(if is_host(&prefix) { "host " } else { "net " })?;
    network(f, prefix)
}

fn network(f: &mut Formatter<'_>, prefix: Prefix) -> fmt::Result {
    match is_host(&prefix) {
        true => write!(f, "{}", prefix.addr),
        false => write!(f, "{}/{}", prefix.addr, prefix.len),
    }
}

fn is_host(prefix: &Prefix) -> bool {
    match prefix.addr {
        IpAddr::V4(_) => prefix.len == 32,
        IpAddr::V6(_) => prefix.len == 128,
    }
}

fn port(f: &mut Formatter<'_>, side: Side, range: PortRange) -> fmt::Result {
    let kind = if range.first == range.last {
        "port"
    } else {
        "portrange"
    };
    write!(f, "{}{kind} ", prefix_of(side))?;
    ends(f, range)
}

fn ends(f: &mut Formatter<'_>, range: PortRange) -> fmt::Result {
    match range.first == range.last {
        true => write!(f, "{}", range.first),
        false => write!(f, "{}-{}", range.first, range.last),
    }
}

/// `{80, 443}` or `file PATH`.
fn members<T>(
    f: &mut Formatter<'_>,
    file: Option<&str>,
    members: &[T],
    each: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if let Some(path) = file {
        f.write_str("file ")?;
        let special = |c: char| c.is_whitespace() || c.is_control() || "()\"'".contains(c);
        return quoted(f, path, path.contains(special));
    }
    for (at, member) in members.iter().enumerate() {
        f.write_str(if at == 0 { "{" } else { ", " })?;
        each(f, member)?;
    }
    f.write_char('}')
}

fn quoted(f: &mut Formatter<'_>, text: &str, special: bool) -> fmt::Result {
    if !special && !text.is_empty() {
        return f.write_str(text);
    }
    let quote = if text.contains('"') { '\'' } else { '"' };
    write!(f, "{quote}{text}{quote}")
}
