//! The programs of the machine: the kernel tests, sensor and what they call, with the libraries that they load.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::cmd;

/// What the tests call. A test says so where one that it can do without is missing.
const TOOLS: [&str; 5] = ["ip", "iperf3", "ethtool", "tc", "setpriv"];
/// Where the tools are found in the machine.
const TOOL_FOLDER: &str = "/usr/bin";

/// Files of the machine.
pub(super) struct Programs {
    /// Place in the machine and file here.
    pub(super) files: BTreeMap<PathBuf, PathBuf>,
    pub(super) tests: PathBuf,
}

/// Builds and strips what is ours (debug information would double the boot), and finds the rest.
pub(super) fn gather(folder: &Path) -> Result<Programs> {
    let built = build()?;
    let xtask = env::current_exe().context("can't tell where this program lies")?;
    let mut files = BTreeMap::new();
    for (place, file) in [
        // The tests call sensor by the path that it was built at.
        (built.sensor.clone(), &built.sensor),
        (built.tests.clone(), &built.tests),
        (PathBuf::from("/init"), &xtask),
    ] {
        let stripped = folder.join(file.file_name().unwrap_or_default());
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        cmd::run(cmd::command("strip").arg("-o").arg(&stripped).arg(file))?;
        libraries(file, &mut files)?;
        files.insert(place, stripped);
    }
    for name in TOOLS {
        if let Some(program) = cmd::find_program(name) {
            libraries(&program, &mut files)?;
            files.insert(Path::new(TOOL_FOLDER).join(name), program);
        }
    }
    Ok(Programs {
        files,
        tests: built.tests,
    })
}

struct Built {
    sensor: PathBuf,
    tests: PathBuf,
}

/// The same build as `cargo test`'s, so that nothing is compiled twice.
fn build() -> Result<Built> {
    let mut cargo = cmd::cargo();
    cargo.args([
        "test",
        "--no-run",
        "--locked",
        "--workspace",
        "--test",
        "kernel",
    ]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .context("could not start cargo")?;
    if !output.status.success() {
        bail!("the kernel tests can't be built");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let tests =
        executable(&messages, "\"name\":\"kernel\"").context("no kernel tests were built")?;
    let sensor = cmd::target_dir().join("debug/sensor");
    Ok(Built { sensor, tests })
}

/// The `executable` of cargo's message about a target.
fn executable(messages: &str, target: &str) -> Option<PathBuf> {
    let line = messages
        .lines()
        .find(|line| line.contains(target) && line.contains("\"kind\":[\"test\"]"))?;
    let (_, rest) = line.split_once("\"executable\":\"")?;
    Some(PathBuf::from(rest.split('"').next()?))
}

/// Adds what the dynamic linker would load, where it would look for it.
fn libraries(program: &Path, files: &mut BTreeMap<PathBuf, PathBuf>) -> Result<()> {
    let listed = cmd::output(cmd::command("ldd").arg(program))?;
    for path in loaded(&listed) {
        files.insert(path.clone(), path);
    }
    Ok(())
}

/// `libc.so.6 => /lib/libc.so.6 (0x...)`, and `/lib64/ld-linux-x86-64.so.2 (0x...)`.
fn loaded(ldd: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let found = line.split_once("=> ").map_or(line, |(_, found)| found);
        let path = found.trim().split(" (").next()?;
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    ldd.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_those_with_a_path() {
        let ldd = "\tlinux-vdso.so.1 (0x00007fd4a3da6000)\n\tlibc.so.6 => /lib/libc.so.6 (0x00007fd4)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007fd4a3da8000)\n";
        assert_eq!(
            loaded(ldd),
            ["/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from)
        );
    }

    #[test]
    fn the_tests_are_told_apart_from_benches_of_the_same_name() {
        let messages = "{\"target\":{\"kind\":[\"bench\"],\"name\":\"kernel\"},\"executable\":\"/t/b\"}\n\
            {\"target\":{\"kind\":[\"test\"],\"name\":\"kernel\"},\"executable\":\"/t/k\"}\n";
        assert_eq!(
            executable(messages, "\"name\":\"kernel\""),
            Some(PathBuf::from("/t/k"))
        );
    }
}
