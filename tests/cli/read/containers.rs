//! The same packets in every kind of file give the same report, but for the file it names.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};

use super::{MILLISECOND, START, sample};
use crate::harness::{file_in, read, read_bytes, sensor};
use crate::meanwhile;
use crate::support::capture::{ETHERNET, Endian, Pcap, PcapNg, Record};
use crate::support::packets::{at, ethernet_ip, udp};

const RAW: u16 = 101;
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

/// What must not depend on the container.
fn counted(mut report: Value) -> Value {
    report.as_object_mut().unwrap().remove("source");
    report
}

fn pcap() -> Vec<u8> {
    Pcap::default().write(&sample())
}

fn pcapng(endian: Endian) -> Vec<u8> {
    let file = PcapNg::new(endian).interface(ETHERNET, 0);
    sample()
        .iter()
        .fold(file, |file, record| file.packet_us(0, record))
        .finish()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn containers_change_nothing_but_the_files_section() {
    let expected = counted(read_bytes(&pcap(), &[], 0));
    let big = Pcap {
        endian: Endian::Big,
        ..Pcap::default()
    };
    let nano = Pcap {
        nanoseconds: true,
        ..Pcap::default()
    };
    let two_gzip_members = [gzip(&pcap()[..100]), gzip(&pcap()[100..])].concat();
    let cases = [
        ("pcap", big.write(&sample())),
        ("pcap-ns", nano.write(&sample())),
        (
            "pcap-ns",
            Pcap {
                endian: Endian::Big,
                ..nano
            }
            .write(&sample()),
        ),
        ("pcapng", pcapng(Endian::Little)),
        ("pcapng", pcapng(Endian::Big)),
        ("pcap (gzip)", gzip(&pcap())),
        ("pcap (gzip)", two_gzip_members),
        ("pcapng (gzip)", gzip(&pcapng(Endian::Little))),
        ("pcap (zstd)", zstd(&pcap())),
        ("pcapng (zstd)", zstd(&pcapng(Endian::Big))),
    ];
    for (format, capture) in cases {
        let report = read_bytes(&capture, &[], 0);
        let file = &report["source"]["files"][0];
        assert_eq!(
            [&file["format"], &file["link_types"]],
            [&json!(format), &json!(["ethernet (1)"])]
        );
        assert_eq!(counted(report), expected, "{format}");
    }
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let expected = counted(read_bytes(&pcap(), &[], 0));
    for capture in [pcap(), gzip(&pcap()), pcapng(Endian::Little)] {
        let ran = sensor(["read", "-", "--json", "-"])
            .stdin(&capture)
            .run()
            .ended(0);
        let report = ran.report();
        assert_eq!(report["source"]["files"][0]["path"], "-");
        assert_eq!(counted(report), expected);
    }
}

#[test]
fn several_files_are_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let (head, tail) = (&sample()[..3], &sample()[3..]);
    let first = file_in(folder.path(), "b.pcap", &Pcap::default().write(head));
    let second = file_in(
        folder.path(),
        "a.pcap.gz",
        &gzip(&Pcap::default().write(tail)),
    );
    let expected = counted(read_bytes(&pcap(), &[], 0));
    for files in [[first.as_path(), &second], [&second, &first]] {
        let report = read(&files, &[], 0);
        let named: Vec<_> = report["source"]["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| &file["path"])
            .collect();
        assert_eq!(
            named,
            files.map(|path| json!(path)).iter().collect::<Vec<_>>(),
            "in the order given"
        );
        assert_eq!(counted(report), expected);
    }
}

#[test]
fn one_broken_file_of_several_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let good = file_in(folder.path(), "good.pcap", &pcap());
    let broken = file_in(folder.path(), "broken.pcap", b"no capture");
    let report = read(
        &[&broken, &folder.path().join("missing.pcap"), &good],
        &[],
        5,
    );
    assert_eq!(report["totals"]["bytes"], 438);
    let complete: Vec<_> = report["source"]["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["complete"])
        .collect();
    assert_eq!(complete, [false, false, true]);
}

#[test]
fn nanoseconds_are_kept() {
    let record = Record::new(
        START + 123_456_789,
        ethernet_ip(&udp(at("10.0.0.1:1"), at("10.0.0.2:2"), 0)),
    );
    let nano = Pcap {
        nanoseconds: true,
        ..Pcap::default()
    };
    let report = read_bytes(&nano.write(&[record]), &[], 0);
    assert_eq!(report["start"], "2023-11-14T22:13:20.123456789Z");
}

#[test]
fn interfaces_of_one_file_differ_in_link_type_and_time() {
    let ip = udp(at("10.0.0.1:1000"), at("10.0.0.2:2000"), 10);
    let (ethernet, raw) = (Record::new(0, ethernet_ip(&ip)), Record::new(0, ip));
    let offset = 1_700_000_000_i64.to_le_bytes();
    let file = PcapNg::new(Endian::Little)
        .interface(ETHERNET, 0)
        .interface_with(RAW, 0, &[(TIME_RESOLUTION, &[9])]) // nanoseconds
        .interface_with(
            RAW,
            0,
            &[(TIME_RESOLUTION, &[0x80 | 10]), (TIME_OFFSET, &offset)],
        ) // 1/1024 s
        .interface_with(RAW, 0, &[(TIME_RESOLUTION, &[0])]) // seconds
        .packet(0, START as u64 / 1000 + 1, &ethernet)
        .packet(1, START as u64 + 1, &raw)
        .packet(2, 512, &raw)
        .packet(3, START as u64 / 1_000_000_000 + 2, &raw)
        .finish();
    let report = read_bytes(&file, &[], 0);
    assert_eq!(
        report["source"]["files"][0]["link_types"],
        json!(["ethernet (1)", "raw (101)"])
    );
    assert_eq!(
        [&report["start"], &report["end"]],
        [
            "2023-11-14T22:13:20.000000001Z",
            "2023-11-14T22:13:22.000000000Z"
        ]
    );
    let packets: Vec<_> = report["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| &bucket["packets"])
        .collect();
    assert_eq!(packets, [3, 1]);
    // 14 + 38 bytes and three times 38: one flow.
    assert_eq!(report["flows_total"], 1);
    assert_eq!(
        [&report["flows"][0]["packets"], &report["flows"][0]["bytes"]],
        [4, 166]
    );
}

#[test]
fn a_second_section_starts_over_in_its_own_byte_order() {
    let ip = udp(at("10.0.0.1:1000"), at("10.0.0.2:2000"), 10);
    let file = PcapNg::new(Endian::Little)
        .interface(ETHERNET, 0)
        .packet_us(0, &Record::new(START, ethernet_ip(&ip)))
        .block(5, vec![0; 12]) // interface statistics
        .section(Endian::Big)
        .interface(RAW, 0)
        .packet_us(0, &Record::new(START + 5 * MILLISECOND, ip))
        .block(0x0bad_0bad, vec![0; 7])
        .finish();
    let report = read_bytes(&file, &[], 0);
    assert_eq!(
        [&report["totals"]["packets"], &report["totals"]["bytes"]],
        [2, 52 + 38]
    );
    assert_eq!(report["end"], "2023-11-14T22:13:20.005000000Z");
}

#[test]
fn packets_without_a_time_count_everywhere_but_in_buckets() {
    let file = PcapNg::new(Endian::Little).interface(ETHERNET, 0);
    let file = sample()
        .iter()
        .fold(file, |file, record| file.simple(record))
        .finish();
    let report = read_bytes(&file, &[], 0);
    assert_eq!([&report["start"], &report["end"]], [&Value::Null; 2]);
    assert_eq!(report["totals"]["bytes"], 438);
    assert_eq!(report["flows"][0]["bytes"], 208);
    assert_eq!(report["flows"][0]["start"], Value::Null);
    assert_eq!(report["buckets"], json!([]));
    assert_eq!(report["bandwidth"]["mean_bits_per_sec"], Value::Null);
    assert_eq!(
        report["notes"],
        json!(["packets without a time: 6; they count everywhere but in buckets"])
    );
}

#[test]
fn a_time_out_of_range_is_counted_and_said() {
    let record = Record::new(0, ethernet_ip(&udp(at("10.0.0.1:1"), at("10.0.0.2:2"), 10)));
    let file = PcapNg::new(Endian::Little)
        .interface(ETHERNET, 0)
        .packet_us(0, &Record::new(START, record.data.clone()))
        .packet(0, u64::MAX, &record)
        .finish();
    let report = read_bytes(&file, &[], 0);
    assert_eq!(report["totals"]["packets"], 2);
    assert_eq!(
        [&report["start"], &report["end"]],
        ["2023-11-14T22:13:20.000000000Z"; 2]
    );
    assert_eq!(report["buckets"].as_array().unwrap().len(), 1);
    let note = "packets with a time outside the years 1678 to 2261: 1; they count everywhere but in buckets";
    assert_eq!(report["notes"], json!([note]));
}

#[test]
fn time_may_run_backwards_and_stand_still() {
    let mut records = sample();
    records.reverse();
    let report = counted(read_bytes(&Pcap::default().write(&records), &[], 0));
    assert_eq!(report, counted(read_bytes(&pcap(), &[], 0)));
    for record in &mut records {
        record.at = START;
    }
    let report = read_bytes(&Pcap::default().write(&records), &[], 0);
    assert_eq!(report["start"], report["end"]);
    assert_eq!(report["bandwidth"]["mean_bits_per_sec"], Value::Null);
    assert_eq!(report["buckets"][0]["packets"], 6);
}

#[test]
fn a_link_type_without_a_decoder_is_named_and_its_packets_counted() {
    const RADIOTAP: u16 = 127;
    let folder = tempfile::tempdir().unwrap();
    let strange = file_in(
        folder.path(),
        "wifi.pcap",
        &Pcap::of(RADIOTAP).write(&sample()),
    );
    let ran = sensor([
        "read".as_ref(),
        strange.as_os_str(),
        "--json".as_ref(),
        "-".as_ref(),
    ])
    .run()
    .ended(5);
    let said = "no decoder for link type ieee802_11_radiotap (127): 6 packets counted as unsupported_link_type";
    assert_eq!(ran.line(), format!("{}: {said}", strange.display()));
    let report = ran.report();
    assert_eq!(
        report["accounting"]["malformed"],
        json!({"unsupported_link_type": {"packets": 6, "bytes": 438}})
    );
    // Beside a file that can be read it is a warning.
    let good = file_in(folder.path(), "good.pcap", &pcap());
    assert_eq!(read(&[&strange, &good], &[], 0)["totals"]["packets"], 12);
}

#[test]
fn a_file_that_unpacks_to_much_more_takes_no_more_memory() {
    const RECORDS: usize = 800;
    let whole = Pcap::default().write(&[Record::new(START, vec![0; 262_144])]);
    let (header, record) = whole.split_at(24);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(header).unwrap();
    for _ in 0..RECORDS {
        gzip.write_all(record).unwrap();
    }
    let packed = gzip.finish().unwrap();
    assert!(packed.len() < 2 << 20, "{} bytes", packed.len());
    // At its end, which is not there yet.
    let status = meanwhile::status(&["read", "-"], &packed[..packed.len() - 8]);
    let most = meanwhile::field(&status, "VmHWM").trim_end_matches(" kB");
    let most: usize = most.parse().unwrap();
    let unpacked = RECORDS * record.len() / 1024;
    assert!(most < unpacked / 3, "{most} of {unpacked} kB");
}
