//! Expressions of pcap-filter(7) that mean the same to libpcap and to us, in all the ways in which they can be typed.

use std::net::Ipv6Addr;

use super::packets::{IPV4, IPV6, Kind, MACS, PORTS, PROTOCOLS};
use super::random::Random;
use super::relations;

/// What was typed, in parts that are expressions of their own: a disagreement is followed down to the smallest.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) text: String,
    /// Packets of these kinds are not compared, see [`super`].
    pub(super) leaves: Vec<Kind>,
    pub(super) parts: Vec<Expression>,
}

impl Expression {
    pub(super) fn leaf(text: impl Into<String>) -> Self {
        Expression {
            text: text.into(),
            leaves: Vec::new(),
            parts: Vec::new(),
        }
    }

    pub(super) fn without(mut self, kinds: &[Kind]) -> Self {
        self.leaves.extend(kinds);
        self
    }
}

pub(super) fn expression(random: &mut Random, depth: usize) -> Expression {
    if depth == 0 || random.one_in(5) {
        return primitive(random);
    }
    if random.one_in(4) {
        let inner = expression(random, depth - 1);
        let sign = random.pick(&["not ", "!", "! "]);
        let text = format!("{sign}{}", operand(random, &inner));
        return joined(text, vec![inner]);
    }
    let parts: Vec<_> = (0..random.between(2, 3))
        .map(|_| expression(random, depth - 1))
        .collect();
    let mut text = operand(random, &parts[0]);
    for part in &parts[1..] {
        text += random.pick(&[" and ", " or ", " && ", " || ", "&&", "||"]);
        text += &operand(random, part);
    }
    joined(text, parts)
}

/// Parentheses or not: both read the same text, so what it then means is part of the question.
fn operand(random: &mut Random, inner: &Expression) -> String {
    match random.below(3) {
        0 => format!(" {} ", inner.text),
        1 => format!(" ({}) ", inner.text),
        _ => format!(" ( {} ) ", inner.text),
    }
}

fn joined(text: String, parts: Vec<Expression>) -> Expression {
    Expression {
        text: text.trim().to_owned(),
        leaves: parts.iter().flat_map(|part| part.leaves.clone()).collect(),
        parts,
    }
}

fn primitive(random: &mut Random) -> Expression {
    match random.below(14) {
        0..2 => word(random),
        2..4 => address(random),
        4..7 => port(random),
        7 => numbered(random),
        8 => ethernet(random),
        9 => arp(random),
        10 => length(random),
        _ => relations::relation(random),
    }
}

const WORDS: [&str; 27] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "igrp",
    "pim",
    "vrrp",
    "carp",
    "ah",
    "esp",
    "aarp",
    "lat",
    "moprc",
    "mopdl",
    "stp",
    "pppoed",
    "broadcast",
    "multicast",
    "ether multicast",
    "ip multicast",
    "ip6 multicast",
];

fn word(random: &mut Random) -> Expression {
    Expression::leaf(random.pick(&WORDS))
}

fn side(random: &mut Random) -> &'static str {
    random.pick(&[
        "",
        "",
        "src ",
        "dst ",
        "src or dst ",
        "dst or src ",
        "src and dst ",
    ])
}

/// The same qualifiers for what follows `or`, or for all within parentheses.
fn list(random: &mut Random, head: &str, mut id: impl FnMut(&mut Random) -> String) -> String {
    let mut ids = id(random);
    while random.one_in(4) {
        ids += random.pick(&[" or ", " or not ", " and ", " || "]);
        ids += &id(random);
    }
    match random.one_in(5) {
        true => format!("{head}({ids})"),
        false => format!("{head}{ids}"),
    }
}

fn address(random: &mut Random) -> Expression {
    let v6 = random.one_in(3);
    let (version, leaves): (_, &[Kind]) = match (random.one_in(2), v6) {
        (true, true) => ("ip6 ", &[]),
        (true, false) => ("ip ", &[]),
        // libpcap looks into ARP as well.
        (false, false) => ("", &[Kind::Arp]),
        (false, true) => ("", &[]),
    };
    let side = side(random);
    let text = match random.below(4) {
        0 | 1 => {
            let kind = match side.is_empty() {
                true => "host ",
                false => random.pick(&["host ", ""]),
            };
            list(random, &format!("{version}{side}{kind}"), |random| {
                host(random, v6)
            })
        }
        2 if !v6 && random.one_in(2) => {
            let net = random.pick(&["10", "10.0", "10.0.0", "192.168", "192.168.1", "224.0.0"]);
            format!("{version}{side}net {net}")
        }
        2 if !v6 => {
            let len = random.between(0, 32) as u32;
            let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
            let [a, b, c, d] = mask.to_be_bytes();
            let net = masked_v4(random, mask);
            format!("{version}{side}net {net} mask {a}.{b}.{c}.{d}")
        }
        _ => list(random, &format!("{version}{side}net "), |random| {
            net(random, v6)
        }),
    };
    Expression::leaf(text).without(leaves)
}

fn host(random: &mut Random, v6: bool) -> String {
    match v6 {
        true => random.pick(&IPV6).to_owned(),
        false => dotted(random.pick(&IPV4)),
    }
}

fn net(random: &mut Random, v6: bool) -> String {
    if v6 {
        let addr: Ipv6Addr = random.pick(&IPV6).parse().unwrap();
        let len = random.pick(&[0, 1, 10, 31, 32, 33, 63, 64, 65, 96, 127, 128]);
        let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
        return format!("{}/{len}", Ipv6Addr::from(addr.to_bits() & mask));
    }
    let len = random.pick(&[0, 1, 4, 8, 15, 16, 23, 24, 31, 32]);
    let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
    format!("{}/{len}", masked_v4(random, mask))
}

fn masked_v4(random: &mut Random, mask: u32) -> String {
    dotted((u32::from_be_bytes(random.pick(&IPV4)) & mask).to_be_bytes())
}

fn dotted([a, b, c, d]: [u8; 4]) -> String {
    format!("{a}.{b}.{c}.{d}")
}

fn port(random: &mut Random) -> Expression {
    let head = format!(
        "{}{}",
        random.pick(&["", "", "tcp ", "udp ", "sctp "]),
        side(random)
    );
    let number = |random: &mut Random| {
        let port = random.pick(&PORTS);
        match random.below(6) {
            0 => format!("{port:#x}"),
            _ => port.to_string(),
        }
    };
    Expression::leaf(match random.one_in(3) {
        true => {
            let ends = [random.pick(&PORTS), random.pick(&PORTS)];
            format!(
                "{head}portrange {}-{}",
                ends[0].min(ends[1]),
                ends[0].max(ends[1])
            )
        }
        false => list(random, &format!("{head}port "), number),
    })
}

/// Protocols by number. Not 44: that is no protocol here but a header on the way to it.
fn numbered(random: &mut Random) -> Expression {
    let number = |random: &mut Random| match random.below(4) {
        0 => random.below(44).to_string(),
        _ => random.pick(&PROTOCOLS).to_string(),
    };
    let ethertype = |random: &mut Random| {
        let known = [
            "0x0800", "0x86dd", "0x806", "\\arp", "\\ip", "\\ip6", "0x8035", "0x88cc", "0x8863",
            "0x42",
        ];
        random.pick(&known).to_owned()
    };
    Expression::leaf(match random.below(5) {
        0 => list(random, "ip proto ", number),
        1 => list(random, "ip6 proto ", number),
        2 => list(random, "proto ", number),
        3 => list(random, "ether proto ", ethertype),
        _ => {
            let head = random.pick(&["ip proto ", "ip6 proto ", "proto "]);
            list(random, head, |random| {
                random.pick(&["\\tcp", "\\udp", "\\sctp"]).to_owned()
            })
        }
    })
}

fn ethernet(random: &mut Random) -> Expression {
    let head = random.pick(&[
        "ether host ",
        "ether src ",
        "ether dst ",
        "ether src host ",
        "ether src or dst ",
        "ether src and dst host ",
        "link host ",
    ]);
    Expression::leaf(list(random, head, |random| {
        let octets = random.pick(&MACS).map(|octet| format!("{octet:02x}"));
        octets.join(random.pick(&[":", ":", "-"]))
    }))
}

fn arp(random: &mut Random) -> Expression {
    let protocol = random.pick(&["arp ", "arp ", "rarp "]);
    let side = side(random);
    Expression::leaf(match random.one_in(3) {
        true => format!("{protocol}{side}net {}", net(random, false)),
        false => list(random, &format!("{protocol}{side}host "), |random| {
            host(random, false)
        }),
    })
}

fn length(random: &mut Random) -> Expression {
    let number = random.pick(&[0, 82, 100, 122, 130, 140, 600, 1500]);
    let head = random.pick(&[
        "greater ", "less ", "len > ", "len <= ", "len = ", "len != ",
    ]);
    Expression::leaf(format!("{head}{number}"))
}
