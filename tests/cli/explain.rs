//! `sensor explain`: layers lie where the bytes are, and what is counted is what `read` counts.

use serde_json::Value;

use crate::harness::{Ran, file_in, read_bytes, sensor};
use crate::support::capture::{ETHERNET, Pcap, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, other, prefix, tag, tcp, udp};

const START: i64 = 1_700_000_000_000_000_000;

fn capture(link_type: u16, packets: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<Record> = packets
        .iter()
        .map(|packet| Record::new(START, packet.clone()))
        .collect();
    Pcap::of(link_type).write(&records)
}

fn explain(capture: &[u8], more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "capture", capture);
    let mut arguments = vec!["explain", path.to_str().unwrap()];
    arguments.extend(more);
    sensor(arguments).run()
}

fn explained(capture: &[u8], more: &[&str]) -> Vec<Value> {
    let more: Vec<&str> = [&["--json"], more].concat();
    let ran = explain(capture, &more).ended(0);
    let lines = ran.text().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn layers(packet: &Value) -> Vec<(String, u64, u64)> {
    let layers = packet["layers"].as_array().unwrap();
    let place = |layer: &Value| {
        let number = |name: &str| layer[name].as_u64().unwrap();
        let name = layer["name"].as_str().unwrap().to_owned();
        (name, number("offset"), number("depth"))
    };
    layers.iter().map(place).collect()
}

fn three() -> Vec<Vec<u8>> {
    vec![
        ethernet_ip(&udp(at("10.0.0.1:1111"), at("10.0.0.2:2222"), 10)),
        ethernet_ip(&tcp(at("10.0.0.1:40000"), at("10.0.0.2:443"), "S", 0)),
        ethernet(0x0806, &[0; 28]),
    ]
}

#[test]
fn packets_are_numbered_as_in_the_file() {
    let file = capture(ETHERNET, &three());
    let numbers = |more: &[&str]| -> Vec<u64> {
        let packets = explained(&file, more);
        let number = |packet: &Value| packet["number"].as_u64().unwrap();
        packets.iter().map(number).collect()
    };
    assert_eq!(numbers(&[]), [1]);
    assert_eq!(numbers(&["-n", "9"]), [1, 2, 3]);
    assert_eq!(numbers(&["--packet", "2", "-n", "2"]), [2, 3]);
    assert_eq!(numbers(&["-n", "9", "-f", "tcp or arp"]), [2, 3]);
    explain(&file, &["--packet", "4"])
        .ended(1)
        .says(&["no packet 4", "3 packets"]);
}

#[test]
fn each_packet_goes_to_the_counter_of_the_report() {
    let mut packets = three();
    packets.push(vec![1, 2, 3]);
    let file = capture(ETHERNET, &packets);
    let counted: Vec<String> = explained(&file, &["-n", "4"])
        .iter()
        .map(|packet| packet["counted"]["counter"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(counted, ["in_flows", "in_flows", "not_ip", "malformed"]);
    let accounting = &read_bytes(&file, &[], 0)["accounting"];
    assert_eq!(accounting["in_flows"]["packets"], 2);
    assert_eq!(accounting["not_ip"]["packets"], 1);
    assert_eq!(accounting["malformed"]["truncated_link"]["packets"], 1);
}

#[test]
fn layers_lie_where_their_bytes_are() {
    let inner = udp(at("172.16.0.1:1000"), at("172.16.0.2:2000"), 4);
    let gre = other(
        at("10.0.0.1:0").ip(),
        at("10.0.0.2:0").ip(),
        47,
        &prefix(&[0, 0, 8, 0], &inner),
    );
    let packet = ethernet(0x8100, &tag(7, 0x0800, &gre));
    let packets = explained(&capture(ETHERNET, &[packet]), &[]);
    let found = layers(&packets[0]);
    let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = ["ethernet", "vlan", "ipv4", "gre", "ipv4", "udp", "payload"];
    assert_eq!(names, expected, "{found:?}");
    let offsets: Vec<u64> = found.iter().map(|(_, offset, _)| *offset).collect();
    assert_eq!(offsets, [0, 14, 18, 38, 42, 62, 70]);
    let depths: Vec<u64> = found.iter().map(|(.., depth)| *depth).collect();
    assert_eq!(depths, [0, 0, 0, 0, 1, 1, 1]);
    // What is inside is not what is counted.
    assert_eq!(packets[0]["counted"]["transport"], "gre");
    assert_eq!(packets[0]["counted"]["flow"]["src_addr"], "10.0.0.1");
}

#[test]
fn a_link_type_without_a_decoder_is_shown_as_bytes() {
    let file = capture(147, &[vec![0x1b, b'[', b'2', b'J']]);
    let ran = explain(&file, &["--hex"]).ended(0);
    assert!(ran.text().contains("no decoder for link type 147"));
    assert!(ran.text().contains("unsupported_link_type"));
    assert!(ran.text().contains("0000  1b 5b 32 4a"));
    assert!(!ran.text().contains('\u{1b}'));
}

#[test]
fn a_damaged_file_is_explained_up_to_the_damage() {
    let mut file = capture(ETHERNET, &three());
    file.truncate(file.len() - 5);
    let ran = explain(&file, &["-n", "9"]).ended(5);
    assert!(ran.stderr.contains("damaged"), "{}", ran.stderr);
    assert_eq!(ran.text().matches("counted in").count(), 2);
    explain(&file, &["-f", "nonsense here"]).ended(6);
    explain(b"not a capture", &[]).ended(5);
}

#[test]
fn a_filter_says_which_of_its_parts_hold() {
    let file = capture(ETHERNET, &three());
    let ran = explain(&file, &["-f", "tcp and port 443 and not net 10.1.0.0/16"]).ended(0);
    for part in ["yes tcp", "yes port 443", "no  net 10.1.0.0/16"] {
        assert!(ran.text().contains(part), "{}", ran.text());
    }
    assert!(ran.text().lines().all(|line| line.len() <= 80));
}
