//! `--csv` and `--jsonl`: the same numbers as in the report, in files that are whole.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Ran, file_in, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, tcp, udp};
use crate::support::{report, schema};

const SECOND: i64 = 1_000_000_000;

/// Twelve clients and a resolver in three seconds, ARP, and something malformed.
fn capture() -> Vec<u8> {
    let mut records = vec![
        Record::new(SECOND, ethernet(0x0806, &[0; 28])),
        Record::new(2 * SECOND, vec![1, 2, 3]),
    ];
    for client in 1u8..=12 {
        let from = at(&format!("10.0.0.{client}:40000"));
        let when = i64::from(client % 3) * SECOND;
        records.push(Record::new(
            when,
            ethernet_ip(&udp(from, at("10.0.0.53:53"), 10 * usize::from(client))),
        ));
        records.push(Record::new(
            when,
            ethernet_ip(&tcp(from, at("10.1.0.1:443"), "S", 0)),
        ));
    }
    Pcap::default().write(&records)
}

/// `sensor read` of the capture with `--json report.json` and these arguments, in `folder`.
fn read(folder: &Path, more: &[&str]) -> Ran {
    file_in(folder, "capture.pcap", &capture());
    let arguments = ["read", "capture.pcap", "--json", "report.json"];
    sensor([&arguments, more].concat()).folder(folder).run()
}

fn written(folder: &Path) -> Value {
    report::parse(&fs::read(folder.join("report.json")).unwrap())
}

/// Rows by the names of their columns.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> u64 {
    rows.iter()
        .map(|row| row[column].parse::<u64>().unwrap())
        .sum()
}

#[test]
fn the_totals_of_the_tables_are_those_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    for more in [
        &["-n", "3"][..],
        &["-n", "0"],
        &["-n", "3", "-f", "udp or arp"],
    ] {
        read(folder.path(), &[more, &["--csv", "tables"]].concat()).ended(0);
        let report = written(folder.path());
        let table = |name: &str| rows(&folder.path().join("tables").join(name));
        let totals = table("totals.csv");
        let fact = |group: &str, name: &str| {
            let of = |row: &&BTreeMap<String, String>| row["group"] == group && row["name"] == name;
            totals
                .iter()
                .find(of)
                .unwrap_or_else(|| panic!("{group} {name}"))
        };
        for (group, name, pointer) in [
            ("totals", "all", "/totals"),
            ("totals", "unknown_direction", "/totals/unknown_direction"),
            ("accounting", "seen", "/accounting/seen"),
            ("accounting", "in_flows", "/accounting/in_flows"),
            ("accounting", "not_ip", "/accounting/not_ip"),
            ("accounting", "filtered", "/accounting/filtered"),
        ] {
            let expected = report::counts(report.pointer(pointer).unwrap());
            let row = fact(group, name);
            let counts = [&row["packets"], &row["bytes"]].map(|cell| cell.parse().unwrap());
            assert_eq!(
                report::Counts(counts[0], counts[1]),
                expected,
                "{group} {name}"
            );
        }
        assert_eq!(fact("accounting", "identity_holds")["value"], "true");
        let ip = report::counts(&report["accounting"]["in_flows"]);
        let whole = report::counts(&report["totals"]);
        for (name, times, expected) in [
            ("flows.csv", 1, ip),
            ("conversations.csv", 1, ip),
            ("endpoints.csv", 2, ip),
            ("buckets.csv", 1, whole),
            ("bucket_protocols.csv", 2, whole),
            ("protocols.csv", 3, whole),
        ] {
            let rows = table(name);
            let sums = (sum(&rows, "packets"), sum(&rows, "bytes"));
            assert_eq!(
                sums,
                (times * expected.0, times * expected.1),
                "{name} {more:?}"
            );
        }
        let others = table("flows.csv")
            .iter()
            .any(|row| row["src_addr"] == "others");
        assert_eq!(others, report["others"]["flows"]["packets"] != 0);
    }
    let names = fs::read_dir(folder.path().join("tables")).unwrap();
    assert_eq!(
        names.count(),
        sensor::sink::csv::FILES.len(),
        "something was left behind"
    );
}

#[test]
fn the_lines_are_the_buckets_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let ran = read(folder.path(), &["--jsonl", "-", "--jsonl", "buckets.jsonl"]).ended(0);
    assert_eq!(
        fs::read_to_string(folder.path().join("buckets.jsonl")).unwrap(),
        ran.text()
    );
    let report = written(folder.path());
    let lines: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    for (line, bucket) in lines.iter().zip(report::list(&report["buckets"])) {
        assert_eq!(schema::problems_of_bucket(line), [""; 0]);
        for (field, value) in bucket.as_object().unwrap() {
            assert_eq!(&line[field], value, "{field}");
        }
        assert_eq!(line["hostname"], report["sensor"]["hostname"]);
        assert_eq!(line["backend"], "file");
    }
}

#[test]
fn folders_that_cannot_be_are_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    fs::write(inside("file"), "").unwrap();
    read(folder.path(), &["--csv", "file"])
        .ended(7)
        .says(&["can't use folder file"]);
    read(folder.path(), &["--csv", "-"])
        .ended(2)
        .says(&["name a folder"]);
    read(folder.path(), &["--csv", "t", "--csv", "t"])
        .ended(2)
        .says(&["two outputs go to t/totals.csv"]);
    let packets = ["--csv", "t", "--packets", "t/flows.csv"];
    read(folder.path(), &packets)
        .ended(2)
        .says(&["two outputs go to t/flows.csv"]);
    read(folder.path(), &["--jsonl", "-", "--json", "-"])
        .ended(2)
        .says(&["two outputs", "standard output"]);
    // A capture may be called anything; it is not overwritten.
    fs::create_dir(inside("in")).unwrap();
    let input = file_in(&inside("in"), "flows.csv", &capture());
    let arguments = [
        OsStr::new("read"),
        input.as_os_str(),
        "--csv".as_ref(),
        inside("in").as_os_str(),
    ]
    .map(OsStr::to_owned);
    sensor(arguments).run().ended(2).says(&["is the input"]);
    assert_eq!(fs::read(input).unwrap(), capture());
    assert!(!inside("report.json").exists());
}

#[test]
fn a_table_that_cannot_be_replaced_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("tables/flows.csv")).unwrap();
    read(folder.path(), &["--csv", "tables"])
        .ended(7)
        .says(&["tables/flows.csv: it is a folder"]);
}
