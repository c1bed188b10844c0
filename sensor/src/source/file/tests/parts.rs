//! Counted in parts or from front to back: what comes out is the same.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use sensor_common::flow::HashSeeds;

use super::*;
use crate::counters::{Delta, DeltaConfig};
use crate::report::{self, Context};
use crate::source::file::count;
use crate::source::file::parts::{self, Threads};

const SEEDS: HashSeeds = [0x9e37_79b9_7f4a_7c15; 10];

fn delta(max_flows: usize) -> Delta {
    Delta::new(DeltaConfig {
        interval: 100_000_000,
        max_flows,
        seeds: SEEDS,
        trail: false,
        names: 0,
    })
}

/// All that is told of a file, and whether it was counted in parts.
fn told(path: &Path, max_flows: usize, threads: Threads) -> (String, bool) {
    let mut file = CaptureFile::open(path).unwrap();
    let mut delta = delta(max_flows);
    let in_parts = parts::count(&mut file, &mut delta, threads, |part, delta| {
        count::count(part, delta, None, |_| ())
    });
    let parts = in_parts.is_some();
    let outcome = in_parts.unwrap_or_else(|| count::count(&mut file, &mut delta, None, |_| ()));
    let report = report::build(&delta, &Context::default());
    assert!(report.accounting.identity_holds);
    let report = serde_json::to_string(&report).unwrap();
    let told = format!(
        "{report} {outcome:?} {:?} {}",
        file.oddities(),
        file.packets()
    );
    (told, parts)
}

fn same(path: &Path, max_flows: usize, least_part: u64) -> bool {
    let (expected, _) = told(path, max_flows, Threads::one());
    let (found, parts) = told(path, max_flows, Threads::of_parts(3, least_part));
    assert_eq!(found, expected);
    parts
}

/// `packets` of `flows` flows, of different lengths, a few without IP.
fn capture(order: Order, packets: u32, flows: u32) -> Vec<u8> {
    let mut out = order.pcap_header(0xa1b2_c3d4, (2, 4), 1);
    for number in 0..packets {
        let flow = number.wrapping_mul(2_654_435_761) % flows;
        let mut frame = vec![0; 60 + (number % 7) as usize];
        frame[12..14].copy_from_slice(&[8, u8::from(number % 11 == 0) * 6]);
        frame[14] = 0x45;
        frame[16..18].copy_from_slice(&[0, 46]);
        frame[23] = 17;
        frame[26..30].copy_from_slice(&flow.to_be_bytes());
        frame[34..38].copy_from_slice(&[0, 53, 200, 1]);
        let length = frame.len() as u32;
        let when = (1_700_000_000 + number / 100, number % 100 * 10_000);
        out.extend(order.record(when, (length, length + number % 3), &frame));
    }
    out
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn a_sound_file_is_counted_in_parts() {
    for order in Order::BOTH {
        let file = file(&capture(order, 3000, 100));
        assert!(same(file.path(), 1000, 10_000));
    }
}

#[test]
fn a_file_that_is_cut_off_at_its_end_is_too() {
    let bytes = capture(Order::Little, 3000, 100);
    let file = file(&bytes[..bytes.len() - 5]);
    assert!(same(file.path(), 1000, 10_000));
}

#[test]
fn what_depends_on_the_order_is_left_to_one_thread() {
    let bytes = capture(Order::Little, 3000, 100);
    // The flows that find no room are those that come last.
    assert!(!same(file(&bytes).path(), 100, 10_000));
    assert!(same(file(&bytes).path(), 101, 10_000)); // one is of the packets without IP
    // Behind the damage there are records that must not count.
    let mut damaged = bytes.clone();
    damaged[100_000..100_100].fill(0xff);
    assert!(!same(file(&damaged).path(), 1000, 10_000));
}

#[test]
fn a_capture_within_a_capture_misleads_nobody() {
    let order = Order::Little;
    let inner = capture(order, 40, 5);
    let mut bytes = order.pcap_header(0xa1b2_c3d4, (2, 4), 1);
    for number in 0..200 {
        let length = inner.len() as u32;
        bytes.extend(order.record((1_700_000_000, number), (length, length), &inner));
    }
    // Nearly every guess is a record of the inner capture.
    assert!(!same(file(&bytes).path(), 1000, 5000));
}

#[test]
fn two_files_add_up_as_if_counted_by_one_thread() {
    let files = [(3000, 80), (2000, 150)]
        .map(|(packets, flows)| file(&capture(Order::Big, packets, flows)));
    let counted = |max_flows: usize, threads: Threads| {
        let mut sum = delta(max_flows);
        for path in &files {
            let mut file = CaptureFile::open(path.path()).unwrap();
            let each =
                |part: &mut CaptureFile, delta: &mut Delta| count::count(part, delta, None, |_| ());
            if parts::count(&mut file, &mut sum, threads, each).is_none() {
                each(&mut file, &mut sum);
            }
        }
        serde_json::to_string(&report::build(&sum, &Context::default())).unwrap()
    };
    for max_flows in [100, 160, 1000] {
        let in_parts = counted(max_flows, Threads::of_parts(2, 7000));
        assert_eq!(in_parts, counted(max_flows, Threads::one()));
    }
}

#[test]
fn real_captures_are_the_same() {
    let Some(corpus) = corpus::corpus() else {
        return;
    };
    let mut in_parts = 0;
    for entry in std::fs::read_dir(corpus.join("dev")).unwrap() {
        let path = entry.unwrap().path();
        if CaptureFile::open(&path).is_ok() {
            in_parts += u32::from(same(&path, 100_000, 20_000));
        }
    }
    println!("{in_parts} captures were counted in parts");
    assert!(in_parts > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_wrong_with_a_file(
        packets in 0u32..400,
        part in 1u64..20_000,
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        max_flows in prop_oneof![Just(1000usize), 0usize..60],
    ) {
        let mut bytes = capture(Order::Little, packets, 50);
        for (at, value) in changes {
            let at = 24 + at.index(bytes.len() - 23);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        // Half of them end in the middle of a packet.
        if part % 2 == 0 {
            bytes.truncate(24 + cut.index(bytes.len() - 23));
        }
        same(file(&bytes).path(), max_flows, part);
    }
}
