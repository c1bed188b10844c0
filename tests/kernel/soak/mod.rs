//! A soak: mixed load under faults at random, after which all reports together have counted what was sent, to the packet.
//!
//! `cargo xtask soak --seconds N` lets it run longer; the seed that it prints makes the same faults again.

mod fault;
mod load;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::harness::{Ended, Pair, Sensor, ip, json, need_kernel};
use fault::Faults;
use load::Load;

/// In the test command.
const SECONDS: u64 = 30;
/// Of the agent in a soak: it grows to this with the tables and not with time.
const MEMORY: u64 = 512 << 20;

#[test]
fn all_reports_together_are_what_was_sent_whatever_goes_wrong_meanwhile() {
    need_kernel!();
    let seconds = number("SENSOR_SOAK_SECONDS").unwrap_or(SECONDS);
    let seed = number("SENSOR_SOAK_SEED").unwrap_or_else(by_the_clock);
    println!(
        "soak of {seconds} s, seed {seed}: SENSOR_SOAK_SEED={seed} cargo xtask soak --seconds {seconds}"
    );
    let mut soak = Soak::start(seed);
    let (begin, length) = (Instant::now(), Duration::from_secs(seconds));
    while begin.elapsed() < length {
        let what = soak.one_fault();
        println!("{:7.1} s: {what}", begin.elapsed().as_secs_f64());
        soak.collect();
    }
    soak.conclude();
}

pub(crate) struct Soak {
    pair: Pair,
    sensor: Sensor,
    loads: Vec<Load>,
    faults: Faults,
    collected: Collected,
    _mount: fault::Mount,
    folder: tempfile::TempDir,
}

/// What the periodic reports have counted so far; they are removed once they are read, so that a soak may last for days.
#[derive(Default)]
struct Collected {
    reports: u64,
    packets: u64,
    bytes: u64,
    overflow: u64,
}

impl Soak {
    fn start(seed: u64) -> Self {
        let pair = Pair::new(1500);
        add_pair(&pair);
        let folder = tempfile::tempdir().unwrap();
        let reports = folder.path().join("reports");
        fs::create_dir(&reports).unwrap();
        let mount = fault::Mount::new(&reports);
        let arguments = ["-i", "[ac]?", "--backend", "tc", "-n", "20"];
        let times = ["--interval", "100ms", "--report-every", "1s"];
        // Small tables, so that floods overflow them.
        let tables = ["--max-flows", "2000", "--kernel-flows", "1024"];
        let mut sensor = Sensor::launch(
            pair.a.command(env!("CARGO_BIN_EXE_sensor")),
            &[&arguments[..], &times, &tables].concat(),
            tempfile::tempdir().unwrap(),
            reports,
        );
        for name in ["a0", "c0"] {
            assert!(sensor.greeting.contains(&format!("{name}: ingress by tcx")));
        }
        sensor.signal(libc::SIGUSR1);
        sensor.wait_for_line("so far");
        Soak {
            loads: ["a0", "c0"].map(|name| Load::start(&pair.a, name)).into(),
            pair,
            sensor,
            faults: Faults::new(seed),
            collected: Collected::default(),
            _mount: mount,
            folder,
        }
    }

    fn collect(&mut self) {
        self.collected.take(&self.folder.path().join("reports"));
    }

    fn conclude(mut self) {
        let (mut packets, mut bytes) = (0, 0);
        for load in self.loads {
            let sent = load.stop();
            packets += sent.packets;
            bytes += sent.bytes;
        }
        self.sensor.counted(packets);
        let ended = self.sensor.stop();
        self.collected.take(&self.folder.path().join("reports"));
        let Collected {
            reports, overflow, ..
        } = self.collected;
        let memory = ended.report["self"]["memory_peak_bytes"].as_u64().unwrap();
        println!(
            "{packets} packets sent, {reports} reports, {overflow} packets overflow, memory at most {} MiB",
            memory >> 20
        );
        self.faults.print();
        same(&ended, (packets, bytes));
        assert_eq!(self.collected.packets, packets, "in the periodic reports");
        assert_eq!(self.collected.bytes, bytes, "in the periodic reports");
        assert!(memory < MEMORY, "{memory} bytes");
    }
}

/// The report of the whole run.
fn same(ended: &Ended, (packets, bytes): (u64, u64)) {
    // Reports that could not be written at first are part of the next one, and of the exit code.
    let code = ended.status.code();
    assert!(matches!(code, Some(0 | 7)), "{code:?}: {}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let report = &ended.report;
    assert_eq!(report["accounting"]["identity_holds"], true);
    assert_eq!(report["totals"]["packets"], packets, "{}", ended.stderr);
    assert_eq!(report["totals"]["bytes"], bytes, "{}", ended.stderr);
}

impl Collected {
    fn take(&mut self, reports: &Path) {
        for entry in fs::read_dir(reports).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.starts_with("sensor-") || !name.ends_with(".json") {
                continue;
            }
            let report = json(&path);
            assert_eq!(report["accounting"]["identity_holds"], true, "{name}");
            self.add(&report);
            // A file system that is read-only at present keeps it for the next time: it must not count twice.
            fs::remove_file(&path).unwrap();
        }
    }

    fn add(&mut self, report: &Value) {
        let number = |value: &Value| value.as_u64().unwrap();
        self.reports += 1;
        self.packets += number(&report["totals"]["packets"]);
        self.bytes += number(&report["totals"]["bytes"]);
        self.overflow += number(&report["accounting"]["overflow"]["packets"]);
    }
}

fn add_pair(pair: &Pair) {
    let (a, b) = (&pair.a.name, &pair.b.name);
    ip(&[
        "link", "add", "c0", "netns", a, "type", "veth", "peer", "name", "d0", "netns", b,
    ]);
    ip(&["-n", a, "link", "set", "c0", "up"]);
    ip(&["-n", b, "link", "set", "d0", "up"]);
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={value} is no number")),
    )
}

fn by_the_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::from(since.subsec_nanos())
}
