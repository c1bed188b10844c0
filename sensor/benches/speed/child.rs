//! Programs run for measurement: how long, how much CPU, how much memory.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

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

/// A program that works until it is interrupted, in a folder of its own.
pub(crate) struct Watched {
    child: Child,
    begin: Instant,
    folder: tempfile::TempDir,
}

impl Watched {
    /// Returns when it has said `ready` on its standard error, which is the file `stderr` of its folder.
    pub(crate) fn start(mut command: Command, ready: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stderr");
        let begin = Instant::now();
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&path).unwrap())
            .spawn()
            .unwrap();
        while !fs::read_to_string(&path).unwrap().contains(ready) {
            assert!(begin.elapsed().as_secs() < 30, "{command:?} does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        Watched {
            child,
            begin,
            folder,
        }
    }

    /// Seconds of CPU that it has used in all.
    pub(crate) fn cpu(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let times = tasks.flatten().filter_map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok()
        });
        times.sum::<f64>() * 1e-9
    }

    /// As a user would end it; the folder has what it wrote.
    pub(crate) fn interrupt(self, name: &str) -> tempfile::TempDir {
        let ran = interrupt(self.child, self.begin);
        let said = || fs::read_to_string(self.folder.path().join("stderr"));
        assert_eq!(ran.status, 0, "{name}: {}", said().unwrap_or_default());
        self.folder
    }
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
