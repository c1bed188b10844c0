use super::*;
use crate::source::file::Container;

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;
const V2_4: (u16, u16) = (2, 4);

fn capture(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Order::Little.pcap_header(MICRO, V2_4, 1);
    out.extend(records.concat());
    out
}

fn record(lengths: (u32, u32), data: &[u8]) -> Vec<u8> {
    Order::Little.record((1, 2), lengths, data)
}

#[test]
fn a_file_that_grows_is_read_to_its_end_of_then_and_one_in_its_place_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.pcap");
    let one = record((3, 3), b"abc");
    std::fs::write(&path, capture(std::slice::from_ref(&one))).unwrap();
    let mut file = CaptureFile::open(&path).unwrap();
    assert!(file.next().unwrap().is_some());
    let appended = std::fs::OpenOptions::new().append(true).open(&path);
    io::Write::write_all(&mut appended.unwrap(), &one).unwrap();
    assert!(file.next().unwrap().is_some());
    std::fs::rename(&path, folder.path().join("old")).unwrap();
    std::fs::write(&path, capture(&[one.clone(), one.clone(), one])).unwrap();
    assert!(file.next().unwrap().is_none());
    assert_eq!(file.packets(), 2);
}

#[test]
fn every_magic_in_both_byte_orders() {
    for order in Order::BOTH {
        for (magic, container, ns) in [
            (MICRO, Container::Pcap, 7_000_005_000),
            (NANO, Container::PcapNs, 7_000_000_005),
            (MODIFIED, Container::PcapModified, 7_000_005_000),
        ] {
            let mut bytes = order.pcap_header(magic, V2_4, 0x3400_0000 | 101);
            bytes.extend(order.words(&[7, 5, 3, 60]));
            if magic == MODIFIED {
                bytes.extend([0xff; 8]);
            }
            bytes.extend(b"abc");
            let packet = Packet {
                link_type: 101,
                when: When::At(ns),
                data: b"abc".to_vec(),
                wire_len: 60,
                way: Way::Unknown,
            };
            let file = open(&bytes).unwrap();
            assert_eq!(file.format().container, container);
            let (packets, error) = drain(Ok(file));
            assert!(error.is_none(), "{error:?}");
            assert_eq!(packets, [packet], "{order:?} {magic:x}");
        }
    }
}

#[test]
fn versions_are_those_of_libpcap() {
    let order = Order::Little;
    for version in [(2, 4), (543, 0)] {
        assert_eq!(read_clean(&order.pcap_header(MICRO, version, 1)), []);
    }
    for (major, minor) in [(1, 4), (2, 5), (9, 9), (0, 0), (543, 1)] {
        let expected = Unreadable::Version {
            format: "pcap",
            major,
            minor,
        };
        let header = order.pcap_header(MICRO, (major, minor), 1);
        assert_eq!(read_unreadable(&header), expected);
    }
}

#[test]
fn old_versions_wrote_the_lengths_the_other_way_round() {
    let lengths = |version, lengths| {
        let mut bytes = Order::Little.pcap_header(MICRO, version, 1);
        bytes.extend(record(lengths, b"abc"));
        let packets = read_clean(&bytes);
        (packets[0].data.len(), packets[0].wire_len)
    };
    assert_eq!(lengths((2, 4), (3, 60)), (3, 60));
    assert_eq!(lengths((2, 2), (60, 3)), (3, 60));
    assert_eq!(lengths((2, 3), (60, 3)), (3, 60));
    assert_eq!(lengths((2, 3), (3, 60)), (3, 60));
}

#[test]
fn lengths_that_contradict_each_other_count_the_larger() {
    let mut file = open(&capture(&[
        record((4, 2), b"abcd"),
        record((0, 0), b""),
        record((1, u32::MAX), b"x"),
    ]))
    .unwrap();
    let mut lengths = Vec::new();
    while let Some(packet) = file.next().unwrap() {
        lengths.push((packet.data.len(), packet.wire_len));
    }
    assert_eq!(lengths, [(4, 4), (0, 0), (1, u32::MAX)]);
    assert_eq!(file.oddities().cap_exceeds_wire, 1);
}

#[test]
fn fractions_of_a_second_or_more_are_carried() {
    let order = Order::Little;
    let mut file = open(&capture(&[
        order.record((10, 999_999), (0, 0), b""),
        order.record((10, 4_000_000_000), (0, 0), b""),
        order.record((u32::MAX, u32::MAX), (0, 0), b""),
    ]))
    .unwrap();
    let mut times = Vec::new();
    while let Some(packet) = file.next().unwrap() {
        times.push(packet.when);
    }
    let expected = [10_999_999_000, 4_010_000_000_000, 4_294_971_589_967_295_000];
    assert_eq!(times, expected.map(When::At));
    assert_eq!(file.oddities().time_carried, 2);
}

#[test]
fn a_cut_off_record_is_damage_and_not_delivered() {
    let whole = record((4, 4), b"abcd");
    let cut_header = capture(&[whole.clone(), whole[..9].to_vec()]);
    let damage = Damage::HeaderCutOff { needed: 16, got: 9 };
    assert_eq!(read_damaged(&cut_header), (1, 44, damage));
    let cut_data = capture(&[whole.clone(), whole[..18].to_vec()]);
    let damage = Damage::DataCutOff { needed: 4, got: 2 };
    assert_eq!(read_damaged(&cut_data), (1, 44, damage));
}

#[test]
fn absurd_lengths_are_damage_whatever_the_snaplen() {
    let absurd = |value| {
        let bytes = capture(&[record((1, 1), b"x"), record((value, value), b"")]);
        read_damaged(&bytes)
    };
    for value in [262_145, 100_000_000, u32::MAX] {
        let limit = 262_144;
        let damage = Damage::CapturedLength { value, limit };
        assert_eq!(absurd(value), (1, 41, damage));
    }
    let largest = vec![7; 262_144];
    let bytes = capture(&[record((262_144, 262_144), &largest)]);
    assert_eq!(read_clean(&bytes)[0].data, largest);
}

#[test]
fn links_with_long_messages_may_have_them() {
    let data = vec![1; 5_000_000];
    let mut bytes = Order::Big.pcap_header(MICRO, V2_4, 231);
    bytes.extend(Order::Big.record((0, 0), (5_000_000, 5_000_000), &data));
    bytes.extend(Order::Big.record((0, 0), (2, 2), b"ok"));
    let packets = read_clean(&bytes);
    assert_eq!(packets[0].data, data);
    assert_eq!(packets[1].data, b"ok");
}

#[test]
fn records_across_window_borders_stay_whole() {
    let sizes = (0..3000_u32).map(|n| n * 7919 % 1500);
    let records: Vec<_> = sizes
        .map(|n| record((n, n), &vec![n as u8; n as usize]))
        .collect();
    let bytes = capture(&records);
    assert!(bytes.len() > 4 * 256 * 1024, "several windows");
    let expected = read_clean(&bytes);
    assert_eq!(expected.len(), records.len());
    for packet in &expected {
        assert_eq!(packet.data.len(), packet.wire_len as usize);
        assert!(packet.data.iter().all(|b| *b == packet.wire_len as u8));
    }
    for step in [13, 4096, 65_537] {
        let (packets, error) = drain(dribble(&bytes, step));
        assert!(error.is_none() && packets == expected, "in steps of {step}");
    }
}

#[test]
fn a_failing_disk_is_not_a_damaged_file() {
    let bytes = capture(&[record((4, 4), b"abcd")]);
    let (packets, error) = drain(failing(&bytes));
    assert_eq!(packets.len(), 1);
    match error {
        Some(CaptureError::Io {
            offset, packets, ..
        }) => assert_eq!((offset, packets), (44, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn positions_tell_the_progress() {
    let bytes = capture(&[record((4, 4), b"abcd"), record((4, 4), b"abcd")]);
    let mut file = open(&bytes).unwrap();
    assert_eq!(
        (file.position(), file.packets(), file.size()),
        (24, 0, None)
    );
    file.next().unwrap();
    assert_eq!((file.position(), file.packets()), (44, 1));
    file.next().unwrap();
    file.next().unwrap();
    let end = bytes.len() as u64;
    assert_eq!((file.position(), file.raw_position()), (end, end));
}
