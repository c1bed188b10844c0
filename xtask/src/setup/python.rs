//! Python packages of the tests: engines that read what sensor exports, in a virtual environment below `target`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cmd;

/// What they are for, where they can't be had.
pub(super) const TESTS: &str = "history and JSON Lines loaded into ClickHouse and DuckDB";

/// The list of packages and versions.
fn requirements() -> PathBuf {
    cmd::workspace_root().join("tests/engines/requirements.txt")
}

/// Installs what the list says, unless that was done before.
pub(super) fn prepare() -> Result<()> {
    let folder = cmd::target_dir().join("python");
    let list = requirements();
    let wanted =
        fs::read_to_string(&list).with_context(|| format!("could not read {}", list.display()))?;
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing Python packages into {}", folder.display());
    install(&folder, &list)?;
    fs::write(&stamp, wanted).with_context(|| format!("could not write {}", stamp.display()))
}

fn install(folder: &Path, list: &Path) -> Result<()> {
    let environment = || {
        let mut python = cmd::command("python3");
        cmd::run(python.args(["-m", "venv", "--clear"]).arg(folder))
    };
    // Debian's python3 can be there without what makes environments.
    if environment().is_err() && cmd::is_root() {
        super::install(&["python3-venv"]);
        environment()?;
    }
    cmd::run(
        cmd::command(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(list),
    )
}
