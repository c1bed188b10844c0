//! Throw-away network namespaces, a sensor in one of them, and a raw sender in the other.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde_json::Value;

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

/// Two namespaces, `a` and `b`, joined by a veth pair `a0`-`b0`, 10.9.0.1 and 10.9.0.2; gone when dropped.
pub(crate) struct Pair {
    pub a: Namespace,
    pub b: Namespace,
}

impl Pair {
    pub(crate) fn new(mtu: u32) -> Self {
        let pair = Pair {
            a: Namespace::new(),
            b: Namespace::new(),
        };
        let (a, b, mtu) = (&pair.a.name, &pair.b.name, mtu.to_string());
        ip(&[
            "link", "add", "a0", "mtu", &mtu, "netns", a, "type", "veth", "peer", "name", "b0",
            "mtu", &mtu, "netns", b,
        ]);
        ip(&["-n", a, "addr", "add", "10.9.0.1/24", "dev", "a0"]);
        ip(&["-n", b, "addr", "add", "10.9.0.2/24", "dev", "b0"]);
        ip(&["-n", a, "link", "set", "a0", "up"]);
        ip(&["-n", b, "link", "set", "b0", "up"]);
        pair
    }
}

pub(crate) struct Namespace {
    pub name: String,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sensor-test-{}-{number}", std::process::id());
        ip(&["netns", "add", &name]);
        let namespace = Namespace { name };
        // Neighbour discovery would send packets that no test asked for.
        namespace.inside(|| {
            for which in ["all", "default"] {
                fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1").unwrap();
            }
        });
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"]);
        namespace
    }

    /// Runs `work` on a thread of its own in this namespace.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.name);
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let namespace = fs::File::open(&path).unwrap();
                // SAFETY: the descriptor is open; only this thread changes its namespace.
                let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
                assert_eq!(result, 0, "setns {path}: {}", io::Error::last_os_error());
                work()
            });
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Sends the frames as they are.
    pub(crate) fn send(&self, interface: &str, frames: &[Vec<u8>]) {
        self.inside(|| {
            let socket = packet_socket(interface);
            for frame in frames {
                // SAFETY: the buffer is as long as said.
                let sent = unsafe {
                    libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0)
                };
                let error = io::Error::last_os_error();
                assert_eq!(
                    usize::try_from(sent),
                    Ok(frame.len()),
                    "{} bytes: {error}",
                    frame.len()
                );
            }
        });
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}

pub(crate) fn packet_socket(interface: &str) -> OwnedFd {
    let name = std::ffi::CString::new(interface).unwrap();
    // SAFETY: plain system calls on values that live through them.
    unsafe {
        let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0);
        assert!(fd >= 0, "packet socket: {}", io::Error::last_os_error());
        let socket = OwnedFd::from_raw_fd(fd);
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        let size = size_of_val(&address) as u32;
        let result = libc::bind(fd, (&raw const address).cast(), size);
        assert_eq!(
            result,
            0,
            "bind {interface}: {}",
            io::Error::last_os_error()
        );
        socket
    }
}

pub(crate) fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "ip {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A running `sensor run`, started and counting.
pub(crate) struct Sensor {
    pub child: Child,
    folder: tempfile::TempDir,
    reports: PathBuf,
    stderr: BufReader<std::process::ChildStderr>,
    /// What it said on standard error before it was ready.
    pub greeting: String,
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

    /// Starts the sensor that `command` names, with a folder for its own files and one for the reports.
    pub(crate) fn launch(
        mut command: Command,
        arguments: &[&str],
        folder: tempfile::TempDir,
        reports: PathBuf,
    ) -> Self {
        command
            .arg("run")
            .args(arguments)
            .args(["-n", "0", "--out"]);
        command.arg(&reports);
        command.arg("--json").arg(folder.path().join("whole.json"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut greeting = String::new();
        // Hooks are attached before this line is written.
        while !greeting.contains("stop with Ctrl-C") {
            let read = stderr.read_line(&mut greeting).unwrap();
            assert!(read > 0, "sensor ended before it was ready: {greeting}");
        }
        Sensor {
            child,
            folder,
            reports,
            stderr,
            greeting,
        }
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

    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: the process is our own child and has not been waited for.
        let result = unsafe { libc::kill(self.child.id() as i32, signal) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    /// Reads standard error until a line holds `text`; gives what it read.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        let mut said = String::new();
        while !said.contains(text) {
            let read = self.stderr.read_line(&mut said).unwrap();
            assert!(read > 0, "sensor ended without saying {text:?}: {said}");
        }
        self.greeting += &said;
        said
    }

    /// Stops it as systemd would, and reads what it wrote.
    pub(crate) fn stop(self) -> Ended {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    /// Waits for it to end by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let mut stderr = std::mem::take(&mut self.greeting);
        self.stderr.read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
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
    let output = Command::new(env!("CARGO_BIN_EXE_sensor"))
        .args(["read", "-n", "0", "--json", "-"])
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

/// Asks again until `done` says yes; fails after ten seconds.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{what}: not within ten seconds"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
