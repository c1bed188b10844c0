//! Stands between cargo and rustc while the eBPF object is built, so that the object depends on its source alone.
//!
//! cargo hands rustc a `-C metadata` that mixes in the versions of a crate's dependencies, build dependencies
//! included, and rustc turns it into the hash inside every mangled symbol name. A `cargo update` of a proc-macro's
//! dependency would rename the functions of an unchanged object, and could reorder them. Here each crate built for
//! the BPF target gets its own name and version as metadata instead: all that has to be told apart in one object.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// Set by `build-ebpf` on the cargo it starts; makes this program behave as `RUSTC_WRAPPER`.
pub(crate) const SWITCH: &str = "SENSOR_XTASK_RUSTC_WRAPPER";

/// This process was started by cargo in place of rustc.
pub(crate) fn is_wanted() -> bool {
    env::var_os(SWITCH).is_some()
}

/// Becomes rustc, with its arguments made independent of the lock file.
pub(crate) fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let Some(rustc) = args.next() else {
        eprintln!("xtask: {SWITCH} is set, but there is no rustc to run; unset it");
        return ExitCode::FAILURE;
    };
    let name = env::var("CARGO_PKG_NAME").unwrap_or_default();
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let error = Command::new(&rustc)
        .args(stable_args(args.collect(), &name, &version))
        .exec();
    eprintln!("xtask: could not start {}: {error}", rustc.display());
    ExitCode::FAILURE
}

/// Replaces the value of `-C metadata` where the target is BPF. Our own crates go without their version, so that
/// a release with unchanged programs ships an unchanged object.
fn stable_args(mut args: Vec<OsString>, name: &str, version: &str) -> Vec<OsString> {
    if !args.iter().any(|arg| arg == super::toolchain::TARGET) {
        return args;
    }
    let own = name.starts_with("sensor");
    let metadata = if own {
        format!("metadata={name}")
    } else {
        format!("metadata={name}-{version}")
    };
    for arg in &mut args {
        if is_metadata(arg) {
            *arg = OsString::from(&metadata);
        }
    }
    args
}

/// cargo passes `-C` and `metadata=...` as two arguments.
fn is_metadata(arg: &OsStr) -> bool {
    arg.to_str().is_some_and(|arg| arg.starts_with("metadata="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn metadata_of_bpf_crates_is_their_name_and_version() {
        let given = args(&[
            "--target",
            "bpfel-unknown-none",
            "-C",
            "metadata=0123abcd",
            "-C",
            "opt-level=3",
        ]);
        let wanted = args(&[
            "--target",
            "bpfel-unknown-none",
            "-C",
            "metadata=core-1.2.3",
            "-C",
            "opt-level=3",
        ]);
        assert_eq!(stable_args(given, "core", "1.2.3"), wanted);
    }

    #[test]
    fn own_crates_go_without_their_version() {
        let given = args(&["--target", "bpfel-unknown-none", "-C", "metadata=0123abcd"]);
        let changed = stable_args(given, "sensor-common", "0.1.0");
        assert_eq!(
            changed.last(),
            Some(&OsString::from("metadata=sensor-common"))
        );
    }

    #[test]
    fn host_crates_are_left_alone() {
        let given = args(&["--crate-name", "syn", "-C", "metadata=0123abcd"]);
        assert_eq!(stable_args(given.clone(), "syn", "2.0.0"), given);
    }
}
