//! Streams of packets: the identity, and that it does not matter how they are cut up.

use super::*;

/// No table of these streams gets that large.
const ROOM: usize = 10_000;

/// The same stream counted piece by piece, each merged into a table of `max_flows`.
fn in_pieces(stream: &[Seen], lengths: &[usize], max_flows: usize) -> Delta {
    let (mut source, mut whole) = (delta(max_flows), delta(max_flows));
    let mut rest = stream;
    for length in lengths.iter().copied().chain([usize::MAX]) {
        let (piece, later) = rest.split_at(length.min(rest.len()));
        piece.iter().for_each(|seen| source.packet(seen));
        whole.merge(&source.take());
        rest = later;
    }
    whole
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_identity_holds(stream in stream(), max_flows in prop_oneof![0usize..8, Just(ROOM)]) {
        let delta = counted(&stream, max_flows);
        let (whole, slots) = delta.accounting();
        prop_assert!(whole.identity_holds);
        prop_assert!(slots.iter().all(|slot| slot.accounting.identity_holds));
        let all: Counts = stream.iter().map(|seen| seen.counts).sum();
        prop_assert_eq!(whole.seen, all);
        prop_assert_eq!(slots.iter().map(|slot| slot.accounting.seen).sum::<Counts>(), all);
        prop_assert_eq!(delta.by_direction().into_iter().sum::<Counts>(), all);
        prop_assert_eq!(delta.by_class().into_iter().map(|(_, counts)| counts).sum::<Counts>(), all);
        prop_assert_eq!(delta.buckets().total() + delta.untimed(), all);
        let malformed: Counts = stream.iter().filter(|seen| seen.packet.is_err()).map(|seen| seen.counts).sum();
        prop_assert_eq!(whole.malformed.values().copied().sum::<Counts>(), malformed);
        prop_assert_eq!(max_flows == ROOM, max_flows == ROOM && whole.overflow == Counts::ZERO);
    }

    #[test]
    fn pieces_make_the_whole(stream in stream(), lengths in prop::collection::vec(0usize..80, 0..5)) {
        let whole = counted(&stream, ROOM);
        let merged = in_pieces(&stream, &lengths, ROOM);
        prop_assert_eq!(said(&whole), said(&merged));
    }

    #[test]
    fn a_full_table_costs_flows_only(
        stream in stream(),
        lengths in prop::collection::vec(0usize..80, 0..5),
        max_flows in 0usize..6,
    ) {
        let whole = counted(&stream, ROOM);
        for full in [counted(&stream, max_flows), in_pieces(&stream, &lengths, max_flows)] {
            let ((all, _), (part, slots)) = (whole.accounting(), full.accounting());
            prop_assert!(part.identity_holds && slots.iter().all(|slot| slot.accounting.identity_holds));
            prop_assert!(full.flows().len() <= max_flows);
            prop_assert_eq!(part.in_flows + part.overflow, all.in_flows);
            prop_assert_eq!((part.seen, part.not_ip), (all.seen, all.not_ip));
            prop_assert_eq!(part.malformed, all.malformed);
            prop_assert_eq!(exact(full.by_class()), exact(whole.by_class()));
            prop_assert_eq!(exact_buckets(&full), exact_buckets(&whole));
            let overflow = full.overflow_by_class().into_iter().map(|(_, counts)| counts).sum::<Counts>();
            prop_assert_eq!(overflow, part.overflow);
        }
    }

    /// Room for the flows of each piece, but not for those of all.
    #[test]
    fn a_merge_that_overflows_keeps_the_identity(a in stream(), b in stream(), max_flows in 0usize..20) {
        let (a, b) = (counted(&a, ROOM), counted(&b, ROOM));
        let mut small = delta(max_flows);
        small.merge(&a);
        small.merge(&b);
        let mut large = delta(ROOM);
        large.merge(&b);
        large.merge(&a);
        prop_assert!(small.accounting().0.identity_holds);
        prop_assert_eq!(exact(small.by_class()), exact(large.by_class()));
        prop_assert_eq!(exact_buckets(&small), exact_buckets(&large));
    }
}

fn one(packet: Result<Packet, Reason>, when: When, direction: Direction) -> Seen {
    Seen {
        packet,
        when,
        slot: 0,
        direction,
        counts: counts(1, 100),
        captured_bytes: 96,
    }
}

fn packet_of(key: FlowKey, direction: Direction) -> Packet {
    Packet {
        key,
        tcp_flags: 0,
        header_len: 42,
        network_offset: 14,
        transport_offset: 34,
        payload_len: 0,
        direction,
        cut: false,
    }
}

#[test]
fn nothing_counted_is_accounted_for() {
    let delta = delta(10);
    let (whole, slots) = delta.accounting();
    assert!(whole.identity_holds && slots.is_empty());
    assert_eq!((whole.seen, delta.span()), (Counts::ZERO, None));
    assert!(delta.by_class().is_empty() && delta.buckets().is_empty());
}

#[test]
fn taken_is_gone() {
    let mut delta = delta(10);
    let packet = packet_of(key(1), Direction::Unknown);
    delta.packet(&one(Ok(packet), When::At(5), Direction::Unknown));
    delta.lost("ring", 3);
    let taken = delta.take();
    assert_eq!(taken.accounting().0.seen, counts(1, 100));
    assert_eq!(taken.lost_by_place().get("ring"), Some(&3));
    assert_eq!(said(&delta), said(&super::delta(10)));
}

#[test]
fn the_source_knows_the_direction_better_than_the_packet() {
    for (source, header, expected) in [
        (Direction::Unknown, Direction::Egress, Direction::Egress),
        (Direction::Ingress, Direction::Egress, Direction::Ingress),
        (Direction::Unknown, Direction::Unknown, Direction::Unknown),
    ] {
        let mut delta = delta(10);
        let packet = packet_of(key(1), header);
        delta.packet(&one(Ok(packet), When::Missing, source));
        delta.flush();
        let directions: Vec<_> = delta
            .flows()
            .iter()
            .map(|flow| flow.key.direction())
            .collect();
        assert_eq!(directions, [expected]);
        assert_eq!(delta.by_direction()[expected as usize], counts(1, 100));
    }
}

#[test]
fn a_packet_without_a_time_counts_everywhere_but_in_buckets() {
    let mut delta = delta(10);
    let packet = packet_of(key(1), Direction::Unknown);
    delta.packet(&one(Ok(packet), When::Missing, Direction::Unknown));
    delta.packet(&one(Ok(packet), When::OutOfRange, Direction::Unknown));
    delta.packet(&one(
        Err(Reason::TooDeep),
        When::OutOfRange,
        Direction::Unknown,
    ));
    delta.flush();
    assert_eq!((delta.untimed(), delta.out_of_range()), (counts(3, 300), 2));
    assert!(delta.buckets().is_empty() && delta.span().is_none());
    let flow = delta.flows().iter().next().unwrap();
    assert!(flow.first > flow.last && flow.packets == 2);
    assert!(delta.accounting().0.identity_holds);
}

#[test]
fn a_time_before_the_last_one_widens_the_span() {
    let mut delta = delta(10);
    for at in [50, -7, 20] {
        let packet = packet_of(key(1), Direction::Unknown);
        delta.packet(&one(Ok(packet), When::At(at), Direction::Unknown));
    }
    delta.flush();
    let flow = delta.flows().iter().next().unwrap();
    assert_eq!(
        (flow.first, flow.last, delta.span()),
        (-7, 50, Some((-7, 50)))
    );
}

#[test]
fn overflow_is_kept_per_protocol() {
    let mut delta = delta(1);
    let dns = packet_of(key(1), Direction::Unknown);
    delta.packet(&one(Ok(dns), When::At(0), Direction::Unknown));
    for protocol in [6, 6, 17] {
        let packet = packet_of(FlowKey::ipv6([1, 2], [3, 4], protocol), Direction::Unknown);
        delta.packet(&one(Ok(packet), When::At(0), Direction::Unknown));
    }
    let arp = packet_of(FlowKey::not_ip(0x0806), Direction::Unknown);
    delta.packet(&one(Ok(arp), When::At(0), Direction::Unknown));
    delta.flush();
    let overflow: BTreeMap<_, _> = delta
        .overflow_by_class()
        .into_iter()
        .map(|(class, counts)| {
            (
                (class.network().into_owned(), class.transport().into_owned()),
                counts.packets,
            )
        })
        .collect();
    let row = |transport: &str| {
        overflow
            .get(&("ipv6".to_owned(), transport.to_owned()))
            .copied()
    };
    assert_eq!(
        (row("tcp"), row("udp"), overflow.len()),
        (Some(2), Some(1), 2)
    );
    let whole = delta.accounting().0;
    assert_eq!(
        (
            whole.in_flows.packets,
            whole.overflow.packets,
            whole.not_ip.packets
        ),
        (1, 3, 1)
    );
    assert!(whole.identity_holds);
}
