//! Labels that are found late say the same as if they had been known from the start.

use std::sync::Arc;

use sensor_common::abi::{CLASS_NOT_IP, Totals, ip_index};
use sensor_common::application::Application;

use super::select::{Choice, choice, whole_key};
use super::*;
use crate::counters::delta::Told;
use crate::counters::{FlowCounts, Known};
use crate::names::{How, Label, Verdict};

const ROOM: usize = 10_000;

fn empty(trail: bool, told: &Told) -> Delta {
    let mut delta = Delta::new(DeltaConfig {
        interval: 10,
        max_flows: ROOM,
        seeds: SEEDS,
        trail,
        names: 0,
    });
    delta.tell(&Arc::new(told.clone()));
    delta
}

fn label(application: Application) -> Verdict {
    let how = How::Payload;
    Verdict::Decided(Some(Label { application, how }))
}

/// What is found out of each flow, and before which packet.
#[derive(Clone, Copy, Debug)]
struct Truth(u64);

impl Truth {
    fn mixed(self, key: &FlowKey) -> u64 {
        key.0.iter().fold(self.0, |hash, word| {
            (hash ^ word)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        })
    }

    fn of(self, key: &FlowKey) -> Verdict {
        match self.mixed(key) >> 32 & 7 {
            0 => Verdict::Undecided,
            1 => Verdict::Decided(None),
            2 | 3 => label(Application::Dns), // what ports say of some
            4 => label(Application::Https),
            _ => label(Application::Ssh),
        }
    }

    fn told<'a>(self, keys: impl IntoIterator<Item = &'a FlowKey>) -> Told {
        keys.into_iter().map(|key| (key.0, self.of(key))).collect()
    }

    fn moment(self, key: &FlowKey, moments: usize) -> usize {
        (self.mixed(key) >> 40) as usize % moments.max(1)
    }
}

fn truth() -> impl Strategy<Value = Truth> {
    any::<u64>().prop_map(Truth)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..160, 0..6)
}

/// Periods become one, in order, those of each half first.
fn joined(periods: &[Delta], halves: bool) -> Delta {
    let mut whole = periods[0].clone();
    if halves && periods.len() > 2 {
        let (first, second) = periods.split_at(periods.len() / 2);
        whole = joined(first, false);
        whole.merge(&joined(second, false));
    } else {
        periods[1..].iter().for_each(|period| whole.merge(period));
    }
    whole
}

/// Counts the items one by one, as told at the time; a period ends after each of `cuts`.
fn in_periods<T>(
    items: &[T],
    cuts: &[usize],
    mut delta: Delta,
    told: impl Fn(usize) -> Option<Told>,
    mut count: impl FnMut(&mut Delta, &T),
) -> Vec<Delta> {
    let mut periods = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(told) = told(index) {
            delta.tell(&Arc::new(told));
        }
        count(&mut delta, item);
        if cuts.contains(&index) {
            periods.push(delta.take());
        }
    }
    if let Some(told) = told(items.len()) {
        delta.tell(&Arc::new(told));
    }
    periods.push(delta.take());
    periods
}

/// For each class the buckets hold what its flows do.
fn consistent(delta: &Delta) -> bool {
    let buckets = delta.buckets().sorted().into_iter();
    let buckets = buckets.flat_map(|bucket| bucket.by_class(delta.classes()));
    let buckets = named(buckets.map(|(class, counts)| (*class, counts)));
    delta.accounting().0.identity_holds && buckets == named(delta.by_class())
}

/// What the kernel counted of a flow: its times need not lie in the bucket of the poll.
fn record() -> impl Strategy<Value = (FlowCounts, i64)> {
    (flow(), 0i64..120, -12i64..12, 0i64..15, 1u64..5).prop_map(|(key, at, off, len, packets)| {
        let first = at + off;
        let record = FlowCounts {
            key,
            counts: counts(packets, packets * 100),
            tcp_flags: 2,
            first,
            last: first + len,
        };
        (record, at)
    })
}

fn keys(stream: &[Seen]) -> Vec<FlowKey> {
    stream.iter().map(whole_key).collect()
}

fn timed() -> impl Strategy<Value = Vec<Seen>> {
    stream().prop_map(|mut stream| {
        for (number, seen) in stream.iter_mut().enumerate() {
            if !matches!(seen.when, When::At(_)) {
                seen.when = When::At(number as i64);
            }
        }
        stream
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn late_is_as_good_as_early(
        stream in stream(),
        truth in truth(),
        cuts in cuts(),
        (trail, halves) in any::<(bool, bool)>(),
        choice in choice(),
    ) {
        let keys = keys(&stream);
        let mut early = empty(trail, &truth.told(&keys));
        stream.iter().for_each(|seen| early.packet(seen));
        early.settle();
        let known_at = |index| {
            let known = |key: &&FlowKey| truth.moment(key, stream.len()) < index || index == stream.len();
            Some(truth.told(keys.iter().filter(known)))
        };
        let periods = in_periods(&stream, &cuts, empty(trail, &Told::new()), known_at, Delta::packet);
        let mut late = joined(&periods, halves);
        late.settle();
        prop_assert_eq!(said(&early), said(&late));
        for flow in late.flows().iter() {
            prop_assert_eq!(flow.known != Known::Decided, truth.of(&flow.key) == Verdict::Undecided);
        }
        if trail {
            prop_assert_eq!(said(&choice.of(&early)), said(&choice.of(&late)));
        }
    }

    #[test]
    fn the_kernel_s_records_too(
        records in prop::collection::vec(record(), 0..120),
        truth in truth(),
        cuts in cuts(),
        (trail, halves) in any::<(bool, bool)>(),
    ) {
        let keys: Vec<FlowKey> = records.iter().map(|(record, _)| record.key).collect();
        let count = |delta: &mut Delta, (record, at): &(FlowCounts, i64)| {
            let (key, all) = (record.key, record.counts);
            let mut totals = Totals::ZERO;
            match key.is_ip() {
                true => totals.ip[ip_index(key.protocol(), key.is_ipv6())] = all,
                false => totals.class[CLASS_NOT_IP] = all,
            }
            delta.totals(key.slot(), key.direction(), &totals, *at);
            delta.flow(record, *at);
        };
        let mut early = empty(trail, &truth.told(&keys));
        records.iter().for_each(|record| count(&mut early, record));
        let known_at = |index| {
            let known = |key: &&FlowKey| truth.moment(key, records.len()) < index || index == records.len();
            Some(truth.told(keys.iter().filter(known)))
        };
        let periods = in_periods(&records, &cuts, empty(trail, &Told::new()), known_at, count);
        let mut late = joined(&periods, halves);
        late.settle();
        prop_assert_eq!(said(&early), said(&late));
        prop_assert!(consistent(&late));
    }

    /// Verdicts that are forgotten and change: no book should do it, and nothing comes apart if it does.
    #[test]
    fn verdicts_that_disagree_leave_all_sums_right(
        stream in timed(),
        truths in prop::collection::vec(truth(), 1..5),
        cuts in cuts(),
        (trail, halves) in any::<(bool, bool)>(),
        choice in choice(),
    ) {
        let keys = keys(&stream);
        let told = |index: usize| {
            index.is_multiple_of(23).then(|| truths[index / 23 % truths.len()].told(&keys))
        };
        let periods = in_periods(&stream, &cuts, empty(trail, &Told::new()), told, Delta::packet);
        prop_assert!(periods.iter().all(consistent));
        let mut whole = joined(&periods, halves);
        prop_assert!(consistent(&whole));
        whole.settle();
        prop_assert!(consistent(&whole));
        let by_flow: Counts = whole.flows().iter().map(|flow| flow.counts()).sum();
        let in_flows = whole.accounting().0;
        prop_assert_eq!(by_flow, in_flows.in_flows + in_flows.not_ip);
        if trail {
            prop_assert!(consistent(&choice.of(&whole)));
        }
    }
}

fn packet(number: u32, time: i64) -> Seen {
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

fn ssh(number: u32) -> Told {
    [(whole_key(&packet(number, 0)).0, label(Application::Ssh))].into()
}

fn under(delta: &Delta, application: &str) -> u64 {
    let classes = delta.by_class().into_iter();
    let classes = classes.filter(|(class, _)| class.application() == application);
    classes.map(|(_, counts)| counts.packets).sum()
}

#[test]
fn flows_in_one_bucket_cost_nothing() {
    let mut delta = empty(false, &Told::new());
    for number in 0..5000 {
        delta.packet(&packet(number, 3));
        delta.packet(&packet(number, 9));
    }
    delta.settle();
    assert_eq!(delta.noted(), 0);
    delta.packet(&packet(7, 10));
    delta.settle();
    assert_eq!(delta.noted(), 1);
    delta.tell(&Arc::new(ssh(7)));
    delta.settle();
    assert_eq!((delta.noted(), under(&delta, "ssh")), (0, 3));
    assert!(consistent(&delta));
}

#[test]
fn the_next_period_knows_the_label() {
    let mut delta = empty(false, &ssh(1));
    delta.packet(&packet(1, 5));
    let first = delta.take();
    delta.packet(&packet(1, 25));
    let second = delta.take();
    assert_eq!((under(&first, "ssh"), under(&second, "ssh")), (1, 1));
}

#[test]
fn a_flow_in_too_many_buckets_keeps_its_port() {
    for (buckets, labelled) in [(17, 17), (18, 0)] {
        let mut delta = empty(false, &Told::new());
        (0..buckets).for_each(|index| delta.packet(&packet(1, index * 10)));
        delta.flush();
        delta.tell(&Arc::new(ssh(1)));
        delta.settle();
        assert_eq!((under(&delta, "ssh"), delta.noted()), (labelled, 0));
        assert_eq!(delta.frozen(), u64::from(labelled == 0));
        assert!(consistent(&delta));
        // A later period has it right, and the whole keeps both.
        let mut later = empty(false, &ssh(1));
        (0..3).for_each(|index| later.packet(&packet(1, 10_000 + index * 10)));
        delta.merge(&later.take());
        assert_eq!(under(&delta, "ssh"), labelled + 3);
        assert!(consistent(&delta));
        let flow = delta.flows().iter().next().unwrap();
        assert_eq!(flow.application(), Some(Application::Ssh));
    }
}

#[test]
fn coarser_buckets_do_not_matter() {
    for trail in [false, true] {
        let mut late = empty(trail, &Told::new());
        let mut early = empty(trail, &ssh(1));
        for delta in [&mut late, &mut early] {
            (0..9).for_each(|index| delta.packet(&packet(1, index * 10)));
            (0..150_000).for_each(|index| delta.packet(&packet(2, index * 10)));
            (0..9).for_each(|index| delta.packet(&packet(1, 3_000_000 - index * 10)));
            delta.flush();
        }
        late.tell(&Arc::new(ssh(1)));
        late.settle();
        assert!(late.buckets().interval() > 10 && consistent(&late));
        assert_eq!(under(&late, "ssh"), 18);
        // The other flow was in too many buckets to be told apart.
        assert_eq!(said(&late), said(&early));
        let mut fine = empty(trail, &Told::new());
        (0..9).for_each(|index| fine.packet(&packet(1, index * 10 + 5)));
        let mut both = fine.take();
        both.merge(&late);
        assert_eq!(under(&both, "ssh"), 27);
        assert!(consistent(&both));
        if trail {
            assert!(consistent(&Choice(1).of(&both)));
        }
    }
}

#[test]
fn a_flow_without_captured_payload_is_decided_at_once() {
    let blind = |number, time, captured_bytes| {
        let mut seen = packet(number, time);
        seen.packet.as_mut().unwrap().payload_len = 58;
        Seen {
            captured_bytes,
            ..seen
        }
    };
    let mut delta = empty(false, &ssh(3));
    delta.packet(&blind(1, 5, 43));
    delta.packet(&blind(2, 5, 42));
    delta.packet(&blind(3, 5, 42)); // known by another way
    delta.packet(&packet(4, 5));
    (1..4).for_each(|index| delta.packet(&packet(5, index * 10)));
    delta.packet(&blind(5, 35, 42));
    delta.flush();
    assert_eq!(delta.noted(), 0);
    let all: Told = (1..6).flat_map(ssh).collect();
    delta.tell(&Arc::new(all));
    delta.settle();
    let labelled = |number| {
        let flow = delta.flows().get(&whole_key(&packet(number, 0)));
        flow.unwrap().label.is_some()
    };
    assert_eq!(
        [1, 2, 3, 4, 5].map(labelled),
        [true, false, true, true, false]
    );
    assert_eq!(delta.frozen(), 0);
    assert!(consistent(&delta));
}

#[test]
fn packets_out_of_order_go_to_their_buckets() {
    let mut delta = empty(false, &Told::new());
    let times = [15, 16, 3, 27, 14, 28, 2, 39, 38, 1];
    times
        .iter()
        .for_each(|time| delta.packet(&packet(1, *time)));
    delta.flush();
    assert_eq!(delta.noted(), 3);
    delta.tell(&Arc::new(ssh(1)));
    delta.settle();
    assert_eq!((under(&delta, "ssh"), delta.noted()), (10, 0));
    assert!(consistent(&delta));
}

#[test]
fn what_is_selected_can_still_be_labelled() {
    let mut delta = empty(true, &Told::new());
    for number in 1..4 {
        (0..3).for_each(|index| delta.packet(&packet(number, index * 10)));
    }
    delta.settle();
    let two = whole_key(&packet(2, 0));
    let mut kept = delta.select(&mut |key, _| *key != two);
    assert_eq!(kept.noted(), 4);
    let mut later = empty(true, &ssh(1));
    later.packet(&packet(1, 90));
    kept.merge(&later.take().select(&mut |_, _| true));
    assert_eq!((under(&kept, "ssh"), kept.noted()), (4, 2));
    assert!(consistent(&kept));
}

#[test]
fn lost_samples_add_up() {
    let mut delta = empty(false, &Told::new());
    delta.lost_samples(3);
    let mut first = delta.take();
    assert_eq!((first.samples_lost(), delta.samples_lost()), (3, 0));
    delta.lost_samples(4);
    first.merge(&delta.take());
    assert_eq!(first.samples_lost(), 7);
}
