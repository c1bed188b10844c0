//! Programs run for measurement: how long, how much CPU, how much memory.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a finished program cost.
pub(crate) struct Ran {
    /// Nanoseconds by the clock.
    pub wall: f64,
    /// Nanoseconds of CPU of all its threads, in userspace and in the kernel.
    pub cpu: f64,
    /// Most bytes resident at once.
    pub peak: f64,
    pub status: i32,
}

/// Runs it to its end with its output thrown away.
pub(crate) fn run(command: &mut Command) -> io::Result<Ran> {
    let start = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(wait(child, start))
}

/// Waits for its end.
pub(crate) fn wait(child: Child, start: Instant) -> Ran {
    let mut status = 0;
    // SAFETY: plain integers, for which zero is a value; the call fills both.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let waited = libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage);
        assert_eq!(waited, child.id() as i32, "{}", io::Error::last_os_error());
        usage
    };
    Ran {
        wall: start.elapsed().as_nanos() as f64,
        cpu: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
        peak: usage.ru_maxrss as f64 * 1024.0,
        status,
    }
}

/// Ends it as a user would: SIGINT, and waits.
pub(crate) fn interrupt(child: Child, start: Instant) -> Ran {
    // SAFETY: our own child, which nobody has waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    wait(child, start)
}

fn nanoseconds(time: libc::timeval) -> f64 {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000).as_nanos() as f64
}

/// Whether there is such a program.
pub(crate) fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}
