use std::io::Write;

use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

/// Enough to go through the buffers many times, and not so regular that it compresses to nothing.
fn capture() -> Vec<u8> {
    let order = Order::Little;
    let mut bytes = order.pcap_header(0xa1b2_c3d4, (2, 4), 1);
    let mut noise = 1_u32;
    for n in 0..20_000_u32 {
        let mut data = [0; 96];
        for byte in &mut data {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (noise >> 28) as u8;
        }
        bytes.extend(order.record((n, 0), (96, 1500), &data));
    }
    bytes
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn same(compressed: &[u8], plain: &[u8], format: &str) {
    let file = open(compressed).unwrap();
    assert_eq!(file.format().to_string(), format);
    let (packets, error) = drain(Ok(file));
    assert!(error.is_none(), "{error:?}");
    assert!(packets == read_clean(plain), "{format}: other packets");
}

fn message(error: Option<CaptureError>) -> String {
    error.map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn compressed_files_yield_what_plain_ones_do() {
    let plain = capture();
    same(&gzip(&plain), &plain, "pcap (gzip)");
    same(&zstd(&plain), &plain, "pcap (zstd)");
}

#[test]
fn several_members_and_frames_are_one_file() {
    let plain = capture();
    let (first, second) = plain.split_at(777_777);
    let members = [gzip(first), gzip(b""), gzip(second)].concat();
    same(&members, &plain, "pcap (gzip)");
    let skippable = [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let frames = [&skippable[..], &zstd(first), &skippable, &zstd(second)].concat();
    same(&frames, &plain, "pcap (zstd)");
}

#[test]
fn small_pieces_from_a_pipe_are_enough() {
    let plain = capture();
    for compressed in [gzip(&plain), zstd(&plain)] {
        let (packets, error) = drain(dribble(&compressed, 61));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(packets.len(), 20_000);
    }
}

#[test]
fn a_cut_off_stream_yields_what_came_before_the_cut() {
    let plain = capture();
    let whole = read_clean(&plain);
    for (compressed, least) in [(gzip(&plain), 8000), (zstd(&plain), 8000)] {
        let half = &compressed[..compressed.len() / 2];
        let (packets, error) = read_all(half);
        assert!(packets.len() > least, "{} packets", packets.len());
        assert!(packets[..] == whole[..packets.len()]);
        let message = message(error);
        assert!(message.starts_with("damaged at byte "), "{message}");
        assert!(message.ends_with(" data: cut off"), "{message}");
    }
}

#[test]
fn a_wrong_checksum_is_damage_behind_the_last_packet() {
    let plain = capture();
    for (mut compressed, from_end) in [(gzip(&plain), 6), (zstd(&plain), 2)] {
        let at = compressed.len() - from_end;
        compressed[at] ^= 0x55;
        let (packets, error) = read_all(&compressed);
        assert_eq!(packets.len(), 20_000);
        assert!(
            matches!(error, Some(CaptureError::Damaged { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn what_cannot_be_decompressed_at_all_is_unreadable() {
    for bytes in [
        &b"\x1f\x8b\x08\x00"[..],
        b"\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff",
    ] {
        let what = read_unreadable(bytes);
        assert!(matches!(what, Unreadable::Compressed { .. }), "{what:?}");
    }
    assert_eq!(read_unreadable(&gzip(b"")), Unreadable::Empty);
    let twice = read_unreadable(&gzip(&gzip(b"x")));
    assert!(
        matches!(twice, Unreadable::UnknownMagic { .. }),
        "{twice:?}"
    );
}

#[test]
fn a_failing_disk_below_a_decompressor_is_still_a_failing_disk() {
    let plain = capture();
    for compressed in [gzip(&plain), zstd(&plain)] {
        let (packets, error) = drain(failing(&compressed[..compressed.len() / 2]));
        assert!(packets.len() > 8000);
        match error {
            Some(CaptureError::Io { error, .. }) => assert_eq!(error.raw_os_error(), Some(5)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_file_given_up_early_leaves_no_one_waiting() {
    let mut file = open(&gzip(&capture())).unwrap();
    assert!(file.next().unwrap().is_some());
    drop(file);
}
