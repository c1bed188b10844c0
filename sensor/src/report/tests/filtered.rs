//! Reports of what a filter left.

use sensor_common::flow::FlowKey;

use super::*;
use crate::counters::{Delta, DeltaConfig};

fn trailed(samples: &[Sample], max_flows: usize) -> Delta {
    let mut delta = Delta::new(DeltaConfig {
        trail: true,
        names: 0,
        ..config(max_flows)
    });
    samples.iter().for_each(|sample| sample.count(&mut delta));
    delta.flush();
    delta
}

/// The packet's flow is known by its key once another delta has counted it.
fn key_of(sample: &Sample) -> Option<FlowKey> {
    let delta = delta_of(std::slice::from_ref(sample), 1);
    delta.flows().iter().next().map(|flow| flow.key)
}

fn whole() -> Context {
    Context {
        top_n: 0,
        filter: Some("some".into()),
        ..context()
    }
}

#[test]
fn each_interface_counts_what_it_saw() {
    let mut delta = delta_of(&[arp().of(5, 500).way(0, Direction::Ingress)], 10);
    delta.filtered(0, Direction::Ingress, counts(3, 300));
    delta.filtered(0, Direction::Egress, counts(1, 100));
    let mut context = whole();
    context.interface_counters = vec![InterfaceCounters {
        interface: "eth0".into(),
        direction: "ingress".into(),
        packets: 8,
        bytes: 800,
        ..InterfaceCounters::default()
    }];
    let report = build(&delta, &context);
    assert_eq!(report.totals.counts(), counts(5, 500));
    assert_eq!(report.totals.egress, Counts::ZERO);
    assert_eq!(report.accounting.filtered, counts(4, 400));
    assert_eq!(report.accounting.seen, counts(9, 900));
    let counted = &report.source.interfaces[0].counted;
    assert_eq!(counted.ingress, counts(8, 800));
    assert_eq!(counted.egress, counts(1, 100));
    assert_eq!(report.accounting.interface_counters[0].verdict, "equal");
    assert_eq!(report.filter.as_deref(), Some("some"));
    assert!(report.accounting.identity_holds);
}

proptest! {
    #[test]
    fn left_out_afterwards_is_the_same_report(
        samples in prop::collection::vec(any_sample(), 0..150),
        salt in any::<u64>(),
    ) {
        let keeps = |key: Option<FlowKey>| {
            let words = key.map_or([0; 5], |key| key.0);
            words.iter().fold(salt, |hash, word| hash.rotate_left(7) ^ word).count_ones() % 2 == 0
        };
        let mut before = delta_of(&[], 1000);
        for sample in &samples {
            let key = key_of(sample);
            let direction = key.map_or(sample.direction, |key| key.direction());
            match keeps(key) {
                true => sample.count(&mut before),
                false => before.filtered(sample.slot, direction, sample.counts),
            }
        }
        before.flush();
        let delta = trailed(&samples, 1000);
        let after = delta.select(&mut |_, flow| keeps(flow.map(|flow| flow.key)));
        prop_assert_eq!(build(&before, &whole()), build(&after, &whole()));
        prop_assert_eq!(build(&delta, &whole()), build(&delta.select(&mut |_, _| true), &whole()));
    }

    /// The columns speak of what matched, the accounting of what was seen.
    #[test]
    fn every_column_of_a_selection_adds_up(
        samples in prop::collection::vec(any_sample(), 0..150),
        top_n in 0usize..30,
        max_flows in 1usize..60,
    ) {
        let delta = trailed(&samples, max_flows);
        let kept = delta.select(&mut |_, flow| flow.is_some_and(|flow| flow.bytes > 5000));
        let report = build(&kept, &Context { top_n, ..whole() });
        let seen: Counts = samples.iter().map(|sample| sample.counts).sum();
        prop_assert!(report.accounting.identity_holds);
        prop_assert_eq!(report.accounting.seen, seen);
        prop_assert_eq!(report.totals.counts() + report.accounting.filtered, seen);
        let ip = report.accounting.in_flows + report.accounting.overflow;
        let flows: Counts = report.flows.iter().map(|flow| counts(flow.packets, flow.bytes)).sum();
        prop_assert_eq!(flows + report.others.flows, ip);
        let ends: Counts = report.endpoints.iter().map(|one| one.sent + one.received).sum();
        prop_assert_eq!(ends + report.others.endpoints, ip + ip);
        for list in [&report.protocols.network, &report.protocols.transport, &report.protocols.application] {
            let sum: Counts = list.iter().map(|one| counts(one.packets, one.bytes)).sum();
            prop_assert_eq!(sum, report.totals.counts());
        }
        prop_assert!(report.flows.iter().all(|flow| flow.bytes > 5000));
    }
}
