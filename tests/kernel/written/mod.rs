//! `-w` of a live run: what was written, read again, is the run's report; whatever happens to the file, all is counted.

mod segments;
mod sockets;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::alike::SAME;
use crate::disk::Mount;
use crate::harness::{Ended, Pair, Sensor, eventually, ip, json, need_kernel, read};
use crate::{conversations, packets, traffic};

/// A pair on whose far side nobody answers.
fn quiet_pair() -> Pair {
    let pair = Pair::new(1500);
    for (namespace, interface) in [(&pair.a, "a0"), (&pair.b, "b0")] {
        ip(&["-n", &namespace.name, "addr", "flush", "dev", interface]);
    }
    pair
}

fn start(pair: &Pair, file: &Path, more: &[&str]) -> Sensor {
    let fixed = ["-i", "b0", "-w", file.to_str().unwrap()];
    Sensor::start(&pair.b, &[&fixed, more].concat())
}

/// Without what only a live run can say, and what it can't: bytes of tags that are handed over beside the packet.
fn plain(section: &Value) -> Value {
    match section {
        Value::Array(rows) => {
            let mut rows: Vec<Value> = rows.iter().map(plain).collect();
            rows.sort_by_key(Value::to_string);
            Value::Array(rows)
        }
        Value::Object(fields) => {
            let left_out = ["interface", "captured_bytes"];
            let fields = fields
                .iter()
                .filter(|(name, _)| !left_out.contains(&name.as_str()));
            fields
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// Kinds of the blocks of a pcapng file.
fn kinds(file: &Path) -> Vec<u32> {
    let bytes = fs::read(file).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut kinds = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        kinds.push(word(at));
        at += word(at + 4) as usize;
    }
    kinds
}

#[test]
fn what_was_written_is_the_run_s_report() {
    need_kernel!();
    let pair = quiet_pair();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.pcapng");
    let frames = [packets::mixed(1514), conversations::all()].concat();
    let mut sensor = start(&pair, &file, &["--interval", "1h"]);
    let why = "b0: ingress by af-packet: -w takes whole packets";
    assert!(sensor.greeting.contains(why), "{}", sensor.greeting);
    pair.a.send("a0", &frames);
    pair.b.send("b0", &frames[..500]);
    sensor.counted(frames.len() as u64 + 500);
    let ended = sensor.stop();
    assert!(ended.stderr.contains("wrote "), "{}", ended.stderr);
    let live = ended.checked();
    let again = read(&file);
    for section in SAME.iter().chain(&["totals"]) {
        let (live, again) = (plain(&live[section]), plain(&again[section]));
        assert_eq!(live, again, "{section}");
    }
    assert_eq!(again["totals"]["egress"]["packets"], 500);
    // A section, its one interface, the packets, and how the interface fared.
    let kinds = kinds(&file);
    assert_eq!(kinds.len(), frames.len() + 500 + 3);
    assert_eq!(
        (&kinds[..3], kinds[kinds.len() - 1]),
        (&[0x0a0d_0d0a, 1, 6][..], 5)
    );
}

#[test]
fn a_filter_and_a_snaplen_are_obeyed() {
    need_kernel!();
    let pair = quiet_pair();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.pcap.zst");
    let frames = packets::mixed(1514);
    let mut sensor = start(&pair, &file, &["-s", "40", "-f", "vlan or arp"]);
    pair.a.send("a0", &frames);
    sensor.counted(300);
    let live = sensor.stop().checked();
    let again = read(&file);
    assert_eq!(live["totals"]["packets"], 300, "{live:#}");
    assert_eq!(again["totals"]["bytes"], live["totals"]["bytes"]);
    assert_eq!(again["totals"]["captured_bytes"], 300 * 40);
}

/// The thread that writes has few rights left by then, and all names must be within its reach.
#[test]
fn files_turn_in_the_sandbox() {
    need_kernel!();
    let pair = quiet_pair();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out-%Y.pcapng");
    let more = ["-C", "100k", "-G", "3600", "-W", "11", "--strict-sandbox"];
    let mut sensor = start(&pair, &file, &more);
    traffic::send(&pair.a, "a0", &traffic::frames(100), 50);
    sensor.counted(5000);
    sensor.stop().checked();
    let names = fs::read_dir(folder.path()).unwrap();
    let mut packets = 0;
    let mut files = 0;
    for entry in names {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("out-20") && name.ends_with(|end: char| end.is_ascii_digit()));
        packets += read(&path)["totals"]["packets"].as_u64().unwrap();
        files += 1;
    }
    assert_eq!(packets, 5000);
    assert!((5..=11).contains(&files), "{files}");
}

#[test]
fn a_kill_leaves_what_was_flushed() {
    need_kernel!();
    let pair = quiet_pair();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.pcapng.gz");
    let sensor = start(&pair, &file, &["--interval", "100ms"]);
    traffic::send(&pair.a, "a0", &traffic::frames(100), 3);
    eventually("all packets in the file", || {
        fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0)
            && read(&file)["totals"]["packets"] == 300
    });
    sensor.signal(libc::SIGKILL);
    sensor.killed();
    assert_eq!(read(&file)["totals"]["packets"], 300);
}

#[test]
fn a_full_disk_costs_packets_of_the_file_and_no_count() {
    need_kernel!();
    let folder = tempfile::tempdir().unwrap();
    let _mount = Mount::new(folder.path(), "1m");
    for name in ["out.pcapng", "out.pcap.zst"] {
        let pair = quiet_pair();
        let file = folder.path().join(name);
        // Nothing that can be compressed to less than the disk.
        let frames: Vec<Vec<u8>> = (0..2000).map(noise).collect();
        let mut sensor = start(&pair, &file, &["--interval", "100ms"]);
        pair.a.send("a0", &frames[..200]);
        sensor.counted(200);
        eventually("the first packets in the file", || {
            fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 200_000)
        });
        pair.a.send("a0", &frames[200..]);
        sensor.counted(2000);
        let said = "-w is given up, and counting goes on";
        if !sensor.greeting.contains(said) {
            sensor.wait_for_line(said);
        }
        let ended = sensor.stop();
        let written = told(&ended, 2000);
        assert!(ended.stderr.contains("No space left"), "{}", ended.stderr);
        assert_eq!(read(&file)["totals"]["packets"], written, "{name}");
        assert!((200..2000).contains(&written), "{written}");
        fs::remove_file(&file).unwrap();
    }
}

/// Exit 7, all counted, and what is not in the file told; gives what is.
fn told(ended: &Ended, packets: u64) -> u64 {
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    assert_eq!(ended.report["totals"]["packets"], packets);
    assert_eq!(ended.report["accounting"]["identity_holds"], true);
    let notes = ended.report["notes"].to_string();
    let (_, lost) = notes
        .split_once("packets that -w has not written: ")
        .unwrap();
    let lost = lost.split(';').next().unwrap().replace(',', "");
    packets - lost.parse::<u64>().unwrap()
}

fn noise(number: u64) -> Vec<u8> {
    let mut frame = packets::udp4(1, 1000 + (number % 1000) as u16, 53, 1400);
    let mut state = number;
    for byte in &mut frame[42..] {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    frame
}

#[test]
fn a_reader_that_has_stopped_stops_nothing_else() {
    need_kernel!();
    let pair = quiet_pair();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut sensor = Sensor::start_to(writer, &pair.b, &["-i", "b0", "-w", "-"]);
    // More than the pipe and the queue have room for.
    let frames: Vec<Vec<u8>> = (0..1000).map(noise).collect();
    let mut sent = 0;
    for _ in 0..120 {
        pair.a.send("a0", &frames);
        sent += 1000;
        sensor.counted(sent);
    }
    let said = "can't be written by -w as fast as they come";
    assert!(sensor.greeting.contains(said), "nothing was left out");
    sensor.signal(libc::SIGINT);
    let start = Instant::now();
    let ended = sensor.wait();
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "{}",
        ended.stderr
    );
    let lost = ended.report["accounting"]["lost"]["af-packet"].clone();
    assert_eq!(lost, 0);
    let written = told(&ended, sent);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() > 60_000 && written < sent, "{written}");
    assert_eq!(json(&ended.folder.path().join("whole.json")), ended.report);
}
