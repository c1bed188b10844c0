//! Nanoseconds of CPU per packet of reading a capture of cut packets with all statistics and the JSON report, with payloads
//! looked at (the default) and without, beside the bare walk over its records and reading its bytes. Run by `cargo xtask bench`.
//!
//! Everything in turn within each round, medians over the rounds: compare the figures of one run.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people who measure"
)]

mod measure;
mod reading;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use measure::{cpu_time, median};
use sensor::cli::MAX_NAMES;

const ROUNDS: usize = 5;
const PACKETS: u64 = 5_000_000;
const SNAPLEN: usize = 96;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!(
        "ns of CPU per packet, {PACKETS} packets, {SNAPLEN} bytes each kept; medians of {ROUNDS} rounds"
    );
    println!(
        "{:<10} {:>8} {:>8} {:>9} {:>8} {:>12} {:>14}",
        "flows", "bytes", "walk", "no names", "names", "over walk", "Mpkt/s a core"
    );
    for flows in [100_000, 1_000_000] {
        let path = folder.path().join("capture.pcap");
        generate(&path, flows);
        let mut times = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            for (work, list) in [read_bytes, walk, without_names, with_names]
                .iter()
                .zip(&mut times)
            {
                let before = cpu_time();
                work(&path);
                list.push((cpu_time() - before) as f64 / PACKETS as f64);
            }
        }
        let [bytes, walk, without, all] = times.map(median);
        println!(
            "{flows:<10} {bytes:>8.1} {walk:>8.1} {without:>9.1} {all:>8.1} {:>12.1} {:>14.1}",
            all / walk,
            1000.0 / all
        );
    }
}

fn read_bytes(path: &Path) {
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 256 << 10];
    while file.read(&mut buffer).unwrap() > 0 {}
}

fn walk(path: &Path) {
    assert_eq!(reading::walk(path), PACKETS);
}

fn without_names(path: &Path) {
    analyse(path, 0);
}

fn with_names(path: &Path) {
    analyse(path, MAX_NAMES as usize);
}

fn analyse(path: &Path, names: usize) {
    let (packets, _) = reading::analyse(path, names);
    assert_eq!(packets, PACKETS);
}

/// TCP and UDP, one in eight IPv6, flow k as often as 1/k, 100,000 packets a second.
fn generate(path: &Path, flows: u64) {
    let mut to = reading::pcap(path);
    let mut random = 88_172_645_463_325_252u64;
    for number in 0..PACKETS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let uniform = (random >> 11) as f64 / (1u64 << 53) as f64;
        let flow = (flows as f64).powf(uniform) as u64;
        let len = 60 + (random % 1400) as u32;
        let frame = frame(flow, len);
        let kept = SNAPLEN.min(len as usize);
        let (seconds, micros) = (1_700_000_000 + number / 100_000, number % 100_000 * 10);
        for word in [seconds as u32, micros as u32, kept as u32, len] {
            to.write_all(&word.to_le_bytes()).unwrap();
        }
        to.write_all(&frame[..kept]).unwrap();
    }
    to.flush().unwrap();
}

fn frame(flow: u64, len: u32) -> [u8; SNAPLEN] {
    let mixed = flow.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let protocol = if flow.is_multiple_of(3) { 17 } else { 6 };
    let mut frame = [0; SNAPLEN];
    let transport = if flow % 8 == 7 {
        frame[12..15].copy_from_slice(&[0x86, 0xdd, 0x60]);
        frame[18..20].copy_from_slice(&((len - 54) as u16).to_be_bytes());
        frame[20] = protocol;
        frame[22..30].copy_from_slice(&mixed.to_be_bytes());
        frame[38..46].copy_from_slice(&flow.to_be_bytes());
        54
    } else {
        frame[12..15].copy_from_slice(&[8, 0, 0x45]);
        frame[16..18].copy_from_slice(&((len - 14) as u16).to_be_bytes());
        frame[23] = protocol;
        frame[26..30].copy_from_slice(&(mixed as u32).to_be_bytes());
        frame[30..34].copy_from_slice(&(flow as u32).to_be_bytes());
        34
    };
    frame[transport..transport + 2].copy_from_slice(&((mixed >> 40) as u16 | 1024).to_be_bytes());
    frame[transport + 3] = if flow.is_multiple_of(5) { 53 } else { 80 };
    frame[transport + 12..transport + 14].copy_from_slice(&[0x50, 0x10]);
    frame
}
