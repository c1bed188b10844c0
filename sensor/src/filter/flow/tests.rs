use proptest::prelude::*;

use super::*;
use crate::filter::naive;
use crate::filter::tree::Compare;

fn some_test() -> impl Strategy<Value = Test> {
    // Interfaces are told by name here and by slot there.
    let key = naive::key_test().prop_filter("by name", |test| !matches!(test, Test::Interface(_)));
    prop_oneof![key, naive::flow_test()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_flow_is_told_what_the_tree_says(
        tree in naive::tree(some_test()),
        worlds in prop::collection::vec(naive::world(), 20),
    ) {
        let matcher = FlowMatcher::new(&tree);
        for world in &worlds {
            prop_assert_eq!(matcher.matches(&world.flow()), naive::holds(&tree, world));
        }
    }
}

fn facts(key: FlowKey) -> FlowFacts<'static> {
    FlowFacts {
        key,
        application: Some("dns"),
        counts: Some(Measured {
            packets: 2,
            bytes: 200,
            duration: None,
        }),
        interface: Some("eth0"),
    }
}

fn says(test: Test, facts: &FlowFacts<'_>) -> bool {
    FlowMatcher::new(&Tree::Test(test)).matches(facts)
}

#[test]
fn measures_labels_and_interfaces_are_compared() {
    let facts = facts(FlowKey::ipv4(1, 2, 17));
    assert!(says(
        Test::Measure(Measure::Bytes, Compare::Equal, 200),
        &facts
    ));
    assert!(says(
        Test::Measure(Measure::Packets, Compare::Less, 3),
        &facts
    ));
    assert!(says(Test::Application("dns"), &facts) && !says(Test::Application("http"), &facts));
    assert!(says(Test::Interface("eth0".into()), &facts));
    assert!(!says(Test::Interface("eth1".into()), &facts));
    assert!(says(Test::Protocol(17), &facts));
}

#[test]
fn what_is_not_known_holds_nowhere() {
    let unknown = FlowFacts {
        application: None,
        counts: None,
        interface: None,
        ..facts(FlowKey([0; 5]))
    };
    for test in [
        Test::Measure(Measure::Bytes, Compare::GreaterOrEqual, 0),
        Test::Application("dns"),
        Test::Interface("eth0".into()),
        Test::Ipv4,
        Test::Vlan(None),
    ] {
        assert!(!says(test.clone(), &unknown), "{test:?}");
        assert!(FlowMatcher::new(&Tree::Not(Box::new(Tree::Test(test)))).matches(&unknown));
    }
    // Without times there is no duration, not even zero.
    let timeless = facts(FlowKey::ipv4(1, 2, 17));
    assert!(!says(
        Test::Measure(Measure::Duration, Compare::Equal, 0),
        &timeless
    ));
}
