//! Runs the binary and keeps what came of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::support::report;

/// A run of `sensor` that is being prepared.
pub(crate) struct Sensor {
    command: Command,
    stdin: Vec<u8>,
}

/// What a run left.
pub(crate) struct Ran {
    arguments: Vec<OsString>,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sensor");

/// `sensor` with these arguments.
pub(crate) fn sensor<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Sensor {
    let mut command = Command::new(BINARY);
    // Backtraces are for us, never for people: messages must be the same with it.
    command
        .args(arguments)
        .env("RUST_BACKTRACE", "1")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Sensor {
        command,
        stdin: Vec::new(),
    }
}

/// `sensor read FILES --json -` with more arguments, which must end with this code; checks the report as a whole.
pub(crate) fn read(files: &[&Path], more: &[&str], code: i32) -> Value {
    let mut arguments: Vec<&OsStr> = vec!["read".as_ref()];
    arguments.extend(files.iter().map(|path| path.as_os_str()));
    arguments.extend(["--json", "-"].map(OsStr::new));
    arguments.extend(more.iter().map(OsStr::new));
    sensor(arguments).run().ended(code).report()
}

/// The same of a capture that is written to a file first.
pub(crate) fn read_bytes(capture: &[u8], more: &[&str], code: i32) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "capture", capture);
    read(&[&path], more, code)
}

/// A test that can't be run here; in CI, which installs what it takes, that is a failure.
pub(crate) fn skipped(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI is set: {reason}");
    println!("skipped: {reason}");
}

pub(crate) fn file_in(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

impl Sensor {
    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        self.stdin = bytes.to_vec();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        let mut child = self.command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = self.stdin;
        // From a thread of its own, as the child may write before it has read everything; it may also stop reading.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran {
            arguments: self.command.get_args().map(OsStr::to_owned).collect(),
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The exit code; being killed or panicking has none that is allowed.
    pub(crate) fn code(&self) -> i32 {
        assert_eq!(self.status.signal(), None, "killed\n{}", self.told());
        let code = self.status.code().unwrap();
        assert!(code <= 10, "exit code {code}\n{}", self.told());
        code
    }

    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{}", self.told());
        self
    }

    /// Standard error is this one line, after `sensor: `.
    pub(crate) fn line(&self) -> &str {
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "not one line\n{}", self.told());
        lines[0]
            .strip_prefix("sensor: ")
            .unwrap_or_else(|| panic!("doesn't say who speaks\n{}", self.told()))
    }

    /// Standard error holds all of these.
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "nothing about {part:?}\n{}",
                self.told()
            );
        }
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Standard output as JSON that may be anything.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.told()))
    }

    /// Standard output as a report in which everything adds up.
    pub(crate) fn report(&self) -> Value {
        let report = self.json();
        assert_eq!(report["schema"], "sensor.report/1", "{}", self.told());
        let problems = report::problems(&report);
        assert!(
            problems.is_empty(),
            "{}\n{}",
            problems.join("\n"),
            self.told()
        );
        report
    }

    fn told(&self) -> String {
        format!(
            "sensor {:?}\n{}\nstandard error:\n{}",
            self.arguments, self.status, self.stderr
        )
    }
}
