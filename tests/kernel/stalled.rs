//! `--packets` to somebody who does not read: counting goes on, and Ctrl-C ends it.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::harness::{Pair, Sensor, need_kernel};
use crate::traffic;

const FLOWS: u16 = 100;
/// Together more than the pipe and the queue have room for.
const TIMES: usize = 400;

#[test]
fn a_reader_that_has_stopped_stops_nothing_else() {
    need_kernel!();
    let pair = Pair::new(1500);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let arguments = ["-i", "b0", "--backend", "af-packet", "--packets", "-"];
    let mut sensor = Sensor::start_to(writer, &pair.b, &arguments);
    let packets = u64::from(FLOWS) * TIMES as u64;
    traffic::send(&pair.a, "a0", &traffic::frames(FLOWS), TIMES);
    sensor.counted(packets);
    sensor.signal(libc::SIGINT);
    let start = Instant::now();
    let ended = sensor.wait();
    assert!(start.elapsed() < Duration::from_secs(5), "{}", ended.stderr);
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    assert!(ended.stderr.contains("were left out"), "{}", ended.stderr);
    let report = &ended.report;
    assert_eq!(report["totals"]["packets"], packets, "{}", ended.stderr);
    assert_eq!(report["accounting"]["identity_holds"], true);
    let notes = report["notes"].to_string();
    assert!(notes.contains("--packets"), "{notes}");
    let mut written = String::new();
    reader.read_to_string(&mut written).unwrap();
    let whole = written.lines().filter(|line| line.ends_with('}')).count() as u64;
    assert!(whole > 0 && whole < packets, "{whole}");
}
