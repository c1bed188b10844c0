//! A filter on a real ring: what it asks for must have been captured.

use std::sync::Arc;

use super::*;
use crate::counters::{Counts, Delta, DeltaConfig};
use crate::filter::{Filter, Matcher, Nothing};

fn matcher(text: &str) -> Option<Arc<Matcher>> {
    let filter = Filter::compile(text, &Nothing).unwrap_or_else(|error| panic!("{error}"));
    Some(Arc::new(filter.matcher(&|_| Vec::new()).unwrap()))
}

fn delta() -> Delta {
    Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 100,
        seeds: [3; 10],
        trail: false,
        names: 0,
    })
}

/// Counted, and left out.
fn packets(delta: &Delta) -> (u64, u64) {
    let sum = |parts: [Counts; 3]| parts.iter().map(|counts| counts.packets).sum();
    (
        sum(delta.by_direction()),
        sum(delta.filtered_by_direction()),
    )
}

fn send(pair: &VethPair, port: u16, packets: usize) {
    pair.a.run(|| {
        let sender = UdpSocket::bind("10.9.0.1:0").expect("bind");
        for _ in 0..packets {
            let to = ("10.9.0.2", port);
            sender.send_to(&[0x5a; 1000], to).expect("send");
        }
    });
}

fn poll_until(ring: &mut AfPacket, delta: &mut Delta, expected: (u64, u64)) {
    let ring_and_delta = std::cell::RefCell::new((ring, delta));
    let done = eventually(|| {
        let (ring, delta) = &mut *ring_and_delta.borrow_mut();
        ring.poll(delta);
        packets(delta) == expected
    });
    let (_, delta) = ring_and_delta.into_inner();
    assert!(done, "{:?} instead of {expected:?}", packets(delta));
}

#[test]
fn a_filter_reads_behind_the_headers_and_can_be_changed() {
    let Some(pair) = VethPair::new() else { return };
    // Listening, so that no answer of ICMP comes in between.
    let _receivers: Vec<UdpSocket> = pair.b.run(|| {
        let bind = |port| UdpSocket::bind(("10.9.0.2", port)).expect("bind");
        [9998, 9999].map(bind).into()
    });
    let mut ring = pair.b.run(|| {
        AfPacket::open(
            index("veth1"),
            0,
            false,
            Want {
                filter: matcher("udp port 9999"),
                ..Want::default()
            },
        )
        .expect("a ring")
    });
    let mut delta = delta();
    send(&pair, 9999, 7);
    send(&pair, 9998, 5);
    poll_until(&mut ring, &mut delta, (7, 5));
    ring.set_filter(matcher("udp[900] = 0x5a")).expect("set");
    send(&pair, 9998, 3);
    poll_until(&mut ring, &mut delta, (10, 5));
    ring.set_filter(None).expect("set");
    send(&pair, 9998, 2);
    ring.finish(&mut delta).expect("finished");
    assert_eq!(packets(&delta), (12, 5));
    assert!(delta.accounting().0.identity_holds);
}
