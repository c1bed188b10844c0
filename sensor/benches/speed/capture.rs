//! Captures made up for measurement: TCP and UDP, one in eight IPv6; each flow once, then flow k as often as 1/k; 100,000
//! packets a second.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Headers and a little more.
const SNAPLEN: usize = 96;
const LONGEST: usize = 1514;
const NOISE: usize = 1 << 17;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Pcap,
    Pcapng,
}

/// What a capture is to be like.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub packets: u64,
    pub flows: u64,
    /// Whole packets, or the first 96 bytes of each.
    pub whole: bool,
    pub format: Format,
}

pub(crate) struct Capture {
    pub path: PathBuf,
    pub packets: u64,
    pub bytes: u64,
}

/// The same bytes for the same wish.
pub(crate) fn make(path: &Path, wanted: Wanted) -> Capture {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    begin(&mut to, wanted.format);
    let noise = noise();
    let mut random = 88_172_645_463_325_252u64;
    for number in 0..wanted.packets {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let uniform = (random >> 11) as f64 / (1u64 << 53) as f64;
        let flow = match number < wanted.flows {
            true => number,
            false => (wanted.flows as f64).powf(uniform) as u64,
        };
        let len = length(random);
        let headers = headers(flow, len);
        let kept = if wanted.whole { len } else { SNAPLEN.min(len) };
        record(&mut to, wanted.format, number, kept, len);
        to.write_all(&headers[..kept.min(headers.len())]).unwrap();
        if kept > headers.len() {
            let start = random as usize % (NOISE - LONGEST);
            to.write_all(&noise[start..start + kept - headers.len()])
                .unwrap();
        }
        if wanted.format == Format::Pcapng {
            end_of_block(&mut to, kept);
        }
    }
    to.flush().unwrap();
    Capture {
        path: path.to_path_buf(),
        packets: wanted.packets,
        bytes: path.metadata().unwrap().len(),
    }
}

fn begin(to: &mut impl Write, format: Format) {
    let words: &[u32] = match format {
        Format::Pcap => &[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1],
        // Section header without a length, one interface of Ethernet.
        Format::Pcapng => &[
            0x0a0d_0d0a,
            28,
            0x1a2b_3c4d,
            1,
            u32::MAX,
            u32::MAX,
            28,
            1,
            20,
            1,
            65_535,
            20,
        ],
    };
    write(to, words);
}

fn record(to: &mut impl Write, format: Format, number: u64, kept: usize, len: usize) {
    let (seconds, micros) = (1_700_000_000 + number / 100_000, number % 100_000 * 10);
    let (kept, len) = (kept as u32, len as u32);
    match format {
        Format::Pcap => write(to, &[seconds as u32, micros as u32, kept, len]),
        Format::Pcapng => {
            let time = seconds * 1_000_000 + micros;
            let size = 32 + kept.next_multiple_of(4);
            write(
                to,
                &[6, size, 0, (time >> 32) as u32, time as u32, kept, len],
            );
        }
    }
}

fn end_of_block(to: &mut impl Write, kept: usize) {
    let padding = kept.next_multiple_of(4) - kept;
    to.write_all(&[0; 3][..padding]).unwrap();
    write(to, &[32 + kept.next_multiple_of(4) as u32]);
}

fn write(to: &mut impl Write, words: &[u32]) {
    for word in words {
        to.write_all(&word.to_le_bytes()).unwrap();
    }
}

/// Half are short, some are full: 300 bytes in the mean.
fn length(random: u64) -> usize {
    let within = (random >> 32) as usize;
    match random >> 24 & 15 {
        0..8 => 78 + within % 40,
        8..13 => 100 + within % 300,
        13 => 400 + within % 800,
        _ => 1200 + within % (LONGEST - 1200),
    }
}

fn headers(flow: u64, len: usize) -> [u8; 74] {
    let mixed = flow.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let protocol = if flow.is_multiple_of(3) { 17 } else { 6 };
    let mut frame = [0; 74];
    let transport = if flow % 8 == 7 {
        frame[12..15].copy_from_slice(&[0x86, 0xdd, 0x60]);
        frame[18..20].copy_from_slice(&(len as u16 - 54).to_be_bytes());
        frame[20] = protocol;
        frame[22..30].copy_from_slice(&mixed.to_be_bytes());
        frame[38..46].copy_from_slice(&flow.to_be_bytes());
        54
    } else {
        frame[12..15].copy_from_slice(&[8, 0, 0x45]);
        frame[16..18].copy_from_slice(&(len as u16 - 14).to_be_bytes());
        frame[23] = protocol;
        frame[26..30].copy_from_slice(&(mixed as u32).to_be_bytes());
        frame[30..34].copy_from_slice(&(flow as u32).to_be_bytes());
        34
    };
    frame[transport..transport + 2].copy_from_slice(&((mixed >> 40) as u16 | 1024).to_be_bytes());
    let port: u16 = if flow.is_multiple_of(5) { 53 } else { 443 };
    frame[transport + 2..transport + 4].copy_from_slice(&port.to_be_bytes());
    match protocol {
        17 => {
            let of_udp = (len - transport) as u16;
            frame[transport + 4..transport + 6].copy_from_slice(&of_udp.to_be_bytes());
        }
        _ => frame[transport + 12..transport + 14].copy_from_slice(&[0x50, 0x10]),
    }
    frame
}

/// Bytes that compress like nothing much.
fn noise() -> Vec<u8> {
    let mut state = 1u64;
    let words = (0..NOISE / 8).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state ^ state >> 29).to_le_bytes()
    });
    words.flatten().collect()
}
