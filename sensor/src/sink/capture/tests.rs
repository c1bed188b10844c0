use std::path::Path;
use std::time::{Duration, Instant};

use sensor_common::flow::Direction;
use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

use super::*;
use crate::counters::When;
use crate::source::file::{CaptureFile, Way};
use crate::source::tap::{Bytes, Origin, Tag};

const START: i64 = 1_700_000_000_000_000_001;

/// A packet that is to be written.
#[derive(Clone)]
struct Sent {
    when: When,
    data: Vec<u8>,
    link_type: u16,
    tag: Option<Tag>,
    len: u32,
    direction: Direction,
    packets: u64,
    origin: Origin<'static>,
}

fn sent(number: i64) -> Sent {
    Sent {
        when: When::At(START + number),
        data: vec![number as u8; 60],
        link_type: 1,
        tag: None,
        len: 60,
        direction: Direction::Unknown,
        packets: 1,
        origin: Origin::default(),
    }
}

fn write(capture: &Capture, sent: &Sent) {
    let parsed = parse::packet(&SliceView(&sent.data), LinkType::Ethernet);
    capture.packet(&PacketRecord {
        when: sent.when,
        interface: sent.origin.name,
        direction: sent.direction,
        packets: sent.packets,
        wire_len: u64::from(sent.len),
        cap_len: sent.data.len() as u64,
        bytes: Bytes {
            data: &sent.data,
            link_type: sent.link_type,
            tag: sent.tag,
            len: sent.len,
            super_packet: None,
        },
        origin: sent.origin,
        parsed: &parsed,
        book: None,
    });
}

/// As read again.
#[derive(Debug, PartialEq, Eq)]
struct Got {
    when: When,
    data: Vec<u8>,
    link_type: u16,
    len: u32,
    way: Way,
    name: Option<String>,
}

fn read(path: &Path) -> Vec<Got> {
    let mut file = CaptureFile::open(path).unwrap();
    file.describe_interfaces();
    let mut all = Vec::new();
    while let Some(record) = file.next().unwrap() {
        all.push(Got {
            when: record.when,
            data: record.data.to_vec(),
            link_type: record.link_type,
            len: record.wire_len,
            way: record.way,
            name: record.described.and_then(|one| one.name.clone()),
        });
    }
    all
}

fn open(path: &Path, asked: Asked) -> Capture {
    let plan = Plan {
        path: path.to_owned(),
        ..asked.plan
    };
    Capture::open(Asked { plan, ..asked }, Pace::Output, None).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let wifi = Origin {
        number: 7,
        name: Some("wlan0"),
    };
    let packets = [
        sent(0),
        Sent {
            direction: Direction::Egress,
            data: vec![9; 33],
            len: 1000,
            origin: wifi,
            ..sent(1)
        },
        Sent {
            direction: Direction::Ingress,
            packets: 3,
            ..sent(2)
        },
        Sent {
            link_type: 101,
            data: vec![0x45; 21],
            len: 21,
            ..sent(3)
        },
        Sent {
            when: When::Missing,
            ..sent(4)
        },
    ];
    for name in ["a.pcapng", "a", "a.zst", "a.pcapng.gz"] {
        let path = folder.path().join(name);
        let capture = open(&path, Asked::default());
        packets.iter().for_each(|packet| write(&capture, packet));
        let (summary, result) = capture.finish();
        result.unwrap();
        assert_eq!((summary.packets, summary.lost, summary.files), (7, 0, 1));
        let got = read(&path);
        for (packet, got) in packets.iter().zip(&got) {
            let expected = Got {
                when: packet.when,
                data: packet.data.clone(),
                link_type: packet.link_type,
                len: packet.len,
                way: match packet.direction {
                    Direction::Unknown => Way::Unknown,
                    Direction::Ingress => Way::Ingress,
                    Direction::Egress => Way::Egress,
                },
                name: packet.origin.name.map(str::to_owned),
            };
            assert_eq!(*got, expected, "{name}");
        }
        assert_eq!(got.len(), packets.len());
    }
    let bytes = std::fs::read(folder.path().join("a.pcapng")).unwrap();
    let has = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(has("3 packets on the wire") && has("sensor "));
}

#[test]
fn a_tag_is_put_back_before_the_packet_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let asked = Asked {
        snaplen: Some(20),
        ..Asked::default()
    };
    let capture = open(&path, asked);
    let tag = Some(Tag {
        tpid: 0x88a8,
        tci: 0x2007,
    });
    let data: Vec<u8> = (0..60).collect();
    let tagged = Sent {
        tag,
        data: data.clone(),
        ..sent(0)
    };
    write(&capture, &tagged);
    write(
        &capture,
        &Sent {
            data: data[..5].to_vec(),
            ..tagged
        },
    );
    capture.finish().1.unwrap();
    let got = read(&path);
    let tag = [0x88, 0xa8, 0x20, 0x07];
    let expected = [&data[..12], &tag, &data[12..16]].concat();
    assert_eq!((&got[0].data, got[0].len), (&expected, 64));
    assert_eq!((&got[1].data[..], got[1].len), (&data[..5], 60));
}

#[test]
fn a_pcap_file_has_one_link_type_and_keeps_what_came_before_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    let capture = open(&path, Asked::default());
    let other = Origin {
        number: 1,
        name: Some("b"),
    };
    let raw = Sent {
        link_type: 101,
        ..sent(2)
    };
    write(&capture, &sent(0));
    write(
        &capture,
        &Sent {
            origin: other,
            ..sent(1)
        },
    );
    write(&capture, &raw);
    write(&capture, &sent(3));
    let (summary, result) = capture.finish();
    let error = result.unwrap_err().to_string();
    assert!(error.contains("after ethernet there is raw"), "{error}");
    assert_eq!((summary.packets, summary.lost), (2, 2));
    let times: Vec<_> = read(&path).iter().map(|got| got.when).collect();
    assert_eq!(times, [When::At(START), When::At(START + 1)]);
}

#[test]
fn no_packets_make_a_file_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.pcap", "a.pcapng", "a.pcap.zst"] {
        let path = folder.path().join(name);
        open(&path, Asked::default()).finish().1.unwrap();
        assert_eq!(read(&path), []);
    }
}

#[test]
fn times_begin_files_and_a_count_ends_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a-%H%M%S.pcap");
    let plan = Plan {
        seconds: Some(10),
        count: Some(2),
        ..Plan::default()
    };
    let asked = Asked {
        plan,
        ..Asked::default()
    };
    let capture = open(&path, asked);
    for second in [0, 9, 10, 12, 20, 50] {
        write(&capture, &sent(second * 1_000_000_000));
    }
    let (summary, result) = capture.finish();
    result.unwrap();
    assert_eq!((summary.files, summary.packets, summary.beyond), (2, 4, 2));
    for (name, packets) in [("a-221320.pcap", 2), ("a-221330.pcap", 2)] {
        assert_eq!(read(&folder.path().join(name)).len(), packets, "{name}");
    }
}

#[test]
fn an_input_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("a.pcap1");
    std::fs::write(&input, "input").unwrap();
    let plan = Plan {
        size: Some(100),
        ..Plan::default()
    };
    let asked = Asked {
        plan,
        inputs: vec![input.clone()],
        ..Asked::default()
    };
    let capture = open(&folder.path().join("a.pcap"), asked);
    (0..9).for_each(|number| write(&capture, &sent(number)));
    let (summary, result) = capture.finish();
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("a.pcap1") && error.contains("an input"),
        "{error}"
    );
    assert_eq!((summary.packets, summary.lost), (2, 7));
    assert_eq!(std::fs::read(&input).unwrap(), b"input");
}

/// What a flush has made visible stays so, whatever becomes of the writer.
#[test]
fn a_flush_leaves_a_file_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.pcapng", "a.pcap.zst", "a.gz"] {
        let path = folder.path().join(name);
        let capture = open(&path, Asked::default());
        (0..3).for_each(|number| write(&capture, &sent(number)));
        capture.flush(i64::MAX);
        let end = Instant::now() + Duration::from_secs(20);
        let tally = Arc::clone(&capture.state().tally);
        while tally.packets.load(Ordering::Relaxed) < 3 {
            assert!(Instant::now() < end, "{name}");
            std::thread::yield_now();
        }
        assert_eq!(read(&path).len(), 3, "{name}");
        capture.finish().1.unwrap();
    }
}
