//! Commands that read what strangers wrote have given up everything else by then, unless they were told not to.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::BINARY;

/// The header of a pcap file with Ethernet: little-endian, microseconds, 65,535 bytes at most.
const HEADER: [u8; 24] = [
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
];

#[test]
fn whoever_reads_a_capture_has_given_up_the_rest() {
    if !fs::exists("/proc/sys/kernel/seccomp").unwrap() {
        return println!("skipped: this kernel has no seccomp");
    }
    let status = status_while_reading(&["read", "-"]);
    assert_eq!(field(&status, "Seccomp"), "2", "{status}");
    assert_eq!(field(&status, "NoNewPrivs"), "1", "{status}");
    // Root may still read files of others: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH.
    let kept = u64::from_str_radix(field(&status, "CapPrm"), 16).unwrap();
    assert_eq!(kept & !0b110, 0, "{kept:#x}");
}

#[test]
fn whoever_is_told_to_keeps_everything() {
    let mine = fs::read_to_string("/proc/self/status").unwrap();
    let status = status_while_reading(&["read", "--no-sandbox", "-"]);
    for name in ["Seccomp", "NoNewPrivs", "CapPrm", "CapEff"] {
        assert_eq!(field(&status, name), field(&mine, name), "{name}: {status}");
    }
}

/// `/proc/PID/status` of a command that has read a capture's header, and waits for more.
fn status_while_reading(arguments: &[&str]) -> String {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&HEADER).unwrap();
    let start = Instant::now();
    while unread(&input) > 0 {
        let late = start.elapsed() > Duration::from_secs(30) || gone(&mut child);
        assert!(!late, "{arguments:?} has not read its input");
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(input);
    child.wait().unwrap();
    status
}

fn gone(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

/// Bytes that nobody has taken out of a pipe yet.
fn unread(pipe: &impl AsRawFd) -> libc::c_int {
    let mut bytes = 0;
    // SAFETY: the descriptor is open, and `bytes` is an integer that may be written.
    let asked = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &mut bytes) };
    assert_eq!(asked, 0, "{}", std::io::Error::last_os_error());
    bytes
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim_start_matches(':').trim()
}
