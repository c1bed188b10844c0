//! Several sensors in one ClickHouse, by the schema, the statements and the queries that are shipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::engines;
use crate::harness::{file_in, read, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, tcp, udp};

/// 2023-11-14T22:00:00Z
const START: i64 = 1_699_999_200_000_000_000;

/// Ten minutes of a server at `addr`: each minute `packets` of 1,000 bytes and more, a question, and something without IP.
fn capture(folder: &Path, addr: &str, packets: i64) -> PathBuf {
    let mut records = Vec::new();
    for minute in 0..10 {
        let time = START + minute * 60_000_000_000;
        for packet in 0..packets {
            let frame = tcp(at(&format!("{addr}:443")), at("10.0.0.9:40000"), "A", 1000);
            records.push(Record::new(time + packet * 1_000_000, ethernet_ip(&frame)));
        }
        let question = udp(at("[2001:db8::1]:5000"), at("[2001:db8::2]:53"), 40);
        records.push(Record::new(time, ethernet_ip(&question)));
        records.push(Record::new(time, ethernet(0x0806, &[0; 46])));
    }
    file_in(folder, addr, &Pcap::of(1).write(&records))
}

fn of(rows: &Value, sensor: &str, field: &str) -> Value {
    let mut rows = rows.as_array().unwrap().iter();
    let row = rows.find(|row| row["sensor"] == sensor).unwrap();
    row[field].clone()
}

#[test]
fn the_shipped_clickhouse_tables_and_queries_tell_what_the_reports_tell() {
    let Some(python) = engines::python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let mut lines = Vec::new();
    let mut reports = Vec::new();
    for (name, addr, packets) in [("edge-1", "10.0.0.1", 5), ("edge-2", "10.0.0.2", 50)] {
        let input = capture(folder.path(), addr, packets);
        let more = ["--sensor-name", name, "--parquet"];
        let more = [&more[..], &[history.to_str().unwrap()]].concat();
        reports.push((name, read(&[&input], &more, 0)));
        let arguments = ["read", "--sensor-name", name, "--jsonl", "-"];
        let arguments = arguments.iter().map(std::ffi::OsStr::new);
        lines.extend(sensor(arguments.chain([input.as_os_str()])).run().stdout);
    }
    let lines = file_in(folder.path(), "lines.jsonl", &lines);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let answers = engines::run(
        Command::new(python)
            .arg(root.join("tests/engines/clickhouse.py"))
            .arg(root.join("deploy/clickhouse"))
            .args([&history, &lines])
            .args(["2023-11-14 22:00:00", "2023-11-14 22:10:00"]),
    );
    for (name, report) in &reports {
        for table in ["flows", "buckets", "minutes", "lines"] {
            let sums = (
                of(&answers[table], name, "p"),
                of(&answers[table], name, "b"),
            );
            let totals = (
                report["totals"]["packets"].clone(),
                report["totals"]["bytes"].clone(),
            );
            assert_eq!(sums, totals, "{table} of {name}");
        }
        let packets = &report["totals"]["packets"];
        assert_eq!(of(&answers["lines"], name, "ways"), *packets);
        assert_eq!(of(&answers["lines"], name, "applications"), *packets);
        let bytes = &report["accounting"]["in_flows"]["bytes"];
        assert_eq!(of(&answers["endpoints"], name, "sent"), *bytes);
        assert_eq!(of(&answers["endpoints"], name, "received"), *bytes);
    }
    questions(&answers["queries"], &reports);
}

/// The answers to queries.sql, in its order.
fn questions(answers: &Value, reports: &[(&str, Value)]) {
    let bytes = |report: &Value| report["endpoints"][0]["sent"]["bytes"].as_u64().unwrap();
    let (small, large) = (&reports[0].1, &reports[1].1);
    let both: u64 = [small, large]
        .iter()
        .map(|report| {
            let all = report["endpoints"].as_array().unwrap().iter();
            let client = |one: &&Value| one["addr"] == "10.0.0.9";
            all.filter(client)
                .map(|one| one["received"]["bytes"].as_u64().unwrap())
                .sum::<u64>()
        })
        .sum();
    let [
        talkers,
        conversations,
        protocols,
        bandwidth,
        billing,
        new,
        missing,
    ] = [0, 1, 2, 3, 4, 5, 6].map(|number| answers[number].as_array().unwrap());
    assert_eq!(talkers[0]["addr"], "10.0.0.9");
    assert_eq!(talkers[0]["received_bytes"], both);
    assert_eq!(conversations[0]["a"], "10.0.0.2");
    assert_eq!(conversations[0]["packets_total"], 500);
    let applications: Vec<_> = protocols.iter().map(|row| &row["protocol"]).collect();
    assert_eq!(applications, ["https", "dns", "non-ip"]);
    assert_eq!(bandwidth.len(), 20, "ten minutes of two sensors");
    // Five packets a minute, in ten minutes without a gap: every five minutes have the same mean.
    let p95 = of(&json!(billing), "edge-2", "p95_bits_per_sec");
    let total = large["totals"]["bytes"].as_f64().unwrap();
    assert_eq!(p95.as_f64().unwrap(), total * 8.0 / 600.0);
    let addresses: Vec<_> = new
        .iter()
        .map(|row| row["addr"].as_str().unwrap())
        .collect();
    assert!(
        addresses.contains(&"10.0.0.2") && addresses.len() == 5,
        "{addresses:?}"
    );
    for (row, (name, report)) in missing.iter().zip(reports) {
        assert_eq!(row["sensor"], *name);
        assert_eq!(row["seen"], report["accounting"]["seen"]["packets"]);
        assert_eq!(row["lost"], 0);
    }
    assert!(bytes(small) < bytes(large));
}
