//! Every element, and every packet.

use proptest::prelude::*;
use sensor_common::flow::Direction;
use sensor_common::flow::FlowKey;

use super::{Fields, Known, SETTINGS, Wire, now, number};
use crate::counters::Counts;
use crate::report::samples::{self, SECOND, START, Sample};
use crate::sink::ipfix::encode::Encoder;
use crate::sink::ipfix::record::{EndReason, Record, Subject};
use crate::sink::ipfix::{Interfaces, SMALLEST_MESSAGE, Settings};

/// Everything that `samples` became, of a run that ended there.
fn exported(samples: &[Sample], max_flows: usize, settings: &Settings) -> (Known, Vec<Vec<u8>>) {
    let wire = Wire::default();
    let mut exporter = wire.exporter(settings, 1_000);
    exporter.interfaces(Interfaces::new([(0, 3, "eth0"), (1, 12, "wg0")]));
    let delta = samples::delta_of(samples, max_flows);
    let total: Counts = delta.by_direction().into_iter().sum();
    exporter
        .interval(&delta, START + SECOND, now(SECOND))
        .unwrap();
    exporter.finish(|| now(SECOND)).unwrap();
    let messages = wire.take();
    let known = Known::of(&messages);
    assert_eq!(known.total(), total);
    (known, messages)
}

#[test]
fn a_flow_says_who_what_when_and_where() {
    let samples = [
        samples::tcp4([10, 0, 0, 1], 44_000, [10, 0, 0, 2], 443)
            .of(5, 700)
            .at(1_234_567_890)
            .way(1, Direction::Egress),
        samples::udp6([1; 16], 5353, [2; 16], 53).of(1, 90),
    ];
    let (known, _) = exported(&samples, 10, &SETTINGS);
    let flow = known.named("https");
    for (name, value) in [
        ("PacketDeltaCount", 5),
        ("OctetDeltaCount", 700),
        ("Layer2octetDeltaCount", 700),
        ("IngressInterface", 0),
        ("EgressInterface", 12),
        ("SourceTransportPort", 44_000),
        ("DestinationTransportPort", 443),
        ("FlowDirection", 1),
    ] {
        assert_eq!(number(flow, name), value, "{name}");
    }
    assert_eq!(flow["SourceIpv4address"], "10.0.0.1");
    assert_eq!(flow["DestinationIpv4address"], "10.0.0.2");
    let flow = known.named("dns");
    assert_eq!(flow["SourceIpv6address"], "101:101:101:101:101:101:101:101");
    assert_eq!(number(flow, "IngressInterface"), 3);
    // A file does not say which way a packet went.
    assert!(!flow.contains_key("FlowDirection"));
}

#[test]
fn what_is_in_no_flow_is_exported_too() {
    let broken = Sample::new(vec![0; 10]);
    let samples = [
        samples::arp().of(3, 180),
        samples::tcp4([10, 0, 0, 1], 1, [10, 0, 0, 2], 443).of(2, 140),
        samples::udp6([1; 16], 1, [2; 16], 53).of(7, 700), // finds no room
        broken.of(4, 40).way(1, Direction::Ingress),
    ];
    let (known, _) = exported(&samples, 2, &SETTINGS);
    assert_eq!(number(known.named("arp"), "EthernetType"), 0x0806);
    let overflow = known.named("udp");
    assert_eq!(number(overflow, "IpVersion"), 6);
    assert!(!overflow.contains_key("SourceIpv6address"));
    let malformed = known.named("other");
    assert_eq!(number(malformed, "EthernetType"), 0);
    assert_eq!(number(malformed, "IngressInterface"), 12);
    assert_eq!(number(malformed, "PacketDeltaCount"), 4);
}

#[test]
fn collectors_are_told_that_nothing_is_sampled_and_what_interfaces_are_called() {
    let (known, _) = exported(&[samples::arp()], 10, &SETTINGS);
    let with = |name: &str| -> Vec<&Fields> {
        let options = known.options.iter();
        options.filter(|record| record.contains_key(name)).collect()
    };
    let sampling = with("SamplingInterval")[0];
    for (name, value) in [
        ("SamplingInterval", 1),
        ("SamplingPacketInterval", 1),
        ("SamplingPacketSpace", 0),
    ] {
        assert_eq!(number(sampling, name), value, "{name}");
    }
    let names: Vec<_> = with("InterfaceName")
        .iter()
        .map(|record| (number(record, "IngressInterface"), &record["InterfaceName"]))
        .collect();
    assert_eq!(names[0], (3, &"eth0".into()));
    assert_eq!(names[1], (12, &"wg0".into()));
    let statistics = with("ExportedFlowRecordTotalCount");
    let last = statistics.last().unwrap();
    assert_eq!(number(last, "ExportedFlowRecordTotalCount"), 1);
    assert_eq!(number(last, "NotSentPacketTotalCount"), 0);
}

#[test]
fn a_run_without_packets_has_templates_and_no_flows() {
    let (known, messages) = exported(&[], 10, &SETTINGS);
    assert_eq!((known.flows.len(), known.templates), (0, 11));
    assert!(messages.len() <= 3);
}

#[test]
fn a_name_that_is_too_long_is_cut_between_characters() {
    let wire = Wire::default();
    let mut exporter = wire.exporter(&SETTINGS, 10);
    let hostile = format!("a{}\u{202e}\"", "\u{e9}".repeat(300));
    exporter.interfaces(Interfaces::new([(0, 9, hostile.as_str())]));
    exporter.finish(|| now(SECOND)).unwrap();
    let known = Known::of(&wire.take());
    let mut names = known
        .options
        .iter()
        .filter_map(|one| one.get("InterfaceName"));
    let name = names.next().unwrap().as_str().unwrap();
    assert_eq!(name.len(), 253);
    assert!(hostile.starts_with(name));
}

#[test]
fn times_before_the_epoch_and_none_at_all_are_zero() {
    let record = |first, last| Record {
        subject: Subject::Flow(FlowKey::ipv4(1, 2, 6)),
        counts: Counts::ZERO,
        first,
        last,
        tcp_flags: 0,
        application: None,
        end: EndReason::Forced,
    };
    assert_eq!(record(i64::MAX, i64::MIN).milliseconds(), (0, 0));
    assert_eq!(record(-5, 1_999_999).milliseconds(), (0, 1));
    assert_eq!(record(i64::MIN, i64::MAX).milliseconds().0, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is counted: no message is too long, none is lost, and the sums are right.
    #[test]
    fn any_packets_arrive_in_messages_that_are_not_too_long(
        flows in prop::collection::vec((any::<[u8; 4]>(), any::<u16>(), any::<bool>(), 0u8..4, 1u64..1 << 40), 0..300),
        message_size in SMALLEST_MESSAGE..9_000,
        max_flows in 1usize..400,
    ) {
        let sample = |(host, port, ipv6, way, bytes): &([u8; 4], u16, bool, u8, u64)| {
            let mut address = [0; 16];
            address[..4].copy_from_slice(host);
            let sample = match (ipv6, way) {
                (_, 3) => samples::arp(),
                (true, _) => samples::udp6(address, *port, [2; 16], 53),
                (false, _) => samples::tcp4(*host, *port, [10, 0, 0, 2], 443),
            };
            let way = [Direction::Unknown, Direction::Ingress, Direction::Egress, Direction::Unknown][usize::from(*way)];
            sample.of(1 + bytes / 1_000, *bytes).way((port % 2) as u8, way)
        };
        let samples: Vec<_> = flows.iter().map(sample).collect();
        let settings = Settings { message_size, ..SETTINGS };
        let (_, messages) = exported(&samples, max_flows, &settings);
        for message in messages {
            prop_assert!(message.len() <= usize::from(message_size));
            let length = u16::from_be_bytes([message[2], message[3]]);
            prop_assert_eq!(usize::from(length), message.len());
        }
    }
}

#[test]
fn messages_are_as_full_as_they_can_be() {
    let mut encoder = Encoder::new(1_400);
    let record = |host: u32| Record {
        subject: Subject::Flow(FlowKey::ipv4(host, 2, 6)),
        counts: Counts::ZERO,
        first: 0,
        last: 0,
        tcp_flags: 0,
        application: None,
        end: EndReason::Forced,
    };
    let interfaces = Interfaces::default();
    let mut pushed = (0..1_000).filter_map(|host| encoder.push(&record(host), &interfaces));
    let full = pushed.next().unwrap().seal(0, 0, 0);
    let one = full.len() - 20;
    assert!(full.len() > 1_400 - 100 && full.len() <= 1_400, "{one}");
}
