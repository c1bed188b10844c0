//! A file that is cut into parts: what each has is what a table has that begins with it, and nobody tells whether packets
//! came one by one or in batches.

use proptest::prelude::*;
use sensor_common::flow::HashSeeds;

use super::*;
use crate::agent::Period;
use crate::counters::{Delta, DeltaConfig, Flow};
use crate::follow::Cuts;
use crate::report::{self, Context};
use crate::source::file::count::{self, Ledger};

const SEEDS: HashSeeds = [0x9e37_79b9_7f4a_7c15; 10];
/// Nanoseconds of a part.
const PART: i64 = 1_000_000_000;

fn config(max_flows: usize) -> DeltaConfig {
    DeltaConfig {
        interval: PART / 10,
        max_flows,
        seeds: SEEDS,
        trail: false,
        names: 0,
    }
}

fn told(delta: &Delta) -> String {
    let report = report::build(delta, &Context::default());
    assert!(report.accounting.identity_holds);
    serde_json::to_string(&report).unwrap()
}

/// All that is counted in a part, cheaper than a report.
fn said(delta: &Delta) -> String {
    let mut flows: Vec<String> = delta.flows().iter().map(|flow| flow_said(&flow)).collect();
    flows.sort();
    let buckets = delta.buckets().sorted();
    let buckets = buckets.iter().map(|bucket| {
        let mut classes: Vec<_> = bucket.by_class(delta.classes()).collect();
        classes.sort_by_key(|(class, _)| format!("{class:?}"));
        format!("{} {classes:?}", bucket.index)
    });
    let buckets: Vec<String> = buckets.collect();
    format!(
        "{flows:?} {buckets:?} {:?} {:?}",
        delta.beside(),
        delta.accounting()
    )
}

/// But for the number of its class, which is another one in each table.
fn flow_said(flow: &Flow) -> String {
    format!("{:?}", Flow { class: 0, ..*flow })
}

/// Parts as followers get them.
struct Parts {
    cuts: Cuts,
    batches: bool,
    over: Vec<Period>,
}

impl Ledger for Parts {
    fn of(&mut self, when: When) -> &mut Delta {
        self.over.extend(self.cuts.turn_to(when));
        self.cuts.current()
    }

    fn onwards(&mut self, at: i64) -> (&mut Delta, (i64, i64)) {
        self.of(When::At(at));
        self.cuts.go_on()
    }

    fn wants_samples(&self) -> bool {
        false
    }

    fn only_counts(&self) -> bool {
        self.batches
    }

    fn flush(&mut self) {
        self.cuts.current().flush();
    }
}

/// Each part in a table of its own.
struct Anew {
    max_flows: usize,
    list: Vec<(i64, Delta)>,
}

impl Ledger for Anew {
    fn of(&mut self, when: When) -> &mut Delta {
        let number = when.time().unwrap().div_euclid(PART);
        if self.list.last().is_none_or(|(last, _)| *last != number) {
            let delta = Delta::new(config(self.max_flows));
            self.list.push((number, delta));
        }
        &mut self.list.last_mut().unwrap().1
    }

    fn onwards(&mut self, at: i64) -> (&mut Delta, (i64, i64)) {
        (self.of(When::At(at)), (at, at))
    }

    fn wants_samples(&self) -> bool {
        false
    }

    fn only_counts(&self) -> bool {
        false
    }

    fn flush(&mut self) {
        self.list.iter_mut().for_each(|(_, delta)| delta.flush());
    }
}

/// `(flow, tenths of a second since the packet before)`.
fn capture(packets: &[(u8, i8)]) -> Vec<u8> {
    let order = Order::Little;
    let mut out = order.pcap_header(0xa1b2_c3d4, (2, 4), 1);
    let mut tenths = 17_000_000_000i64;
    for (flow, step) in packets {
        tenths += i64::from(*step);
        let mut frame = vec![0; 80];
        if flow % 5 == 4 {
            frame[12..14].copy_from_slice(&[0x86, 0xdd]);
            frame[14] = 0x60;
            frame[18..20].copy_from_slice(&[0, 26]);
            frame[20] = 17;
            frame[53] = *flow;
            frame[58..60].copy_from_slice(&[0, 26]);
        } else {
            frame[12..14].copy_from_slice(&[8, u8::from(flow % 11 == 0) * 6]);
            frame[14] = 0x45;
            frame[16..18].copy_from_slice(&[0, 46]);
            frame[23] = 17;
            frame[29] = *flow;
            frame[34..40].copy_from_slice(&[0, 53, 200, 1, 0, 26]);
        }
        let when = ((tenths / 10) as u32, (tenths % 10) as u32 * 100_000);
        out.extend(order.record(when, (80, 80), &frame));
    }
    out
}

fn parts(bytes: &[u8], max_flows: usize, batches: bool) -> Vec<Delta> {
    let mut parts = Parts {
        cuts: Cuts::new(config(max_flows), PART),
        batches,
        over: Vec::new(),
    };
    count::count(&mut open(bytes).unwrap(), &mut parts, None, |_| ());
    parts.over.extend(parts.cuts.end());
    parts.over.into_iter().map(|period| period.delta).collect()
}

fn anew(bytes: &[u8], max_flows: usize) -> Vec<Delta> {
    let list = Vec::new();
    let mut anew = Anew { max_flows, list };
    count::count(&mut open(bytes).unwrap(), &mut anew, None, |_| ());
    anew.list.into_iter().map(|(_, delta)| delta).collect()
}

fn whole(parts: &[Delta]) -> String {
    let mut whole = Delta::new(*parts[0].divisible().as_ref().unwrap());
    parts.iter().for_each(|part| whole.merge(part));
    told(&whole)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_part_is_what_a_new_table_would_have(
        packets in prop::collection::vec((0u8..60, prop::sample::select(vec![0, 0, 0, 0, 1, 1, 6, -3])), 1..200),
        max_flows in prop::sample::select(vec![7, 40, 1000]),
    ) {
        let bytes = capture(&packets);
        let expected = anew(&bytes, max_flows);
        for batches in [false, true] {
            let found = parts(&bytes, max_flows, batches);
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(said(found), said(expected));
            }
            prop_assert_eq!(whole(&found), whole(&expected));
        }
    }
}
