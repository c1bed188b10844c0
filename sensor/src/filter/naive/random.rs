//! Random trees, packets and flows, of few different values: tests hold about as often as not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use proptest::prelude::*;
use sensor_common::facts::Facts;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::LinkObserver;

use super::World;
use crate::filter::flow::Measured;
use crate::filter::tree::{
    Base, Compare, Formula, Measure, Operator, PortList, PortRange, Prefix, PrefixList, Side, Term,
    Test, Tree,
};

const INTERFACES: [&str; 3] = ["eth0", "eth1", "wlan0"];
const V4: [[u8; 4]; 5] = [
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    [10, 0, 1, 1],
    [192, 168, 0, 1],
    [0, 0, 0, 0],
];
const PORTS: [u16; 6] = [0, 22, 80, 443, 8000, 65535];
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [255; 6]];
const LABELS: [&str; 3] = ["dns", "http", "quic"];

fn v6(index: usize) -> Ipv6Addr {
    let bits = [
        1u128,
        0x2001_0db8 << 96,
        0x2001_0db8 << 96 | 1,
        0xffff << 32 | 0x0a00_0001,
        0,
    ];
    Ipv6Addr::from_bits(bits[index % bits.len()])
}

fn addr() -> impl Strategy<Value = IpAddr> {
    (any::<bool>(), 0..5usize).prop_map(|(ipv6, index)| {
        if ipv6 {
            v6(index).into()
        } else {
            Ipv4Addr::from(V4[index]).into()
        }
    })
}

fn prefix() -> impl Strategy<Value = Prefix> {
    const LENS: [u8; 12] = [0, 1, 8, 24, 31, 32, 32, 64, 65, 127, 128, 128];
    (addr(), prop::sample::select(&LENS[..])).prop_map(|(addr, len)| {
        let addr: IpAddr = match addr {
            IpAddr::V4(addr) => {
                let free = 32 - u32::from(len.min(32));
                Ipv4Addr::from_bits(addr.to_bits() & u32::MAX.checked_shl(free).unwrap_or(0)).into()
            }
            IpAddr::V6(addr) => {
                let free = 128 - u32::from(len);
                Ipv6Addr::from_bits(addr.to_bits() & u128::MAX.checked_shl(free).unwrap_or(0))
                    .into()
            }
        };
        let len = if addr.is_ipv4() { len.min(32) } else { len };
        Prefix { addr, len }
    })
}

fn port_range() -> impl Strategy<Value = PortRange> {
    let port = || prop::sample::select(&PORTS[..]);
    prop_oneof![
        3 => port().prop_map(|port| PortRange { first: port, last: port }),
        1 => (port(), port()).prop_map(|(a, b)| PortRange { first: a.min(b), last: a.max(b) }),
        1 => (0..1024u16, 0..10u32).prop_map(|(at, bits)| {
            let free = (1u16 << bits) - 1;
            PortRange { first: at & !free, last: at | free }
        }),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    prop::sample::select(&[Side::Src, Side::Dst, Side::Either, Side::Both][..])
}

fn compare() -> impl Strategy<Value = Compare> {
    use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    prop::sample::select(&[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual][..])
}

fn network_id() -> impl Strategy<Value = u16> {
    prop::sample::select(&[0x0806u16, 0x88cc, 0x0042][..])
}

fn protocol() -> impl Strategy<Value = u8> {
    prop::sample::select(&[6u8, 17, 1, 0][..])
}

pub(in crate::filter) fn key_test() -> impl Strategy<Value = Test> {
    let prefixes = |count| {
        prop::collection::vec(prefix(), count).prop_map(|prefixes| {
            Arc::new(PrefixList {
                file: None,
                prefixes,
            })
        })
    };
    let ranges = |count| {
        prop::collection::vec(port_range(), count)
            .prop_map(|ranges| Arc::new(PortList { file: None, ranges }))
    };
    let direction =
        prop::sample::select(&[Direction::Unknown, Direction::Ingress, Direction::Egress][..]);
    let interface = prop::sample::select(&["eth0", "eth1", "wlan0", "none"][..]);
    prop_oneof![
        Just(Test::Ipv4),
        Just(Test::Ipv6),
        protocol().prop_map(Test::Protocol),
        network_id().prop_map(Test::Network),
        (side(), prefix()).prop_map(|(side, prefix)| Test::Address(side, prefix)),
        (side(), prefixes(0..6)).prop_map(|(side, list)| Test::AddressIn(side, list)),
        (side(), port_range()).prop_map(|(side, range)| Test::Port(side, range)),
        (side(), ranges(0..6)).prop_map(|(side, list)| Test::PortIn(side, list)),
        direction.prop_map(Test::Direction),
        interface.prop_map(|name| Test::Interface(name.into())),
    ]
}

fn any_term() -> impl Strategy<Value = Term> {
    use Operator::{Add, And, Divide, Modulo, Multiply, Or, ShiftLeft, ShiftRight, Subtract, Xor};
    let operators = [
        Add, Subtract, Multiply, Divide, Modulo, And, Or, Xor, ShiftLeft, ShiftRight,
    ];
    let number = prop_oneof![0..70u32, any::<u32>()];
    let leaf = prop_oneof![3 => number.prop_map(Term::Number), 1 => Just(Term::Length)];
    leaf.prop_recursive(3, 12, 2, move |inner| {
        let base = prop_oneof![
            Just(Base::Link),
            Just(Base::Ipv4),
            Just(Base::Ipv6),
            network_id().prop_map(Base::Network),
            protocol().prop_map(Base::Transport),
        ];
        let size = prop::sample::select(&[1u8, 2, 4][..]);
        prop_oneof![
            (base, inner.clone(), size).prop_map(|(base, offset, size)| Term::Bytes {
                base,
                offset: Box::new(offset),
                size
            }),
            (
                prop::sample::select(operators.to_vec()),
                inner.clone(),
                inner
            )
                .prop_map(|(operator, a, b)| Term::Operation(
                    operator,
                    Box::new(a),
                    Box::new(b)
                )),
        ]
    })
}

pub(in crate::filter) fn packet_test() -> impl Strategy<Value = Test> {
    let mac = || prop::sample::select(&MACS[..]);
    let mask = prop::sample::select(&[[255u8; 6], [1, 0, 0, 0, 0, 0]][..]);
    prop_oneof![
        (compare(), 60..64u32).prop_map(|(compare, length)| Test::Length(compare, length)),
        prop::option::of(0..3u16).prop_map(Test::Vlan),
        prop::option::of(0..3u32).prop_map(Test::Mpls),
        prop::option::of(0..3u16).prop_map(Test::Pppoe),
        (side(), mac(), mask).prop_map(|(side, addr, mask)| {
            let addr = std::array::from_fn(|index| addr[index] & mask[index]);
            Test::Mac(side, addr, mask)
        }),
        (side(), prefix()).prop_map(|(side, prefix)| Test::ArpAddress(side, prefix)),
        (any_term(), compare(), any_term()).prop_map(|(left, compare, right)| {
            Test::Relation(Arc::new(Formula {
                left,
                compare,
                right,
            }))
        }),
    ]
}

pub(in crate::filter) fn flow_test() -> impl Strategy<Value = Test> {
    use Measure::{Bytes, Duration, Packets};
    let measure = prop::sample::select(&[Bytes, Packets, Duration][..]);
    prop_oneof![
        prop::sample::select(&LABELS[..]).prop_map(Test::Application),
        (measure, compare(), 0..4u64)
            .prop_map(|(measure, compare, value)| Test::Measure(measure, compare, value)),
    ]
}

pub(in crate::filter) fn tree(
    test: impl Strategy<Value = Test> + 'static,
) -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        20 => test.prop_map(Tree::Test),
        1 => Just(Tree::True),
        1 => Just(Tree::False),
    ];
    leaf.prop_recursive(5, 40, 10, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 0..10);
        prop_oneof![
            inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            parts().prop_map(Tree::All),
            parts().prop_map(Tree::Any),
        ]
    })
}

fn key() -> impl Strategy<Value = FlowKey> {
    let port = || prop::sample::select(&PORTS[..]);
    let ports = prop::option::of((port(), port()));
    (
        0..5u8,
        0..5usize,
        0..5usize,
        protocol(),
        network_id(),
        ports,
    )
        .prop_map(|(kind, src, dst, protocol, network, ports)| {
            let words = |addr: Ipv6Addr| {
                let bits = addr.to_bits();
                [(bits >> 64) as u64, bits as u64].map(u64::to_be)
            };
            let mut key = match kind {
                0 => return FlowKey([0; 5]),
                1 => return FlowKey::not_ip(network),
                2 => FlowKey::ipv6(words(v6(src)), words(v6(dst)), protocol),
                _ => FlowKey::ipv4(
                    u32::from_ne_bytes(V4[src]),
                    u32::from_ne_bytes(V4[dst]),
                    protocol,
                ),
            };
            if let Some((src, dst)) = ports {
                let [[a, b], [c, d]] = [src, dst].map(u16::to_be_bytes);
                key.set_ports(u32::from_ne_bytes([a, b, c, d]));
            }
            key
        })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let random = prop::collection::vec(0..4u8, 0..70);
    let arp = (0..5usize, 0..5usize).prop_map(|(sender, target)| {
        let mut bytes = vec![0; 14];
        bytes.extend([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1]);
        bytes.extend(V4[sender]);
        bytes.extend([0; 6]);
        bytes.extend(V4[target]);
        bytes
    });
    let macs = (0..2usize, 0..2usize, any::<[u8; 30]>())
        .prop_map(|(dst, src, rest)| [&MACS[dst][..], &MACS[src][..], &rest[..]].concat());
    prop_oneof![random, arp, macs]
}

fn facts() -> impl Strategy<Value = Facts> {
    let origin = (prop::sample::select(&[0u8, 1, 3, 200, 7][..]), 0..3usize);
    let tags = prop::collection::vec(0..3u16, 0..3);
    let labels = prop::collection::vec(0..3u32, 0..3);
    let link = (any::<bool>(), tags, labels, prop::option::of(0..3u16));
    let offsets = (
        prop::sample::select(&[0u16, 14, 18][..]),
        prop::sample::select(&[0u16, 34, 60][..]),
    );
    (key(), origin, link, 60..64u32, offsets).prop_map(
        |(mut key, origin, link, wire_len, offsets)| {
            let directions = [Direction::Unknown, Direction::Ingress, Direction::Egress];
            key.set_origin(origin.0, directions[origin.1]);
            let mut facts = Facts::NONE;
            (facts.key, facts.wire_len) = (key.0, wire_len);
            (facts.network_offset, facts.transport_offset) = offsets;
            facts.new_link(link.0);
            link.1
                .iter()
                .for_each(|tag| facts.tag(0x8100, 0xe000 | tag));
            link.2
                .iter()
                .for_each(|label| facts.label(label << 12 | 0x1ff));
            link.3
                .iter()
                .for_each(|session| LinkObserver::session(&mut facts, *session));
            facts
        },
    )
}

pub(in crate::filter) fn world() -> impl Strategy<Value = World> {
    let duration = prop::option::of(0..4u64);
    let counts = (0..4u64, 0..4u64, duration).prop_map(|(packets, bytes, duration)| Measured {
        packets,
        bytes,
        duration,
    });
    let application = prop::option::of(prop::sample::select(&LABELS[..]));
    let interface = prop::sample::select(&INTERFACES[..]);
    (
        facts(),
        bytes(),
        application,
        prop::option::of(counts),
        interface,
    )
        .prop_map(|(facts, bytes, application, counts, interface)| World {
            facts,
            bytes,
            application,
            counts,
            interface,
        })
}
