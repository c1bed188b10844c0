//! `-w` of a mirror port, by AF_XDP: the file has what the report has, and tcpdump finds the same in it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{SAME, noise, plain, start, told};
use crate::disk::Mount;
use crate::harness::{Sensor, eventually, need_kernel, read};
use crate::support::report::number;
use crate::tap::quiet_pair;
use crate::{conversations, packets, traffic};

const SOCKETS: [&str; 3] = ["--tap", "--backend", "af-xdp"];

/// Packets that tcpdump reads of it, with the expression; `None` without tcpdump.
fn tcpdump(file: &Path, expression: &str) -> Option<u64> {
    let output = std::process::Command::new("tcpdump")
        .args(["-n", "--count", "-r"])
        .arg(file)
        .arg(expression)
        .output();
    let Ok(output) = output else {
        println!("skipped: no tcpdump");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = said.split_whitespace().next().map(str::parse);
    assert!(
        matches!(number, Some(Ok(_))),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    number?.ok()
}

#[test]
fn what_sockets_wrote_is_the_run_s_report() {
    need_kernel!();
    let folder = tempfile::tempdir().unwrap();
    let frames = [packets::mixed(1514), conversations::all()].concat();
    for (name, more) in [("all.pcapng", None), ("some.pcap.zst", Some("udp or vlan"))] {
        let pair = quiet_pair();
        let file = folder.path().join(name);
        let hour = [&SOCKETS[..], &["--interval", "1h"]].concat();
        let filter = more.map_or(vec![], |expression| vec!["-f", expression]);
        let mut sensor = start(&pair, &file, &[hour, filter].concat());
        let how = "b0: ingress by af-xdp";
        assert!(sensor.greeting.contains(how), "{}", sensor.greeting);
        pair.a.send("a0", &frames);
        traffic::received(&pair.b, "b0", frames.len() as u64);
        if more.is_none() {
            sensor.counted(frames.len() as u64);
        }
        let live = sensor.stop().checked();
        let again = read(&file);
        for section in SAME.iter().chain(&["totals"]) {
            let (live, again) = (plain(&live[section]), plain(&again[section]));
            if more.is_none() || *section != "accounting" {
                assert_eq!(live, again, "{name}: {section}");
            }
        }
        let packets = number(&live["totals"]["packets"]);
        let seen = number(&live["accounting"]["seen"]["packets"]);
        assert_eq!(seen, frames.len() as u64);
        assert_eq!(packets < seen, more.is_some(), "{name}: {packets}");
        let written = &live["written"][0];
        assert_eq!(number(&written["packets"]), packets);
        assert_eq!(
            (number(&written["packets_unwritten"]), &written["error"]),
            (0, &Value::Null)
        );
        if name.ends_with(".pcapng")
            && let Some(theirs) = tcpdump(&file, "")
        {
            assert_eq!(theirs, packets);
        }
    }
}

#[test]
fn sockets_cut_packets_and_turn_files() {
    need_kernel!();
    let pair = quiet_pair();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.pcap");
    let turned = ["-s", "60", "-C", "100k", "--strict-sandbox"];
    let mut sensor = start(&pair, &file, &[&SOCKETS[..], &turned].concat());
    traffic::send(&pair.a, "a0", &traffic::frames(100), 50);
    sensor.counted(5000);
    let live = sensor.stop().checked();
    let (mut packets, mut by_tcpdump, mut files) = (0, 0, 0);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let totals = read(&path)["totals"].clone();
        packets += number(&totals["packets"]);
        assert_eq!(
            number(&totals["captured_bytes"]),
            number(&totals["packets"]) * 60
        );
        by_tcpdump += tcpdump(&path, "udp").unwrap_or_else(|| number(&totals["packets"]));
        files += 1;
    }
    assert_eq!((packets, by_tcpdump), (5000, 5000));
    assert!(files > 2, "{files}");
    let written = &live["written"][0];
    assert_eq!(number(&written["files"]), files);
    assert_eq!(number(&written["packets"]), 5000);
    let on_disk = fs::read_dir(folder.path()).unwrap();
    let on_disk: u64 = on_disk
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(number(&written["bytes"]), on_disk);
}

#[test]
fn a_full_disk_costs_sockets_no_count_and_the_report_says_how_many_packets_it_cost() {
    need_kernel!();
    let folder = tempfile::tempdir().unwrap();
    let _mount = Mount::new(folder.path(), "1m");
    let pair = quiet_pair();
    let file = folder.path().join("out.pcapng");
    let frames: Vec<Vec<u8>> = (0..2000).map(noise).collect();
    let often = [&SOCKETS[..], &["--interval", "100ms"]].concat();
    let mut sensor: Sensor = start(&pair, &file, &often);
    pair.a.send("a0", &frames[..200]);
    eventually("the first packets in the file", || {
        fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 200_000)
    });
    pair.a.send("a0", &frames[200..]);
    sensor.counted(2000);
    let ended = sensor.stop();
    let in_file = told(&ended, 2000);
    let written = &ended.report["written"][0];
    assert_eq!(number(&written["packets"]), in_file);
    assert_eq!(number(&written["packets_unwritten"]), 2000 - in_file);
    let error = written["error"].as_str().unwrap();
    assert!(error.contains("No space left"), "{error}");
    assert_eq!(read(&file)["totals"]["packets"], in_file);
}
