//! `--packets`: as many records as packets, with the report's sums, and nothing in them that could harm a reader.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ran, file_in, sensor};
use crate::support::capture::{ETHERNET, Pcap, Record};
use crate::support::packets::some_of_everything;
use crate::support::report;

fn capture() -> Vec<u8> {
    let packets = some_of_everything().into_iter();
    let records: Vec<Record> = packets
        .map(|packet| Record::new(1_700_000_000_000_000_000, packet))
        .collect();
    Pcap::of(ETHERNET).write(&records)
}

fn read(folder: &Path, output: &Path, more: &[&str]) -> Ran {
    let input = file_in(folder, "capture.pcap", &capture());
    let mut arguments = vec!["read".into(), input.into_os_string()];
    arguments.extend(["--json".into(), folder.join("report.json").into_os_string()]);
    arguments.extend(["--packets".into(), output.as_os_str().to_owned()]);
    arguments.extend(more.iter().map(Into::into));
    sensor(arguments).run()
}

fn report(folder: &Path) -> Value {
    report::parse(&fs::read(folder.join("report.json")).unwrap())
}

fn rows(path: &PathBuf) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.split_terminator("\r\n").skip(1);
    // None of these captures has a cell with a comma.
    lines
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_records_add_up_to_the_report() {
    let folder = tempfile::tempdir().unwrap();
    for (more, packets) in [(&[][..], 4), (&["-f", "ip or ip6"][..], 2)] {
        let output = folder.path().join("packets.csv");
        read(folder.path(), &output, more).ended(0);
        let rows = rows(&output);
        let report = report(folder.path());
        assert_eq!(rows.len(), packets);
        let sum = |column: usize| -> u64 {
            let cells = rows.iter().map(|row| row[column].parse::<u64>().unwrap());
            cells.sum()
        };
        assert_eq!(report["totals"]["packets"], sum(3));
        assert_eq!(report["totals"]["bytes"], sum(4));
        assert_eq!(report["totals"]["captured_bytes"], sum(5));
        assert!(rows.iter().all(|row| row.len() == 23));
    }
}

#[test]
fn json_lines_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let ran = read(folder.path(), Path::new("-"), &[]).ended(0);
    let lines: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |name: &str| -> Vec<&Value> { lines.iter().map(|line| &line[name]).collect() };
    let outcomes = ["flow", "flow", "not_ip", "malformed:truncated_link"];
    assert_eq!(of("outcome"), outcomes);
    let layers = ["eth:ipv4:udp:dns", "eth:ipv6:tcp:https", "eth:arp", ""];
    assert_eq!(of("layers")[..3], layers[..3]);
    assert_eq!(lines[1]["tcp_flags"], "syn");
    assert_eq!(lines[1]["src_addr"], "2001:db8::1");
    assert_eq!(lines[2]["src_addr"], Value::Null);
}

#[test]
fn other_endings_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("packets.txt");
    let ran = read(folder.path(), &output, &[]).ended(2);
    ran.says(&["packets.txt", ".csv", ".jsonl"]);
    assert!(!output.exists() && !folder.path().join("report.json").exists());
}

#[test]
fn a_full_disk_is_an_error_and_counting_goes_on() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("skipped: no /dev/full");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let input = file_in(folder.path(), "capture.pcap", &capture());
    let json = folder.path().join("report.json");
    let ran = sensor(["read", input.to_str().unwrap(), "--packets", "-"])
        .stdout(full)
        .run()
        .ended(7);
    assert!(ran.stderr.contains("standard output"), "{}", ran.stderr);
    assert!(!json.exists());
}

#[test]
fn backends_that_do_not_see_whole_packets_are_refused() {
    for backend in ["auto", "xdp", "tc"] {
        let arguments = ["run", "-i", "lo", "--backend", backend, "--packets", "-"];
        sensor(arguments)
            .run()
            .ended(2)
            .says(&["--packets", "--backend af-packet"]);
    }
}
