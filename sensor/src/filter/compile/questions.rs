//! Each test as questions of a packet's facts.

use std::net::IpAddr;

use sensor_common::flow::{
    DIRECTION_MASK, DIRECTION_SHIFT, IPV6, NOT_IP, PORTS, PROTOCOL_MASK, PROTOCOL_SHIFT, SLOT_MASK,
    SLOT_SHIFT, VALID,
};

use super::{Lists, Question, tags};
use crate::filter::program::Check;
use crate::filter::tree::{PortRange, Prefix, Side, Test, Tree};

/// Words of the flow key.
const NETWORK: u8 = 0;
const META: u8 = 4;
/// Lists of so few entries are asked for one by one.
const FEW: usize = 3;

pub(super) struct Writer<'a> {
    pub(super) slots: &'a dyn Fn(&str) -> Vec<u8>,
    pub(super) lists: &'a mut Lists,
}

impl Writer<'_> {
    pub(super) fn write(&mut self, tree: &Tree) -> Question {
        match tree {
            Tree::True => Question::Always,
            Tree::False => Question::Never,
            Tree::Test(test) => self.test(test),
            Tree::Not(inner) => Question::Not(Box::new(self.write(inner))),
            Tree::All(parts) => all(self.parts(parts, false)),
            Tree::Any(parts) => any(self.parts(parts, true)),
        }
    }

    fn parts(&mut self, parts: &[Tree], any: bool) -> Vec<Question> {
        let questions = parts.iter().map(|part| self.write(part)).collect();
        tags::gathered(questions, any, self.lists)
    }

    fn test(&mut self, test: &Test) -> Question {
        match test {
            Test::Ipv4 => meta(VALID | NOT_IP | IPV6, VALID),
            Test::Ipv6 => meta(VALID | NOT_IP | IPV6, VALID | IPV6),
            Test::Protocol(number) => meta(
                VALID | NOT_IP | PROTOCOL_MASK,
                VALID | u64::from(*number) << PROTOCOL_SHIFT,
            ),
            Test::Network(id) => all(vec![
                meta(VALID | NOT_IP, VALID | NOT_IP),
                word(NETWORK, 0xffff, u64::from(*id)),
            ]),
            Test::Address(side, prefix) => address(*side, prefix),
            Test::AddressIn(side, list) if list.prefixes.len() <= FEW => sided(*side, |dst| {
                one_of(&list.prefixes, |prefix| address(end(dst), prefix))
            }),
            Test::AddressIn(side, list) => {
                let list = self.lists.prefixes(list);
                sided(*side, |dst| Question::Ask(Check::AddressIn { dst, list }))
            }
            Test::Port(side, range) => sided(*side, |dst| port(dst, *range)),
            Test::PortIn(side, list) if list.ranges.len() <= FEW => {
                sided(*side, |dst| one_of(&list.ranges, |range| port(dst, *range)))
            }
            Test::PortIn(side, list) => {
                let list = self.lists.ports(list);
                sided(*side, |dst| Question::Ask(Check::PortIn { dst, list }))
            }
            Test::Direction(direction) => {
                meta(DIRECTION_MASK, (*direction as u64) << DIRECTION_SHIFT)
            }
            Test::Interface(name) => one_of(&(self.slots)(name), |slot| {
                meta(SLOT_MASK, u64::from(*slot) << SLOT_SHIFT)
            }),
            Test::Length(compare, length) => Question::Ask(Check::Length(*compare, *length)),
            Test::Vlan(id) => Question::Ask(Check::Vlan(*id)),
            Test::Mpls(label) => Question::Ask(Check::Mpls(*label)),
            Test::Pppoe(session) => Question::Ask(Check::Pppoe(*session)),
            Test::Mac(side, addr, mask) => sided(*side, |dst| {
                let (addr, mask) = (*addr, *mask);
                Question::Ask(Check::Mac { dst, addr, mask })
            }),
            Test::ArpAddress(side, prefix) => arp_address(*side, prefix),
            Test::Relation(formula) => Question::Ask(Check::Formula(formula.clone())),
            Test::Application(_) | Test::Measure(..) => Question::Never,
        }
    }
}

fn one_of<T>(entries: &[T], question: impl FnMut(&T) -> Question) -> Question {
    any(entries.iter().map(question).collect())
}

fn sided(side: Side, question: impl Fn(bool) -> Question) -> Question {
    match side {
        Side::Src => question(false),
        Side::Dst => question(true),
        Side::Either => any(vec![question(false), question(true)]),
        Side::Both => all(vec![question(false), question(true)]),
    }
}

fn end(dst: bool) -> Side {
    if dst { Side::Dst } else { Side::Src }
}

/// The version is asked for once, whichever ends are meant.
fn address(side: Side, prefix: &Prefix) -> Question {
    let (version, masks, values) = match prefix.addr {
        IpAddr::V4(addr) => {
            let mask = v4_mask(prefix.len).to_be_bytes();
            // The rest of a v4-mapped address is the same in all of them.
            let at_end = |octets: [u8; 4]| {
                let [a, b, c, d] = octets;
                [0, u64::from_ne_bytes([0, 0, 0, 0, a, b, c, d])]
            };
            (Test::Ipv4, at_end(mask), at_end(addr.octets()))
        }
        IpAddr::V6(addr) => {
            let free = 128 - u32::from(prefix.len.min(128));
            let mask = u128::MAX.checked_shl(free).unwrap_or(0);
            (Test::Ipv6, words(mask), words(addr.to_bits()))
        }
    };
    let flags = match version {
        Test::Ipv4 => meta(VALID | NOT_IP | IPV6, VALID),
        _ => meta(VALID | NOT_IP | IPV6, VALID | IPV6),
    };
    let end = |dst: bool| {
        let first = 2 * u8::from(dst);
        all(vec![
            word(first, masks[0], values[0] & masks[0]),
            word(first + 1, masks[1], values[1] & masks[1]),
        ])
    };
    all(vec![flags, sided(side, end)])
}

fn v4_mask(len: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(len.min(32)))
        .unwrap_or(0)
}

/// As an IPv6 address lies in a flow key.
fn words(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64].map(u64::to_be)
}

/// Ports whose leading bits are the same are one masked word.
fn port(dst: bool, range: PortRange) -> Question {
    let PortRange { first, last } = range;
    if first > last {
        return Question::Never;
    }
    let free = first ^ last;
    if free & (free.wrapping_add(1)) != 0 || first & free != 0 {
        return Question::Ask(Check::Port { dst, range });
    }
    let place = |number: u16| {
        let [a, b] = number.to_be_bytes();
        let ports = if dst { [0, 0, a, b] } else { [a, b, 0, 0] };
        u64::from(u32::from_ne_bytes(ports))
    };
    meta(VALID | PORTS | place(!free), VALID | PORTS | place(first))
}

fn arp_address(side: Side, prefix: &Prefix) -> Question {
    let IpAddr::V4(addr) = prefix.addr else {
        return Question::Never;
    };
    let mask = u32::from_ne_bytes(v4_mask(prefix.len).to_be_bytes());
    let addr = u32::from_ne_bytes(addr.octets()) & mask;
    sided(side, |target| {
        Question::Ask(Check::ArpAddress { target, addr, mask })
    })
}

fn meta(mask: u64, value: u64) -> Question {
    word(META, mask, value)
}

fn word(word: u8, mask: u64, value: u64) -> Question {
    Question::Ask(Check::Word { word, mask, value })
}

/// In an order that asks what is cheap first, and words of the key together, which then become one question.
fn all(parts: Vec<Question>) -> Question {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Question::All(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.sort_by_key(cost);
    Question::All(flat)
}

fn any(mut parts: Vec<Question>) -> Question {
    parts.sort_by_key(cost);
    Question::Any(parts)
}

fn cost(question: &Question) -> u32 {
    match question {
        Question::Always | Question::Never => 0,
        Question::Ask(check) => match check {
            Check::Word { word, .. } => 1 + u32::from(META.abs_diff(*word)),
            Check::Port { .. } | Check::Length(..) => 6,
            Check::Vlan(None) | Check::Mpls(None) | Check::Pppoe(_) => 6,
            Check::Vlan(Some(_)) | Check::Mpls(Some(_)) => 10,
            Check::PortIn { .. } | Check::TagIn { .. } => 10,
            Check::Mac { .. } | Check::ArpAddress { .. } => 20,
            Check::Formula(_) => 30,
            Check::AddressIn { .. } => 40,
        },
        Question::Not(inner) => cost(inner),
        Question::All(parts) | Question::Any(parts) => {
            parts.iter().map(cost).fold(0, u32::saturating_add)
        }
    }
}
