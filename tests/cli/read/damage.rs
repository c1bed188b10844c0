//! Captures that were cut: packets by a snaplen, files by a full disk or a broken connection.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::sample;
use crate::harness::{file_in, read, read_bytes, sensor};
use crate::support::capture::{ETHERNET, Endian, Pcap, PcapNg};

#[test]
fn a_snaplen_changes_nothing_but_the_captured_bytes() {
    let full = read_bytes(&Pcap::default().write(&sample()), &[], 0);
    // Ethernet, IPv6 and UDP are 62 bytes; TCP's flags end at 48 in IPv4.
    // Of UDP's payload nothing is left by the first.
    for (snaplen, captured, payloads) in [
        (62, 54 + 54 + 62 + 62 + 60 + 24, 1),
        (96, 54 + 54 + 96 + 92 + 60 + 24, 2),
    ] {
        let records: Vec<_> = sample()
            .into_iter()
            .map(|record| record.cut(snaplen))
            .collect();
        let file = Pcap {
            snaplen: snaplen as u32,
            ..Pcap::default()
        };
        let mut cut = read_bytes(&file.write(&records), &[], 0);
        assert_eq!(cut["totals"]["captured_bytes"], captured);
        cut["totals"]["captured_bytes"] = full["totals"]["captured_bytes"].clone();
        cut["source"] = full["source"].clone();
        assert_eq!(cut["naming"]["payloads"], payloads);
        cut["naming"] = full["naming"].clone();
        assert_eq!(cut, full);
    }
}

#[test]
fn a_snaplen_that_cuts_ports_or_addresses_is_not_hidden() {
    let cut = |snaplen| {
        let records: Vec<_> = sample()[..3]
            .iter()
            .map(|record| record.clone().cut(snaplen))
            .collect();
        read_bytes(&Pcap::default().write(&records), &[], 0)
    };
    // The addresses are there, the ports are not.
    let report = cut(36);
    assert_eq!(report["protocols"]["transport"][0]["name"], "tcp");
    assert_eq!(
        [
            &report["flows"][0]["src_port"],
            &report["flows"][0]["dst_port"]
        ],
        [0, 0]
    );
    assert_eq!(
        [&report["flows"][0]["bytes"], &report["flows_total"]],
        [208, 2]
    );
    let report = cut(33);
    assert_eq!(
        report["accounting"]["malformed"],
        json!({"truncated_network": {"packets": 3, "bytes": 262}})
    );
}

#[test]
fn a_file_cut_anywhere_keeps_its_whole_packets() {
    let whole = Pcap::default().write(&sample());
    let mut ends = vec![Pcap::HEADER_LEN];
    for record in sample() {
        ends.push(ends.last().unwrap() + Pcap::RECORD_HEADER_LEN + record.data.len());
    }
    // Around every border, and in the middle of every packet.
    let cuts = ends.windows(2).flat_map(|pair| {
        [
            pair[0],
            pair[0] + 1,
            pair[0] + 16,
            (pair[0] + pair[1]) / 2,
            pair[1] - 1,
        ]
    });
    for cut in cuts {
        let kept = ends.iter().filter(|end| **end <= cut).count() - 1;
        let clean = ends.contains(&cut);
        let report = read_bytes(&whole[..cut], &[], if clean { 0 } else { 5 });
        let before = read_bytes(&Pcap::default().write(&sample()[..kept]), &[], 0);
        assert_eq!(report["totals"], before["totals"], "cut at {cut}");
        assert_eq!(report["flows"], before["flows"], "cut at {cut}");
        let error = &report["source"]["files"][0]["error"];
        if clean {
            assert_eq!(error, &Value::Null, "cut at {cut}");
        } else {
            let place = format!("damaged at byte {}, after {kept} packet", ends[kept]);
            assert!(
                error.as_str().unwrap().starts_with(&place),
                "cut at {cut}: {error}, not {place}"
            );
        }
    }
}

#[test]
fn a_pcapng_file_is_cut_at_the_block_that_is_not_whole() {
    let mut file = PcapNg::new(Endian::Big).interface(ETHERNET, 0);
    let mut starts = Vec::new();
    for record in sample() {
        starts.push(file.len());
        file = file.packet_us(0, &record);
    }
    let whole = file.finish();
    for (kept, start) in starts.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = file_in(folder.path(), "cut.pcapng", &whole[..start + 30]);
        let ran = sensor([
            "read".as_ref(),
            path.as_os_str(),
            "--json".as_ref(),
            "-".as_ref(),
        ])
        .run()
        .ended(5);
        let line = ran.line();
        let place = format!(
            "{}: damaged at byte {start}, after {kept} packet",
            path.display()
        );
        assert!(line.starts_with(&place), "{line}, not {place}");
        assert_eq!(ran.report()["totals"]["packets"], kept);
    }
}

#[test]
fn a_compressed_file_that_breaks_off_keeps_what_came_out() {
    let mut records = Vec::new();
    for n in 0..2000 {
        let mut record = sample()[n % 6].clone();
        record.at += n as i64 * 1_000_003;
        // Not too easy to compress.
        if let Some(last) = record.data.last_mut() {
            *last = (n * n % 251) as u8;
        }
        records.push(record);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&Pcap::default().write(&records)).unwrap();
    let whole = encoder.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "cut.pcap.gz", &whole[..whole.len() / 2]);
    let report = read(&[&path], &[], 5);
    let packets = report["totals"]["packets"].as_u64().unwrap();
    assert!(
        (500..1900).contains(&packets),
        "{packets} packets of about 1000"
    );
    let bytes: u64 = records[..packets as usize]
        .iter()
        .map(|record| u64::from(record.wire_len))
        .sum();
    assert_eq!(report["totals"]["bytes"], bytes);
    let error = report["source"]["files"][0]["error"].as_str().unwrap();
    assert!(error.contains("gzip"), "{error}");
}
