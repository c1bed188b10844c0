//! One whole report, every number of it.

use serde_json::{Value, json};

use super::sample;
use crate::harness::{file_in, read, read_bytes, sensor};
use crate::support::capture::Pcap;

#[test]
fn every_number_of_a_report_is_the_one_counted_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(
        folder.path(),
        "sample.pcap",
        &Pcap::default().write(&sample()),
    );
    let mut report = read(&[&path], &["-n", "0"], 0);
    assert!(report["sensor"]["hostname"].is_string());
    let whole = report.as_object_mut().unwrap();
    whole.remove("sensor");
    let expected = expected(path.to_str().unwrap());
    for (name, expected) in expected.as_object().unwrap() {
        let ours = whole.remove(name);
        assert_eq!(ours.as_ref(), Some(expected), "{name}");
    }
    assert!(whole.is_empty(), "nobody expects {whole:?}");
}

#[test]
fn short_lists_say_what_they_leave_out() {
    let report = read_bytes(&Pcap::default().write(&sample()), &["-n", "1"], 0);
    assert_eq!(report["endpoints"].as_array().unwrap().len(), 1);
    assert_eq!(report["endpoints_total"], 4);
    // 10.0.0.2 sent 1 and received 2, the two IPv6 ones 1 each.
    assert_eq!(report["others"]["endpoints"], c(5, 446));
    assert_eq!(report["others"]["conversations"], c(1, 92));
    assert_eq!(report["others"]["flows"], c(2, 146));
}

#[test]
fn an_interval_is_a_multiple_of_itself_since_the_epoch() {
    let report = read_bytes(&Pcap::default().write(&sample()), &["--interval", "3s"], 0);
    assert_eq!(report["interval_seconds"], 3.0);
    // 1,700,000,000 is 2 more than a multiple of 3.
    let starts: Vec<&Value> = report["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| &bucket["start"])
        .collect();
    assert_eq!(
        starts,
        [
            "2023-11-14T22:13:18.000000000Z",
            "2023-11-14T22:13:21.000000000Z"
        ]
    );
    assert_eq!(report["buckets"][1]["packets"], 3);
}

#[test]
fn a_full_flow_table_overflows_exactly() {
    let report = read_bytes(&Pcap::default().write(&sample()), &["--max-flows", "1"], 0);
    assert_eq!(report["totals"]["bytes"], 438);
    assert_eq!(report["protocols"]["transport"][0]["name"], "tcp");
    assert_eq!(report["protocols"]["transport"][0]["bytes"], 262);
    let overflow = &report["accounting"]["overflow"];
    assert!(overflow["packets"].as_u64().unwrap() > 0, "{overflow}");
    let by_transport = report["accounting"]["overflow_by_transport"]
        .as_object()
        .unwrap();
    let sum: u64 = by_transport
        .values()
        .map(|counts| counts["packets"].as_u64().unwrap())
        .sum();
    assert_eq!(overflow["packets"], sum);
}

#[test]
fn the_text_report_names_what_counts() {
    let capture = Pcap::default().write(&sample());
    let ran = sensor(["read", "-"]).stdin(&capture).run().ended(0);
    assert_eq!(ran.stderr, "");
    for part in [
        "Accounting holds",
        "10.0.0.1 <> 10.0.0.2",
        "2001:db8::1",
        "https",
        "dns",
        "arp",
        "truncated_network 1",
    ] {
        assert!(ran.text().contains(part), "no {part:?} in\n{}", ran.text());
    }
    assert!(!ran.text().contains('\u{1b}'), "colour without a terminal");
    assert!(ran.text().lines().all(|line| line.chars().count() <= 100));
}

/// A pager's pipe has no size; a shell that exports COLUMNS says what fits.
#[test]
fn a_report_in_a_pipe_is_as_wide_as_columns_says() {
    let folder = tempfile::tempdir().unwrap();
    let capture = file_in(
        folder.path(),
        "small.pcap",
        &Pcap::default().write(&sample()),
    );
    let widest = |columns: &str| {
        let ran = sensor(["read", capture.to_str().unwrap()]).env("COLUMNS", columns);
        let text = String::from_utf8(ran.run().ended(0).stdout).unwrap();
        let widths = text.lines().skip(2).map(|line| line.chars().count());
        widths.max().unwrap()
    };
    assert!(widest("60") <= 60, "{}", widest("60"));
    assert!((61..=100).contains(&widest("no number")));
    assert!(widest("60") < widest("140"));
}

fn c(packets: u64, bytes: u64) -> Value {
    json!({"packets": packets, "bytes": bytes})
}

fn protocol(name: &str, packets: u64, bytes: u64) -> Value {
    json!({
        "name": name, "packets": packets, "bytes": bytes,
        "packets_percent": packets as f64 * 100.0 / 6.0, "bytes_percent": bytes as f64 * 100.0 / 438.0,
    })
}

fn by_port(name: &str, packets: u64, bytes: u64) -> Value {
    let mut row = protocol(name, packets, bytes);
    row["classified_by"] = json!({"port": c(packets, bytes)});
    row
}

fn second(n: &str) -> String {
    format!("2023-11-14T22:13:{n:0<12}Z")
}

fn flow(
    ends: [(&str, u16); 2],
    names: [&str; 2],
    counts: [u64; 2],
    times: [&str; 2],
    flags: Value,
) -> Value {
    let [(src, src_port), (dst, dst_port)] = ends;
    json!({
        "src_addr": src, "src_port": src_port, "dst_addr": dst, "dst_port": dst_port, "transport": names[0],
        "protocol": names[1], "classified_by": "port", "names": [], "tls": null, "http": null, "packets": counts[0], "bytes": counts[1],
        "start": second(times[0]), "end": second(times[1]), "tcp_flags": flags, "interface": null, "process": null,
        "direction": "unknown",
    })
}

fn bucket(start: &str, counts: [u64; 2], transport: Value, application: Value) -> Value {
    json!({
        "start": second(start), "packets": counts[0], "bytes": counts[1], "ingress": c(0, 0), "egress": c(0, 0),
        "transport": transport, "application": application,
    })
}

fn expected(path: &str) -> Value {
    let (client, server) = (("10.0.0.1", 40_000), ("10.0.0.2", 443));
    json!({
        "schema": "sensor.report/1",
        "source": {"backend": "file", "interfaces": [], "left_out": [], "files": [{
            "path": path, "format": "pcap", "link_types": ["ethernet (1)"], "packets": 6, "complete": true, "error": null,
        }]},
        "filter": null,
        "start": second("20.25"), "end": second("23."), "duration_seconds": 2.75, "interval_seconds": 1.0,
        "totals": {
            "packets": 6, "bytes": 438, "captured_bytes": 438,
            "ingress": c(0, 0), "egress": c(0, 0), "unknown_direction": c(6, 438),
        },
        "accounting": {
            "seen": c(6, 438), "in_flows": c(4, 354), "overflow": c(0, 0), "overflow_by_transport": {},
            "not_ip": c(1, 60), "malformed": {"truncated_network": c(1, 24)}, "duplicates": c(0, 0), "filtered": c(0, 0), "lost": {},
            "interface_counters": [], "identity_holds": true,
        },
        "protocols": {
            "network": [protocol("ipv4", 3, 262), protocol("ipv6", 1, 92), protocol("arp", 1, 60), protocol("other", 1, 24)],
            "transport": [protocol("tcp", 3, 262), protocol("udp", 1, 92), protocol("non-ip", 1, 60), protocol("other", 1, 24)],
            "application": [by_port("https", 3, 262), by_port("dns", 1, 92), protocol("arp", 1, 60), protocol("other", 1, 24)],
        },
        // Four intervals with 0, 24, 152 and 262 bytes.
        "bandwidth": {
            "mean_bits_per_sec": 438.0 * 8.0 / 2.75, "peak_bits_per_sec": 2096.0, "peak_start": second("20."),
            "p50_bits_per_sec": 192.0, "p95_bits_per_sec": 2096.0, "p99_bits_per_sec": 2096.0,
            "mean_packets_per_sec": 6.0 / 2.75,
        },
        "endpoints": [
            {"addr": "10.0.0.1", "names": [], "geo": null, "sent": c(2, 208), "received": c(1, 54)},
            {"addr": "10.0.0.2", "names": [], "geo": null, "sent": c(1, 54), "received": c(2, 208)},
            {"addr": "2001:db8::1", "names": [], "geo": null, "sent": c(1, 92), "received": c(0, 0)},
            {"addr": "2001:db8::2", "names": [], "geo": null, "sent": c(0, 0), "received": c(1, 92)},
        ],
        "endpoints_total": 4,
        "conversations": [
            {"a": "10.0.0.1", "b": "10.0.0.2", "a_names": [], "b_names": [], "a_to_b": c(2, 208), "b_to_a": c(1, 54),
             "start": second("20.25"), "end": second("20.75")},
            {"a": "2001:db8::1", "b": "2001:db8::2", "a_names": [], "b_names": [], "a_to_b": c(1, 92), "b_to_a": c(0, 0),
             "start": second("22."), "end": second("22.")},
        ],
        "conversations_total": 2,
        "flows": [
            flow([client, server], ["tcp", "https"], [2, 208], ["20.25", "20.75"], json!("SPA")),
            flow([("2001:db8::1", 5000), ("2001:db8::2", 53)], ["udp", "dns"], [1, 92], ["22.", "22."], Value::Null),
            flow([server, client], ["tcp", "https"], [1, 54], ["20.5", "20.5"], json!("SA")),
        ],
        "flows_total": 3,
        "others": {"endpoints": c(0, 0), "conversations": c(0, 0), "flows": c(0, 0)},
        "buckets": [
            bucket("20.", [3, 262], json!({"tcp": c(3, 262)}), json!({"https": c(3, 262)})),
            bucket("22.", [2, 152], json!({"non-ip": c(1, 60), "udp": c(1, 92)}), json!({"arp": c(1, 60), "dns": c(1, 92)})),
            bucket("23.", [1, 24], json!({"other": c(1, 24)}), json!({"other": c(1, 24)})),
        ],
        "not_observed": [],
        "processes": null,
        "naming": {"enabled": true, "payloads": 2, "lost": 0, "put_out": {"flows": 0, "names": 0, "answers": 0}},
        "dns": null,
        "notes": [], "self": null, "written": [],
    })
}
