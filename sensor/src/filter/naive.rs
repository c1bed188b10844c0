//! For tests: the meaning of a tree, evaluated in the plainest way.

use std::net::IpAddr;

use sensor_common::facts::Facts;
use sensor_common::flow::VALID;

use super::flow::{FlowFacts, Measured};
use super::tree::{Base, Measure, Operator, PortRange, Prefix, Side, Term, Test, Tree};

mod random;

pub(super) use random::{flow_test, key_test, packet_test, tree, world};

/// Everything that can be known of one packet and its flow.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) bytes: Vec<u8>,
    pub(super) application: Option<&'static str>,
    pub(super) counts: Option<Measured>,
    pub(super) interface: &'static str,
}

impl World {
    pub(super) fn flow(&self) -> FlowFacts<'_> {
        FlowFacts {
            key: self.facts.key(),
            application: self.application,
            counts: self.counts,
            interface: Some(self.interface),
        }
    }
}

/// `eth0` was there twice.
pub(super) fn slots(name: &str) -> Vec<u8> {
    match name {
        "eth0" => vec![0, 3],
        "eth1" => vec![1],
        "wlan0" => vec![200],
        _ => Vec::new(),
    }
}

pub(super) fn holds(tree: &Tree, world: &World) -> bool {
    match tree {
        Tree::True => true,
        Tree::False => false,
        Tree::Test(test) => test_holds(test, world),
        Tree::Not(inner) => !holds(inner, world),
        Tree::All(parts) => parts.iter().all(|part| holds(part, world)),
        Tree::Any(parts) => parts.iter().any(|part| holds(part, world)),
    }
}

fn test_holds(test: &Test, world: &World) -> bool {
    let (facts, key) = (&world.facts, world.facts.key());
    let valid = key.0[4] & VALID != 0;
    let ip = valid && key.is_ip();
    let address = |prefix: &Prefix, dst: bool| {
        ip && within(prefix, if dst { key.dst_addr() } else { key.src_addr() })
    };
    let port = |range: &PortRange, dst: bool| {
        let port = if dst { key.dst_port() } else { key.src_port() };
        valid && key.has_ports() && range.first <= port && port <= range.last
    };
    match test {
        Test::Ipv4 => ip && !key.is_ipv6(),
        Test::Ipv6 => ip && key.is_ipv6(),
        Test::Protocol(number) => ip && key.protocol() == *number,
        Test::Network(id) => valid && !key.is_ip() && key.network() == *id,
        Test::Address(side, prefix) => sided(*side, |dst| address(prefix, dst)),
        Test::AddressIn(side, list) => sided(*side, |dst| {
            list.prefixes.iter().any(|prefix| address(prefix, dst))
        }),
        Test::Port(side, range) => sided(*side, |dst| port(range, dst)),
        Test::PortIn(side, list) => sided(*side, |dst| {
            list.ranges.iter().any(|range| port(range, dst))
        }),
        Test::Direction(direction) => key.direction() == *direction,
        Test::Interface(name) => slots(name).contains(&key.slot()),
        Test::Length(compare, length) => compare.holds(facts.wire_len, *length),
        Test::Vlan(None) => facts.flags & 1 != 0,
        Test::Vlan(Some(id)) => facts
            .vlans
            .iter()
            .any(|entry| entry & 0x8000 != 0 && entry & 0xfff == *id),
        Test::Mpls(None) => facts.flags & 2 != 0,
        Test::Mpls(Some(label)) => {
            let has = |entry: &u32| entry >> 31 != 0 && entry & 0xf_ffff == *label;
            facts.labels.iter().any(has)
        }
        Test::Pppoe(id) => facts.flags & 4 != 0 && id.is_none_or(|id| id == facts.session),
        Test::Mac(side, addr, mask) => sided(*side, |dst| {
            let start = if dst { 0 } else { 6 };
            facts.flags & 8 != 0
                && (0..6).all(|index| match world.bytes.get(start + index) {
                    Some(octet) => octet & mask[index] == addr[index],
                    None => false,
                })
        }),
        Test::ArpAddress(side, prefix) => sided(*side, |target| {
            let arp = world
                .bytes
                .get(usize::from(facts.network_offset)..)
                .unwrap_or(&[]);
            let at = if target { 24 } else { 14 };
            valid
                && !key.is_ip()
                && key.network() == 0x0806
                && arp.len() >= at + 4
                && arp[2..4] == [8, 0]
                && {
                    let octets: [u8; 4] = arp[at..at + 4].try_into().unwrap();
                    within(prefix, octets.into())
                }
        }),
        Test::Relation(formula) => {
            match (term(&formula.left, world), term(&formula.right, world)) {
                (Some(left), Some(right)) => formula.compare.holds(left, right),
                _ => false,
            }
        }
        Test::Application(label) => world.application == Some(label),
        Test::Measure(measure, compare, value) => world
            .counts
            .and_then(|counts| match measure {
                Measure::Bytes => Some(counts.bytes),
                Measure::Packets => Some(counts.packets),
                Measure::Duration => counts.duration,
            })
            .is_some_and(|measured| compare.holds(measured, *value)),
    }
}

fn sided(side: Side, holds: impl Fn(bool) -> bool) -> bool {
    match side {
        Side::Src => holds(false),
        Side::Dst => holds(true),
        Side::Either => holds(false) || holds(true),
        Side::Both => holds(false) && holds(true),
    }
}

fn within(prefix: &Prefix, addr: IpAddr) -> bool {
    let bits = |addr: IpAddr| match addr {
        IpAddr::V4(addr) => format!("{:032b}", addr.to_bits()),
        IpAddr::V6(addr) => format!("{:0128b}", addr.to_bits()),
    };
    prefix.addr.is_ipv4() == addr.is_ipv4()
        && bits(addr).starts_with(&bits(prefix.addr)[..usize::from(prefix.len)])
}

fn term(expression: &Term, world: &World) -> Option<u32> {
    match expression {
        Term::Number(number) => Some(*number),
        Term::Length => Some(world.facts.wire_len),
        Term::Bytes { base, offset, size } => {
            let start = base_offset(*base, world)? as u64 + u64::from(term(offset, world)?);
            (start..start + u64::from(*size)).try_fold(0u32, |value, at| {
                let octet = world.bytes.get(usize::try_from(at).ok()?)?;
                Some(value << 8 | u32::from(*octet))
            })
        }
        Term::Operation(operator, left, right) => {
            let (a, b) = (
                u64::from(term(left, world)?),
                u64::from(term(right, world)?),
            );
            let wide = match operator {
                Operator::Add => a + b,
                Operator::Subtract => a + (1 << 32) - b,
                Operator::Multiply => a.wrapping_mul(b),
                Operator::Divide => (b != 0).then(|| a / b)?,
                Operator::Modulo => (b != 0).then(|| a % b)?,
                Operator::And => a & b,
                Operator::Or => a | b,
                Operator::Xor => a ^ b,
                Operator::ShiftLeft => {
                    if b < 32 {
                        a << b
                    } else {
                        0
                    }
                }
                Operator::ShiftRight => {
                    if b < 32 {
                        a >> b
                    } else {
                        0
                    }
                }
            };
            Some(wide as u32)
        }
    }
}

fn base_offset(base: Base, world: &World) -> Option<u16> {
    let (facts, key) = (&world.facts, world.facts.key());
    if base == Base::Link {
        return Some(0);
    }
    if key.0[4] & VALID == 0 {
        return None;
    }
    match base {
        Base::Link => Some(0),
        Base::Ipv4 => (key.is_ip() && !key.is_ipv6()).then_some(facts.network_offset),
        Base::Ipv6 => (key.is_ip() && key.is_ipv6()).then_some(facts.network_offset),
        Base::Network(id) => (!key.is_ip() && key.network() == id).then_some(facts.network_offset),
        Base::Transport(protocol) => {
            (key.is_ip() && key.protocol() == protocol && facts.transport_offset != 0)
                .then_some(facts.transport_offset)
        }
    }
}
