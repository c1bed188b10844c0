//! A command that has read its input, and waits for more: what the kernel says of it then.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::BINARY;

/// `/proc/PID/status` of a command that has taken all of this from its standard input.
pub(crate) fn status(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input).unwrap();
    let start = Instant::now();
    while unread(&pipe) > 0 {
        let late = start.elapsed() > Duration::from_secs(30) || gone(&mut child);
        assert!(!late, "{arguments:?} has not read its input");
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(pipe);
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

/// A line of it.
pub(crate) fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim_start_matches(':').trim()
}
