//! `cargo xtask run`: from a fresh clone to this machine's traffic in one command.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cmd;

/// The capabilities of a live capture, by bit: NET_ADMIN, NET_RAW, PERFMON, BPF.
const CAPABILITIES: [u32; 4] = [12, 13, 38, 39];
/// sensor's own exit code for "no permission".
const NO_PERMISSION: u8 = 3;

/// Builds sensor in release, then becomes `sensor run ARGS`. Becoming it, not starting it, is what makes Ctrl-C,
/// SIGTERM and the exit code sensor's own.
pub(crate) fn main(args: &[String]) -> Result<ExitCode> {
    cmd::run(cmd::cargo().args([
        "build",
        "--release",
        "--package",
        "sensor",
        "--bin",
        "sensor",
    ]))?;
    let sensor = cmd::target_dir().join("release/sensor");
    let mut command = if may_capture(&sensor) {
        Command::new(&sensor)
    } else if let Some(sudo) = cmd::find_program("sudo") {
        eprintln!("live capture needs privileges: running sensor through sudo");
        let mut command = Command::new(sudo);
        command.arg("--").arg(&sensor);
        command
    } else {
        eprintln!("{}", advice(&sensor));
        return Ok(ExitCode::from(NO_PERMISSION));
    };
    let error = command.arg("run").args(args).exec();
    Err(error).with_context(|| format!("could not start {}", command.get_program().display()))
}

fn may_capture(sensor: &Path) -> bool {
    // Root without the capabilities (a container) goes on: sensor says better than we can what is missing.
    cmd::is_root()
        || has_file_capabilities(sensor)
        || inherited_capabilities().is_some_and(suffices)
}

/// The capabilities that a program started by this process inherits.
fn inherited_capabilities() -> Option<u64> {
    ambient_capabilities(&fs::read_to_string("/proc/self/status").ok()?)
}

fn ambient_capabilities(status: &str) -> Option<u64> {
    let hex = status
        .lines()
        .find_map(|line| line.strip_prefix("CapAmb:"))?;
    u64::from_str_radix(hex.trim(), 16).ok()
}

fn suffices(capabilities: u64) -> bool {
    CAPABILITIES.iter().all(|bit| capabilities >> bit & 1 == 1)
}

/// True after `setcap`; a new build takes it away again.
fn has_file_capabilities(file: &Path) -> bool {
    let Ok(path) = std::ffi::CString::new(file.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: both strings are NUL-terminated and outlive the call; with size 0 the kernel writes nothing.
    unsafe {
        libc::getxattr(
            path.as_ptr(),
            c"security.capability".as_ptr(),
            std::ptr::null_mut(),
            0,
        ) > 0
    }
}

fn advice(sensor: &Path) -> String {
    format!(
        "xtask: no permission for live capture: not root, and there is no sudo; as root grant the capabilities with\n  \
         setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep '{}'\n\
         and run `cargo xtask run` again (a new build needs it anew)",
        sensor.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_capabilities_are_needed() {
        assert!(suffices(0x0000_01ff_ffff_ffff));
        assert!(suffices(1 << 12 | 1 << 13 | 1 << 38 | 1 << 39));
        assert!(!suffices(1 << 12 | 1 << 13 | 1 << 38));
        assert!(!suffices(0));
    }

    #[test]
    fn ambient_set_is_read_from_proc_status() {
        let status = "Name:\tx\nCapEff:\t000001ffffffffff\nCapAmb:\t0000000000003000\n";
        assert_eq!(ambient_capabilities(status), Some(0x3000));
        assert_eq!(ambient_capabilities("CapAmb:\tnot hex\n"), None);
        assert_eq!(ambient_capabilities(""), None);
    }

    #[test]
    fn advice_names_the_command_and_the_file() {
        let text = advice(Path::new("/t/release/sensor"));
        assert!(
            text.contains(
                "setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep '/t/release/sensor'"
            ),
            "{text}"
        );
    }
}
