//! DuckDB and ClickHouse's engine, which `cargo xtask setup` installs as Python packages below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The Python that has them; none, with the reason printed, where they are not installed.
pub(crate) fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/bin/python");
    if !python.exists() {
        println!("skipped: no DuckDB and ClickHouse here: cargo xtask setup installs them");
        return None;
    }
    Some(python)
}

/// The JSON that it prints.
pub(crate) fn run(command: &mut Command) -> Value {
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{command:?}: {said}");
    serde_json::from_slice(&ran.stdout).unwrap()
}
