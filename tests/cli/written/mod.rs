//! `-w`: packets written out again are those that were counted, for us and for everybody else.

mod forms;
mod others;
mod trouble;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ran, file_in, sensor};
use crate::support::capture::{ETHERNET, Endian, Pcap, PcapNg, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, some_of_everything, tag, tcp, udp};
use crate::support::report;

const START: i64 = 1_700_000_000_123_456_789;
const SECOND: i64 = 1_000_000_000;

/// Some of everything, a second apart.
fn records() -> Vec<Record> {
    let question = udp(at("10.0.0.1:1111"), at("10.0.0.2:53"), 10);
    let more = [
        ethernet(0x8100, &tag(7, 0x0800, &question)),
        ethernet_ip(&tcp(at("10.0.0.3:50000"), at("10.0.0.2:80"), "PA", 900)),
    ];
    let times = (0..).map(|number| START + number * SECOND);
    let records = times.zip(some_of_everything().into_iter().chain(more));
    records.map(|(at, data)| Record::new(at, data)).collect()
}

/// Captures that say the same in their own ways: names, and bytes.
fn captures() -> Vec<(&'static str, Vec<u8>)> {
    let records = records();
    let cut: Vec<Record> = records.iter().map(|one| one.clone().cut(60)).collect();
    let nanoseconds = Pcap {
        nanoseconds: true,
        ..Pcap::default()
    };
    let big = Pcap {
        endian: Endian::Big,
        snaplen: 60,
        ..Pcap::default()
    };
    let mut several = PcapNg::new(Endian::Big)
        .interface_with(ETHERNET, 0, &[(2, b"eth0")])
        .interface_with(
            ETHERNET,
            0,
            &[(2, b"wg0"), (9, &[9]), (14, &5i64.to_be_bytes())],
        );
    for (number, record) in records.iter().enumerate() {
        several = match number % 2 {
            0 => several.packet_us(0, record),
            _ => several.packet(1, (record.at - 5 * SECOND) as u64, record),
        };
    }
    vec![
        ("microseconds.pcap", Pcap::default().write(&records)),
        ("nanoseconds.pcap", nanoseconds.write(&records)),
        ("cut.pcap", big.write(&cut)),
        ("several.pcapng", several.finish()),
    ]
}

fn write(input: &Path, output: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec![OsStr::new("read"), input.as_os_str()];
    arguments.extend([OsStr::new("-w"), output.as_os_str()]);
    arguments.extend(more.iter().map(OsStr::new));
    sensor(arguments).run()
}

/// What a report says of packets, and not of where they came from.
fn counted(mut report: Value) -> Value {
    let report = report.as_object_mut().unwrap();
    for other in [
        "source",
        "filter",
        "host",
        "generated",
        "notes",
        "accounting",
        "sandbox",
    ] {
        report.remove(other);
    }
    Value::Object(report.clone())
}

fn reported(path: &Path, more: &[&str]) -> Value {
    let mut arguments = vec![OsStr::new("read"), path.as_os_str()];
    arguments.extend(["--json", "-", "-n", "0"].map(OsStr::new));
    arguments.extend(more.iter().map(OsStr::new));
    sensor(arguments).run().ended(0).report()
}

fn packets(path: &Path) -> u64 {
    let report = reported(path, &[]);
    report::number(&report["totals"]["packets"])
}

/// Inputs in a folder of their own, and a place for outputs.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Place { folder }
    }

    fn input(&self, name: &str, bytes: &[u8]) -> PathBuf {
        file_in(self.folder.path(), name, bytes)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Files whose names begin so, by name.
    fn named(&self, start: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
        names.sort();
        names
    }
}

#[test]
fn what_was_written_gives_the_same_report() {
    let place = Place::new();
    for (name, bytes) in captures() {
        let input = place.input(name, &bytes);
        for filter in ["", "ip", "port 53 or greater 500", "tcp"] {
            let output = place.at("out.pcapng");
            let filter: &[&str] = match filter {
                "" => &[],
                filter => &["-f", filter],
            };
            write(&input, &output, filter).ended(0).says(&["wrote "]);
            let whole = counted(reported(&input, filter));
            assert_eq!(counted(reported(&output, &[])), whole, "{name} {filter:?}");
            assert!(report::number(&whole["totals"]["packets"]) > 0);
        }
    }
}

#[test]
fn several_files_become_one_with_the_interfaces_of_all() {
    let place = Place::new();
    let all = captures();
    let inputs: Vec<PathBuf> = all
        .iter()
        .map(|(name, bytes)| place.input(name, bytes))
        .collect();
    let output = place.at("all.pcapng");
    let mut arguments = vec![OsStr::new("read"), OsStr::new("-w"), output.as_os_str()];
    arguments.extend(inputs.iter().map(|path| path.as_os_str()));
    sensor(arguments).run().ended(0);
    assert_eq!(packets(&output), 6 * all.len() as u64);
    // Of the interface by name, which only the last file has.
    let named = reported(&output, &["-f", "ifname wg0"]);
    assert_eq!(named["totals"]["packets"], 3);
}

#[test]
fn the_report_says_what_was_written() {
    let place = Place::new();
    let (name, bytes) = &captures()[0];
    let input = place.input(name, bytes);
    let output = place.at("out.pcap");
    let path = output.to_str().unwrap();
    let again = place.input("again.pcap", bytes);
    let again = again.to_str().unwrap();
    let report = reported(&input, &["-w", path, "-C", "1k", again]);
    let names = place.named("out.pcap");
    let sizes = names
        .iter()
        .map(|name| fs::metadata(place.at(name)).unwrap().len());
    let written = serde_json::json!([{
        "path": path,
        "files": names.len(),
        "files_replaced": 0,
        "packets": 12,
        "bytes": sizes.sum::<u64>(),
        "packets_unwritten": 0,
        "packets_after_last": 0,
        "error": null,
    }]);
    assert_eq!(report["written"], written);
    assert!(names.len() > 1, "{names:?}");
    assert_eq!(reported(&input, &[])["written"], serde_json::json!([]));
}
