//! A SYN flood from a million addresses: the totals are exact, what found no room is named, memory stays bounded, and the
//! agent answers meanwhile.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::harness::{Namespace, Pair, Sensor, need_kernel, packet_socket};
use crate::reports;

const FLOWS: u32 = 1_000_000;
/// Bytes of a packet.
const LEN: u64 = 60;
/// Room for flows of a period; the kernel's table is smaller still.
const ROOM: u64 = 65_536;
/// Of the agent.
const MEMORY: u64 = 512 << 20;
/// A busy machine has it answer late, and a hung one never.
const ANSWER: Duration = Duration::from_secs(10);

#[test]
fn a_flood_of_a_million_flows_is_counted_exactly_with_bounded_memory() {
    need_kernel!();
    let pair = Pair::new(1500);
    let room = ROOM.to_string();
    let arguments = ["-i", "a0", "--backend", "tc", "--max-flows", &room];
    let table = ["--kernel-flows", "1024", "--report-every", "1h", "-n", "10"];
    let mut sensor = Sensor::start(&pair.a, &[&arguments[..], &table].concat());
    let slowest = std::thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&pair.a));
        let mut slowest = Duration::ZERO;
        while !flood.is_finished() {
            let asked = Instant::now();
            sensor.signal(libc::SIGUSR1);
            sensor.wait_for_line("so far");
            slowest = slowest.max(asked.elapsed());
        }
        slowest
    });
    sensor.counted(u64::from(FLOWS));
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    let accounting = &report["accounting"];
    let [flows, overflow] =
        ["in_flows", "overflow"].map(|part| accounting[part]["packets"].as_u64().unwrap());
    let peak = report["self"]["memory_peak_bytes"].as_u64().unwrap();
    println!(
        "{flows} packets in flows, {overflow} overflow; slowest answer {slowest:?}; memory at most {} MiB",
        peak >> 20
    );
    assert_eq!(report["totals"]["packets"], FLOWS);
    assert_eq!(report["totals"]["bytes"], u64::from(FLOWS) * LEN);
    assert_eq!(flows + overflow, u64::from(FLOWS));
    assert!(overflow > 0 && flows > 0);
    assert!(report["flows_total"].as_u64().unwrap() <= ROOM);
    assert_eq!(
        accounting["overflow_by_transport"]["tcp"]["packets"],
        overflow
    );
    assert!(slowest < ANSWER, "{slowest:?}");
    assert!(peak < MEMORY, "{peak} bytes");
}

/// One SYN from each of as many addresses.
fn flood(namespace: &Namespace) {
    let socket = namespace.inside(|| packet_socket("a0"));
    let mut frame = syn();
    for number in 0..FLOWS {
        // An odd factor gives each number an address of its own.
        let address = number.wrapping_mul(2_654_435_761).to_be_bytes();
        frame[26..30].copy_from_slice(&address);
        // SAFETY: the buffer is as long as said.
        while unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) } < 0 {
            let error = std::io::Error::last_os_error();
            assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{error}");
        }
    }
}

fn syn() -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([0; 4], [10, 9, 0, 2], 64)
        .tcp(40_000, 80, 1, 1024)
        .syn();
    let mut frame = Vec::new();
    builder.write(&mut frame, &[]).unwrap();
    frame.resize(LEN as usize, 0);
    frame
}
