mod filtered;

use proptest::prelude::*;
use sensor_common::flow::Direction;

use super::samples::*;
use super::*;
use crate::counters::When;

fn counts(packets: u64, bytes: u64) -> Counts {
    Counts { packets, bytes }
}

#[test]
fn an_empty_delta_is_an_empty_report() {
    let report = build(&delta_of(&[], 10), &context());
    assert_eq!((report.start, report.end), (None, None));
    assert_eq!(report.bandwidth, Bandwidth::default());
    assert!(report.accounting.identity_holds);
    assert_eq!(report.totals.counts(), Counts::ZERO);
    assert!(report.flows.is_empty() && report.buckets.is_empty() && report.notes.is_empty());
    assert!(report.protocols.network.is_empty());
}

#[test]
fn two_threads_make_the_same_report() {
    let samples: Vec<Sample> = (0..12_000u32)
        .map(|number| {
            let [.., a, b] = number.to_be_bytes();
            tcp4([10, 0, a, b], 1000, [10, 1, b, a], 443)
        })
        .collect();
    let delta = delta_of(&samples, samples.len());
    let by = |by_two| {
        build(
            &delta,
            &Context {
                by_two,
                ..context()
            },
        )
    };
    assert_eq!(by(true), by(false));
    assert_eq!(by(true).endpoints_total, 24_000);
}

#[test]
fn both_directions_are_one_conversation_and_two_flows() {
    let (a, b) = ([10, 0, 0, 9], [10, 0, 0, 20]);
    let samples = [
        tcp4(b, 443, a, 5000).of(3, 300).at(2 * SECOND),
        tcp4(a, 5000, b, 443).of(2, 120).at(SECOND),
    ];
    let report = build(&delta_of(&samples, 10), &context());
    let [one] = report.conversations.as_slice() else {
        panic!("{:?}", report.conversations)
    };
    assert_eq!((one.a, one.b), (a.into(), b.into()));
    assert_eq!((one.a_to_b, one.b_to_a), (counts(2, 120), counts(3, 300)));
    assert_eq!(one.start, Some(Time(START + SECOND)));
    assert_eq!(one.end, Some(Time(START + 2 * SECOND)));
    assert_eq!(report.endpoints.len(), 2);
    assert_eq!(report.endpoints[0].addr, IpAddr::from(a));
    assert_eq!(report.endpoints[0].sent, counts(2, 120));
    assert_eq!(report.endpoints[0].received, counts(3, 300));
    let [big, small] = report.flows.as_slice() else {
        panic!("{:?}", report.flows)
    };
    assert_eq!((big.src_port, big.dst_port), (443, 5000));
    assert_eq!((big.packets, big.bytes), (3, 300));
    assert_eq!(big.transport, "tcp");
    assert_eq!(
        (big.protocol.as_str(), big.classified_by.as_deref()),
        ("https", Some("port"))
    );
    assert_eq!(big.tcp_flags.as_deref(), Some("SA"));
    assert_eq!(big.interface.as_deref(), Some("eth0"));
    assert_eq!(small.dst_addr, IpAddr::from(b));
    assert_eq!(report.duration_seconds, 1.0);
    assert_eq!(report.bandwidth.mean_bits_per_sec, Some(3360.0));
}

#[test]
fn what_a_host_sends_to_itself_counts_in_both_columns() {
    let report = build(
        &delta_of(&[tcp4(HOST, 1, HOST, 2).of(4, 400)], 10),
        &context(),
    );
    assert_eq!(report.conversations[0].a_to_b, counts(4, 400));
    assert_eq!(report.conversations[0].b_to_a, Counts::ZERO);
    assert_eq!(report.endpoints.len(), 1);
    assert_eq!(report.endpoints[0].sent, counts(4, 400));
    assert_eq!(report.endpoints[0].received, counts(4, 400));
}

#[test]
fn an_ipv4_address_comes_before_any_ipv6_address() {
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
    let samples = [
        udp6(DNS6, 1, mapped, 2),
        tcp4([200, 0, 0, 1], 1, [9, 0, 0, 1], 2),
    ];
    let report = build(&delta_of(&samples, 10), &context());
    let ends: Vec<_> = report
        .conversations
        .iter()
        .map(|one| (one.a, one.b))
        .collect();
    assert_eq!(ends[0], (IpAddr::from(mapped), IpAddr::from(DNS6)));
    assert_eq!(ends[1], ([9, 0, 0, 1].into(), [200, 0, 0, 1].into()));
    assert_eq!(
        report.endpoints_total, 4,
        "a mapped address is not the IPv4 one"
    );
}

#[test]
fn packets_without_a_time_count_everywhere_but_in_buckets() {
    let mut missing = tcp4(HOST, 1, [1, 1, 1, 1], 80);
    missing.when = When::Missing;
    let mut lying = arp();
    lying.when = When::OutOfRange;
    let report = build(&delta_of(&[missing, lying], 10), &context());
    assert_eq!(report.totals.packets, 2);
    assert!(report.buckets.is_empty());
    assert_eq!((report.start, report.flows[0].start), (None, None));
    assert_eq!(report.conversations[0].end, None);
    assert_eq!(report.bandwidth.mean_bits_per_sec, None);
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    assert!(report.accounting.identity_holds);
}

#[test]
fn each_interface_has_its_own_counts() {
    let mut context = context();
    let mut second = context.interfaces[0].clone();
    (second.slot, second.name) = (7, "eth1".into());
    context.interfaces.push(second);
    let packet = tcp4(HOST, 1, [1, 1, 1, 1], 80);
    let samples = [
        packet.clone().of(1, 10).way(0, Direction::Ingress),
        packet.clone().of(2, 20).way(7, Direction::Egress),
        packet.of(4, 40).way(7, Direction::Unknown),
        arp().of(8, 80).way(7, Direction::Egress),
    ];
    let report = build(&delta_of(&samples, 10), &context);
    let [first, second] = report.source.interfaces.as_slice() else {
        panic!()
    };
    assert_eq!(first.counted.ingress, counts(1, 10));
    assert_eq!(first.counted.egress, Counts::ZERO);
    assert_eq!(second.counted.egress, counts(10, 100));
    assert_eq!(second.counted.unknown, counts(4, 40));
    assert!(first.identity_holds && second.identity_holds);
    assert_eq!(report.totals.ingress, counts(1, 10));
    assert_eq!(report.totals.unknown_direction, counts(4, 40));
    let names: Vec<_> = report
        .flows
        .iter()
        .map(|flow| (flow.interface.as_deref(), &*flow.direction))
        .collect();
    assert_eq!(
        names,
        [
            (Some("eth1"), "unknown"),
            (Some("eth1"), "egress"),
            (Some("eth0"), "ingress")
        ]
    );
}

#[test]
fn a_full_table_is_named_by_protocol_and_belongs_to_others() {
    let samples = [
        tcp4(HOST, 1, [1, 1, 1, 1], 80).of(1, 100),
        tcp4(HOST, 2, [1, 1, 1, 1], 80).of(2, 200),
        udp6(LONG6, 3, DNS6, 53).of(4, 400),
    ];
    let report = build(&delta_of(&samples, 1), &context());
    assert_eq!(report.accounting.overflow, counts(6, 600));
    assert_eq!(
        report.accounting.overflow_by_transport["tcp"],
        counts(2, 200)
    );
    assert_eq!(
        report.accounting.overflow_by_transport["udp"],
        counts(4, 400)
    );
    assert_eq!(report.others.flows, counts(6, 600));
    assert_eq!(report.others.conversations, counts(6, 600));
    assert_eq!(report.others.endpoints, counts(12, 1200));
    assert_eq!(report.protocols.network[0].name, "ipv6");
    assert!(report.accounting.identity_holds);
}

#[test]
fn the_context_decides_the_span_and_an_interval_that_grew_is_noted() {
    let mut context = context();
    context.span = Some((START, START + 10 * SECOND));
    context.interval = SECOND / 2;
    let report = build(&delta_of(&[arp().of(5, 500).at(SECOND)], 10), &context);
    assert_eq!(report.end, Some(Time(START + 10 * SECOND)));
    assert_eq!(report.bandwidth.mean_bits_per_sec, Some(400.0));
    assert_eq!(report.bandwidth.peak_bits_per_sec, Some(4000.0));
    assert_eq!(report.interval_seconds, 1.0);
    assert!(
        report.notes[0].contains("0.5 s asked for"),
        "{:?}",
        report.notes
    );
}

#[test]
fn the_json_has_the_names_of_the_contract() {
    let json = serde_json::to_value(report(3)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    for name in [
        "schema",
        "sensor",
        "source",
        "filter",
        "start",
        "end",
        "duration_seconds",
        "interval_seconds",
        "totals",
        "accounting",
        "protocols",
        "bandwidth",
        "endpoints",
        "conversations",
        "flows",
        "buckets",
        "others",
        "not_observed",
        "naming",
    ] {
        assert!(keys(&json).contains(&name.to_owned()), "{name}");
    }
    assert_eq!(json["schema"], "sensor.report/1");
    assert_eq!(json["start"], "2023-11-14T22:13:20.000000000Z");
    assert_eq!(
        json["buckets"][0]["start"],
        "2023-11-14T22:13:20.000000000Z"
    );
    assert_eq!(json["flows"][0]["src_addr"], "192.0.2.0");
    assert_eq!(
        json["accounting"]["malformed"]["truncated_link"]["bytes"],
        9
    );
    assert!(json["filter"].is_null());
    let application = &json["protocols"]["application"];
    assert!(application[0]["classified_by"]["port"]["bytes"].is_u64());
    assert!(json["protocols"]["transport"][0]["classified_by"].is_null());
    assert_eq!(json["naming"]["enabled"], false);
    assert_eq!(json["naming"]["put_out"]["answers"], 0);
    for (list, fields) in [
        ("endpoints", &["names", "geo"][..]),
        ("conversations", &["a_names", "b_names"]),
        ("flows", &["names", "tls", "http", "classified_by"]),
    ] {
        let row = keys(&json[list][0]);
        assert!(
            fields
                .iter()
                .all(|field| row.contains(&(*field).to_owned())),
            "{row:?}"
        );
    }
    assert!(json["totals"]["bytes"].is_u64() && json["bandwidth"]["p95_bits_per_sec"].is_f64());
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let host = 0u8..6;
    let kind = 0u8..10;
    let time = prop_oneof![
        5 => (0i64..20_000_000_000).prop_map(|at| When::At(START + at)),
        1 => any::<i64>().prop_map(When::At),
        1 => Just(When::Missing),
        1 => Just(When::OutOfRange),
    ];
    let way = (0u8..3, 0u8..3);
    (
        kind,
        host.clone(),
        host,
        0u16..4,
        time,
        way,
        1u64..5,
        0u64..10_000,
    )
        .prop_map(
            |(kind, from, to, port, when, (slot, way), packets, bytes)| {
                let (from6, to6) = ([from; 16], [to; 16]);
                let mut sample = match kind {
                    0 => arp(),
                    1 => malformed(),
                    2..=5 => udp6(from6, 50_000 + port, to6, 50 + port),
                    _ => tcp4([from; 4], 50_000 + port, [to; 4], 80),
                };
                sample.when = when;
                let ways = [Direction::Unknown, Direction::Ingress, Direction::Egress];
                sample.of(packets, bytes).way(slot, ways[usize::from(way)])
            },
        )
}

proptest! {
    #[test]
    fn every_column_adds_up(
        samples in prop::collection::vec(any_sample(), 0..150),
        top_n in 0usize..30,
        max_flows in 1usize..60,
    ) {
        let delta = delta_of(&samples, max_flows);
        let context = Context { top_n, ..context() };
        let report = build(&delta, &context);
        let seen: Counts = samples.iter().map(|sample| sample.counts).sum();
        prop_assert!(report.accounting.identity_holds);
        prop_assert_eq!(report.totals.counts(), seen);
        let ip = report.accounting.in_flows + report.accounting.overflow;
        let flows: Counts = report.flows.iter().map(|flow| counts(flow.packets, flow.bytes)).sum();
        prop_assert_eq!(flows + report.others.flows, ip);
        let pairs: Counts = report.conversations.iter().map(|one| one.a_to_b + one.b_to_a).sum();
        prop_assert_eq!(pairs + report.others.conversations, ip);
        let ends: Counts = report.endpoints.iter().map(|one| one.sent + one.received).sum();
        prop_assert_eq!(ends + report.others.endpoints, ip + ip);
        for list in [&report.protocols.network, &report.protocols.transport, &report.protocols.application] {
            let sum: Counts = list.iter().map(|one| counts(one.packets, one.bytes)).sum();
            prop_assert_eq!(sum, seen);
            let percent: f64 = list.iter().map(|one| one.packets_percent).sum();
            prop_assert!(samples.is_empty() || (percent - 100.0).abs() < 1e-6);
        }
        for one in report.protocols.application.iter().filter(|one| !one.classified_by.is_empty()) {
            let told: Counts = one.classified_by.values().copied().sum();
            prop_assert_eq!(told, counts(one.packets, one.bytes), "{}", one.name);
            prop_assert_eq!(one.by_port(), told);
        }
        for bucket in &report.buckets {
            let whole = counts(bucket.packets, bucket.bytes);
            prop_assert_eq!(bucket.transport.values().copied().sum::<Counts>(), whole);
            prop_assert_eq!(bucket.application.values().copied().sum::<Counts>(), whole);
        }
        let timed: Counts = samples.iter().filter(|s| matches!(s.when, When::At(_))).map(|s| s.counts).sum();
        prop_assert_eq!(report.buckets.iter().map(|b| counts(b.packets, b.bytes)).sum::<Counts>(), timed);
        prop_assert!(report.buckets.is_sorted_by(|a, b| a.start < b.start));
    }

    #[test]
    fn what_is_written_is_read_again(
        samples in prop::collection::vec(any_sample(), 0..100),
        top_n in 0usize..30,
        max_flows in 1usize..60,
        left_out in 0u64..3,
    ) {
        let mut delta = delta_of(&samples, max_flows);
        delta.filtered(0, Direction::Ingress, counts(left_out, left_out * 60));
        let report = build(&delta, &Context { top_n, ..context() });
        let mut bytes = Vec::new();
        crate::sink::json::write(&report, &mut bytes).unwrap();
        prop_assert_eq!(read(&bytes), Ok(report));
    }

    #[test]
    fn the_top_of_a_report_is_the_start_of_the_whole(
        samples in prop::collection::vec(any_sample(), 0..100),
        top_n in 1usize..30,
    ) {
        let delta = delta_of(&samples, 1000);
        let all = build(&delta, &Context { top_n: 0, ..context() });
        let top = build(&delta, &Context { top_n, ..context() });
        prop_assert_eq!(&top.flows[..], &all.flows[..top_n.min(all.flows.len())]);
        prop_assert_eq!(&top.endpoints[..], &all.endpoints[..top_n.min(all.endpoints.len())]);
        prop_assert_eq!(&top.conversations[..], &all.conversations[..top_n.min(all.conversations.len())]);
        prop_assert_eq!((top.flows_total, top.endpoints_total), (all.flows.len() as u64, all.endpoints.len() as u64));
        prop_assert_eq!(all.others.flows, Counts::ZERO);
    }
}
