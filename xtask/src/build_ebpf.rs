//! `cargo xtask build-ebpf`: makes the eBPF object from source and holds it against the committed one.
//!
//! The object is committed so that building sensor takes cargo alone. That is honest only while anybody can make the
//! same bytes from the source, in any folder: hence the pinned tools, the remapped paths and the comparison.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::paths::Paths;
use crate::toolchain::{TARGET, Toolchain};
use crate::{cmd, elf, rustc_wrapper};

pub(crate) const OBJECT: &str = "sensor.bpfel.o";
const BLESS: &str = "run `cargo xtask build-ebpf --bless` and commit sensor-ebpf/prebuilt";

/// What came of holding a fresh object against the committed one.
pub(crate) enum Comparison {
    Same,
    /// The tools could not be had, so nothing was compared.
    NotRebuilt(String),
}

/// The task: compare, or with `bless` replace the committed object.
pub(crate) fn main(bless: bool) -> Result<()> {
    if bless {
        let object = build(&Toolchain::obtain().context("eBPF object NOT rebuilt")?)?;
        return write_prebuilt(&object);
    }
    match compare()? {
        Comparison::Same => Ok(()),
        Comparison::NotRebuilt(why) => bail!("eBPF object NOT rebuilt: {why}"),
    }
}

/// Rebuilds the object and compares it byte for byte with the committed one; a difference is an error.
pub(crate) fn compare() -> Result<Comparison> {
    let path = prebuilt_dir().join(OBJECT);
    let committed =
        fs::read(&path).with_context(|| format!("could not read {}; {BLESS}", path.display()))?;
    check_hash_file(&committed)?;
    let toolchain = match Toolchain::obtain() {
        Ok(toolchain) => toolchain,
        Err(error) => return Ok(Comparison::NotRebuilt(format!("{error:#}"))),
    };
    let fresh = build(&toolchain)?;
    if fresh != committed {
        bail!(
            "the committed eBPF object is not what its source builds to: {} has {} bytes and sha256 {}, \
             the fresh one {} bytes and {}; {BLESS}",
            path.display(),
            committed.len(),
            sha256(&committed),
            fresh.len(),
            sha256(&fresh)
        );
    }
    println!(
        "eBPF object rebuilt, byte for byte the committed one: sha256 {}",
        sha256(&fresh)
    );
    Ok(Comparison::Same)
}

/// Builds, strips and checks the object.
fn build(toolchain: &Toolchain) -> Result<Vec<u8>> {
    let (linked, paths) = link(toolchain, "sensor")?;
    let linked =
        fs::read(&linked).with_context(|| format!("could not read {}", linked.display()))?;
    let object = elf::strip_debug(&linked)?;
    paths.refuse_leaks(&object, "the eBPF object")?;
    Ok(object)
}

/// The object with the programs that benchmarks measure against: where it is.
pub(crate) fn build_bench() -> Result<PathBuf> {
    let toolchain =
        Toolchain::obtain().context("the programs to measure against can't be built")?;
    Ok(link(&toolchain, "bench")?.0)
}

fn link(toolchain: &Toolchain, program: &str) -> Result<(PathBuf, Paths)> {
    let target_dir = cmd::target_dir().join("ebpf");
    fs::create_dir_all(&target_dir)
        .with_context(|| format!("could not create {}", target_dir.display()))?;
    let paths = Paths::find(&toolchain.sysroot, &target_dir)?;
    cmd::run(build_command(toolchain, &target_dir, &paths)?.args(["--bin", program]))?;
    Ok((target_dir.join(TARGET).join("release").join(program), paths))
}

fn build_command(
    toolchain: &Toolchain,
    target_dir: &Path,
    paths: &Paths,
) -> Result<std::process::Command> {
    let mut cargo = toolchain.cargo();
    // What the user or CI set for host builds would change the object.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if [
            "CARGO_PROFILE_",
            "CARGO_BUILD_",
            "CARGO_TARGET_",
            "RUSTC",
            "RUSTFLAGS",
        ]
        .iter()
        .any(|p| text.starts_with(p))
        {
            cargo.env_remove(&name);
        }
    }
    cargo
        .args([
            "build",
            "--locked",
            "--package",
            "sensor-ebpf",
            "--release",
            "--target",
            TARGET,
        ])
        .args(["-Z", "build-std=core", "--target-dir"])
        .arg(target_dir)
        .env("RUSTC_BOOTSTRAP", "1") // for this process only: it would change what userspace crates detect
        .env(
            "RUSTC_WRAPPER",
            env::current_exe().context("could not find the path of xtask itself")?,
        )
        .env(rustc_wrapper::SWITCH, "1")
        .env("LD_LIBRARY_PATH", toolchain.sysroot.join("lib")) // where bpf-linker looks first for rustc's LLVM
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &toolchain.linker)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(paths));
    // The workspace's release profile is made for userspace; bpf-linker does its own link-time optimisation.
    for (key, value) in [
        ("OPT_LEVEL", "3"),
        ("CODEGEN_UNITS", "1"),
        ("LTO", "off"),
        ("PANIC", "abort"),
        ("DEBUG", "2"), // BTF is made from debug info
        ("STRIP", "none"),
        ("INCREMENTAL", "false"),
        ("OVERFLOW_CHECKS", "false"),
        ("DEBUG_ASSERTIONS", "false"),
    ] {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    Ok(cargo)
}

fn rustflags(paths: &Paths) -> String {
    let mut flags = vec!["-Clink-arg=--btf".to_owned(), "-Cdebuginfo=2".to_owned()];
    // v2 (Linux 4.14) has jumps on "less than". Without them the constant stands in a register, and before 6.10 the verifier
    // does not see that such a jump can't be taken, and follows it to where nothing is known of an offset.
    flags.push("-Ctarget-cpu=v2".to_owned());
    // aya would take the build machine's; it only matters to kprobes, of which there are none.
    flags.push("--cfg=bpf_target_arch=\"x86_64\"".to_owned());
    flags.extend(paths.flags());
    flags.join("\x1f")
}

pub(crate) fn prebuilt_dir() -> PathBuf {
    cmd::workspace_root().join("sensor-ebpf/prebuilt")
}

fn write_prebuilt(object: &[u8]) -> Result<()> {
    let dir = prebuilt_dir();
    fs::create_dir_all(&dir).with_context(|| format!("could not create {}", dir.display()))?;
    let files = [
        (OBJECT.to_owned(), object.to_vec()),
        (format!("{OBJECT}.sha256"), hash_line(object).into_bytes()),
        ("README.md".to_owned(), readme().into_bytes()),
    ];
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
    }
    println!(
        "wrote {} ({} bytes, sha256 {})",
        dir.join(OBJECT).display(),
        object.len(),
        sha256(object)
    );
    Ok(())
}

fn check_hash_file(object: &[u8]) -> Result<()> {
    let path = prebuilt_dir().join(format!("{OBJECT}.sha256"));
    let line = fs::read_to_string(&path)
        .with_context(|| format!("could not read {}; {BLESS}", path.display()))?;
    if line != hash_line(object) {
        bail!(
            "{} is not the hash of the object beside it; {BLESS}",
            path.display()
        );
    }
    Ok(())
}

/// The line that `sha256sum` writes and `sha256sum -c` reads.
fn hash_line(object: &[u8]) -> String {
    format!("{}  {OBJECT}\n", sha256(object))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn readme() -> String {
    format!(
        "# The committed eBPF object\n\n\
         `{OBJECT}` is built from `sensor-ebpf` and `sensor-common`, and embedded into `sensor`, so that building\n\
         sensor needs neither a BPF linker nor unstable features of rustc.\n\n\
         - Made by `cargo xtask build-ebpf --bless`; do not edit.\n\
         - With {}, `core` from rust-src, then stripped of DWARF.\n\
         - The same source gives the same bytes in any folder: `cargo xtask build-ebpf` rebuilds and compares,\n  \
           `cargo xtask test` does so each time.\n\
         - `sha256sum -c {OBJECT}.sha256` checks the file.\n",
        Toolchain::describe()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_line_is_what_sha256sum_writes() {
        let line = hash_line(b"abc");
        assert_eq!(
            line,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  sensor.bpfel.o\n"
        );
    }

    #[test]
    fn flags_keep_paths_with_spaces_whole() {
        let flags = rustflags(&Paths::of("/a b", "/_sensor"));
        assert_eq!(
            flags.split('\x1f').next_back(),
            Some("--remap-path-prefix=/a b=/_sensor")
        );
    }
}
