//! What the measurements share: CPU time, medians, and in the kernel the driver that makes every packet another flow.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each program uses a part; these are for people who measure"
)]

use aya::Ebpf;
use aya::programs::{TestRun, TestRunOptions, Xdp};

pub(crate) fn program<'a>(bench: &'a mut Ebpf, name: &str) -> &'a mut Xdp {
    bench.program_mut(name).unwrap().try_into().unwrap()
}

/// An IPv4 packet of 50 bytes from anywhere, from port 12345 on.
pub(crate) fn frame(protocol: u8, port: u16) -> Vec<u8> {
    let mut frame = vec![0u8; 64];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14] = 0x45;
    frame[17] = 50;
    frame[23] = protocol;
    frame[34..36].copy_from_slice(&[0x30, 0x39]);
    frame[36..38].copy_from_slice(&port.to_be_bytes());
    frame
}

/// CPU time of this thread, per packet, of the driver and what it calls.
pub(crate) fn nanoseconds(driver: &mut Xdp, frame: &[u8], repeat: u32) -> f64 {
    let before = thread_time();
    let options = TestRunOptions {
        data_in: Some(frame),
        repeat,
        ..TestRunOptions::default()
    };
    let result = driver.test_run(options).unwrap();
    assert_eq!(
        result.return_value, 2,
        "XDP_PASS from the target, or the tail call failed"
    );
    (thread_time() - before) as f64 / f64::from(repeat)
}

fn thread_time() -> i64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Of all threads, nanoseconds.
pub(crate) fn cpu_time() -> i64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn clock(which: libc::clockid_t) -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec.
    unsafe { libc::clock_gettime(which, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
