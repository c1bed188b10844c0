//! The same packets give the same report, whichever road they took.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Pair, Sensor, need_kernel, read};
use crate::packets;

#[test]
fn by_native_xdp() {
    replay(1500, &["--backend", "xdp"], "xdp (native)");
}

#[test]
fn by_native_xdp_with_jumbo_frames() {
    replay(9000, &["--backend", "xdp"], "xdp (native)");
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
    replay(1500, &["--backend", "tc"], "ingress by tc");
}

#[test]
fn by_tc_with_jumbo_frames() {
    replay(9000, &[], "ingress by tc");
}

#[test]
fn by_af_packet() {
    replay(9000, &["--backend", "af-packet"], "ingress by af-packet");
}

/// The captures that others made, where they are at hand.
#[test]
fn real_captures() {
    need_kernel!();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/dev");
    let names = [
        "ndpi__http_ipv6.pcap",
        "ndpi__sip.pcap",
        "libpcap__pppoes.pcap",
        "ndpi__6in4tunnel.pcap",
    ];
    for name in names {
        let Ok(bytes) = std::fs::read(folder.join(name)) else {
            println!("skipped: no {name} in ../shared/corpus");
            continue;
        };
        let frames = frames_of(&bytes);
        for backend in ["xdp", "tc", "af-packet"] {
            println!("{name} by {backend}");
            compare(9000, &["--backend", backend], backend, &frames);
        }
    }
}

fn replay(mtu: u32, arguments: &[&str], hook: &str) {
    need_kernel!();
    compare(mtu, arguments, hook, &packets::mixed(mtu as usize + 14));
}

fn compare(mtu: u32, arguments: &[&str], hook: &str, frames: &[Vec<u8>]) {
    let pair = Pair::new(mtu);
    // So that the host answers nothing of what it is sent.
    crate::harness::ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    let sensor = Sensor::start(&pair.b, &[&["-i", "b0"], arguments].concat());
    assert!(sensor.greeting.contains(hook), "{}", sensor.greeting);
    pair.a.send("a0", frames);
    let live = sensor.stop().checked();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sent.pcap");
    packets::write_pcap(&file, frames);
    let file = read(&file);
    assert_eq!(
        live["totals"]["ingress"], live["accounting"]["seen"],
        "nothing may leave the receiver"
    );
    for section in SAME {
        assert_eq!(common(&live[section]), common(&file[section]), "{section}");
    }
    for part in ["seen", "in_flows", "overflow", "not_ip", "malformed"] {
        assert_eq!(live["accounting"][part], file["accounting"][part], "{part}");
    }
    let lost = live["accounting"]["lost"].as_object().unwrap();
    assert!(lost.values().all(|packets| *packets == 0), "{lost:?}");
}

/// What does not depend on the road.
pub(crate) const SAME: [&str; 5] = ["protocols", "endpoints", "conversations", "flows", "others"];

/// Without what must differ: when, and on which interface. Sorted, for equal counts may stand in any order.
pub(crate) fn common(section: &Value) -> Value {
    match section {
        Value::Array(rows) => {
            let mut rows: Vec<Value> = rows.iter().map(common).collect();
            rows.sort_by_key(Value::to_string);
            Value::Array(rows)
        }
        Value::Object(fields) => {
            let stays = |name: &str| !["start", "end", "interface", "direction"].contains(&name);
            fields
                .iter()
                .filter(|(name, _)| stays(name))
                .map(|(name, value)| (name.clone(), common(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// Ethernet frames of a little-endian pcap file that fit the test's MTU and the sender's checks.
fn frames_of(pcap: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(
        (word(0), word(20) & 0xffff),
        (0xa1b2_c3d4, 1),
        "an Ethernet capture in the usual format"
    );
    let (mut at, mut frames) = (24, Vec::new());
    while at + 16 <= pcap.len() {
        let len = word(at + 8);
        frames.push(pcap[at + 16..at + 16 + len].to_vec());
        at += 16 + len;
    }
    frames
}
