//! Damaged inputs, full disks, readers that go away, and what is refused.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Place, START, captures, packets, write};
use crate::harness::{BINARY, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, udp};

#[test]
fn what_came_before_the_damage_is_written() {
    let place = Place::new();
    for (name, bytes) in captures() {
        let input = place.input(name, &bytes[..bytes.len() - 30]);
        let output = place.at("out.pcapng");
        write(&input, &output, &[]).ended(5);
        assert_eq!(packets(&output), 5, "{name}");
    }
}

#[test]
fn a_full_disk_is_told_with_what_is_missing() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("skipped: no /dev/full");
        return;
    };
    let place = Place::new();
    let (name, bytes) = &captures()[0];
    let input = place.input(name, bytes);
    let json = place.at("report.json");
    let arguments = ["read", input.to_str().unwrap(), "-w", "-", "--json"];
    let arguments = arguments.iter().map(Path::new).chain([json.as_path()]);
    let ran = sensor(arguments).stdout(full).run().ended(7);
    ran.says(&[
        "standard output",
        "not written by -w: 6 packets",
        "No space left",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(report["totals"]["packets"], 6);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let input = place.input("capture.pcap", &Pcap::default().write(&many(5000)));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let arguments = ["-q", "read", input.to_str().unwrap(), "-w", "-"];
    let ran = sensor(arguments).stdout(writer).run().ended(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_closed_standard_output_is_not_success() {
    let place = Place::new();
    let (name, bytes) = &captures()[0];
    let input = place.input(name, bytes);
    let script = r#"exec "$0" read "$1" -w - >&-"#;
    let ran = Command::new("sh")
        .args(["-c", script, BINARY])
        .arg(input)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(7), "{said}");
    assert!(said.contains("it is closed"), "{said}");
}

fn many(packets: i64) -> Vec<Record> {
    let noise = |number: i64| {
        let mut packet = ethernet_ip(&udp(at("10.0.0.1:1111"), at("10.0.0.2:53"), 1400));
        let mut state = number as u64;
        for byte in &mut packet[42..] {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8; // nothing that can be compressed
        }
        packet
    };
    let record = |number| Record::new(START + number * 1000, noise(number));
    (0..packets).map(record).collect()
}

/// The packets come by a pipe that stays open, so that nothing is ever closed properly.
#[test]
fn a_kill_leaves_what_can_be_read() {
    let place = Place::new();
    let records = many(4000);
    let capture = Pcap::default().write(&records);
    for name in ["out.pcapng", "out.pcap", "out.pcapng.zst", "out.pcap.gz"] {
        let output = place.at(name);
        let mut child = Command::new(BINARY)
            .args(["read", "-", "-w"])
            .arg(&output)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(&capture).unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        let len = || fs::metadata(&output).map_or(0, |metadata| metadata.len());
        while len() < 3_000_000 {
            assert!(Instant::now() < end, "{name}: {} bytes", len());
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let ran = sensor([
            "read".as_ref(),
            output.as_os_str(),
            "--json".as_ref(),
            "-".as_ref(),
        ]);
        let ran = ran.run();
        assert!([0, 5].contains(&ran.code()), "{name}: {}", ran.stderr);
        let got = ran.report()["totals"]["packets"].as_u64().unwrap();
        assert!((2000..4000).contains(&got), "{name}: {got}");
    }
}

#[test]
fn what_can_t_be_is_refused_before_anything_is_written() {
    let place = Place::new();
    let (name, bytes) = &captures()[0];
    let input = place.input(name, bytes);
    let input = input.to_str().unwrap();
    let out = place.at("out.pcapng");
    let out = out.to_str().unwrap();
    let folder = place.folder.path().to_str().unwrap();
    for (more, code, says) in [
        (&["-w", input][..], 2, "is the input"),
        (&["-w", "-", "-C", "1"], 2, "one stream"),
        (&["-w", out, "-W", "2"], 2, "-C or -G"),
        (&["-w", out, "-C", "0"], 2, "millions of bytes"),
        (&["-w", out, "--json", out], 2, "two outputs"),
        (&["-w", "-", "--json", "-"], 2, "two outputs"),
        (&["-w", "out-%", "-G", "1"], 2, "no time"),
        (&["-w", "%Y/out", "-G", "1"], 2, "folder"),
        (&["-w", folder], 7, "a folder"),
        (&["-w", "/dev/null"], 7, "a device"),
        (&["-w", "/nonexistent/out"], 7, "no folder"),
    ] {
        let arguments = [&["read", input], more].concat();
        sensor(arguments).run().ended(code).says(&[says]);
    }
    assert_eq!(fs::read(input).unwrap(), *bytes);
    assert!(!place.at("out.pcapng").exists());
}

#[test]
fn backends_that_do_not_see_whole_packets_are_refused() {
    for backend in [
        ["--backend", "xdp"],
        ["--backend", "tc"],
        ["--xdp-mode", "native"],
    ] {
        let arguments = [&["run", "-i", "lo", "-w", "-"][..], &backend].concat();
        let ran = sensor(arguments).run().ended(2);
        ran.says(&["-w needs every packet", "--backend af-packet"]);
    }
}
