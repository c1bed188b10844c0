//! `sensor read -f`: what matches is reported, what does not is `filtered`.

use std::path::Path;

use serde_json::Value;

use super::{SECOND, pcap, pcapng};
use crate::harness::{file_in, read_bytes, sensor};
use crate::support::report::{Counts, buckets, counts, flows, number};

/// The report of the capture, in which everything adds up.
fn report(filter: &str) -> Value {
    read_bytes(&pcap(), &["-f", filter], 0)
}

fn matched(report: &Value) -> (u64, u64) {
    let filtered = counts(&report["accounting"]["filtered"]);
    (number(&report["totals"]["packets"]), filtered.0)
}

#[test]
fn packets_match_by_what_they_are() {
    for (filter, packets) in [
        ("tcp", 5),
        ("tcp port 443", 5),
        ("port https or 53", 8),
        ("udp and net 192.168.0.0/16", 3),
        ("arp", 1),
        ("vlan", 1),
        ("vlan 10 and tcp", 1),
        ("not port 443", 5),
        ("not ip", 2),
        ("len > 200", 2),
        ("tcp[tcpflags] & tcp-ack != 0", 5),
        ("port in {53, 400-500} and not vlan", 7),
        ("ether src 2:0:0:0:0:1", 10),
        ("len >= 0", 10),
        ("ingress", 0),
        ("port 22", 0),
    ] {
        let report = report(filter);
        assert_eq!(matched(&report), (packets, 10 - packets), "{filter}");
        assert_eq!(report["filter"], filter);
    }
}

#[test]
fn an_empty_filter_is_none() {
    for filter in ["", "  "] {
        let report = report(filter);
        assert_eq!(matched(&report), (10, 0));
        assert_eq!(report["filter"], Value::Null);
    }
}

#[test]
fn time_and_buckets_are_of_what_matched() {
    let report = report("udp");
    let found: Vec<(i128, Counts)> = buckets(&report).into_iter().collect();
    let start = i128::from(super::START);
    let at = |second: i128| start + second * i128::from(SECOND);
    let expected = [5, 6, 7].map(|second| (at(second), Counts(1, 42 + 10 * (second as u64 - 4))));
    assert_eq!(found, expected);
    assert_eq!(report["duration_seconds"], 2.0);
}

#[test]
fn whole_flows_match_by_what_was_counted_of_them() {
    for (filter, packets) in [
        // 5 packets with 1,300 bytes of payload, one of them tagged.
        ("bytes > 1500", 5),
        ("packets <= 3", 3),
        ("duration >= 4s", 5),
        ("https", 5),
        ("proto dns", 3),
        ("dns or bytes > 1500", 8),
        ("not dns", 7),
        ("tcp and packets > 5", 0),
        // Packets first, flows of what is left then.
        ("len < 100 and packets = 2", 2),
    ] {
        let report = report(filter);
        assert_eq!(matched(&report), (packets, 10 - packets), "{filter}");
    }
    let report = report("dns");
    assert_eq!(flows(&report).len(), 1);
    assert_eq!(buckets(&report).len(), 3);
}

#[test]
fn flows_without_room_cannot_be_judged_and_the_report_says_so() {
    let report = read_bytes(&pcap(), &["-f", "bytes > 1M", "--max-flows", "1"], 0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("found no room in the flow table"), "{notes}");
    assert!(notes.contains("--max-flows"), "{notes}");
    let plenty = read_bytes(&pcap(), &["-f", "bytes > 1M"], 0);
    assert_eq!(plenty["notes"], Value::Array(Vec::new()));
}

#[test]
fn interfaces_of_pcapng_files_have_their_names() {
    for (filter, packets) in [
        ("interface eth0", 4),
        ("interface wg0", 3),
        ("interface in {eth0, wg0}", 7),
        ("not interface eth0", 6),
        ("interface wg0 and tcp", 2),
        ("interface eth0 or bytes > 200", 7),
    ] {
        let report = read_bytes(&pcapng(), &["-f", filter], 0);
        assert_eq!(matched(&report).0, packets, "{filter}");
        assert_eq!(report["notes"], Value::Array(Vec::new()), "{filter}");
    }
}

#[test]
fn interfaces_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "x.pcapng", &pcapng());
    let run = |path: &Path| {
        let arguments = ["read", "-f", "interface eth1", path.to_str().unwrap()];
        sensor(arguments).run().ended(0)
    };
    let said = "no packet is of interface eth1: its interfaces are eth0, wg0";
    let ran = run(&path).says(&["x.pcapng", said]);
    assert!(ran.text().contains(said), "{}", ran.text());
    let path = file_in(folder.path(), "x.pcap", &pcap());
    run(&path).says(&["no packet is of interface eth1: pcap files have no names of interfaces"]);
}

#[test]
fn nothing_found_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "x.pcap", &pcap());
    let ran = sensor([
        "read".as_ref(),
        path.as_os_str(),
        "-f".as_ref(),
        "port 22".as_ref(),
    ]);
    let ran = ran.run().ended(0);
    assert!(
        ran.text().contains("0 of 10 packets matched"),
        "{}",
        ran.text()
    );
}

#[test]
fn a_filter_comes_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let filter = file_in(
        folder.path(),
        "web.filter",
        b"# all of the web\ntcp  # not QUIC\nand port 443\n",
    );
    let report = read_bytes(&pcap(), &["-F", filter.to_str().unwrap()], 0);
    assert_eq!(matched(&report), (5, 5));
    let lists = file_in(
        folder.path(),
        "nets",
        b"192.168.0.0/24 # DNS\n\n10.1.0.0/16\n",
    );
    let report = self::report(&format!("net in file {}", lists.display()));
    assert_eq!(matched(&report), (3, 7));
}

#[test]
fn named_filters_come_from_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = file_in(
        folder.path(),
        "sensor.toml",
        b"[filters]\nnames = \"udp port 53\"\nboth = \"@names or tcp\"\n",
    );
    let config = config.to_str().unwrap();
    for (filter, packets) in [("@names", 3), ("not @names", 7), ("@both and len < 60", 3)] {
        let report = read_bytes(&pcap(), &["--config", config, "-f", filter], 0);
        assert_eq!(matched(&report).0, packets, "{filter}");
    }
}
