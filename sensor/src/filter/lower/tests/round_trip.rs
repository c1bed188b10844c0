//! What is printed of a tree is read as the same tree.

use std::net::IpAddr;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use sensor_common::flow::Direction;

use crate::filter::library::Nothing;
use crate::filter::lower::{address, lower, protocols, relation, simplify};
use crate::filter::names;
use crate::filter::parser::parse;
use crate::filter::tree::{
    Base, Compare, Measure, Operator, PortList, PortRange, Prefix, PrefixList, Side, Term, Test,
    Tree,
};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn printed_and_read_again(tree in trees()) {
        let text = tree.to_string();
        let expr = parse(&text, &Nothing);
        prop_assert!(expr.is_ok(), "{text}: {}", expr.unwrap_err());
        let again = lower(&expr.unwrap(), &text, &Nothing);
        prop_assert_eq!(again, Ok(tree), "{}", text);
    }
}

#[test]
fn every_number_and_every_name_is_read_again() {
    let networks = (0..=u16::MAX).map(names::network_test).map(Tree::Test);
    let transports = (0..=u8::MAX).map(Test::Protocol).map(Tree::Test);
    let words = names::words().map(|word| protocols::word(word).unwrap());
    let port = Tree::Test(Test::Port(Side::Src, PortRange { first: 1, last: 2 }));
    for tree in networks.chain(transports).chain(words) {
        for tree in [simplify::any([port.clone(), tree.clone()]), tree] {
            let text = tree.to_string();
            let expr = parse(&text, &Nothing).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(lower(&expr, &text, &Nothing), Ok(tree), "{text}");
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        10 => tests().prop_map(Tree::Test),
        3 => words(),
        2 => relations(),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..5).prop_map(simplify::all),
            vec(inner.clone(), 1..5).prop_map(simplify::any),
            inner.prop_map(simplify::not),
        ]
    })
}

fn words() -> impl Strategy<Value = Tree> {
    let words: Vec<_> = names::words().collect();
    prop::sample::select(words).prop_map(|word| protocols::word(word).unwrap())
}

fn tests() -> impl Strategy<Value = Test> {
    prop_oneof![
        Just(Test::Ipv4),
        Just(Test::Ipv6),
        any::<u8>().prop_map(Test::Protocol),
        any::<u16>().prop_map(names::network_test),
        (sides(), prefixes()).prop_map(|(side, prefix)| Test::Address(side, prefix)),
        (sides(), vec(prefixes(), 3..6)).prop_map(|(side, prefixes)| address_in(side, prefixes)),
        (sides(), ports()).prop_map(|(side, range)| Test::Port(side, range)),
        (sides(), vec(ports(), 2..6)).prop_map(|(side, ranges)| port_in(side, ranges)),
        prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)].prop_map(Test::Direction),
        "[a-z][a-z0-9.@:-]{0,14}|a b|eth\\(0".prop_map(Test::Interface),
        prop::option::of(0..4096_u16).prop_map(Test::Vlan),
        prop::option::of(0..1_u32 << 20).prop_map(Test::Mpls),
        prop::option::of(any::<u16>()).prop_map(Test::Pppoe),
        (sides(), any::<[u8; 6]>()).prop_map(|(side, addr)| Test::Mac(side, addr, [0xff; 6])),
        (sides(), any::<u32>(), 0..=32_u8).prop_map(|(side, addr, len)| {
            Test::ArpAddress(side, prefix(IpAddr::V4(addr.into()), len))
        }),
        (measures(), compares(), any::<u64>()).prop_map(|(m, c, n)| Test::Measure(m, c, n)),
        (measures(), compares(), 0..5000_u64).prop_map(|(m, c, n)| Test::Measure(m, c, n * 1000)),
    ]
}

fn address_in(side: Side, prefixes: Vec<Prefix>) -> Test {
    let list = PrefixList::merged(None, prefixes);
    match list.prefixes[..] {
        [prefix] => Test::Address(side, prefix),
        _ => Test::AddressIn(side, Arc::new(list)),
    }
}

fn port_in(side: Side, ranges: Vec<PortRange>) -> Test {
    let list = PortList::merged(None, ranges);
    match list.ranges[..] {
        [range] => Test::Port(side, range),
        _ => Test::PortIn(side, Arc::new(list)),
    }
}

fn prefixes() -> impl Strategy<Value = Prefix> {
    prop_oneof![
        (any::<u32>(), 0..=32_u8).prop_map(|(addr, len)| prefix(IpAddr::V4(addr.into()), len)),
        any::<u32>().prop_map(|addr| prefix(IpAddr::V4(addr.into()), 32)),
        (any::<u128>(), 0..=128_u8).prop_map(|(addr, len)| prefix(IpAddr::V6(addr.into()), len)),
        any::<u32>().prop_map(|addr| {
            let mapped = 0xffff_0000_0000 | u128::from(addr);
            prefix(IpAddr::V6(mapped.into()), 128)
        }),
    ]
}

fn prefix(addr: IpAddr, len: u8) -> Prefix {
    address::loose_network(&format!("{addr}/{len}")).unwrap()
}

fn ports() -> impl Strategy<Value = PortRange> {
    (any::<u16>(), prop_oneof![Just(0), any::<u16>()]).prop_map(|(first, more)| PortRange {
        first,
        last: first.saturating_add(more),
    })
}

fn sides() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::Src, Side::Dst, Side::Either, Side::Both])
}

fn measures() -> impl Strategy<Value = Measure> {
    prop::sample::select(vec![Measure::Bytes, Measure::Packets, Measure::Duration])
}

fn compares() -> impl Strategy<Value = Compare> {
    prop::sample::select(vec![
        Compare::Equal,
        Compare::NotEqual,
        Compare::Less,
        Compare::LessOrEqual,
        Compare::Greater,
        Compare::GreaterOrEqual,
    ])
}

fn relations() -> impl Strategy<Value = Tree> {
    (terms(), compares(), terms())
        .prop_map(|(left, compare, right)| relation::compare(left, compare, right))
}

fn terms() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        any::<u32>().prop_map(Term::Number),
        (0..64_u32).prop_map(Term::Number),
        Just(Term::Length)
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let size = prop::sample::select(vec![1, 2, 4]);
        let bytes = (bases(), inner.clone(), size).prop_map(|(base, offset, size)| Term::Bytes {
            base,
            offset: Box::new(offset),
            size,
        });
        let operation = (operators(), inner.clone(), inner).prop_map(|(operator, left, right)| {
            relation::operation(operator, left, right).unwrap_or(Term::Length)
        });
        prop_oneof![bytes, operation]
    })
}

fn bases() -> impl Strategy<Value = Base> {
    let words: Vec<_> = names::words().collect();
    let named =
        prop::sample::select(words).prop_map(|word| relation::base(word).unwrap_or(Base::Link));
    prop_oneof![
        named,
        prop::sample::select(vec![Base::Link, Base::Ipv4, Base::Ipv6, Base::Transport(6)]),
    ]
}

fn operators() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Modulo,
        Operator::And,
        Operator::Or,
        Operator::Xor,
        Operator::ShiftLeft,
        Operator::ShiftRight,
    ])
}
