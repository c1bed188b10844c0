use std::sync::{Arc, Mutex};

use sensor_common::flow::Direction;
use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

use super::*;
use crate::counters::When;
use crate::source::tap::{Bytes, Origin};

/// Memory that can be looked at while a writer holds it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// TCP over IPv4 behind two tags.
fn tagged() -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .double_vlan(1_u16.try_into().unwrap(), 2_u16.try_into().unwrap())
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(40000, 443, 1, 1024)
        .syn();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &[]).unwrap();
    bytes
}

fn write(writer: &mut PacketWriter, bytes: &[u8], interface: Option<&str>) {
    let packet = parse::packet(&SliceView(bytes), LinkType::Ethernet);
    writer.packet(&PacketRecord {
        when: When::At(1_700_000_000_120_000_001),
        interface,
        direction: Direction::Ingress,
        packets: 1,
        wire_len: bytes.len() as u64,
        cap_len: bytes.len() as u64,
        bytes: Bytes {
            data: bytes,
            link_type: 1,
            tag: None,
            len: bytes.len() as u32,
            super_packet: None,
        },
        origin: Origin::default(),
        parsed: &packet,
        book: None,
    });
}

fn writer(to: impl Write + Send + 'static, format: Format) -> PacketWriter {
    PacketWriter::new(None, Box::new(to), format, Pace::Output).unwrap()
}

/// Takes nothing before it may.
struct Stalled(std::sync::mpsc::Receiver<()>, Shared);

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        self.1.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn live(to: impl Write + Send + 'static, format: Format) -> PacketWriter {
    PacketWriter::new(None, Box::new(to), format, Pace::Source).unwrap()
}

#[test]
fn a_live_run_writes_the_same() {
    for format in [Format::Csv, Format::Jsonl] {
        let outs = [Shared::default(), Shared::default()];
        let writers = [
            writer(outs[0].clone(), format),
            live(outs[1].clone(), format),
        ];
        for mut writer in writers {
            writer.flush();
            writer.flush();
            for _ in 0..3 * BATCH + 7 {
                write(&mut writer, &tagged(), Some("eth0"));
            }
            writer.finish().unwrap();
            assert_eq!(writer.unwritten(), 0);
        }
        let [one, other] = outs.map(|out| out.0.lock().unwrap().clone());
        assert!(one == other, "{format:?}");
    }
}

/// Nothing waits for it; what is left out are whole records, all counted.
#[test]
fn an_output_that_stalls_stops_nobody() {
    let (go, wait) = std::sync::mpsc::channel();
    let out = Shared::default();
    let mut writer = live(Stalled(wait, out.clone()), Format::Csv);
    let all = 100 * BATCH;
    for _ in 0..all {
        write(&mut writer, &tagged(), None);
    }
    let left_out = writer.unwritten();
    assert!(left_out > 0 && left_out < all, "{left_out}");
    drop(go); // from now on it takes everything
    let error = writer.finish().unwrap_err();
    assert!(matches!(error, SinkError::TooSlow { path: None, records } if records == left_out));
    assert_eq!(writer.unwritten(), left_out);
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert!(text.ends_with("\r\n"));
    assert_eq!(text.lines().count() as u64, 1 + all - left_out);
    let cells = |line: &str| line.split(',').count();
    assert!(text.lines().all(|line| cells(line) == csv::COLUMNS.len()));
}

#[test]
fn an_output_that_stalls_for_ever_is_given_up_at_the_end() {
    let (go, wait) = std::sync::mpsc::channel();
    let mut writer = live(Stalled(wait, Shared::default()), Format::Jsonl);
    for _ in 0..10 {
        write(&mut writer, &tagged(), None);
    }
    writer.close();
    assert_eq!(writer.unwritten(), 10);
    write(&mut writer, &tagged(), None); // too late, and no harm
    assert!(matches!(
        writer.finish(),
        Err(SinkError::TooSlow { records: 10, .. })
    ));
    drop(go);
}

#[test]
fn failures_behind_are_told_like_others() {
    for (kind, full) in [
        (io::ErrorKind::StorageFull, true),
        (io::ErrorKind::BrokenPipe, false),
    ] {
        let mut writer = live(Broken(kind), Format::Jsonl);
        for _ in 0..2000 {
            write(&mut writer, &tagged(), None);
        }
        let result = writer.finish();
        assert_eq!(result.is_err_and(|error| error.is_full()), full);
        assert_eq!(writer.unwritten() > 0, full);
    }
}

#[test]
fn a_row_has_a_cell_for_each_column() {
    let out = Shared::default();
    let mut writer = writer(out.clone(), Format::Csv);
    write(&mut writer, &tagged(), Some("=eth0\r\n,\"x\""));
    write(&mut writer, &[0; 5], None);
    writer.finish().unwrap();
    let bytes = out.0.lock().unwrap().clone();
    assert!(bytes.ends_with(b"\r\n"));
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(header, csv::COLUMNS);
    let rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let expected = [
        "2023-11-14T22:13:20.120000001Z",
        "'=eth0\\u{d}\\u{a},\"x\"",
        "ingress",
        "1",
        "62",
        "62",
        "eth:vlan:vlan:ipv4:tcp:https",
        "02:00:00:00:00:01",
        "02:00:00:00:00:02",
        "10.0.0.1",
        "40000",
        "10.0.0.2",
        "443",
        "tcp",
        "https",
        "port",
        "syn",
        "1",
        "",
        "0",
        "",
        "",
        "flow",
    ];
    assert_eq!(rows[0], expected);
    assert_eq!(rows[1].last().unwrap(), "malformed:truncated_link");
    assert_eq!(rows[1][9], "");
}

#[test]
fn json_lines_have_the_columns_as_members() {
    let out = Shared::default();
    let mut writer = writer(out.clone(), Format::Jsonl);
    write(&mut writer, &tagged(), Some("a\u{1b}\n"));
    writer.finish().unwrap();
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(!text.contains('\u{1b}'));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["interface"], "a\u{1b}\n");
    assert_eq!(value["dst_port"], 443);
    assert_eq!(value["name"], serde_json::Value::Null);
    for column in csv::COLUMNS {
        assert!(value.get(column).is_some(), "{column}");
    }
}

#[test]
fn packets_without_ip_have_no_addresses() {
    let mut arp = vec![0; 12];
    arp.extend_from_slice(&[8, 6]);
    arp.extend_from_slice(&[0; 28]);
    let out = Shared::default();
    let mut writer = writer(out.clone(), Format::Jsonl);
    write(&mut writer, &arp, None);
    writer.finish().unwrap();
    let bytes = out.0.lock().unwrap().clone();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(value["layers"], "eth:arp");
    assert_eq!(value["outcome"], "not_ip");
    assert_eq!(value["src_addr"], serde_json::Value::Null);
}

#[test]
fn a_full_disk_is_said_at_the_end_and_counted() {
    let mut writer = writer(Broken(io::ErrorKind::StorageFull), Format::Jsonl);
    let packet = tagged();
    for _ in 0..2000 {
        write(&mut writer, &packet, None);
    }
    assert!(writer.finish().unwrap_err().is_full());
    assert!(writer.unwritten() > 0);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut writer = writer(Broken(io::ErrorKind::BrokenPipe), Format::Jsonl);
    let packet = tagged();
    for _ in 0..2000 {
        write(&mut writer, &packet, None);
    }
    assert!(writer.finish().is_ok());
    assert_eq!(writer.unwritten(), 0);
}

#[test]
fn the_ending_names_the_format() {
    let of = |path: &str| Format::of(Path::new(path));
    assert_eq!(of("x.csv"), Some(Format::Csv));
    assert_eq!(of("x.jsonl"), Some(Format::Jsonl));
    assert_eq!(of("a/x.ndjson"), Some(Format::Jsonl));
    assert_eq!(of("-"), Some(Format::Jsonl));
    for other in ["x.txt", "x", ".csv", "x.csv.gz"] {
        assert_eq!(of(other), None, "{other}");
    }
}
