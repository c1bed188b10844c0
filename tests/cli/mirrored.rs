//! Captures of mirror ports: directions by the networks that are ours, and packets that came twice once.

use serde_json::{Value, json};

use crate::harness::{read_bytes, sensor};
use crate::support::capture::{ETHERNET, Pcap, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, udp};
use crate::support::report;

const START: i64 = 1_700_000_000_000_000_000;
const MS: i64 = 1_000_000;

/// Each packet at its millisecond.
fn capture(packets: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let records: Vec<Record> = packets
        .iter()
        .map(|(ms, packet)| Record::new(START + ms * MS, packet.clone()))
        .collect();
    Pcap::of(ETHERNET).write(&records)
}

fn question(from: &str, to: &str) -> Vec<u8> {
    ethernet_ip(&udp(at(from), at(to), 10))
}

#[test]
fn home_networks_tell_directions() {
    let arp = ethernet(0x0806, &[0; 28]);
    let bytes = capture(&[
        (0, question("10.0.0.1:1", "192.0.2.1:53")),
        (1, question("192.0.2.1:53", "10.0.0.1:1")),
        (2, question("192.0.2.1:53", "10.0.0.9:1")),
        (3, question("10.0.0.1:1", "10.0.0.2:53")),
        (4, question("[2001:db8::1]:1", "[2001:db9::1]:53")),
        (5, arp),
    ]);
    let home = ["--home-net", "10.0.0.0/8", "--home-net", "2001:db8::/32"];
    let whole = read_bytes(&bytes, &home, 0);
    assert_eq!(report::problems(&whole), [""; 0]);
    let ways =
        ["egress", "ingress", "unknown_direction"].map(|way| &whole["totals"][way]["packets"]);
    assert_eq!(ways, [&json!(2), &json!(2), &json!(2)]);
    let note = "directions are told by --home-net 10.0.0.0/8, 2001:db8::/32";
    assert_eq!(whole["notes"][0], note);
    let out = read_bytes(&bytes, &[&home[..], &["-f", "outbound"]].concat(), 0);
    assert_eq!(out["totals"]["packets"], 2);
    assert_eq!(out["accounting"]["filtered"]["packets"], 4);
    let plain = read_bytes(&bytes, &[], 0);
    assert_eq!(plain["totals"]["unknown_direction"]["packets"], 6);
}

/// The same packet behind a router: one hop less, and another MAC address.
fn routed(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[0] ^= 1;
    packet[22] -= 1;
    packet[24] = packet[24].wrapping_add(1);
    packet
}

#[test]
fn what_was_mirrored_twice_counts_once() {
    let one = question("10.0.0.1:1", "192.0.2.1:53");
    let other = question("10.0.0.1:2", "192.0.2.1:53");
    let bytes = capture(&[
        (0, one.clone()),
        (3, routed(&one)),
        (5, other.clone()),
        (9, one.clone()),
        (100, one.clone()),
    ]);
    let seen = |report: &Value| report["accounting"]["seen"].clone();
    let plain = read_bytes(&bytes, &[], 0);
    assert_eq!(plain["accounting"]["duplicates"]["packets"], 0);
    let whole = read_bytes(&bytes, &["--dedup"], 0);
    assert_eq!(report::problems(&whole), [""; 0]);
    assert_eq!(whole["totals"]["packets"], 3);
    let left_out = json!({"packets": 2, "bytes": 2 * one.len()});
    assert_eq!(whole["accounting"]["duplicates"], left_out);
    assert_eq!(seen(&whole), seen(&plain));
    let shorter = read_bytes(&bytes, &["--dedup", "--dedup-window", "4ms"], 0);
    assert_eq!(shorter["totals"]["packets"], 4);
    // What came before is no question for the filter.
    let filtered = read_bytes(&bytes, &["--dedup", "-f", "port 2"], 0);
    assert_eq!(report::problems(&filtered), [""; 0]);
    assert_eq!(filtered["totals"]["packets"], 1);
    assert_eq!(filtered["accounting"]["filtered"]["packets"], 2);
    assert_eq!(filtered["accounting"]["duplicates"], left_out);
}

#[test]
fn a_window_has_limits_and_kernel_counting_compares_nothing() {
    for window in ["0s", "2s", "10"] {
        let ran = sensor(["read", "x.pcap", "--dedup", "--dedup-window", window]).run();
        let ran = ran.ended(2);
        assert!(ran.stderr.contains("from 1us to 1s"), "{}", ran.stderr);
    }
    let ran = sensor(["run", "-i", "lo", "--dedup"]).run().ended(2);
    assert!(ran.line().contains("--backend af-xdp"), "{}", ran.stderr);
}
