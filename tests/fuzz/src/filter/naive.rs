//! The meaning of a tree, evaluated in the plainest way: beside it, what is split, compiled and looked up in tables is
//! judged.

use std::net::IpAddr;

use sensor::filter::tree::{Base, Measure, Operator, Prefix, Side, Term, Test, Tree};

use super::world::{World, slots};

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
    let (valid, ip) = (is_valid(world), is_ip(world));
    let address = |prefix: &Prefix, dst| {
        ip && within(prefix, if dst { key.dst_addr() } else { key.src_addr() })
    };
    let port = |first: u16, last: u16, dst| {
        let port = if dst { key.dst_port() } else { key.src_port() };
        valid && key.has_ports() && first <= port && port <= last
    };
    match test {
        Test::Ipv4 => ip && !key.is_ipv6(),
        Test::Ipv6 => ip && key.is_ipv6(),
        Test::Protocol(number) => ip && key.protocol() == *number,
        Test::Network(id) => valid && !ip && key.network() == *id,
        Test::Address(side, prefix) => either(*side, |dst| address(prefix, dst)),
        Test::AddressIn(side, list) => either(*side, |dst| {
            list.prefixes.iter().any(|prefix| address(prefix, dst))
        }),
        Test::Port(side, range) => either(*side, |dst| port(range.first, range.last, dst)),
        Test::PortIn(side, list) => either(*side, |dst| {
            let mut ranges = list.ranges.iter();
            ranges.any(|range| port(range.first, range.last, dst))
        }),
        Test::Direction(direction) => key.direction() == *direction,
        Test::Interface(name) => slots(name).contains(&key.slot()),
        Test::Length(compare, length) => compare.holds(facts.wire_len, *length),
        Test::Vlan(id) => tags(world, id.map(|id| u32::from(id) | 0x8000), VLAN),
        Test::Mpls(label) => tags(world, label.map(|label| label | 1 << 31), MPLS),
        Test::Pppoe(id) => facts.flags & 4 != 0 && id.is_none_or(|id| id == facts.session),
        Test::Mac(side, addr, mask) => either(*side, |dst| mac(world, dst, *addr, *mask)),
        Test::ArpAddress(side, prefix) => either(*side, |dst| arp(world, dst, prefix)),
        Test::Relation(formula) => {
            let sides = (term(&formula.left, world), term(&formula.right, world));
            matches!(sides, (Some(left), Some(right)) if formula.compare.holds(left, right))
        }
        Test::Application(label) => world.application == Some(label),
        Test::Measure(measure, compare, value) => {
            let counts = world.counts.as_ref();
            let measured = counts.and_then(|counts| match measure {
                Measure::Bytes => Some(counts.bytes),
                Measure::Packets => Some(counts.packets),
                Measure::Duration => counts.duration,
            });
            measured.is_some_and(|measured| compare.holds(measured, *value))
        }
    }
}

fn is_valid(world: &World) -> bool {
    world.facts.key[4] & sensor_common::flow::VALID != 0
}

fn is_ip(world: &World) -> bool {
    is_valid(world) && world.facts.key().is_ip()
}

fn either(side: Side, holds: impl Fn(bool) -> bool) -> bool {
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
    let wanted = &bits(prefix.addr)[..usize::from(prefix.len)];
    prefix.addr.is_ipv4() == addr.is_ipv4() && bits(addr).starts_with(wanted)
}

const VLAN: u16 = 1;
const MPLS: u16 = 2;

fn tags(world: &World, entry: Option<u32>, flag: u16) -> bool {
    let facts = &world.facts;
    match entry {
        None => facts.flags & flag != 0,
        Some(entry) if flag == VLAN => facts.vlans.iter().any(|tag| u32::from(*tag) == entry),
        Some(entry) => facts.labels.contains(&entry),
    }
}

fn mac(world: &World, dst: bool, addr: [u8; 6], mask: [u8; 6]) -> bool {
    let start = if dst { 0 } else { 6 };
    let octets = world.bytes.get(start..start + 6);
    let same = |octets: &[u8]| (0..6).all(|at| octets[at] & mask[at] == addr[at]);
    world.facts.flags & 8 != 0 && octets.is_some_and(same)
}

fn arp(world: &World, target: bool, prefix: &Prefix) -> bool {
    let key = world.facts.key();
    if !is_valid(world) || key.is_ip() || key.network() != 0x0806 {
        return false;
    }
    let packet = &world.bytes[usize::from(world.facts.network_offset)..];
    let at = if target { 24 } else { 14 };
    let octets = packet.get(at..at + 4).map(<[u8; 4]>::try_from);
    matches!(octets, Some(Ok(octets)) if packet[2..4] == [8, 0] && within(prefix, octets.into()))
}

fn term(expression: &Term, world: &World) -> Option<u32> {
    match expression {
        Term::Number(number) => Some(*number),
        Term::Length => Some(world.facts.wire_len),
        Term::Bytes { base, offset, size } => {
            let start = u64::from(start(*base, world)?) + u64::from(term(offset, world)?);
            (start..start + u64::from(*size)).try_fold(0u32, |value, at| {
                let octet = world.bytes.get(usize::try_from(at).ok()?)?;
                Some(value << 8 | u32::from(*octet))
            })
        }
        Term::Operation(operator, left, right) => {
            let [left, right] = [term(left, world)?, term(right, world)?].map(u64::from);
            operate(*operator, left, right).map(|wide| wide as u32)
        }
    }
}

/// In 64 bits, of which the lower half is kept.
fn operate(operator: Operator, left: u64, right: u64) -> Option<u64> {
    Some(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left + (1 << 32) - right,
        Operator::Multiply => left.wrapping_mul(right),
        Operator::Divide => left.checked_div(right)?,
        Operator::Modulo => left.checked_rem(right)?,
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft | Operator::ShiftRight if right > 31 => 0,
        Operator::ShiftLeft => left << right,
        Operator::ShiftRight => left >> right,
    })
}

fn start(base: Base, world: &World) -> Option<u16> {
    let (facts, key) = (&world.facts, world.facts.key());
    let network = Some(facts.network_offset);
    match base {
        Base::Link => Some(0),
        Base::Ipv4 => network.filter(|_| is_ip(world) && !key.is_ipv6()),
        Base::Ipv6 => network.filter(|_| is_ip(world) && key.is_ipv6()),
        Base::Network(id) => {
            network.filter(|_| is_valid(world) && !key.is_ip() && key.network() == id)
        }
        Base::Transport(protocol) => Some(facts.transport_offset)
            .filter(|offset| *offset != 0 && is_ip(world) && key.protocol() == protocol),
    }
}
