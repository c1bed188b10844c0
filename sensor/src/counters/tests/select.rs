//! Leaving flows out afterwards says the same as never having counted them.

use super::*;
use crate::counters::Flow;

const ROOM: usize = 10_000;

/// Some flows, and the malformed packets of some interfaces and directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice(pub(super) u64);

impl Choice {
    pub(super) fn keeps(self, key: &FlowKey) -> bool {
        let mixed = key.0.iter().fold(self.0, |hash, word| {
            (hash ^ word)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        });
        mixed.count_ones() % 2 == 0
    }

    pub(super) fn of(self, delta: &Delta) -> Delta {
        delta.select(&mut |key, flow| {
            assert!(flow.is_none_or(|flow| flow.key == *key));
            self.keeps(key)
        })
    }
}

pub(super) fn choice() -> impl Strategy<Value = Choice> {
    any::<u64>().prop_map(Choice)
}

pub(super) fn with_trail(interval: i64, max_flows: usize) -> Delta {
    Delta::new(DeltaConfig {
        interval,
        max_flows,
        seeds: SEEDS,
        trail: true,
        names: 0,
    })
}

/// The key of the packet's flow, or for malformed ones of their origin.
pub(super) fn whole_key(seen: &Seen) -> FlowKey {
    let (mut key, direction) = match (seen.packet, seen.direction) {
        (Ok(packet), Direction::Unknown) => (packet.key, packet.direction),
        (Ok(packet), known) => (packet.key, known),
        (Err(_), direction) => (FlowKey([0; 5]), direction),
    };
    key.set_origin(seen.slot, direction);
    key
}

fn counted_with_trail(stream: &[Seen], max_flows: usize) -> Delta {
    let mut delta = with_trail(10, max_flows);
    stream.iter().for_each(|seen| delta.packet(seen));
    delta.flush();
    delta
}

/// As a source does that asks the filter before it counts.
fn filtered_before(stream: &[Seen], choice: Choice, interval: i64) -> Delta {
    let mut delta = Delta::new(DeltaConfig {
        interval,
        max_flows: ROOM,
        seeds: SEEDS,
        trail: false,
        names: 0,
    });
    for seen in stream {
        let key = whole_key(seen);
        match choice.keeps(&key) {
            true => delta.packet(seen),
            false => delta.filtered(key.slot(), key.direction(), seen.counts),
        }
    }
    delta.flush();
    delta
}

fn all(delta: &Delta) -> Delta {
    delta.select(&mut |_, _| true)
}

fn none(delta: &Delta) -> Delta {
    delta.select(&mut |_, _| false)
}

fn matched(delta: &Delta) -> Counts {
    delta.by_direction().into_iter().sum()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn left_out_afterwards_is_never_counted(stream in stream(), choice in choice()) {
        let before = filtered_before(&stream, choice, 10);
        let after = choice.of(&counted_with_trail(&stream, ROOM));
        prop_assert_eq!(said(&before), said(&after));
        let (whole, slots) = after.accounting();
        prop_assert!(whole.identity_holds && slots.iter().all(|slot| slot.accounting.identity_holds));
        prop_assert_eq!(matched(&after) + whole.filtered, whole.seen);
        prop_assert_eq!(after.filtered_by_direction().into_iter().sum::<Counts>(), whole.filtered);
        prop_assert_eq!(whole.seen, stream.iter().map(|seen| seen.counts).sum());
    }

    #[test]
    fn all_or_nothing(stream in stream(), max_flows in prop_oneof![0usize..8, Just(ROOM)]) {
        let delta = counted_with_trail(&stream, max_flows);
        prop_assert_eq!(said(&all(&delta)), said(&delta));
        prop_assert_eq!(said(&delta), said(&counted(&stream, max_flows)));
        let nothing = none(&delta);
        let whole = nothing.accounting().0;
        prop_assert!(whole.identity_holds && nothing.flows().is_empty() && whole.malformed.is_empty());
        prop_assert_eq!(matched(&nothing), nothing.unjudged());
        prop_assert_eq!(whole.overflow, delta.accounting().0.overflow);
        if max_flows == ROOM {
            prop_assert_eq!((whole.filtered, nothing.unjudged()), (whole.seen, Counts::ZERO));
            prop_assert_eq!((nothing.captured_bytes(), nothing.span()), (0, None));
            prop_assert_eq!((nothing.untimed(), nothing.out_of_range()), (Counts::ZERO, 0));
            prop_assert!(nothing.buckets().is_empty());
        }
    }

    #[test]
    fn pieces_carry_the_trail_along(
        stream in stream(),
        lengths in prop::collection::vec(0usize..80, 0..5),
        choice in choice(),
    ) {
        let (mut source, mut whole) = (with_trail(10, ROOM), with_trail(10, ROOM));
        let mut rest = &stream[..];
        for length in lengths.iter().copied().chain([usize::MAX]) {
            let (piece, later) = rest.split_at(length.min(rest.len()));
            piece.iter().for_each(|seen| source.packet(seen));
            whole.merge(&source.take());
            rest = later;
        }
        let before = filtered_before(&stream, choice, 10);
        prop_assert_eq!(said(&before), said(&choice.of(&whole)));
    }

    /// What overflowed stays on both sides, all else is on one of them.
    #[test]
    fn a_full_table_keeps_what_it_can_t_judge(
        (a, b) in (stream(), stream()),
        choice in choice(),
        room in 0usize..6,
        in_all in 0usize..10,
    ) {
        let mut delta = with_trail(10, in_all);
        delta.merge(&counted_with_trail(&a, room));
        delta.merge(&counted_with_trail(&b, room));
        let kept = choice.of(&delta);
        let rest = delta.select(&mut |key, _| !choice.keeps(key));
        let unjudged = none(&delta);
        let sides = |of: &dyn Fn(&Delta) -> Counts| (of(&kept) + of(&rest), of(&delta) + of(&unjudged));
        for of in [&matched as &dyn Fn(&Delta) -> Counts, &Delta::untimed, &|delta| delta.buckets().total()] {
            let (parts, whole) = sides(of);
            prop_assert_eq!(parts, whole);
        }
        let (parts, whole) = sides(&|delta| counts(delta.out_of_range(), delta.captured_bytes()));
        prop_assert_eq!(parts, whole);
        for delta in [&kept, &rest, &unjudged] {
            prop_assert!(delta.accounting().0.identity_holds);
            prop_assert_eq!(delta.unjudged(), matched(&unjudged));
        }
        let union = |a: Option<(i64, i64)>, b: Option<(i64, i64)>| match (a, b) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (one, other) => one.or(other),
        };
        prop_assert_eq!(union(kept.span(), rest.span()), delta.span());
        prop_assert_eq!(union(unjudged.span(), kept.span()), kept.span());
    }
}

fn at(number: u32, time: i64) -> Seen {
    Seen {
        packet: Ok(Packet {
            key: key(number),
            tcp_flags: 0,
            header_len: 42,
            network_offset: 14,
            transport_offset: 34,
            payload_len: 0,
            direction: Direction::Unknown,
            cut: false,
        }),
        when: When::At(time),
        slot: 1,
        direction: Direction::Ingress,
        counts: counts(1, 100),
        captured_bytes: 96,
    }
}

/// Above 65,536 parts the trail is coarser than the buckets, above 100,000 the buckets are coarser too.
#[test]
fn coarse_buckets_lose_no_packet() {
    for packets in [70_000i64, 150_000] {
        let stream: Vec<Seen> = (0..packets)
            .map(|number| at((number % 3) as u32, number * 12 - 400_000))
            .collect();
        let delta = counted_with_trail(&stream, 10);
        let choice = (0..)
            .map(Choice)
            .find(|choice| {
                let kept = (0..3).filter(|number| choice.keeps(&whole_key(&at(*number, 0))));
                kept.count() == 1
            })
            .unwrap();
        let after = choice.of(&delta);
        let interval = after.buckets().interval();
        assert!(interval > 10 && interval <= 160, "{interval}");
        let before = filtered_before(&stream, choice, interval);
        assert_eq!(said(&before), said(&after));
        assert_eq!(said(&all(&delta)), said(&delta));
    }
}

#[test]
fn a_coarse_trail_and_a_fine_one_are_one() {
    let many: Vec<Seen> = (0..70_000).map(|number| at(1, number * 10)).collect();
    let few: Vec<Seen> = (0..100).map(|number| at(2, number * 7)).collect();
    let (many_delta, few_delta) = (counted_with_trail(&many, 10), counted_with_trail(&few, 10));
    for (first, second) in [(&many_delta, &few_delta), (&few_delta, &many_delta)] {
        let mut both = with_trail(10, 10);
        both.merge(first);
        both.merge(second);
        let kept = both.select(&mut |key, _| *key == whole_key(&at(2, 0)));
        let mut alone = with_trail(kept.buckets().interval(), 10);
        few.iter().for_each(|seen| alone.packet(seen));
        many.iter()
            .for_each(|seen| alone.filtered(1, Direction::Ingress, seen.counts));
        assert_eq!(said(&kept), said(&alone));
    }
}

#[test]
fn the_ends_of_time_can_be_left_out() {
    let stream: Vec<Seen> = [i64::MIN, -1, 0, i64::MAX]
        .iter()
        .flat_map(|time| [at(0, *time), at(1, *time), at(2, *time)])
        .collect();
    for salt in 0..20 {
        let after = Choice(salt).of(&counted_with_trail(&stream, 10));
        let before = filtered_before(&stream, Choice(salt), 10);
        assert_eq!(said(&before), said(&after));
    }
}

#[test]
fn a_trail_with_holes_is_none() {
    let mut whole = with_trail(10, ROOM);
    whole.merge(&counted(&[at(1, 5)], ROOM));
    assert_eq!(matched(&whole), counts(1, 100));
    let mut fresh = whole.take();
    assert!(fresh.flows().len() == 1 && whole.flows().is_empty());
    // What comes after the take is complete again.
    whole.packet(&at(2, 5));
    assert_eq!(matched(&all(&whole)), counts(1, 100));
    fresh.merge(&whole);
    assert_eq!(fresh.flows().len(), 2);
}

#[test]
fn only_filtered_packets_are_seen_and_nothing_else() {
    let mut delta = delta(10);
    delta.filtered(2, Direction::Egress, counts(3, 300));
    let mut totals = sensor_common::abi::Totals::ZERO;
    totals.filtered = counts(4, 400);
    delta.totals(2, Direction::Egress, &totals, 55);
    let (whole, slots) = delta.accounting();
    assert_eq!(
        (whole.seen, whole.filtered),
        (counts(7, 700), counts(7, 700))
    );
    assert!(whole.identity_holds && slots.len() == 1);
    assert_eq!(delta.by_direction(), [Counts::ZERO; 3]);
    assert_eq!(delta.filtered_by_direction()[2], counts(7, 700));
    assert_eq!((delta.span(), delta.captured_bytes()), (None, 0));
    assert!(delta.buckets().is_empty() && delta.by_class().is_empty());
    let mut merged = super::delta(10);
    merged.merge(&delta);
    merged.merge(&delta);
    assert_eq!(merged.accounting().0.filtered, counts(14, 1400));
}

#[test]
fn a_flow_knows_what_a_filter_asks_of_it() {
    let mut https = FlowKey::ipv4(1, 2, 6);
    https.set_ports(u32::from_ne_bytes([0xc0, 0, 1, 187]));
    let flow = |first, last| Flow {
        key: https,
        packets: 2,
        bytes: 300,
        first,
        last,
        class: 0,
        tcp_flags: 0,
        known: crate::counters::Known::Undecided,
        label: None,
    };
    assert_eq!(flow(5, 9).counts(), counts(2, 300));
    assert_eq!(
        flow(5, 9).application(),
        Some(sensor_common::application::Application::Https)
    );
    assert_eq!(flow(5, 9).duration(), Some(4));
    assert_eq!(flow(i64::MIN, i64::MAX).duration(), Some(u64::MAX));
    assert_eq!(flow(i64::MAX, i64::MIN).duration(), None);
}
