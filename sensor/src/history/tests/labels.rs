//! Labels and names that become known after their packets were counted.

use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip::TCP;

use super::*;
use crate::names;

const CLIENT: [u8; 4] = samples::HOST;
const SERVER: [u8; 4] = [192, 0, 2, 80];

pub(super) fn named() -> DeltaConfig {
    DeltaConfig {
        names: 1000,
        ..samples::config(1000)
    }
}

/// A packet of the conversation that is to be found out about.
pub(super) fn there(second: i64) -> Sample {
    samples::tcp4(CLIENT, 5000, SERVER, 5001).at(second * SECOND)
}

pub(super) fn back(second: i64) -> Sample {
    samples::tcp4(SERVER, 5001, CLIENT, 5000)
        .of(2, 3000)
        .at(second * SECOND + 1)
}

/// What its first payload says.
pub(super) fn say(run: &mut Run, second: i64) {
    let word = u32::from_ne_bytes;
    let mut key = FlowKey::ipv4(word(CLIENT), word(SERVER), TCP);
    let ([a, b], [c, d]) = (5000u16.to_be_bytes(), 5001u16.to_be_bytes());
    key.set_ports(word([a, b, c, d]));
    let payload = b"GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: test\r\n\r\n";
    run.current.sample(&names::Sample {
        key,
        at: Some(START + second * SECOND),
        payload,
        payload_len: payload.len() as u32,
        tcp_seq: Some(1),
        number: 0,
        last: true,
    });
}

pub(super) fn assert_named(report: &Report) {
    let flow = report
        .flows
        .iter()
        .find(|flow| flow.dst_port == 5001)
        .unwrap();
    assert_eq!(
        (flow.protocol.as_str(), flow.classified_by.as_deref()),
        ("http", Some("payload"))
    );
    assert_eq!(flow.names[0].name, "www.example.com");
    assert_eq!(
        flow.http.as_ref().unwrap().user_agent.as_deref(),
        Some("test")
    );
    let server = report
        .endpoints
        .iter()
        .find(|one| one.addr.to_string() == "192.0.2.80");
    assert_eq!(server.unwrap().names[0].name, "www.example.com");
    let http = report
        .protocols
        .application
        .iter()
        .find(|one| one.name == "http")
        .unwrap();
    let in_buckets: u64 = report
        .buckets
        .iter()
        .filter_map(|bucket| bucket.application.get("http"))
        .map(|counts| counts.packets)
        .sum();
    assert_eq!(http.packets, in_buckets);
}

#[test]
fn what_a_later_payload_says_holds_for_the_earlier_packets_too() {
    // In the same period, in the next one, and in one in which the flow has no packets any more.
    for periods in [vec![2], vec![0, 1, 2, 3], vec![0, 1]] {
        for said_at in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let mut run = Run::new(folder.path(), RUN, named());
            for second in 0..5 {
                if second == said_at {
                    say(&mut run, second);
                }
                match second {
                    0..=2 => run.part(&[
                        there(second),
                        back(second),
                        samples::arp().at(second * SECOND),
                    ]),
                    _ => run.part(&[samples::arp().at(second * SECOND)]),
                }
                if periods.contains(&second) {
                    run.commit();
                }
            }
            let report = run.finish();
            assert_named(&report);
            let history = merged(folder.path(), &asked());
            assert_same(&report, &history);
        }
    }
}

#[test]
fn without_names_there_are_none_and_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path(), RUN, named());
    say(&mut run, 0);
    run.part(&[there(0), back(0)]);
    run.finish();
    let mut asked = asked();
    asked.config.names = 0;
    let report = merged(folder.path(), &asked);
    assert!(!report.naming.enabled && report.flows[0].names.is_empty());
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("--max-names 0"))
    );
}

#[test]
fn a_label_that_is_found_at_the_very_end_is_of_that_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path(), RUN, named());
    run.part(&[there(0), back(0)]);
    run.commit();
    say(&mut run, 1);
    run.whole.merge(&run.current.take());
    run.whole.conclude();
    let beside = Beside {
        context: &run.context,
        observed: None,
    };
    run.writer.conclude(&run.whole, beside).unwrap();
    let sets = store::list(folder.path()).unwrap();
    assert_eq!(sets.len(), 2);
    for set in sets {
        assert_eq!(set.place.name.start, START / SECOND);
    }
    assert_named(&merged(folder.path(), &asked()));
}
