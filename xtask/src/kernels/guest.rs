//! Inside the machine: this program is its first process, and the only one besides the tests.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// What to do, in the machine's file system.
pub(super) const TODO: &str = "/todo";
/// The last line, before the exit code of the tests.
pub(super) const ENDED: &str = "the tests ended with ";
/// The second serial line.
const OUTPUT: &str = "/dev/ttyS1";

/// Seconds that a test waits for what takes a moment elsewhere.
const PATIENCE: &str = "300";

/// What the machine is booted for.
#[derive(Debug, PartialEq)]
pub(super) struct Todo {
    /// Files, in the order of loading.
    pub(super) modules: Vec<String>,
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
}

impl Todo {
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        for module in &self.modules {
            text += &format!("module {module}\n");
        }
        text += &format!("program {}\n", self.program);
        for argument in &self.arguments {
            text += &format!("argument {argument}\n");
        }
        text
    }

    fn read(text: &str) -> Self {
        let of = |kind: &str| -> Vec<String> {
            let words = text.lines().filter_map(|line| line.split_once(' '));
            words
                .filter(|(found, _)| *found == kind)
                .map(|(_, value)| value.to_owned())
                .collect()
        };
        Todo {
            modules: of("module"),
            program: of("program").pop().unwrap_or_default(),
            arguments: of("argument"),
        }
    }
}

/// This is the first process of a machine that was booted for tests.
pub(crate) fn is_guest() -> bool {
    std::process::id() == 1 && Path::new(TODO).exists()
}

/// Does what is to be done and switches the machine off.
pub(crate) fn main() -> ExitCode {
    let code = match work() {
        Ok(code) => code,
        Err(error) => {
            // The first serial line, beside the kernel's messages.
            eprintln!("xtask in the machine: {error:#}");
            1
        }
    };
    if let Ok(mut output) = OpenOptions::new().write(true).open(OUTPUT) {
        let _ = writeln!(output, "{ENDED}{code}");
        // SAFETY: the descriptor is open; the call waits until the line is out.
        unsafe { libc::tcdrain(output.as_raw_fd()) };
    }
    // SAFETY: no preconditions; nothing here is worth keeping.
    unsafe { libc::reboot(libc::RB_POWER_OFF) };
    ExitCode::FAILURE
}

fn work() -> Result<i32> {
    for (kind, place) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/tmp"),
        ("tmpfs", "/run"),
    ] {
        mount(kind, place)?;
    }
    let todo = fs::read_to_string(TODO).with_context(|| format!("could not read {TODO}"))?;
    let todo = Todo::read(&todo);
    for module in &todo.modules {
        load(module)?;
    }
    let output = || {
        let opened = OpenOptions::new().write(true).open(OUTPUT);
        opened.with_context(|| format!("could not open {OUTPUT}"))
    };
    let status = Command::new(&todo.program)
        .args(&todo.arguments)
        .arg("--show-output")
        .env("PATH", "/usr/bin:/usr/sbin:/bin:/sbin")
        .env("HOME", "/tmp")
        .env("KERNEL_TEST_PATIENCE", PATIENCE)
        // Tables for as many flows as tests have: clearing those of the default takes seconds here.
        .env("SENSOR_MAX_FLOWS", "65536")
        .stdout(output()?)
        .stderr(output()?)
        .status()
        .with_context(|| format!("could not start {}", todo.program))?;
    Ok(status.code().unwrap_or(1))
}

fn mount(kind: &str, place: &str) -> Result<()> {
    fs::create_dir_all(place).with_context(|| format!("could not make {place}"))?;
    let (kind, place) = (CString::new(kind)?, CString::new(place)?);
    // SAFETY: the strings end with NUL and outlive the call; these file systems take no data.
    let result = unsafe {
        libc::mount(
            kind.as_ptr(),
            place.as_ptr(),
            kind.as_ptr(),
            0,
            std::ptr::null(),
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error()).context(format!("could not mount {kind:?}"));
    }
    Ok(())
}

fn load(module: &str) -> Result<()> {
    let file = File::open(module).with_context(|| format!("could not open {module}"))?;
    // SAFETY: the descriptor is open and the parameters are an empty string.
    let result =
        unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), c"".as_ptr(), 0) };
    if result != 0 {
        return Err(io::Error::last_os_error()).context(format!("could not load {module}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let todo = Todo {
            modules: vec!["/modules/veth.ko".to_owned()],
            program: "/a b/tests".to_owned(),
            arguments: vec!["replay::".to_owned(), "--exact".to_owned()],
        };
        assert_eq!(Todo::read(&todo.write()), todo);
    }
}
