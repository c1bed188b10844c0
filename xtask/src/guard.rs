//! `cargo xtask guard`: the tests that hold counts of instructions near committed ones, alone, or with the present
//! counts made the committed ones.

use std::fs;

use anyhow::{Context, Result};

use crate::cmd;

pub(crate) fn main(bless: bool) -> Result<()> {
    let mut tests = cmd::cargo();
    tests.args(["test", "--package", "sensor", "--locked"]);
    tests.args([
        "--test",
        "cli",
        "--test",
        "kernel",
        "guard::",
        "--",
        "--nocapture",
    ]);
    if bless {
        if !cmd::is_root() {
            println!(
                "not root: what the kernel verifies is not measured, and its part of the baseline is lost"
            );
        }
        let path = cmd::workspace_root().join("tests/baseline.json");
        fs::write(&path, "{}\n").with_context(|| format!("could not write {}", path.display()))?;
        tests.env("XTASK_BLESS", "1");
    }
    cmd::run(&mut tests)
}
