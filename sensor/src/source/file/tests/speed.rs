//! How long the bare walk takes, beside reading the same file without looking at it. Measured by hand:
//! `cargo test --release -p sensor --lib -- --ignored --nocapture the_walk`

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

const PACKETS: u32 = 3_000_000;
const ROUNDS: usize = 7;

#[test]
#[ignore = "a measurement; needs release mode and a quiet machine"]
fn the_walk_of_a_headers_only_capture_costs_little_more_than_reading_it() {
    let folder = tempfile::tempdir().unwrap();
    let order = Order::Little;
    let pcap = folder.path().join("pcap");
    write(
        &pcap,
        &order.pcap_header(0xa1b2_c3d4, (2, 4), 1),
        |n, data| {
            order.record(
                (n / 100_000, n % 100_000 * 10),
                (data.len() as u32, 1500),
                data,
            )
        },
    );
    let pcapng = folder.path().join("pcapng");
    let mut start = order.section((1, 0));
    start.extend(order.interface(1, 96, &[]));
    write(&pcapng, &start, |n, data| {
        order.enhanced(0, u64::from(n) * 10, data, &[])
    });
    for path in [pcap, pcapng] {
        let read = best(|| read(&path));
        let walked = best(|| walk(&path));
        println!(
            "{}: read {read:.1} ns/packet, walk {walked:.1} ns/packet",
            path.display()
        );
        assert!(walked < 100.0, "{walked} ns");
    }
}

/// Records of 96 to 99 bytes, header included, as a snaplen of about 80 makes them.
fn write(path: &Path, start: &[u8], record: impl Fn(u32, &[u8]) -> Vec<u8>) {
    let data = [0x5a; 83];
    let mut out = BufWriter::new(File::create(path).unwrap());
    out.write_all(start).unwrap();
    for n in 0..PACKETS {
        let length = 83 - (n.wrapping_mul(2_654_435_761) >> 30) as usize;
        out.write_all(&record(n, &data[..length])).unwrap();
    }
    out.flush().unwrap();
}

fn best(mut run: impl FnMut() -> Duration) -> f64 {
    let best = (0..ROUNDS).map(|_| run()).min().unwrap();
    best.as_nanos() as f64 / f64::from(PACKETS)
}

fn read(path: &Path) -> Duration {
    let start = Instant::now();
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 256 * 1024];
    while file.read(&mut buffer).unwrap() > 0 {}
    start.elapsed()
}

fn walk(path: &Path) -> Duration {
    let start = Instant::now();
    let mut file = CaptureFile::open(path).unwrap();
    let (mut packets, mut bytes) = (0, 0);
    while let Some(packet) = file.next().unwrap() {
        packets += 1;
        bytes += u64::from(packet.wire_len) + u64::from(packet.data[20]);
    }
    assert_eq!(packets, PACKETS);
    std::hint::black_box(bytes);
    start.elapsed()
}
