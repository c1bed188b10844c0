//! A sensor that runs in a throw-away namespace, told to do things and watched.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde_json::Value;

use crate::support::schema;

pub(crate) use crate::namespace::{Namespace, Pair, ip, packet_socket};

/// How long anything may take on a busy machine; an emulated one is told to have more.
static PATIENCE: LazyLock<Duration> = LazyLock::new(|| {
    let told = std::env::var("KERNEL_TEST_PATIENCE").ok();
    Duration::from_secs(told.and_then(|seconds| seconds.parse().ok()).unwrap_or(30))
});

/// Why kernel tests can't run here, if they can't.
pub(crate) fn missing() -> Option<String> {
    // SAFETY: no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return Some("not root: namespaces and programs need it".to_owned());
    }
    let ip = Command::new("ip").arg("-V").output();
    if !ip.is_ok_and(|output| output.status.success()) {
        return Some("there is no ip command (Debian package iproute2)".to_owned());
    }
    None
}

/// Whether the running kernel lacks what came with this one.
pub(crate) fn kernel_before(major: u8, minor: u8) -> bool {
    let running = aya::util::KernelVersion::current().unwrap();
    running < aya::util::KernelVersion::new(major, minor, 0)
}

/// Prints the reason and returns from the test where the machine can't run it.
macro_rules! need_kernel {
    () => {
        if let Some(reason) = crate::harness::missing() {
            println!("skipped: {reason}");
            return;
        }
    };
}
pub(crate) use need_kernel;

/// A running `sensor run`, started and counting.
pub(crate) struct Sensor {
    process: Process,
    folder: tempfile::TempDir,
    reports: PathBuf,
    stderr: Receiver<String>,
    /// What it said on standard error before it was ready.
    pub greeting: String,
}

/// Killed where a test fails before it has ended.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a run ended.
pub(crate) struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
    pub report: Value,
    /// Periodic reports in the order of their names.
    pub periods: Vec<Value>,
    pub folder: tempfile::TempDir,
}

impl Sensor {
    pub(crate) fn start(namespace: &Namespace, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reports = folder.path().join("reports");
        let command = namespace.command(env!("CARGO_BIN_EXE_sensor"));
        Self::launch(command, arguments, folder, reports)
    }

    /// The same with somebody at its standard output.
    pub(crate) fn start_to(
        stdout: impl Into<Stdio>,
        namespace: &Namespace,
        arguments: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reports = folder.path().join("reports");
        let command = namespace.command(env!("CARGO_BIN_EXE_sensor"));
        Self::launch_to(stdout.into(), command, arguments, folder, reports)
    }

    /// Starts the sensor that `command` names, with a folder for its own files and one for the reports.
    pub(crate) fn launch(
        command: Command,
        arguments: &[&str],
        folder: tempfile::TempDir,
        reports: PathBuf,
    ) -> Self {
        Self::launch_to(Stdio::null(), command, arguments, folder, reports)
    }

    fn launch_to(
        stdout: Stdio,
        mut command: Command,
        arguments: &[&str],
        folder: tempfile::TempDir,
        reports: PathBuf,
    ) -> Self {
        command.arg("run").args(arguments);
        if !arguments.contains(&"-n") {
            command.args(["-n", "0"]);
        }
        command.arg("--out").arg(&reports);
        // Reports and history are written by different threads: a test is about the one or the other.
        if !arguments.contains(&"--keep") {
            command.arg("--no-history");
        }
        command.arg("--json").arg(folder.path().join("whole.json"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(command); // its end of the output is the sensor's alone
        let stderr = lines(child.stderr.take().unwrap());
        let mut sensor = Sensor {
            process: Process(child),
            folder,
            reports,
            stderr,
            greeting: String::new(),
        };
        // Hooks are attached before this line is written.
        sensor.wait_for_line("stop with Ctrl-C");
        sensor
    }

    /// Periodic reports so far, in the order of their names.
    pub(crate) fn written(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.reports) else {
            return Vec::new();
        };
        let mut names: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("sensor-"))
            })
            .collect();
        names.sort();
        names
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: the process is our own child and has not been waited for.
        let result = unsafe { libc::kill(self.process.0.id() as i32, signal) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    /// From now on it can have this many files open; gives how many it could have.
    pub(crate) fn limit_files(&self, most: u64) -> u64 {
        let pid = self.process.0.id() as i32;
        let mut before = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        let which = libc::RLIMIT_NOFILE;
        // SAFETY: the call writes one rlimit.
        let read = unsafe { libc::prlimit(pid, which, std::ptr::null(), &raw mut before) };
        assert_eq!(read, 0, "{}", io::Error::last_os_error());
        let limit = libc::rlimit {
            rlim_cur: most,
            ..before
        };
        // SAFETY: the call reads one rlimit.
        let set = unsafe { libc::prlimit(pid, which, &raw const limit, std::ptr::null_mut()) };
        assert_eq!(set, 0, "{}", io::Error::last_os_error());
        before.rlim_cur
    }

    /// Reads standard error until a line holds `text`; gives that line.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.stderr.recv_timeout(*PATIENCE) else {
                panic!("sensor did not say {text:?}, but: {}", self.greeting);
            };
            self.greeting += &line;
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until it has counted this many packets since its start: what was sent may still be on its way.
    pub(crate) fn counted(&mut self, packets: u64) {
        eventually("all packets counted", || {
            self.signal(libc::SIGUSR1);
            let line = self.wait_for_line("so far");
            let (number, _) = line.split_once(" packets").unwrap();
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<u64>().unwrap() >= packets
        });
    }

    pub(crate) fn reports(&self) -> &Path {
        &self.reports
    }

    /// Waits for its end by SIGKILL; its folder stays.
    pub(crate) fn killed(mut self) -> tempfile::TempDir {
        self.process.0.wait().unwrap();
        self.folder
    }

    /// Stops it as systemd would, and reads what it wrote.
    pub(crate) fn stop(self) -> Ended {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    /// Waits for it to end by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let mut stderr = std::mem::take(&mut self.greeting);
        loop {
            match self.stderr.recv_timeout(*PATIENCE) {
                Ok(line) => stderr += &line,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("sensor does not end: {stderr}"),
            }
        }
        let status = self.process.0.wait().unwrap();
        let names = self.written();
        Ended {
            status,
            stderr,
            report: json(&self.folder.path().join("whole.json")),
            periods: names.iter().map(|path| json(path)).collect(),
            folder: self.folder,
        }
    }
}

impl Ended {
    /// Exit 0, and the identity holds in every report.
    pub(crate) fn checked(self) -> Value {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        for report in self.periods.iter().chain([&self.report]) {
            assert_eq!(report["accounting"]["identity_holds"], true, "{report:#}");
            assert_eq!(schema::problems(report), [""; 0]);
        }
        self.report
    }
}

/// Exit code and standard error of a run that ends by itself, at the latest after ten seconds.
pub(crate) fn refused(namespace: &Namespace, arguments: &[&str]) -> (Option<i32>, String) {
    attempt(
        namespace.command(env!("CARGO_BIN_EXE_sensor")),
        arguments,
        tempfile::tempdir().unwrap().path(),
    )
}

/// As [`refused`], of the sensor that `command` names, with the reports in `folder`.
pub(crate) fn attempt(
    mut command: Command,
    arguments: &[&str],
    folder: &Path,
) -> (Option<i32>, String) {
    let output = command
        .args(["run", "--duration", "10s", "--out"])
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

/// The report of `sensor read` on a file.
pub(crate) fn read(path: &Path) -> Value {
    read_with(path, &[])
}

/// The same with more arguments.
pub(crate) fn read_with(path: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_sensor"))
        .args(["read", "-n", "0", "--json", "-"])
        .args(arguments)
        .arg(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Null where there is no such file.
pub(crate) fn json(path: &Path) -> Value {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
        Err(_) => Value::Null,
    }
}

/// Lines of `from`, each with its end, read by a thread: the writer never waits for the test.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut line = String::new();
            match from.read_line(&mut line) {
                Ok(1..) if sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

/// Asks again until `done` says yes; fails when that takes too long.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < *PATIENCE,
            "{what}: not within {:?}",
            *PATIENCE
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
