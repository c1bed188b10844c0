//! What names cost: nanoseconds of CPU per packet of reading a mixed capture of whole packets, with payloads looked at and
//! without. Run by `cargo xtask bench`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people who measure"
)]

mod measure;
mod reading;

use std::io::Write;
use std::path::Path;

use etherparse::PacketBuilder;
use measure::{cpu_time, median};
use sensor::cli::MAX_NAMES;

const ROUNDS: usize = 7;
const CONVERSATIONS: u32 = 40_000;
/// Of a connection, the handshake and the request left aside.
const DATA_PACKETS: u32 = 30;
/// Conversations that are under way at the same time.
const AT_ONCE: u32 = 2_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.pcap");
    let packets = generate(&path);
    let size = path.metadata().unwrap().len();
    println!(
        "names: ns of CPU per packet, {packets} whole packets of {} bytes in the mean, {CONVERSATIONS} conversations \
         (TLS, HTTP, DNS, unknown); medians of {ROUNDS} rounds",
        size / packets
    );
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (number, list) in times.iter_mut().enumerate() {
            let before = cpu_time();
            match number {
                0 => walk(&path, packets),
                1 => analyse(&path, packets, 0),
                _ => analyse(&path, packets, MAX_NAMES as usize),
            }
            list.push((cpu_time() - before) as f64 / packets as f64);
        }
    }
    let [walk, without, with] = times.map(median);
    println!(
        "{:>10} {:>10} {:>10} {:>12} {:>14}",
        "walk", "no names", "names", "difference", "Mpkt/s a core"
    );
    println!(
        "{walk:>10.1} {without:>10.1} {with:>10.1} {:>12.1} {:>14.1}",
        with - without,
        1000.0 / with
    );
}

fn walk(path: &Path, packets: u64) {
    assert_eq!(reading::walk(path), packets);
}

fn analyse(path: &Path, packets: u64, names: usize) {
    let (counted, report) = reading::analyse(path, names);
    assert_eq!(counted, packets);
    let mut labels = report.protocols.application.iter();
    let https = labels.any(|label| label.name == "https");
    assert!(https, "{:?}", report.protocols.application);
}

/// A ClientHello with a server name and little else.
fn hello(number: u32) -> Vec<u8> {
    let name = format!("host-{number}.example.com");
    let name = name.as_bytes();
    let be = |length: usize| (length as u16).to_be_bytes();
    let mut sni = vec![0, 0];
    sni.extend(be(name.len() + 5));
    sni.extend(be(name.len() + 3));
    sni.push(0);
    sni.extend(be(name.len()));
    sni.extend(name);
    sni.extend([0, 16, 0, 14, 0, 12, 2, b'h', b'2', 8]);
    sni.extend(b"http/1.1");
    sni.extend([0, 43, 0, 3, 2, 3, 4]);
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 6, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0]);
    body.extend(be(sni.len()));
    body.extend(sni);
    let mut message = vec![1, 0];
    message.extend(be(body.len()));
    message.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend(be(message.len()));
    record.extend(message);
    record
}

fn dns(number: u32, response: bool) -> Vec<u8> {
    let mut message = vec![
        1,
        2,
        if response { 0x81 } else { 1 },
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
    ];
    message[7] = response.into();
    let label = format!("host-{number}");
    message.push(label.len() as u8);
    message.extend(label.as_bytes());
    message.extend(b"\x07example\x03com\0\0\x01\0\x01");
    if response {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
        message.extend(server(number));
    }
    message
}

fn server(number: u32) -> [u8; 4] {
    [198, 18, (number >> 8) as u8, number as u8]
}

/// The packets of conversation `number`, one after the other.
fn packet(number: u32, step: u32, frame: &mut Vec<u8>) -> bool {
    let client = [10, (number >> 16) as u8, (number >> 8) as u8, number as u8];
    let port = 20_000 + (number % 40_000) as u16;
    let back = !step.is_multiple_of(3);
    let (src, dst) = if back {
        (server(number), client)
    } else {
        (client, server(number))
    };
    let tcp = |well_known: u16| {
        let (from, to) = if back {
            (well_known, port)
        } else {
            (port, well_known)
        };
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(src, dst, 64)
            .tcp(from, to, step * 1448, 1024)
            .ack(1)
    };
    let udp = |well_known: u16| {
        let (from, to) = if back {
            (well_known, port)
        } else {
            (port, well_known)
        };
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(src, dst, 64)
            .udp(from, to)
    };
    let data = [(number ^ step) as u8 | 0x80; 1400];
    frame.clear();
    match number % 4 {
        0 | 1 if step < DATA_PACKETS => {
            let first = if number.is_multiple_of(4) {
                hello(number)
            } else {
                format!("GET /{number} HTTP/1.1\r\nHost: host-{number}.example.com\r\nUser-Agent: bench\r\n\r\n").into()
            };
            let payload = if step == 0 { &first[..] } else { &data[..] };
            let port = if number.is_multiple_of(4) { 443 } else { 80 };
            tcp(port).write(frame, payload).unwrap();
        }
        2 if step < 2 => udp(53).write(frame, &dns(number, back)).unwrap(),
        3 if step < DATA_PACKETS => udp(7777).write(frame, &data[..600]).unwrap(),
        _ => return false,
    }
    true
}

fn generate(path: &Path) -> u64 {
    let mut to = reading::pcap(path);
    let (mut packets, mut frame) = (0u64, Vec::new());
    for first in (0..CONVERSATIONS).step_by(AT_ONCE as usize) {
        for step in 0..DATA_PACKETS {
            for number in first..first + AT_ONCE {
                if !packet(number, step, &mut frame) {
                    continue;
                }
                let micros = packets * 10;
                let (seconds, len) = (1_700_000_000 + micros / 1_000_000, frame.len() as u32);
                for word in [seconds as u32, (micros % 1_000_000) as u32, len, len] {
                    to.write_all(&word.to_le_bytes()).unwrap();
                }
                to.write_all(&frame).unwrap();
                packets += 1;
            }
        }
    }
    to.flush().unwrap();
    packets
}
