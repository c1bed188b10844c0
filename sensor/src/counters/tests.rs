//! What the counters must keep to, whatever the packets are.

mod buckets;
mod flow_table;
mod kernel_way;
mod late;
mod select;
mod streams;

use std::collections::BTreeMap;

use proptest::prelude::*;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{Packet, Reason};

use super::{Accounting, Class, Counts, Delta, DeltaConfig, Kind, Seen, SlotAccounting, When};

const SEEDS: sensor_common::flow::HashSeeds = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
    0x2545_f491_4f6c_dd1d,
    0x5851_f42d_4c95_7f2d,
    0x1405_7b7e_f767_814f,
    0x8529_7a4d_3f84_d5b5,
];

const DIRECTIONS: [Direction; 3] = [Direction::Unknown, Direction::Ingress, Direction::Egress];

fn delta(max_flows: usize) -> Delta {
    Delta::new(DeltaConfig {
        interval: 10,
        max_flows,
        seeds: SEEDS,
        trail: false,
        names: 0,
    })
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(150)
    }
}

/// A key of its own for each number.
fn key(number: u32) -> FlowKey {
    let mut key = FlowKey::ipv4(0x0a00_0001, number, 17);
    key.set_ports(number);
    key
}

fn counts(packets: u64, bytes: u64) -> Counts {
    Counts { packets, bytes }
}

/// A packet of a few flows, EtherTypes or reasons, at a time near the epoch, far from it, or at none.
fn seen() -> impl Strategy<Value = Seen> {
    let packet = prop_oneof![
        6 => (flow(), any::<u8>(), direction()).prop_map(|(key, tcp_flags, direction)| Ok(Packet {
            key,
            tcp_flags,
            header_len: 42,
        network_offset: 14,
        transport_offset: 34,
        payload_len: 0,
            direction,
            cut: false,
        })),
        1 => prop::sample::select(&Reason::ALL[..]).prop_map(Err),
    ];
    let when = prop_oneof![
        8 => (-40i64..200).prop_map(When::At),
        1 => any::<i64>().prop_map(When::At),
        1 => Just(When::Missing),
        1 => Just(When::OutOfRange),
    ];
    let counts = (1u64..4, 60u64..1500).prop_map(|(packets, len)| counts(packets, packets * len));
    (packet, when, 0u8..3, direction(), counts, 0u64..200).prop_map(
        |(packet, when, slot, direction, counts, captured_bytes)| Seen {
            packet,
            when,
            slot,
            direction,
            counts,
            captured_bytes,
        },
    )
}

fn stream() -> impl Strategy<Value = Vec<Seen>> {
    prop::collection::vec(seen(), 0..160)
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(&DIRECTIONS[..])
}

fn flow() -> impl Strategy<Value = FlowKey> {
    let ports = prop::sample::select(&[[0, 53, 200, 1], [1, 187, 9, 9], [8, 8, 8, 8]][..]);
    let protocol = prop::sample::select(&[1u8, 6, 17, 47, 132][..]);
    let ip = (0u32..3, protocol, any::<bool>(), prop::option::of(ports)).prop_map(
        |(addr, protocol, ipv6, ports)| {
            let mut key = match ipv6 {
                true => FlowKey::ipv6([1, addr.into()], [2, 3], protocol),
                false => FlowKey::ipv4(addr, 7, protocol),
            };
            if let Some(ports) = ports {
                key.set_ports(u32::from_ne_bytes(ports));
            }
            key
        },
    );
    let not_ip = prop::sample::select(&[0x0806u16, 0x88cc, 0x42, 0x1234][..]);
    prop_oneof![5 => ip, 1 => not_ip.prop_map(FlowKey::not_ip)]
}

fn counted(stream: &[Seen], max_flows: usize) -> Delta {
    let mut delta = delta(max_flows);
    stream.iter().for_each(|seen| delta.packet(seen));
    delta.flush();
    delta
}

type Named = BTreeMap<String, Counts>;
type Row = (Counts, i64, i64, u8, String);

/// Everything that a delta says, in an order of its own.
#[derive(Debug, PartialEq)]
struct Said {
    accounting: (Accounting, Vec<SlotAccounting>),
    by_direction: [Counts; 3],
    by_class: Named,
    flows: BTreeMap<[u64; 5], Row>,
    interval: i64,
    buckets: BTreeMap<i64, Named>,
    captured_bytes: u64,
    untimed: Counts,
    out_of_range: u64,
    span: Option<(i64, i64)>,
    lost: BTreeMap<&'static str, u64>,
}

fn said(delta: &Delta) -> Said {
    let flows = delta.flows().iter().map(|flow| {
        let class = name(delta.classes().get(flow.class).unwrap());
        let counts = counts(flow.packets, flow.bytes);
        (
            flow.key.0,
            (counts, flow.first, flow.last, flow.tcp_flags, class),
        )
    });
    let buckets = delta.buckets().sorted().into_iter().map(|bucket| {
        let classes = bucket.by_class(delta.classes());
        (
            bucket.index,
            named(classes.map(|(class, counts)| (*class, counts))),
        )
    });
    Said {
        accounting: delta.accounting(),
        by_direction: delta.by_direction(),
        by_class: named(delta.by_class()),
        flows: flows.collect(),
        interval: delta.buckets().interval(),
        buckets: buckets.collect(),
        captured_bytes: delta.captured_bytes(),
        untimed: delta.untimed(),
        out_of_range: delta.out_of_range(),
        span: delta.span(),
        lost: delta.lost_by_place().clone(),
    }
}

fn name(class: &Class) -> String {
    format!("{class:?}")
}

fn named(classes: impl IntoIterator<Item = (Class, Counts)>) -> Named {
    let mut sums = Named::new();
    for (class, counts) in classes {
        *sums.entry(name(&class)).or_default() += counts;
    }
    sums
}

/// What stays exact when the flow table is full: direction, IP version and protocol, and the reasons.
fn exact(classes: impl IntoIterator<Item = (Class, Counts)>) -> Named {
    named(classes.into_iter().map(|(class, counts)| {
        let kind = match class.kind {
            Kind::Ip { ipv6, protocol, .. } => Kind::Ip {
                ipv6,
                protocol,
                application: None,
            },
            Kind::NotIp(_) => Kind::NotIp(0),
            Kind::Malformed(reason) => Kind::Malformed(reason),
        };
        (Class { kind, ..class }, counts)
    }))
}

fn exact_buckets(delta: &Delta) -> BTreeMap<i64, Named> {
    let buckets = delta.buckets().sorted().into_iter();
    let classes = buckets.map(|bucket| (bucket.index, bucket.by_class(delta.classes())));
    classes
        .map(|(index, classes)| {
            (
                index,
                exact(classes.map(|(class, counts)| (*class, counts))),
            )
        })
        .collect()
}
