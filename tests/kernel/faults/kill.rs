//! SIGKILL at any moment: the reports on disk are whole, and nothing of the sensor stays in the kernel.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sensor::link;

use crate::harness::{Pair, Sensor, eventually, json, need_kernel};
use crate::traffic::{self, Traffic};

const KILLS: u64 = 20;
/// Programs are attached within it.
const LONGEST: u64 = 2000;

#[test]
fn twenty_kills_at_random_moments_leave_whole_reports_and_nothing_in_the_kernel() {
    need_kernel!();
    let pair = Pair::new(1500);
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic::start(&pair.a, "a0");
    let mut random = u64::from(std::process::id()) | 1;
    println!("random numbers from {random}");
    let (mut ids, mut attached) = (BTreeSet::new(), 0);
    for round in 0..KILLS {
        let mut child = pair
            .b
            .command(env!("CARGO_BIN_EXE_sensor"))
            .args([
                "run",
                "-i",
                "b0",
                "--backend",
                ["xdp", "tc"][round as usize % 2],
            ])
            .args(["--interval", "100ms", "--report-every", "1s", "-q", "--out"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if round % 4 == 3 {
            // Some of them while it writes reports.
            let before = reports(folder.path());
            eventually("a report", || reports(folder.path()) > before);
        }
        std::thread::sleep(Duration::from_millis((random >> 33) % LONGEST));
        ids.extend(kernel_objects(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        attached += usize::from(!clean(&pair));
        eventually("a clean interface", || clean(&pair));
        whole(folder.path(), false);
    }
    let sent = traffic.stop();
    println!(
        "{} objects of the kernel seen, still attached {attached} times right after the kill",
        ids.len()
    );
    assert!(
        ids.len() > 20,
        "the kills came before anything was loaded: {ids:?}"
    );
    eventually("no program, map or link is left", || {
        ids.iter().all(|(kind, id)| !exists(*kind, *id))
    });
    // The next one tidies up what a kill left half written, and counts.
    let mut next = Sensor::launch(
        pair.b.command(env!("CARGO_BIN_EXE_sensor")),
        &["-i", "b0"],
        tempfile::tempdir().unwrap(),
        folder.path().to_owned(),
    );
    traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    next.counted(10);
    assert_eq!(next.stop().checked()["totals"]["packets"], 10);
    let counted = whole(folder.path(), true);
    assert!(counted > 10 && counted <= sent + 10, "{counted} of {sent}");
}

fn reports(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().flatten();
    let names = names.filter(|entry| entry.file_name().to_string_lossy().starts_with("sensor-"));
    names.count()
}

/// Kinds and ids of what the process has open in the kernel.
fn kernel_objects(pid: u32) -> Vec<(Kind, u32)> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fdinfo")) else {
        return Vec::new();
    };
    let infos = entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let mut found = Vec::new();
    for info in infos {
        for (kind, name) in [
            (Kind::Link, "link_id:"),
            (Kind::Map, "map_id:"),
            (Kind::Program, "prog_id:"),
        ] {
            let value = info.lines().find_map(|line| line.strip_prefix(name));
            if let Some(id) = value.and_then(|value| value.trim().parse().ok()) {
                found.push((kind, id));
                break; // a link names its program too
            }
        }
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Program,
    Map,
    Link,
}

/// By asking the kernel for a descriptor of it: BPF_*_GET_FD_BY_ID (linux/bpf.h).
fn exists(kind: Kind, id: u32) -> bool {
    let command = match kind {
        Kind::Program => 13,
        Kind::Map => 14,
        Kind::Link => 30,
    };
    let attributes = [id, 0, 0, 0];
    // SAFETY: the call reads the attributes and gives a descriptor of our own, which is closed at once.
    unsafe {
        let size = size_of_val(&attributes);
        let fd = libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size);
        if fd >= 0 {
            libc::close(fd as i32);
        }
        fd >= 0
    }
}

fn clean(pair: &Pair) -> bool {
    let xdp = pair.b.inside(|| link::by_name("b0").unwrap().unwrap().xdp);
    let filters = Command::new("tc")
        .args(["-n", &pair.b.name, "filter", "show", "dev", "b0", "ingress"])
        .output();
    let no_filter = filters.is_ok_and(|output| output.stdout.is_empty());
    xdp.is_none() && no_filter
}

/// Every report can be read and its accounting holds; gives the packets in all of them. `tidy`: there is nothing else.
fn whole(folder: &Path, tidy: bool) -> u64 {
    let mut packets = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            continue; // history, which has a test of its own
        }
        if !name.ends_with(".json") {
            assert!(!tidy, "{name} was left behind");
            continue;
        }
        let report = json(&path);
        assert_eq!(report["accounting"]["identity_holds"], true, "{name}");
        if name != "latest.json" {
            packets += report["totals"]["packets"].as_u64().unwrap();
        }
    }
    packets
}
