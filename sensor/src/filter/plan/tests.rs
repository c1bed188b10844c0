use proptest::prelude::*;

use super::*;
use crate::filter::naive;
use crate::filter::tree::{Compare, Measure, PortRange, Side};

fn test(test: Test) -> Tree {
    Tree::Test(test)
}

fn not(tree: Tree) -> Tree {
    Tree::Not(Box::new(tree))
}

fn port(port: u16) -> Tree {
    let range = PortRange {
        first: port,
        last: port,
    };
    test(Test::Port(Side::Either, range))
}

fn vlan() -> Tree {
    test(Test::Vlan(Some(10)))
}

fn bytes() -> Tree {
    test(Test::Measure(Measure::Bytes, Compare::Greater, 10))
}

fn tcp() -> Tree {
    test(Test::Protocol(6))
}

fn udp() -> Tree {
    test(Test::Protocol(17))
}

fn all<const N: usize>(parts: [Tree; N]) -> Tree {
    Tree::All(parts.to_vec())
}

fn any<const N: usize>(parts: [Tree; N]) -> Tree {
    Tree::Any(parts.to_vec())
}

#[test]
fn what_asks_for_packets_only_has_no_flow_part() {
    let tree = all([port(80), any([vlan(), not(tcp())])]);
    let plan = split(&tree).unwrap();
    assert_eq!((plan.packet, plan.flow), (tree, None));
    let everything = split(&Tree::True).unwrap();
    assert_eq!((everything.packet, everything.flow), (Tree::True, None));
}

#[test]
fn conjuncts_go_where_they_can_be_answered() {
    let plan = split(&all([port(80), all([bytes(), vlan()])])).unwrap();
    assert_eq!(plan.packet, all([port(80), vlan()]));
    assert_eq!(plan.flow, Some(bytes()));
}

#[test]
fn flows_are_let_in_that_may_turn_out_either_way() {
    let plan = split(&any([all([tcp(), bytes()]), all([port(53), not(bytes())])])).unwrap();
    assert_eq!(plan.packet, any([tcp(), port(53)]));
    assert_eq!(
        plan.flow,
        Some(any([all([tcp(), bytes()]), all([port(53), not(bytes())])]))
    );
    let negated = split(&not(all([tcp(), bytes()]))).unwrap();
    assert_eq!(negated.packet, Tree::True);
    assert_eq!(negated.flow, Some(any([not(tcp()), not(bytes())])));
}

#[test]
fn what_alternatives_have_in_common_is_pulled_out() {
    let tree = any([all([vlan(), bytes()]), all([vlan(), tcp(), not(bytes())])]);
    let plan = split(&tree).unwrap();
    assert_eq!(plan.packet, vlan());
    assert_eq!(plan.flow, Some(any([bytes(), tcp()])));
}

#[test]
fn alternatives_of_different_protocols_are_told_apart() {
    let tree = any([all([tcp(), port(22), vlan()]), all([udp(), bytes()])]);
    let plan = split(&tree).unwrap();
    let vlan_or_udp = any([vlan(), udp()]);
    assert!(matches!(&plan.packet, Tree::All(parts) if parts.contains(&vlan_or_udp)));
    assert!(split(&any([all([tcp(), vlan()]), all([not(tcp()), bytes()])])).is_ok());
}

#[test]
fn one_or_the_other_can_not_be_told() {
    let error = split(&all([tcp(), any([bytes(), port(80), vlan()])])).unwrap_err();
    let SplitError::Mixed(mixed) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(test(mixed.packet.clone()), vlan());
    assert_eq!(test(mixed.flow.clone()), bytes());
    let message = error.to_string();
    for part in ["vlan 10", "bytes > 10", "join them by 'and'"] {
        assert!(message.contains(part), "{message}");
    }
    split(&not(all([vlan(), bytes()]))).unwrap_err();
    split(&any([all([port(1), vlan()]), all([port(2), bytes()])])).unwrap_err();
}

#[test]
fn a_product_that_explodes_is_refused() {
    let factor = |n: u16| all([port(n), vlan(), bytes(), test(Test::Vlan(Some(n)))]);
    let error = split(&Tree::Any((0..40).map(factor).collect())).unwrap_err();
    assert_eq!(error, SplitError::Entangled);
}

fn some_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        3 => naive::key_test(),
        1 => naive::packet_test(),
        1 => naive::flow_test(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn both_parts_together_say_what_the_whole_says(
        tree in naive::tree(some_test()),
        worlds in prop::collection::vec(naive::world(), 20),
    ) {
        let Ok(plan) = split(&tree) else { return Ok(()) };
        prop_assert!(!needs(&plan.packet, Needs::Flow));
        prop_assert!(plan.flow.iter().all(|flow| !needs(flow, Needs::Packet)));
        for world in &worlds {
            let whole = naive::holds(&tree, world);
            let packet = naive::holds(&plan.packet, world);
            let flow = plan.flow.as_ref().is_none_or(|flow| naive::holds(flow, world));
            prop_assert!(packet || !whole, "{:?}", plan);
            prop_assert_eq!(whole, packet && flow, "{:?}", plan);
        }
    }
}
