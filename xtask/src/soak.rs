//! `cargo xtask soak`: mixed load with faults injected at random, for a bounded time. It is a test of the kernel tests that
//! is told to last longer; a short one is part of every test run.

use anyhow::Result;

use crate::cmd;

const TEST: &str = "soak::all_reports_together_are_what_was_sent_whatever_goes_wrong_meanwhile";

/// `seed` makes the faults of an earlier soak again.
pub(crate) fn main(seconds: u64, seed: Option<u64>) -> Result<()> {
    let mut cargo = cmd::cargo();
    cargo
        .args([
            "test",
            "--locked",
            "--package",
            "sensor",
            "--test",
            "kernel",
        ])
        .args(["--", "--exact", TEST, "--nocapture"])
        .env("SENSOR_SOAK_SECONDS", seconds.to_string());
    if let Some(seed) = seed {
        cargo.env("SENSOR_SOAK_SEED", seed.to_string());
    }
    cmd::run(&mut cargo)
}
