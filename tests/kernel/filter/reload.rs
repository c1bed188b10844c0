//! SIGHUP under traffic: another filter, and no packet that neither of the two has seen.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Ended, Pair, Sensor, eventually, need_kernel};
use crate::reports;
use crate::traffic::{self, Traffic};

/// Of the 64 flows that are sent, from source port 10000 on.
const FIRST: &str = "src portrange 10000-10015";
const SECOND: &str = "udp and src portrange 10016-10063";

#[test]
fn no_packet_is_lost_by_tc_on_egress() {
    under_traffic("a0", "tc");
}

#[test]
fn no_packet_is_lost_by_native_xdp_on_ingress() {
    under_traffic("b0", "xdp");
}

#[test]
fn no_packet_is_lost_by_tc_on_ingress() {
    under_traffic("b0", "tc");
}

#[test]
fn no_packet_is_lost_by_af_packet() {
    under_traffic("a0", "af-packet");
}

fn under_traffic(interface: &str, backend: &str) {
    need_kernel!();
    let pair = Pair::new(1500);
    let settings = tempfile::NamedTempFile::new().unwrap();
    let path = settings.path();
    write(path, FIRST);
    let namespace = if interface == "a0" { &pair.a } else { &pair.b };
    let config = path.to_str().unwrap();
    let arguments = ["-i", interface, "--backend", backend, "--config", config];
    let periods = ["--interval", "100ms", "--report-every", "500ms"];
    let mut sensor = Sensor::start(namespace, &[&arguments[..], &periods].concat());
    let traffic = Traffic::start(&pair.a, "a0");
    for filter in [SECOND, FIRST, SECOND] {
        more(&traffic);
        write(path, filter);
        sensor.signal(libc::SIGHUP);
        let line = sensor.wait_for_line("SIGHUP");
        assert!(line.contains(filter), "{line}");
    }
    more(&traffic);
    let sent = traffic.stop();
    if interface == "b0" {
        traffic::received(&pair.b, "b0", sent);
    }
    let ended = sensor.stop();
    every_packet_once(&ended, sent);
    let last = ended
        .periods
        .iter()
        .max_by_key(|period| period["end"].to_string());
    assert_eq!(last.unwrap()["filter"], SECOND);
    ended.checked();
}

/// Waits until that many packets more were sent.
fn more(traffic: &Traffic) {
    let before = traffic.sent();
    eventually("traffic", || traffic.sent() > before + 5000);
}

fn every_packet_once(ended: &Ended, sent: u64) {
    let number = |value: &Value| value.as_u64().unwrap();
    let [mut matched, mut filtered] = [0, 0];
    for period in &ended.periods {
        let filter = period["filter"].as_str().unwrap();
        matched += number(&period["totals"]["packets"]);
        filtered += number(&period["accounting"]["filtered"]["packets"]);
        for flow in period["flows"].as_array().unwrap() {
            let first = (10_000..10_016).contains(&number(&flow["src_port"]));
            assert_eq!(first, filter == FIRST, "counted under {filter}: {flow}");
        }
    }
    let lost: u64 = ended.periods.iter().map(reports::lost).sum();
    assert_eq!(
        matched + filtered + lost,
        sent,
        "{matched} + {filtered} + {lost} lost"
    );
    assert!(matched > 0 && filtered > 0);
    let whole = &ended.report;
    assert_eq!(
        number(&whole["totals"]["packets"]),
        matched,
        "the whole run"
    );
    let whole = number(&whole["accounting"]["filtered"]["packets"]);
    assert_eq!(whole, filtered, "the whole run");
}

#[test]
fn a_broken_config_leaves_the_filter_as_it_was() {
    need_kernel!();
    let pair = Pair::new(1500);
    let settings = tempfile::NamedTempFile::new().unwrap();
    let path = settings.path();
    write(path, FIRST);
    let config = path.to_str().unwrap();
    let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "--config", config]);
    traffic::send(&pair.a, "a0", &traffic::frames(64), 10);
    for (text, place) in [
        ("[run]\nfilter = 'udp and prot 80'\n", ":2:"),
        ("[run]\n\nfiltre = 'udp'\n", ":3:"),
        ("[run\n", ":1:"),
        ("[run]\nfilter = 'interface eth9'\n", "eth9"),
        ("[run]\nfilter = 'ether[14:2] = 5'\n", "VLAN tag"),
    ] {
        std::fs::write(path, text).unwrap();
        sensor.greeting.clear();
        sensor.signal(libc::SIGHUP);
        sensor.wait_for_line("stay in force");
        assert!(
            sensor.greeting.contains(place),
            "{place}: {}",
            sensor.greeting
        );
        traffic::send(&pair.a, "a0", &traffic::frames(64), 10);
    }
    let ended = sensor.stop();
    assert_eq!(ended.periods.len(), 1, "nothing changed, no report was due");
    let report = ended.checked();
    assert_eq!(report["filter"], FIRST);
    assert_eq!(report["totals"]["packets"], 60 * 16);
    assert_eq!(report["accounting"]["filtered"]["packets"], 60 * 48);
}

#[test]
fn without_a_config_file_nothing_changes() {
    need_kernel!();
    let pair = Pair::new(1500);
    for (filter, matched) in [(None, 128), (Some(FIRST), 32)] {
        let filter = filter.map_or(vec![], |filter| vec!["-f", filter]);
        let mut sensor = Sensor::start(&pair.a, &[&["-i", "a0"], &filter[..]].concat());
        traffic::send(&pair.a, "a0", &traffic::frames(64), 1);
        sensor.signal(libc::SIGHUP);
        let line = sensor.wait_for_line("SIGHUP");
        assert!(line.contains("the filter is the same"), "{line}");
        traffic::send(&pair.a, "a0", &traffic::frames(64), 1);
        let ended = sensor.stop();
        reports::add_up(&ended);
        let report = ended.checked();
        assert_eq!(report["totals"]["packets"], matched);
        assert_eq!(report["accounting"]["filtered"]["packets"], 128 - matched);
    }
}

fn write(path: &Path, filter: &str) {
    std::fs::write(path, format!("[run]\nfilter = '{filter}'\n")).unwrap();
}
