//! `--ipfix` of live traffic: the collector has what the report has, to the packet and byte.

use std::net::TcpListener;

use serde_json::Value;

use crate::harness::{Pair, Sensor, ip, need_kernel};
use crate::packets;
use crate::support::collector::{Listener, Nfcapd, free_port, missing};
use crate::support::report::{Counts, counts};

/// Records come soon, and those of one flow are several.
const SHORT: [&str; 6] = [
    "--interval",
    "100ms",
    "--ipfix-active",
    "300ms",
    "--ipfix-idle",
    "200ms",
];

fn quiet_pair() -> Pair {
    let pair = Pair::new(1500);
    // Nobody answers what the test sends.
    ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    pair
}

/// Counts on `b0` what `a` sends in several rounds, and exports it; gives the last report.
fn run(pair: &Pair, url: &str, more: &[&str], mut between: impl FnMut(usize)) -> Value {
    let arguments = [&["-i", "b0", "--ipfix", url], more].concat();
    let mut sensor = Sensor::start(&pair.b, &arguments);
    let frames = packets::mixed(1514);
    for round in 1..=3 {
        between(round);
        pair.a.send("a0", &frames);
        sensor.counted((round * frames.len()) as u64);
    }
    sensor.stop().checked()
}

#[test]
fn nfcapd_has_every_packet_and_byte_of_a_run() {
    need_kernel!();
    if let Some(reason) = missing() {
        println!("skipped: {reason}");
        return;
    }
    for backend in ["tc", "af-packet"] {
        let pair = quiet_pair();
        let inside = |program: &str| pair.b.command(program);
        let collector = Nfcapd::start(inside, || pair.b.inside(free_port));
        let more = [&["--backend", backend][..], &SHORT].concat();
        let report = run(&pair, &collector.url(), &more, |_| {});
        let collected = collector.stop(|| {
            let output = pair.b.command("cat").arg("/proc/net/udp").output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        });
        let total = counts(&report["totals"]);
        assert!(total.0 >= 3_000, "{backend}: {total:?}");
        assert_eq!(collected.total, total, "{backend}");
        let lines = report["flows_total"].as_u64().unwrap();
        assert!(collected.flows > lines, "{backend}: {}", collected.flows);
    }
}

/// The collector hangs up in the middle of the run.
#[test]
fn a_connection_that_breaks_loses_no_flow_that_waits() {
    need_kernel!();
    let pair = quiet_pair();
    let collector = Listener(pair.b.inside(|| TcpListener::bind("127.0.0.1:0").unwrap()));
    let url = collector.url();
    let again = collector.0.try_clone().unwrap();
    let mut heard = None;
    let report = run(&pair, &url, &["--interval", "100ms"], |round| {
        if round == 2 {
            drop(again.accept().unwrap());
            let collector = Listener(again.try_clone().unwrap());
            heard = Some(std::thread::spawn(move || collector.collect()));
        }
    });
    let (_, total) = heard.unwrap().join().unwrap();
    let Counts(packets, _) = total;
    assert!(packets >= 3_000, "{packets}");
    assert_eq!(total, counts(&report["totals"]));
}
