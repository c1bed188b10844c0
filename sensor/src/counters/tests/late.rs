//! Labels that are found late say the same as if they had been known from the start.

mod examples;

use std::sync::Arc;

use sensor_common::abi::{CLASS_NOT_IP, Totals};
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
            // With the table that there is, or with a new one.
            periods.push(match index % 3 {
                0 => delta.take(),
                _ => delta.cut(),
            });
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
                true => totals.ip[key.ip_index()] = all,
                false => totals.class[CLASS_NOT_IP] = all,
            }
            delta.totals(key.slot(), key.direction(), &totals, *at);
            delta.flow(record, *at);
            delta.flush();
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
