//! Collectors that come late, go, and come again.

use super::{Known, SETTINGS, Wire, now};
use crate::counters::{Counts, Delta};
use crate::report::samples::{self, SECOND, START};
use crate::sink::ipfix::session::SendError;
use crate::sink::ipfix::{Interfaces, IpfixError};

/// New flows in each second, of one packet with 100 bytes each.
fn flows(second: i64, count: u16) -> Delta {
    let flow = |port| {
        samples::udp6([second as u8; 16], port, [2; 16], 53)
            .of(1, 100)
            .at(second * SECOND)
    };
    let all: Vec<_> = (0..count).map(flow).collect();
    samples::delta_of(&all, 100_000)
}

fn packets(packets: u64) -> Counts {
    Counts {
        packets,
        bytes: packets * 100,
    }
}

#[test]
fn a_new_connection_begins_anew_and_nothing_is_lost() {
    let wire = Wire::of_sessions();
    let mut exporter = wire.exporter(&SETTINGS, 100_000);
    let mut step = |second: i64| {
        exporter.interval(
            &flows(second, 500),
            START + (second + 1) * SECOND,
            now(second * SECOND),
        )
    };
    (0..16).for_each(|second| step(second).unwrap());
    let first = Known::of(&wire.take());
    assert_eq!((first.total(), first.templates), (packets(1_000), 11));
    // It breaks in the middle of the second's messages.
    wire.set(|state| state.working = Some(3));
    assert!(matches!(step(16), Err(SendError::Send(_))));
    let broken = wire.take();
    wire.set(|state| {
        state.working = None;
        state.closed = true;
    });
    assert!(matches!(step(17), Err(SendError::Open(_))));
    wire.set(|state| state.closed = false);
    // It is not tried again at once; then everything that is due comes.
    for second in 18..22 {
        let _too_early = step(second);
    }
    exporter.finish(|| now(22 * SECOND)).unwrap();
    let second = Known::of(&wire.take());
    let mut before = first;
    broken.iter().for_each(|message| before.hear(message));
    assert_eq!(wire.opened(), 2);
    assert_eq!(second.templates, 11);
    assert_eq!(before.total() + second.total(), packets(22 * 500));
}

#[test]
fn sequence_numbers_begin_at_zero_by_tcp_and_go_on_by_udp() {
    for (wire, again) in [(Wire::of_sessions(), true), (Wire::default(), false)] {
        let mut exporter = wire.exporter(&SETTINGS, 10);
        exporter.interval(&flows(0, 1), START, now(0)).unwrap();
        let first = wire.take();
        wire.set(|state| state.working = Some(0));
        exporter.interfaces(Interfaces::new([(0, 1, "lo")]));
        exporter.interval(&flows(1, 1), START, now(1)).unwrap_err();
        wire.set(|state| state.working = None);
        exporter.interval(&flows(2, 1), START, now(2)).unwrap();
        let second = wire.take();
        let sequence = |message: &[u8]| u32::from_be_bytes(message[8..12].try_into().unwrap());
        assert_eq!(sequence(&first[0]), 0);
        assert_eq!(sequence(&second[0]) == 0, again);
        let mut known = Known::of(&first);
        if !again {
            second.iter().for_each(|message| known.hear(message));
        }
    }
}

#[test]
fn templates_come_again_by_time_and_by_messages() {
    for (wire, by_time, by_messages) in [(Wire::default(), 2, 3), (Wire::of_sessions(), 0, 0)] {
        let mut exporter = wire.exporter(&SETTINGS, 100_000);
        let mut known = Known::default();
        let mut templates = |wire: &Wire| {
            let before = known.templates;
            wire.take().iter().for_each(|message| known.hear(message));
            (known.templates - before) / 11
        };
        let nothing = flows(0, 0);
        exporter.interval(&nothing, START, now(0)).unwrap();
        assert_eq!(templates(&wire), 1);
        for second in 1..=60 {
            exporter
                .interval(&nothing, START, now(second * SECOND))
                .unwrap();
        }
        assert_eq!(templates(&wire), by_time);
        // All at once: 14 records of IPv6 to a message.
        let all = flows(1, 64 * 14 * 3 + 14);
        let end = START + 20 * SECOND;
        exporter.interval(&all, end, now(61 * SECOND)).unwrap();
        assert_eq!(templates(&wire), by_messages);
    }
}

#[test]
fn what_is_given_up_is_counted() {
    let wire = Wire::default();
    wire.set(|state| state.closed = true);
    let mut exporter = wire.exporter(&SETTINGS, 100);
    let end = START + SECOND;
    exporter
        .interval(&flows(0, 1_000), end, now(0))
        .unwrap_err();
    // It is there again before the end.
    wire.set(|state| state.closed = false);
    let error = exporter.finish(|| now(SECOND)).unwrap_err();
    let IpfixError::NotSent { flows, packets, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(flows, packets, "one packet a flow");
    let not_sent: u64 = flows.replace(',', "").parse().unwrap();
    let known = Known::of(&wire.take());
    assert!(not_sent > 0);
    assert_eq!(known.total().packets + not_sent, 1_000);
    let last = known.options.last().unwrap();
    assert_eq!(super::number(last, "NotSentPacketTotalCount"), not_sent);
    assert_eq!(
        super::number(last, "NotSentOctetTotalCount"),
        not_sent * 100
    );
}

#[test]
fn refusals_are_told_until_messages_are_taken() {
    let wire = Wire::default();
    let mut exporter = wire.exporter(&SETTINGS, 100);
    wire.set(|state| state.refused = 1);
    let mut step = |second: i64, count| {
        exporter.interval(&flows(second, count), START + 100 * SECOND, now(second))
    };
    assert!(matches!(step(0, 1), Err(SendError::Refused)));
    // Nothing is sent, so nothing is known.
    assert!(matches!(step(1, 0), Err(SendError::Refused)));
    assert!(matches!(step(2, 1), Err(SendError::Refused)));
    assert!(matches!(step(3, 1), Err(SendError::Refused)));
    step(4, 1).unwrap();
    assert!(matches!(
        exporter.finish(|| now(5)),
        Err(IpfixError::Refused(_))
    ));
}

#[test]
fn a_connection_that_breaks_at_the_end_loses_nothing_that_waits() {
    let wire = Wire::of_sessions();
    let mut exporter = wire.exporter(&SETTINGS, 100_000);
    let all = flows(0, 1_000); // more than the session has room for
    exporter
        .interval(&all, START + SECOND, now(SECOND))
        .unwrap();
    let first = wire.take();
    wire.set(|state| {
        state.working = Some(3);
        state.heals = true;
    });
    exporter.finish(|| now(2 * SECOND)).unwrap();
    let sent = wire.take();
    let (broken, second) = sent.split_at(3);
    let mut before = Known::of(&first);
    broken.iter().for_each(|message| before.hear(message));
    assert_eq!(before.total() + Known::of(second).total(), packets(1_000));
}
