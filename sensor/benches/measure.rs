//! What the measurements share: CPU time, medians, and in the kernel the driver that makes every packet another flow.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each program uses a part; these are for people who measure"
)]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use aya::Ebpf;
use aya::programs::{SchedClassifier, TestRun, TestRunOptions, TestRunResult, Xdp};

pub(crate) fn program<'a>(bench: &'a mut Ebpf, name: &str) -> &'a mut Xdp {
    bench.program_mut(name).unwrap().try_into().unwrap()
}

pub(crate) fn classifier<'a>(bench: &'a mut Ebpf, name: &str) -> &'a mut SchedClassifier {
    bench.program_mut(name).unwrap().try_into().unwrap()
}

/// A program that can be run without a packet of the network.
pub(crate) trait Testable {
    /// What it returns when it lets the packet pass.
    const PASS: u32;

    fn run(&self, options: TestRunOptions<'_>) -> TestRunResult;
}

impl Testable for Xdp {
    const PASS: u32 = 2;

    fn run(&self, options: TestRunOptions<'_>) -> TestRunResult {
        self.test_run(options).unwrap()
    }
}

impl Testable for SchedClassifier {
    const PASS: u32 = u32::MAX; // TC_ACT_UNSPEC

    fn run(&self, options: TestRunOptions<'_>) -> TestRunResult {
        self.test_run(options).unwrap()
    }
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

/// An IPv6 packet of 72 bytes from anywhere, from port 12345 on.
pub(crate) fn frame6(protocol: u8, port: u16) -> Vec<u8> {
    let mut frame = vec![0u8; 86];
    frame[12..15].copy_from_slice(&[0x86, 0xdd, 0x60]);
    frame[19] = 32;
    frame[20] = protocol;
    frame[22..24].copy_from_slice(&[0x20, 0x01]);
    frame[38..40].copy_from_slice(&[0x20, 0x01]);
    frame[54..56].copy_from_slice(&[0x30, 0x39]);
    frame[56..58].copy_from_slice(&port.to_be_bytes());
    frame
}

/// Keeps this thread on one CPU: on another, the driver counts its flows from elsewhere on. Gone past the last, it is the
/// last.
pub(crate) fn stay_on(cpu: usize) {
    // SAFETY: no preconditions.
    let last = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }.max(1) as usize - 1;
    // SAFETY: a set of CPUs is plain bits, for which zero is a value; the call reads it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu.min(last), &mut set);
        let size = size_of::<libc::cpu_set_t>();
        assert_eq!(libc::sched_setaffinity(0, size, &raw const set), 0);
    }
}

/// CPU time of this thread, per packet, of the driver and what it calls.
pub(crate) fn nanoseconds<P: Testable>(driver: &P, frame: &[u8], repeat: u32) -> f64 {
    let before = thread_time();
    let options = TestRunOptions {
        data_in: Some(frame),
        repeat,
        ..TestRunOptions::default()
    };
    let result = driver.run(options);
    assert_eq!(
        result.return_value,
        P::PASS,
        "the target lets it pass, or the tail call failed"
    );
    (thread_time() - before) as f64 / f64::from(repeat)
}

/// Of this thread, nanoseconds.
pub(crate) fn thread_time() -> i64 {
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

/// Instructions that the kernel runs on behalf of this thread: the same on a busy machine as on an idle one.
pub(crate) struct Instructions(OwnedFd);

impl Instructions {
    /// `None` where there is no such counter (many virtual machines).
    pub(crate) fn open() -> Option<Self> {
        const HARDWARE_INSTRUCTIONS: (u32, u64) = (0, 1);
        const EXCLUDE_USER: u64 = 1 << 4;
        let (kind, which) = HARDWARE_INSTRUCTIONS;
        // The first version of `perf_event_attr`: type and size, config, period, sample type, read format, flags, two more.
        let size = 64u64;
        let attributes = [
            u64::from(kind) | size << 32,
            which,
            0,
            0,
            0,
            EXCLUDE_USER,
            0,
            0,
        ];
        // SAFETY: the kernel reads as many bytes as the size says; a descriptor is given back.
        unsafe {
            let fd = libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0);
            (fd >= 0).then(|| Instructions(OwnedFd::from_raw_fd(fd as i32)))
        }
    }

    pub(crate) fn read(&self) -> u64 {
        let mut count = 0u64;
        // SAFETY: the buffer is eight bytes long.
        let read = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), 8) };
        assert_eq!(read, 8, "a counter is eight bytes");
        count
    }
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
