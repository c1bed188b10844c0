//! When a flow's record is sent.

use sensor_common::flow::Direction;

use super::{SETTINGS, now};
use crate::counters::Counts;
use crate::report::samples::{self, SECOND, START, Sample};
use crate::sink::ipfix::cache::Cache;
use crate::sink::ipfix::record::EndReason::{Active, Detected, Forced, Idle, LackOfResources};
use crate::sink::ipfix::record::{EndReason, Record};

/// What comes out at the end of each second: packets and reason.
type Came = Vec<(u64, EndReason)>;

fn came(records: &[Record]) -> Came {
    records
        .iter()
        .map(|record| (record.counts.packets, record.end))
        .collect()
}

fn keep(records: &mut Vec<Record>, record: &Record) -> bool {
    records.push(*record);
    true
}

fn udp() -> Sample {
    samples::udp6([1; 16], 1_000, [2; 16], 53).of(1, 100)
}

/// With FIN or RST where `flags` has them.
fn tcp(flags: u8) -> Sample {
    let mut sample = samples::tcp4([10, 0, 0, 1], 1_000, [10, 0, 0, 2], 443);
    sample.bytes[14 + 20 + 13] |= flags;
    sample.of(1, 100)
}

/// Seconds with packets of `sample`; gives the second in which each record came.
fn played(
    sample: &Sample,
    with_packets: impl Fn(i64) -> bool,
    seconds: i64,
) -> Vec<(i64, u64, EndReason)> {
    let mut cache = Cache::new(SETTINGS.timeouts, 10);
    let mut all = Vec::new();
    for second in 0..seconds {
        let mut records = Vec::new();
        if with_packets(second) {
            let delta = samples::delta_of(&[sample.clone().at(second * SECOND)], 10);
            cache.add(&delta, |record| records.push(*record));
        }
        cache.expire(now((second + 1) * SECOND).wall, |record| {
            keep(&mut records, record)
        });
        let came = came(&records).into_iter();
        all.extend(came.map(|(packets, end)| (second + 1, packets, end)));
    }
    let mut records = Vec::new();
    cache.end(|record| keep(&mut records, record));
    all.extend(
        came(&records)
            .into_iter()
            .map(|(packets, end)| (seconds, packets, end)),
    );
    all
}

#[test]
fn a_flow_goes_when_it_was_idle_or_is_old_or_has_ended() {
    // Packets at 0 and 1 s: idle 15 s after the second one.
    let idle = played(&udp(), |second| second < 2, 30);
    assert_eq!(idle, [(16, 2, Idle)]);
    // A packet a second: every 60 s, and the rest in the end.
    let active = played(&udp(), |_| true, 130);
    assert_eq!(
        active,
        [(60, 60, Active), (120, 60, Active), (130, 10, Forced)]
    );
    // FIN: two seconds later; a last acknowledgement a second after it is in the same record.
    let fin = played(&tcp(1), |second| second < 2, 30);
    assert_eq!(fin, [(3, 2, Detected)]);
    let rst = played(&tcp(4), |second| second == 0, 1);
    assert_eq!(rst, [(1, 1, Detected)]);
    let open = played(&tcp(0), |second| second == 0, 1);
    assert_eq!(open, [(1, 1, Forced)]);
}

#[test]
fn what_finds_no_room_goes_at_once() {
    let mut cache = Cache::new(SETTINGS.timeouts, 2);
    let flows = |from: u8, to: u8| {
        let flow = |host| samples::tcp4([10, 0, 0, host], 1, [10, 0, 0, 255], 443).of(1, 100);
        let all: Vec<_> = (from..to).map(flow).collect();
        samples::delta_of(&all, 100)
    };
    let mut records = Vec::new();
    cache.add(&flows(0, 2), |record| records.push(*record));
    assert!(records.is_empty());
    cache.add(&flows(1, 5), |record| records.push(*record));
    assert_eq!(came(&records), [(1, LackOfResources); 3]);
    cache.end(|record| keep(&mut records, record));
    let packets: u64 = records.iter().map(|record| record.counts.packets).sum();
    assert_eq!((records.len(), packets), (5, 6));
}

#[test]
fn a_record_has_the_times_and_flags_of_all_its_packets() {
    let mut cache = Cache::new(SETTINGS.timeouts, 10);
    for (at, flags) in [(5, 0), (2, 1), (9, 8)] {
        let delta = samples::delta_of(&[tcp(flags).at(at * SECOND)], 10);
        cache.add(&delta, |_| panic!("there is room"));
    }
    let mut records = Vec::new();
    cache.end(|record| keep(&mut records, record));
    let [record] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(record.first, START + 2 * SECOND);
    assert_eq!(record.last, START + 9 * SECOND);
    assert_eq!(record.tcp_flags, 0b1_1011);
    let counts = Counts {
        packets: 3,
        bytes: 300,
    };
    assert_eq!(record.counts, counts);
}

#[test]
fn packets_without_a_time_wait_for_the_end() {
    let mut cache = Cache::new(SETTINGS.timeouts, 10);
    let mut sample = udp().way(0, Direction::Unknown);
    sample.when = crate::counters::When::Missing;
    cache.add(&samples::delta_of(&[sample], 10), |_| {
        panic!("there is room")
    });
    cache.expire(i64::MAX, |record| panic!("{record:?}"));
    let mut records = Vec::new();
    cache.end(|record| keep(&mut records, record));
    assert_eq!(came(&records), [(1, Forced)]);
}
