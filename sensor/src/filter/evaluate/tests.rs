use std::sync::Arc;

use proptest::prelude::*;
use sensor_common::flow::Direction;
use sensor_common::parse::LinkObserver;
use sensor_common::view::HEADER_WINDOW;

use super::*;
use crate::filter::naive;
use crate::filter::tree::{
    Base, Compare, Formula, Operator, PortRange, Prefix, PrefixList, Side, Term, Test, Tree,
};

fn some_test() -> impl Strategy<Value = Test> {
    prop_oneof![2 => naive::key_test(), 1 => naive::packet_test()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_program_says_what_the_tree_says(
        tree in naive::tree(some_test()),
        worlds in prop::collection::vec(naive::world(), 20),
    ) {
        let matcher = matcher(&tree);
        for (index, node) in matcher.program.nodes.iter().enumerate() {
            for step in [node.yes, node.no] {
                prop_assert!(step > index as u32, "{:?}", matcher.program);
            }
        }
        for world in &worlds {
            let said = matcher.matches(&world.facts, &world.bytes);
            prop_assert_eq!(said, naive::holds(&tree, world), "{:?}", matcher.program);
        }
    }

    #[test]
    fn nothing_is_read_beyond_the_reach(test in naive::packet_test(), world in naive::world()) {
        let matcher = matcher(&Tree::Test(test));
        let within = world.bytes.get(..matcher.reach()).unwrap_or(&world.bytes);
        prop_assert_eq!(matcher.matches(&world.facts, within), matcher.matches(&world.facts, &world.bytes));
    }

    #[test]
    fn any_facts_and_bytes_give_an_answer(
        tests in prop::collection::vec(some_test(), 1..20),
        key in any::<[u64; 5]>(),
        offsets in any::<[u16; 2]>(),
        flags in any::<u16>(),
        bytes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut facts = Facts::NONE;
        (facts.key, facts.flags) = (key, flags);
        [facts.network_offset, facts.transport_offset] = offsets;
        for test in tests {
            matcher(&Tree::Test(test)).matches(&facts, &bytes);
        }
    }
}

fn matcher(tree: &Tree) -> Matcher {
    Matcher::new(Program::compile(tree, &naive::slots).unwrap())
}

fn says(test: Test, facts: &Facts, bytes: &[u8]) -> bool {
    matcher(&Tree::Test(test)).matches(facts, bytes)
}

fn facts(key: FlowKey) -> Facts {
    let mut facts = Facts::NONE;
    facts.key = key.0;
    facts.new_link(true);
    facts.wire_len = 60;
    facts.network_offset = 14;
    facts.transport_offset = 34;
    facts
}

fn tcp(src: [u8; 4], src_port: u16, dst: [u8; 4], dst_port: u16) -> Facts {
    let mut key = FlowKey::ipv4(u32::from_ne_bytes(src), u32::from_ne_bytes(dst), 6);
    let [[a, b], [c, d]] = [src_port, dst_port].map(u16::to_be_bytes);
    key.set_ports(u32::from_ne_bytes([a, b, c, d]));
    key.set_origin(3, Direction::Egress);
    facts(key)
}

fn prefix(text: &str) -> Prefix {
    let (addr, len) = text.split_once('/').unwrap();
    Prefix {
        addr: addr.parse().unwrap(),
        len: len.parse().unwrap(),
    }
}

fn range(first: u16, last: u16) -> PortRange {
    PortRange { first, last }
}

#[test]
fn sides_are_told_apart() {
    let facts = tcp([10, 0, 0, 1], 50000, [192, 168, 0, 1], 443);
    let net = |side, text| says(Test::Address(side, prefix(text)), &facts, &[]);
    assert!(net(Side::Src, "10.0.0.0/8") && !net(Side::Dst, "10.0.0.0/8"));
    assert!(net(Side::Either, "192.168.0.1/32") && !net(Side::Both, "192.168.0.1/32"));
    assert!(net(Side::Both, "0.0.0.0/0") && !net(Side::Either, "::/0"));
    assert!(!net(Side::Either, "::ffff:10.0.0.1/128"));
    let port = |side, first, last| says(Test::Port(side, range(first, last)), &facts, &[]);
    assert!(port(Side::Dst, 443, 443) && !port(Side::Src, 443, 443));
    assert!(port(Side::Either, 440, 450) && !port(Side::Both, 440, 450));
    assert!(port(Side::Both, 1, 65535) && port(Side::Both, 0, 65535));
}

#[test]
fn a_malformed_packet_has_its_length_and_its_origin_only() {
    let mut facts = facts(FlowKey([0, 0, 0, 0, 1 << 44 | 1 << 48]));
    facts.tag(0x8100, 7);
    let everything = prefix("0.0.0.0/0");
    for test in [
        Test::Ipv4,
        Test::Protocol(0),
        Test::Network(0),
        Test::Address(Side::Either, everything),
        Test::Port(Side::Either, range(0, 65535)),
        Test::Relation(byte(Base::Ipv4, 0)),
        Test::Relation(byte(Base::Network(0), 0)),
    ] {
        assert!(!says(test.clone(), &facts, &[0; 64]), "{test:?}");
    }
    assert!(says(Test::Direction(Direction::Ingress), &facts, &[]));
    assert!(says(Test::Interface("eth1".into()), &facts, &[]));
    assert!(says(Test::Length(Compare::Equal, 60), &facts, &[]));
    assert!(says(Test::Vlan(Some(7)), &facts, &[]));
}

#[test]
fn an_interface_may_have_several_slots_or_none() {
    let facts = tcp([1, 1, 1, 1], 1, [2, 2, 2, 2], 2);
    assert!(says(Test::Interface("eth0".into()), &facts, &[]));
    assert!(!says(Test::Interface("eth1".into()), &facts, &[]));
    assert!(!says(Test::Interface("none".into()), &facts, &[]));
}

#[test]
fn tags_labels_and_sessions_are_asked_for_by_number() {
    let mut facts = tcp([1, 1, 1, 1], 1, [2, 2, 2, 2], 2);
    assert!(!says(Test::Vlan(None), &facts, &[]) && !says(Test::Vlan(Some(0)), &facts, &[]));
    assert!(!says(Test::Mpls(Some(0)), &facts, &[]) && !says(Test::Pppoe(Some(0)), &facts, &[]));
    facts.tag(0x88a8, 0x2000 | 10);
    facts.tag(0x8100, 20);
    facts.label(16 << 12 | 0x1ff);
    LinkObserver::session(&mut facts, 5);
    for (test, expected) in [
        (Test::Vlan(None), true),
        (Test::Vlan(Some(10)), true),
        (Test::Vlan(Some(20)), true),
        (Test::Vlan(Some(30)), false),
        (Test::Mpls(Some(16)), true),
        (Test::Mpls(Some(17)), false),
        (Test::Pppoe(Some(5)), true),
        (Test::Pppoe(Some(6)), false),
    ] {
        assert_eq!(says(test.clone(), &facts, &[]), expected, "{test:?}");
    }
}

#[test]
fn mac_addresses_are_those_of_an_ethernet_header() {
    let mut bytes = vec![0xff; 6];
    bytes.extend([2, 0, 0, 0, 0, 1, 8, 0]);
    let mut facts = tcp([1, 1, 1, 1], 1, [2, 2, 2, 2], 2);
    let source = Test::Mac(Side::Src, [2, 0, 0, 0, 0, 1], [255; 6]);
    let group = Test::Mac(Side::Dst, [1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]);
    assert!(says(source.clone(), &facts, &bytes) && says(group.clone(), &facts, &bytes));
    assert!(!says(source.clone(), &facts, &bytes[..11]));
    facts.new_link(false);
    assert!(!says(source, &facts, &bytes) && !says(group, &facts, &bytes));
}

#[test]
fn addresses_inside_arp_are_those_of_ipv4() {
    let mut bytes = vec![0; 14];
    bytes.extend([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1]);
    bytes.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
    let arp = facts(FlowKey::not_ip(0x0806));
    let asks = |side, text| Test::ArpAddress(side, prefix(text));
    assert!(says(asks(Side::Src, "10.0.0.1/32"), &arp, &bytes));
    assert!(says(asks(Side::Dst, "10.0.0.2/31"), &arp, &bytes));
    assert!(!says(asks(Side::Dst, "10.0.0.1/32"), &arp, &bytes));
    assert!(!says(asks(Side::Either, "::/0"), &arp, &bytes));
    assert!(!says(asks(Side::Dst, "10.0.0.2/32"), &arp, &bytes[..41]));
    let other = facts(FlowKey::not_ip(0x88cc));
    assert!(!says(asks(Side::Src, "10.0.0.1/32"), &other, &bytes));
    bytes[16] = 0x86;
    assert!(!says(asks(Side::Src, "10.0.0.1/32"), &arp, &bytes));
}

fn byte(base: Base, offset: u32) -> Arc<Formula> {
    compared(
        bytes_at(base, Term::Number(offset), 1),
        Compare::GreaterOrEqual,
        0,
    )
}

fn bytes_at(base: Base, offset: Term, size: u8) -> Term {
    Term::Bytes {
        base,
        offset: Box::new(offset),
        size,
    }
}

fn compared(left: Term, compare: Compare, right: u32) -> Arc<Formula> {
    Arc::new(Formula {
        left,
        compare,
        right: Term::Number(right),
    })
}

fn operation(operator: Operator, left: Term, right: u32) -> Term {
    Term::Operation(operator, Box::new(left), Box::new(Term::Number(right)))
}

#[test]
fn numbers_in_a_packet_are_big_endian_and_start_at_their_header() {
    let bytes: Vec<u8> = (0..60).collect();
    let facts = tcp([1, 1, 1, 1], 1, [2, 2, 2, 2], 2);
    let value = |base, offset, size, value| {
        let formula = compared(
            bytes_at(base, Term::Number(offset), size),
            Compare::Equal,
            value,
        );
        says(Test::Relation(formula), &facts, &bytes)
    };
    assert!(value(Base::Link, 12, 2, 0x0c0d) && value(Base::Ipv4, 0, 1, 14));
    assert!(value(Base::Transport(6), 2, 4, 0x2425_2627));
    assert!(value(Base::Link, 56, 4, 0x3839_3a3b) && !value(Base::Link, 57, 4, 0x393a_3b00));
    for base in [Base::Ipv6, Base::Transport(17), Base::Network(0x0806)] {
        assert!(
            !says(Test::Relation(byte(base, 0)), &facts, &bytes),
            "{base:?}"
        );
    }
    let mut fragment = facts;
    fragment.transport_offset = 0;
    assert!(!says(
        Test::Relation(byte(Base::Transport(6), 0)),
        &fragment,
        &bytes
    ));
    assert!(!says(
        Test::Relation(byte(Base::Link, u32::MAX)),
        &facts,
        &bytes
    ));
}

#[test]
fn arithmetic_wraps_and_division_by_zero_is_false_either_way() {
    let facts = tcp([1, 1, 1, 1], 1, [2, 2, 2, 2], 2);
    let result = |operator, right, expected| {
        let formula = compared(
            operation(operator, Term::Length, right),
            Compare::Equal,
            expected,
        );
        says(Test::Relation(formula), &facts, &[])
    };
    assert!(result(Operator::Subtract, 61, u32::MAX) && result(Operator::Add, u32::MAX, 59));
    assert!(result(Operator::ShiftLeft, 32, 0) && result(Operator::ShiftRight, u32::MAX, 0));
    assert!(result(Operator::Multiply, 1 << 31, 0) && result(Operator::Modulo, 7, 4));
    for compare in [Compare::Equal, Compare::NotEqual] {
        for operator in [Operator::Divide, Operator::Modulo] {
            let formula = compared(operation(operator, Term::Length, 0), compare, 0);
            assert!(!says(Test::Relation(formula), &facts, &[]));
        }
    }
}

#[test]
fn a_source_learns_what_it_must_capture() {
    let program = |test| matcher(&Tree::Test(test));
    assert_eq!(program(Test::Ipv4).reach(), 0);
    let asks = |test| {
        let matcher = program(test);
        let program = matcher.program();
        (program.needs_link(), program.asks_for_vlans())
    };
    assert_eq!(asks(Test::Ipv4), (false, false));
    assert_eq!(asks(Test::Vlan(None)), (true, true));
    assert_eq!(asks(Test::Pppoe(Some(1))), (true, false));
    assert_eq!(program(Test::Relation(byte(Base::Link, 20))).reach(), 21);
    assert_eq!(
        program(Test::Relation(byte(Base::Ipv4, 9))).reach(),
        HEADER_WINDOW + 10
    );
    // tcp[((tcp[12] & 0xf0) >> 2):4]: the header's length in its own byte.
    let data_offset = bytes_at(Base::Transport(6), Term::Number(12), 1);
    let payload = operation(
        Operator::ShiftRight,
        operation(Operator::And, data_offset, 0xf0),
        2,
    );
    let first = compared(
        bytes_at(Base::Transport(6), payload, 4),
        Compare::Equal,
        0x4745_5420,
    );
    assert_eq!(
        program(Test::Relation(first)).reach(),
        HEADER_WINDOW - 8 + 2048 + 60 + 4
    );
    let anywhere = compared(bytes_at(Base::Link, Term::Length, 1), Compare::Equal, 0);
    assert_eq!(program(Test::Relation(anywhere)).reach(), UNBOUNDED);
}

/// `cargo test --release -p sensor --lib evaluate -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn nanoseconds_of_an_evaluation() {
    let port = |side, port| Tree::Test(Test::Port(side, range(port, port)));
    let net = |text| Tree::Test(Test::Address(Side::Either, prefix(text)));
    let tcp_443 = Tree::All(vec![
        Tree::Test(Test::Protocol(6)),
        port(Side::Either, 443),
        net("10.0.0.0/8"),
    ]);
    let prefixes: Vec<Prefix> = (0..10_000u32)
        .map(|n| Prefix {
            addr: std::net::Ipv4Addr::from_bits(n.wrapping_mul(0x9e37_79b1)).into(),
            len: 32,
        })
        .collect();
    let list = Arc::new(PrefixList {
        file: None,
        prefixes,
    });
    for (name, tree) in [
        ("udp", Tree::Test(Test::Protocol(17))),
        ("tcp port 443 and net 10.0.0.0/8", tcp_443),
        (
            "net in 10,000 hosts",
            Tree::Test(Test::AddressIn(Side::Either, list)),
        ),
    ] {
        let matcher = matcher(&tree);
        let packets: Vec<Facts> = (0..128u32)
            .map(|n| {
                tcp(
                    n.wrapping_mul(0x85eb_ca6b).to_be_bytes(),
                    443,
                    [10, 0, 0, 1],
                    n as u16,
                )
            })
            .collect();
        let run = |_| {
            let began = std::time::Instant::now();
            let says = |facts: &&Facts| matcher.matches(std::hint::black_box(*facts), &[]);
            let matched = packets.iter().cycle().take(1 << 16).filter(says).count();
            let each = began.elapsed().as_nanos() as f64 / f64::from(1 << 16);
            (each, matched)
        };
        // The best of many short runs: others use the machine too.
        let (each, matched) =
            (0..1000).map(run).fold(
                (f64::INFINITY, 0),
                |best, one| if one.0 < best.0 { one } else { best },
            );
        println!(
            "{name}: {each:.1} ns, {} nodes, {matched} matched",
            matcher.program.nodes.len()
        );
    }
}
