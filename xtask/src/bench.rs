//! `cargo xtask bench`: how fast, beside what. Programs, not tests: a figure of a busy machine fails nothing.

use anyhow::{Result, bail};

use crate::{build_ebpf, cmd};

pub(crate) fn main() -> Result<()> {
    // SAFETY: no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        bail!("measuring in the kernel needs root: sudo cargo xtask bench");
    }
    let object = build_ebpf::build_bench()?;
    cmd::run(
        cmd::cargo()
            .args([
                "bench",
                "--package",
                "sensor",
                "--bench",
                "kernel",
                "--bench",
                "filter",
                "--bench",
                "files",
                "--bench",
                "names",
            ])
            .env("SENSOR_BENCH_OBJECT", object),
    )
}
