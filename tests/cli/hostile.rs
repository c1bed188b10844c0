//! Damaged and absurd captures: what can be had of them is reported, and the rest is said in one line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::corpus::corpus;
use crate::harness::{Ran, file_in, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, udp};
use crate::support::report::number;

/// File, packets that must be counted, and the end of what is said; an empty one where nothing is wrong.
///
/// The numbers of packets are those of tcpdump or tshark wherever one of them reads the file.
const HOSTILE: &[(&str, u64, &str)] = &[
    ("01_empty.pcap", 0, "the file is empty"),
    (
        "02_3bytes.pcap",
        0,
        "the file header is cut off: 3 of 4 bytes",
    ),
    ("03_header_only.pcap", 0, ""),
    (
        "04_hdr_trunc.pcap",
        0,
        "the file header is cut off: 20 of 24 bytes",
    ),
    (
        "05_text.pcap",
        0,
        "not a pcap or pcapng file: starts with 74 68 69 73",
    ),
    (
        "06_trunc_rec_hdr.pcap",
        1,
        "damaged at byte 86, after 1 packet: packet header is cut off: 9 of 16 bytes",
    ),
    (
        "07_trunc_body.pcap",
        1,
        "damaged at byte 86, after 1 packet: packet data is cut off: 41 of 46 bytes",
    ),
    (
        "08_caplen_4g.pcap",
        1,
        "at byte 86, after 1 packet: captured length 4294967295 is above the limit of 262144",
    ),
    ("09_caplen_gt_snap.pcap", 1, ""),
    ("10_caplen_gt_orig.pcap", 2, ""),
    ("11_snap0.pcap", 1, ""),
    ("12_snap_max.pcap", 1, ""),
    (
        "13_linktype_unknown.pcap",
        1,
        "link type unknown (65000): 1 packet counted as unsupported_link_type",
    ),
    ("14_bigendian.pcap", 1, ""),
    ("15_nsec.pcap", 1, ""),
    ("16_usec_invalid.pcap", 2, ""),
    ("17_caplen0.pcap", 2, ""),
    ("18_version_9.pcap", 0, "unsupported pcap version 9.9"),
    ("19_orig_gt_cap.pcap", 1, ""),
    ("20_orig_4g.pcap", 2, ""),
    ("21_ts_back.pcap", 4, ""),
    ("22_gz.pcap", 1, ""),
    (
        "23_1rec_262145.pcap",
        0,
        "at byte 24, after 0 packets: captured length 262145 is above the limit of 262144",
    ),
    (
        "24_caplen_100m_short.pcap",
        0,
        "at byte 24, after 0 packets: captured length 100000000 is above the limit of 262144",
    ),
    ("30_ng_ok.pcapng", 2, ""),
    (
        "31_ng_no_idb.pcapng",
        0,
        "at byte 28, after 0 packets: packet of interface 0, but interfaces described before it: 0",
    ),
    (
        "32_ng_bad_ifid.pcapng",
        0,
        "at byte 48, after 0 packets: packet of interface 7, but interfaces described before it: 1",
    ),
    (
        "33_ng_len0.pcapng",
        0,
        "at byte 48, after 0 packets: block length 0 is not a multiple of 4 of at least 32",
    ),
    (
        "34_ng_len_odd.pcapng",
        0,
        "at byte 48, after 0 packets: block length 33 is not a multiple of 4 of at least 32",
    ),
    (
        "35_ng_len_4g.pcapng",
        0,
        "at byte 48, after 0 packets: block length 4294967280 is above the limit of 16777216",
    ),
    (
        "36_ng_len_mismatch.pcapng",
        0,
        "at byte 48, after 0 packets: block length is 36 at its start and 99 at its end",
    ),
    (
        "37_ng_tsresol_127.pcapng",
        0,
        "at byte 28, after 0 packets: time resolution of 10^-127 s is too fine, the limit is 10^-19",
    ),
    (
        "38_ng_tsresol_255.pcapng",
        0,
        "at byte 28, after 0 packets: time resolution of 2^-127 s is too fine, the limit is 2^-63",
    ),
    (
        "39_ng_opt_len.pcapng",
        0,
        "at byte 28, after 0 packets: option 9 of 60000 bytes is longer than its block",
    ),
    (
        "40_ng_caplen.pcapng",
        0,
        "at byte 48, after 0 packets: captured length 2147483647 is more than the 48 bytes of its block",
    ),
    (
        "41_ng_shb_bad_bom.pcapng",
        0,
        "not a pcapng file: the byte-order magic is 11 11 11 11",
    ),
    ("42_ng_shb_only.pcapng", 0, ""),
    (
        "43_ng_trunc.pcapng",
        1,
        "damaged at byte 128, after 1 packet: block is cut off: 73 of 80 bytes",
    ),
    ("44_ng_spb.pcapng", 1, ""),
    ("45_ng_unknown_block.pcapng", 1, ""),
    ("46_ng_two_sections_endian.pcapng", 2, ""),
    ("47_ng_tsoffset_min.pcapng", 1, ""),
    ("50_ng_nrb_dsb.pcapng", 1, ""),
    ("51_ng_comment_escape.pcapng", 1, ""),
];

#[test]
fn damage_is_named_and_everything_before_it_counts() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("hostile");
    for (name, packets, said) in HOSTILE {
        let path = folder.join(name);
        let ran = read(&path);
        assert_eq!(
            ran.code(),
            if said.is_empty() { 0 } else { 5 },
            "{name}: {}",
            ran.stderr
        );
        if said.is_empty() {
            assert_eq!(ran.stderr, "", "{name}");
        } else {
            let line = ran.line();
            assert!(
                line.starts_with(path.to_str().unwrap()) && line.ends_with(said),
                "{line}"
            );
        }
        let report = ran.report();
        assert_eq!(number(&report["totals"]["packets"]), *packets, "{name}");
        let file = &report["source"]["files"][0];
        assert_eq!(file["packets"], *packets, "{name}");
        let broken = !said.is_empty() && !said.contains("unsupported_link_type");
        assert_eq!(file["complete"], !broken, "{name}");
        assert_eq!(file["error"].is_string(), broken, "{name}");
    }
    let known = |name: &str| HOSTILE.iter().any(|(known, ..)| *known == name);
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            known(name.to_str().unwrap()),
            "{name:?} is in nobody's table"
        );
    }
}

#[test]
fn nothing_from_a_file_steers_the_terminal() {
    let Some(corpus) = corpus() else { return };
    for (name, ..) in HOSTILE {
        let path = corpus.join("hostile").join(name);
        let ran = sensor(["read".as_ref(), path.as_os_str()]).run();
        assert!([0, 5].contains(&ran.code()), "{name}");
        let unsafe_ones = |text: &str| {
            text.chars()
                .filter(|c| c.is_control() && *c != '\n')
                .count()
        };
        assert_eq!(
            unsafe_ones(ran.text()) + unsafe_ones(&ran.stderr),
            0,
            "{name}"
        );
    }
}

#[test]
fn absurd_numbers_are_counted_exactly() {
    let Some(corpus) = corpus() else { return };
    let report = |name: &str| read(&corpus.join("hostile").join(name)).report();
    // Two packets that claim 2^32 - 1 bytes each.
    assert_eq!(
        report("20_orig_4g.pcap")["totals"]["bytes"],
        8_589_934_590_u64
    );
    // Captured 46, claims 10: what was captured counts.
    let odd = report("10_caplen_gt_orig.pcap");
    assert_eq!(odd["totals"]["bytes"], 92);
    assert!(
        odd["notes"][0]
            .as_str()
            .unwrap()
            .ends_with("captured longer than they claim to be: 1; the captured length counts")
    );
    let back = report("21_ts_back.pcap");
    assert_eq!(back["start"], "1970-01-01T00:00:00.000000000Z");
    assert_eq!(back["end"], "2106-02-07T06:28:15.000000000Z");
    // 4,000,000,000 microseconds are carried over into seconds.
    let carried = report("16_usec_invalid.pcap");
    assert_eq!(carried["end"], "2023-11-14T23:20:00.000000000Z");
    assert_eq!(carried["notes"].as_array().unwrap().len(), 1);
}

/// What is typed or set, the exit code, and what is said of it.
const ABSURD: &[(&[&str], i32, &str)] = &[
    (&["run", "-i", ""], 2, "the interface name is empty"),
    (
        &["run", "-i", "a-name-longer-than-any-interface-has"],
        4,
        "no interface is called a-name-longer",
    ),
    (
        &["run", "-i", "a\nb\u{1b}[31m"],
        4,
        "no interface is called a\\u{a}b\\u{1b}[31m; there are: ",
    ),
    (
        &["run", "--config", "nul.toml"],
        4,
        "no interface is called a\\u{0}b",
    ),
    (
        &["read", "x.pcap", "--max-flows", "4294967295"],
        2,
        "is not in 1..=268435456",
    ),
    (&["read", "x.pcap", "-f", "port 65536"], 6, "is not a port"),
    (
        &["read", "x.pcap", "-f", "net ::1/129"],
        6,
        "is not the length of a network",
    ),
    (
        &["read", "x.pcap", "-f", "host www.example.org"],
        6,
        "is not an address",
    ),
    (
        &["read", "x.pcap", "-f", "tcp \u{1b}[31m"],
        6,
        "'\\u{1b}' has no meaning in a filter",
    ),
    (&["read", "x.pcap", "-F", "nots"], 6, "it is larger than"),
    (&["read", "x.pcap", "-F", "open"], 6, "levels"),
    (
        &["read", "/dev/zero"],
        5,
        "not a pcap or pcapng file: starts with 00 00 00 00",
    ),
    (&["read", "."], 5, "directory"),
];

#[test]
fn what_is_absurd_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("nul.toml", "interface = [\"a\\u0000b\"]".to_owned()),
        ("nots", "not ".repeat(30_000) + "tcp"),
        ("open", "(".repeat(60_000)),
    ] {
        file_in(folder.path(), name, content.as_bytes());
    }
    for (arguments, code, said) in ABSURD {
        let ran = sensor(arguments.iter()).folder(folder.path());
        let ran = ran.env("RUST_BACKTRACE", "1").run();
        assert_eq!(ran.code(), *code, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        // A filter's mistake has the place below it; clap adds where help is.
        assert!(ran.stderr.lines().count() <= 4, "{}", ran.stderr);
        assert!(!ran.stderr.contains("backtrace"), "{}", ran.stderr);
    }
}

#[test]
fn hostile_names_are_strings_in_every_format() {
    const NAME: &str = "=<img/src=x/onerror=\"alert(1)\">,';&"; // as names have no spaces
    let name = [&[NAME.len() as u8], NAME.as_bytes(), b"\x03org\0"].concat();
    let header = b"\0\x07\x81\x80\0\x01\0\x01\0\0\0\0";
    let answer = b"\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
    let message = [&header[..], &name, answer].concat();
    let (server, client, named) = (at("192.0.2.53:53"), at("10.0.0.1:4000"), at("192.0.2.7:9"));
    let mut datagram = udp(server, client, message.len());
    datagram[28..].copy_from_slice(&message);
    let packets = [datagram, udp(client, named, 10)];
    let records = packets.map(|packet| Record::new(0, ethernet_ip(&packet)));
    let folder = tempfile::tempdir().unwrap();
    file_in(folder.path(), "x.pcap", &Pcap::default().write(&records));
    let outputs = ["--json", "r.json", "--csv", "csv", "--html", "r.html"];
    let arguments = ["read", "x.pcap"].iter().chain(&outputs);
    let ran = sensor(arguments).folder(folder.path()).run();
    assert_eq!(ran.code(), 0, "{}", ran.stderr);
    let written = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    let report: Value = serde_json::from_str(&written("r.json")).unwrap();
    let shown = format!("{NAME}.org");
    let endpoints = report["endpoints"].as_array().unwrap();
    let named = endpoints.iter().find(|one| one["addr"] == "192.0.2.7");
    assert_eq!(named.unwrap()["names"][0]["name"], shown);
    let mut rows = csv::Reader::from_path(folder.path().join("csv/endpoints.csv")).unwrap();
    let mut cells = rows.records().flat_map(|row| {
        let row = row.unwrap();
        row.iter().map(str::to_owned).collect::<Vec<_>>()
    });
    assert!(
        cells.any(|cell| cell == format!("'{shown}")),
        "no such cell"
    );
    assert!(!written("r.html").contains("<img/src=x"));
}

fn read(path: &Path) -> Ran {
    sensor([
        "read".as_ref(),
        path.as_os_str(),
        "--json".as_ref(),
        "-".as_ref(),
    ])
    .run()
}
