//! Signals that come twice, and readers that go away.

use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use crate::harness::{Pair, Sensor, eventually, need_kernel};
use crate::traffic;

/// Nobody reads what it prints in the end: the first Ctrl-C waits for that, the second one does not.
#[test]
fn a_second_sigint_ends_a_run_that_hangs_at_its_output() {
    need_kernel!();
    let pair = Pair::new(1500);
    let (reader, writer) = std::io::pipe().unwrap();
    // SAFETY: the descriptor is open; the pipe is empty and becomes as small as can be.
    let small = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 4096) };
    assert_eq!(small, 4096, "{}", std::io::Error::last_os_error());
    let arguments = ["-i", "a0", "--jsonl", "-", "--interval", "10ms"];
    let mut sensor = Sensor::start_to(writer, &pair.a, &arguments);
    // More lines than the pipe has room for.
    for _ in 0..50 {
        traffic::send(&pair.a, "a0", &traffic::frames(100), 1);
        std::thread::sleep(Duration::from_millis(20));
    }
    sensor.counted(5000);
    sensor.signal(libc::SIGINT);
    // It has stopped counting: the interface is free.
    eventually("no program of it", || {
        pair.a.inside(|| {
            use aya::programs::{SchedClassifier, TcAttachType};
            let (_, programs) = SchedClassifier::query_tcx("a0", TcAttachType::Egress).unwrap();
            programs.is_empty()
        })
    });
    sensor.signal(libc::SIGINT);
    let ended = sensor.wait();
    drop(reader);
    let killed = Some(libc::SIGINT);
    assert_eq!(ended.status.signal(), killed, "{}", ended.stderr);
}

/// `sensor run --jsonl - | head -1`.
#[test]
fn a_reader_that_goes_away_costs_no_count() {
    need_kernel!();
    let pair = Pair::new(1500);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let arguments = ["-i", "a0", "--jsonl", "-", "--interval", "100ms"];
    let mut sensor = Sensor::start_to(writer, &pair.a, &arguments);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    reader.read_exact(&mut [0]).unwrap();
    drop(reader);
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(200));
        traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    }
    sensor.counted(40);
    let ended = sensor.stop();
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_eq!(ended.checked()["totals"]["packets"], 40);
}
