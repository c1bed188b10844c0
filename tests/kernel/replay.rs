//! The same packets give the same report, whichever road they took.

use std::path::Path;

use serde_json::Value;

use sensor::source::file::CaptureFile;

use crate::alike::{self, Differences};
use crate::harness::{Pair, Sensor, kernel_before, need_kernel, read, refused};
use crate::{conversations, handed, packets};

#[test]
fn by_native_xdp() {
    replay(1500, &["--backend", "xdp"], "xdp (native)");
}

#[test]
fn by_native_xdp_with_jumbo_frames() {
    need_kernel!();
    if kernel_before(5, 18) {
        return jumbo_frames_are_refused();
    }
    replay(9000, &["--backend", "xdp"], "xdp (native)");
}

fn jumbo_frames_are_refused() {
    let pair = Pair::new(9000);
    let (code, said) = refused(&pair.b, &["-i", "b0", "--backend", "xdp"]);
    assert_eq!(code, Some(4), "{said}");
    let why = "MTU 9000 of b0 is more than its driver takes for XDP without multi-buffer; try --backend tc";
    assert!(said.contains(why), "{said}");
}

#[test]
fn by_generic_xdp() {
    replay(
        1500,
        &["--backend", "xdp", "--xdp-mode", "generic"],
        "xdp (generic)",
    );
}

#[test]
fn by_tc() {
    replay(1500, &["--backend", "tc"], ingress_by_tc());
}

#[test]
fn by_tc_with_jumbo_frames() {
    replay(9000, &[], ingress_by_tc());
}

fn ingress_by_tc() -> &'static str {
    if kernel_before(6, 6) {
        "ingress by clsact"
    } else {
        "ingress by tcx"
    }
}

#[test]
fn by_af_packet() {
    replay(9000, &["--backend", "af-packet"], "ingress by af-packet");
}

/// The captures that others made, where they are at hand: all of Ethernet that fits the MTU, one behind the other.
#[test]
fn real_captures_by_xdp() {
    real("xdp");
}

#[test]
fn real_captures_by_tc() {
    real("tc");
}

#[test]
fn real_captures_by_af_packet() {
    real("af-packet");
}

fn real(backend: &str) {
    need_kernel!();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/dev");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no captures in ../shared/corpus/dev");
        return;
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut frames = Vec::new();
    // Damaged on purpose: other captures say something else of the same ports and addresses.
    paths.retain(|path| !path.to_string_lossy().contains("fuzz"));
    for path in paths {
        frames.extend(frames_of(&path));
    }
    println!("{} frames", frames.len());
    compare(9000, &["--backend", backend], backend, &frames);
}

pub(crate) fn replay(mtu: u32, arguments: &[&str], hook: &str) {
    need_kernel!();
    let (live, _) = compare(mtu, arguments, hook, &everything(mtu));
    labelled(&live);
}

/// What fits the MTU.
pub(crate) fn everything(mtu: u32) -> Vec<Vec<u8>> {
    [packets::mixed(mtu as usize + 14), conversations::all()].concat()
}

/// Each of the conversations has its label, and how it was found, and its name.
fn labelled(report: &Value) {
    for (port, protocol, how, name) in conversations::FOUND {
        let flows = report["flows"].as_array().unwrap();
        let to_port = |flow: &&Value| {
            let ours = flow["dst_addr"].as_str().unwrap();
            flow["dst_port"] == port && !ours.starts_with("10.9.1.") && !ours.ends_with(":1:0:0")
        };
        let rows: Vec<&Value> = flows.iter().filter(to_port).collect();
        let said = |flow: &Value| {
            (flow["protocol"] == protocol)
                && flow["classified_by"].as_str().unwrap_or_default() == how
                && name.is_none_or(|name| flow["names"][0]["name"] == name)
        };
        assert!(rows.iter().any(|flow| said(flow)), "port {port}: {rows:#?}");
    }
    for (addr, name) in [("10.9.0.50", "printer.local"), ("10.9.0.77", "laptop")] {
        let mut rows = report["endpoints"].as_array().unwrap().iter();
        let row = rows.find(|row| row["addr"] == addr).unwrap();
        assert_eq!(row["names"][0]["name"], name, "{row:#}");
    }
}

pub(crate) fn compare(
    mtu: u32,
    arguments: &[&str],
    hook: &str,
    frames: &[Vec<u8>],
) -> (Value, Differences) {
    let pair = Pair::new(mtu);
    // So that the host answers nothing of what it is sent.
    crate::harness::ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    // One interval: in each the kernel hands over messages of DNS anew.
    let interval = ["-i", "b0", "--interval", "1h"];
    let sensor = Sensor::start(&pair.b, &[&interval, arguments].concat());
    assert!(sensor.greeting.contains(hook), "{}", sensor.greeting);
    pair.a.send("a0", frames);
    let live = sensor.stop().checked();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sent.pcap");
    packets::write_pcap(&file, frames);
    let whole = read(&file);
    let way = match arguments.contains(&"--tap") {
        true => "unknown_direction",
        false => "ingress",
    };
    assert_eq!(
        live["totals"][way], live["accounting"]["seen"],
        "nothing may leave the receiver"
    );
    for part in ["seen", "in_flows", "overflow", "not_ip", "malformed"] {
        assert_eq!(
            live["accounting"][part], whole["accounting"][part],
            "{part}"
        );
    }
    let lost = live["accounting"]["lost"].as_object().unwrap();
    assert!(lost.values().all(|packets| *packets == 0), "{lost:?}");
    assert_eq!(live["naming"]["lost"], 0);
    let mut found = Differences::default();
    if hook.contains("af-packet") || hook.contains("af-xdp") {
        // It sees whole packets, one by one, as a file has them.
        alike::as_handed(&live, &whole, &mut found);
    } else {
        let handed = handed::of(frames);
        packets::write_cut_pcap(&file, frames, &handed.captured);
        alike::as_handed(&live, &read(&file), &mut found);
        let withheld = |flow: &str| {
            let (ends, _) = flow.rsplit_once(' ').unwrap();
            handed.withheld.contains(ends)
        };
        alike::as_whole(&live, &whole, withheld, &mut found);
    }
    println!("{hook}: {found:?}");
    (live, found)
}

/// Whole frames of a capture of Ethernet that fit the test's MTU.
fn frames_of(path: &Path) -> Vec<Vec<u8>> {
    const ETHERNET: u16 = 1;
    let mut frames = Vec::new();
    let Ok(mut file) = CaptureFile::open(path) else {
        return frames;
    };
    while let Ok(Some(record)) = file.next() {
        let whole = record.data.len() == record.wire_len as usize;
        if record.link_type == ETHERNET && whole && (14..=9000).contains(&record.data.len()) {
            frames.push(record.data.to_vec());
        }
    }
    frames
}
