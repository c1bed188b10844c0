//! Reports that were written before: opened, merged, cut to a time, compared.

mod diff;
mod hostile;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ran, file_in, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, tcp, udp};

const SECOND: i64 = 1_000_000_000;
/// 2023-11-14T22:13:20Z
const START: i64 = 1_700_000_000 * SECOND;

/// A datagram to a name server, so many seconds after the start.
fn query(second: i64, client: u8, payload: usize) -> Record {
    let from = at(&format!("10.0.0.{client}:5000"));
    let packet = udp(from, at("192.0.2.53:53"), payload);
    Record::new(START + second * SECOND, ethernet_ip(&packet))
}

fn segment(second: i64, client: u8, port: u16, payload: usize) -> Record {
    let from = at(&format!("10.0.0.{client}:6000"));
    let packet = tcp(from, at(&format!("192.0.2.80:{port}")), "A", payload);
    Record::new(START + second * SECOND, ethernet_ip(&packet))
}

/// Thirty seconds of two clients, the second from the tenth second on.
fn thirty_seconds() -> Vec<Record> {
    let mut records = Vec::new();
    for second in 0..30 {
        records.push(query(second, 1, 100));
        if second >= 10 {
            records.push(segment(second, 2, 443, 1000));
        }
    }
    records
}

/// Writes the report of these packets, as `read` has it.
fn report_in(folder: &Path, name: &str, records: &[Record], more: &[&str]) -> PathBuf {
    let capture = file_in(folder, "x.pcap", &Pcap::default().write(records));
    let path = folder.join(name);
    let files = [&capture, &path].map(|path| path.to_str().unwrap().to_owned());
    let arguments = ["read", &files[0], "--json", &files[1]];
    sensor(arguments.iter().chain(more)).run().ended(0);
    path
}

/// A folder as `--out` leaves it: three periods of ten seconds, and the last one once more.
fn periods(folder: &Path, more: &[&str]) -> PathBuf {
    let out = folder.join("reports");
    fs::create_dir(&out).unwrap();
    for (part, name) in ["221329", "221339", "221349"].iter().enumerate() {
        let from = START + part as i64 * 10 * SECOND;
        let mut records = thirty_seconds();
        records.retain(|one| (from..from + 10 * SECOND).contains(&one.at));
        report_in(
            &out,
            &format!("sensor-20231114T{name}Z.json"),
            &records,
            more,
        );
    }
    let newest = out.join("sensor-20231114T221349Z.json");
    fs::copy(newest, out.join("latest.json")).unwrap();
    out
}

fn run(command: &str, paths: &[&Path], more: &[&str]) -> Ran {
    let paths = paths.iter().map(|path| path.to_str().unwrap());
    sensor(
        [command]
            .into_iter()
            .chain(paths)
            .chain(more.iter().copied()),
    )
    .run()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The report with one thing changed.
fn changed(path: &Path, change: impl Fn(&mut Value)) {
    let mut value = json(path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}
