//! The pinned tools that the eBPF object is made with, fetched where they are missing.
//!
//! Another rustc or another bpf-linker makes another object, so that "not the same tools" must never be mistaken
//! for "not the same source": every failure here is a reason why the object was *not rebuilt*.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cmd;

/// The target of the eBPF programs.
pub(crate) const TARGET: &str = "bpfel-unknown-none";
const RUSTC: &str = "rustc 1.95.0 (59807616e 2026-04-14)";
const CHANNEL: &str = "1.95.0";
const BPF_LINKER: &str = "0.10.3";

/// rustc with its sources, and bpf-linker; all as pinned.
pub(crate) struct Toolchain {
    /// False where the default toolchain already is the pinned one.
    through_rustup: bool,
    pub(crate) sysroot: PathBuf,
    pub(crate) linker: PathBuf,
}

impl Toolchain {
    /// Finds the tools, installing what is missing; the error says why that was not possible.
    pub(crate) fn obtain() -> Result<Self> {
        let through_rustup = find_rustc()?;
        let sysroot = cmd::output(pinned("rustc", through_rustup).args(["--print", "sysroot"]))?;
        let sysroot = PathBuf::from(sysroot);
        ensure_rust_src(&sysroot)?;
        let linker = ensure_bpf_linker(through_rustup)?;
        Ok(Self {
            through_rustup,
            sysroot,
            linker,
        })
    }

    /// `cargo` of the pinned toolchain.
    pub(crate) fn cargo(&self) -> Command {
        pinned("cargo", self.through_rustup)
    }

    /// The tools in the words of a README.
    pub(crate) fn describe() -> String {
        format!("{RUSTC}, bpf-linker {BPF_LINKER}")
    }
}

/// The default rustc where it is the pinned one (false), else the pinned one of rustup (true).
fn find_rustc() -> Result<bool> {
    let default = cmd::output(cmd::command("rustc").arg("-V")).context("rustc does not run")?;
    if default == RUSTC {
        return Ok(false);
    }
    let pinned_version = || cmd::output(pinned("rustc", true).arg("-V"));
    if pinned_version().is_err() {
        println!("installing rustc {CHANNEL}, because the default is {default}");
        let mut install = cmd::command("rustup");
        install.args([
            "toolchain",
            "install",
            CHANNEL,
            "--profile",
            "minimal",
            "--no-self-update",
        ]);
        cmd::run(&mut install)
            .with_context(|| format!("the object needs {RUSTC}, this is {default}"))?;
    }
    let found = pinned_version()?;
    if found != RUSTC {
        bail!("the object needs {RUSTC}, the toolchain {CHANNEL} of rustup is {found}");
    }
    Ok(true)
}

/// A program of the pinned toolchain. `RUSTUP_TOOLCHAIN`, which cargo sets for us, would win over the default.
fn pinned(program: &str, through_rustup: bool) -> Command {
    if !through_rustup {
        return cmd::command(program);
    }
    let mut command = cmd::command("rustup");
    command.args(["run", CHANNEL, program]);
    command
}

/// `core` is built from source: there is no binary of it for BPF.
fn ensure_rust_src(sysroot: &Path) -> Result<()> {
    let core = sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml");
    if core.is_file() {
        return Ok(());
    }
    println!("installing rust-src");
    let toolchain = sysroot.file_name().unwrap_or_default();
    let mut add = cmd::command("rustup");
    add.args(["component", "add", "rust-src", "--toolchain"])
        .arg(toolchain);
    cmd::run(&mut add).context("rust-src is missing and rustup could not add it")?;
    if !core.is_file() {
        bail!(
            "rust-src is missing in {}; install it beside rustc",
            sysroot.display()
        );
    }
    Ok(())
}

/// Installed into the target folder, not for the user: its version is this project's business.
fn ensure_bpf_linker(through_rustup: bool) -> Result<PathBuf> {
    let root = cmd::target_dir().join("tools");
    let linker = root.join("bin/bpf-linker");
    let wanted = format!("bpf-linker {BPF_LINKER}");
    let version = || cmd::output(cmd::command(&linker).arg("--version"));
    if version().is_ok_and(|found| found == wanted) {
        return Ok(linker);
    }
    println!("installing {wanted} into {}", root.display());
    let mut install = pinned("cargo", through_rustup);
    install
        .args([
            "install",
            "--locked",
            "--force",
            "bpf-linker",
            "--version",
            BPF_LINKER,
            "--root",
        ])
        .arg(&root);
    cmd::run(&mut install)
        .with_context(|| format!("{wanted} is missing and could not be installed"))?;
    let found = version().with_context(|| format!("{wanted} was installed but does not run"))?;
    if found != wanted {
        bail!("{} says it is {found}, not {wanted}", linker.display());
    }
    Ok(linker)
}
