//! Endings, streams, rotation by time, and what has no place in a format.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Place, START, captures, packets, records, reported, write};
use crate::harness::sensor;
use crate::support::capture::{ETHERNET, Endian, Pcap, PcapNg};
use crate::support::packets::{at, udp};

#[test]
fn the_ending_says_the_format() {
    let place = Place::new();
    let (name, bytes) = &captures()[0];
    let input = place.input(name, bytes);
    for (name, format) in [
        ("a.pcap", "pcap-ns"),
        ("a.pcapng", "pcapng"),
        ("a.cap", "pcapng"),
        ("a.pcapng.zst", "pcapng (zstd)"),
        ("a.pcap.gz", "pcap-ns (gzip)"),
    ] {
        let output = place.at(name);
        fs::write(&output, vec![7; 1 << 16]).unwrap(); // to be replaced, whole
        write(&input, &output, &[]).ended(0);
        let report = reported(&output, &[]);
        assert_eq!(report["source"]["files"][0]["format"], format, "{name}");
        assert_eq!(report["totals"]["packets"], 6);
    }
    let new = place.at("new.pcapng");
    write(&input, &new, &[]).ended(0);
    let mode = fs::metadata(&new).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

#[test]
fn standard_output_is_a_stream_for_others() {
    let place = Place::new();
    let (name, bytes) = &captures()[3];
    let input = place.input(name, bytes);
    let ran = sensor(["read", input.to_str().unwrap(), "-w", "-"]).run();
    let stream = ran.ended(0).stdout;
    let again = sensor(["read", "-", "--json", "-"]).stdin(&stream).run();
    assert_eq!(again.ended(0).report()["totals"]["packets"], 6);
}

#[test]
fn times_of_the_packets_name_the_files() {
    let place = Place::new();
    let input = place.input("capture.pcap", &Pcap::default().write(&records()));
    // They come at 22:13:20 to :25.
    let output = place.at("out-%H%M%S.pcapng");
    write(&input, &output, &["-G", "2"])
        .ended(0)
        .says(&["3 files"]);
    let names = [
        "out-221320.pcapng",
        "out-221322.pcapng",
        "out-221324.pcapng",
    ];
    assert_eq!(place.named("out"), names);
    for name in names {
        assert_eq!(packets(&place.at(name)), 2, "{name}");
    }
    let limited = place.at("few-%S.pcap");
    let ran = write(&input, &limited, &["-G", "2", "-W", "2"]).ended(0);
    ran.says(&["wrote 4 packets", "2 packets came after the last file"]);
    assert_eq!(place.named("few"), ["few-20.pcap", "few-22.pcap"]);
    let same = place.at("same.pcap");
    let ran = write(&input, &same, &["-G", "2"]).ended(0);
    ran.says(&["2 of them are gone"]);
}

#[test]
fn packets_without_a_time_stay_without_one() {
    let place = Place::new();
    let records = records();
    let mut file = PcapNg::new(Endian::Little).interface(ETHERNET, 100);
    for record in &records {
        file = file.simple(&record.clone().cut(100));
    }
    let input = place.input("simple.pcapng", &file.finish());
    let output = place.at("out.pcapng");
    write(&input, &output, &["-f", "port 80 or arp"]).ended(0);
    let report = reported(&output, &[]);
    assert_eq!(report["totals"]["packets"], 2);
    // The one of 954 bytes is cut, which a block without a time can't say here; the other has none as before.
    assert_eq!(report["start"], "1970-01-01T00:00:00.000000000Z");
    let whole = reported(&input, &["-f", "port 80 or arp"]);
    assert_eq!(report["totals"]["bytes"], whole["totals"]["bytes"]);
}

#[test]
fn a_pcap_file_is_told_apart_from_one_that_has_room_for_all() {
    let place = Place::new();
    let records = records();
    let ip = udp(at("10.0.0.1:1"), at("10.0.0.2:2"), 5);
    let raw = crate::support::capture::Record::new(START, ip);
    let file = PcapNg::new(Endian::Little)
        .interface(ETHERNET, 0)
        .interface(101, 0)
        .packet_us(0, &records[0])
        .packet_us(1, &raw)
        .packet_us(0, &records[1]);
    let input = place.input("mixed.pcapng", &file.finish());
    let output = place.at("out.pcap");
    let ran = write(&input, &output, &[]).ended(7);
    ran.says(&[
        "after ethernet there is raw",
        "name it .pcapng",
        "2 packets",
    ]);
    assert_eq!(packets(&output), 1);
    let output = place.at("out.pcapng");
    write(&input, &output, &[]).ended(0);
    assert_eq!(packets(&output), 3);
}
