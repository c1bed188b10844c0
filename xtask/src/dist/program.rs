//! The program itself: built for those who get it, or given, and without what only a debugger reads.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cmd;
use crate::paths::Paths;

/// A release build in a folder of its own, so that nobody's other builds begin anew for its flags: no path of this
/// machine is in it. Where it is.
pub(super) fn build() -> Result<PathBuf> {
    let target = cmd::target_dir().join("dist/build");
    fs::create_dir_all(&target).with_context(|| format!("could not make {}", target.display()))?;
    let sysroot = cmd::output(cmd::command("rustc").args(["--print", "sysroot"]))?;
    let paths = Paths::find(Path::new(&sysroot), &target)?;
    let mut cargo = cmd::cargo();
    // What somebody set for other builds would change this one.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let set = [
            "CARGO_PROFILE_",
            "CARGO_BUILD_",
            "CARGO_TARGET_",
            "RUSTFLAGS",
        ];
        if set.iter().any(|begin| text.starts_with(begin)) {
            cargo.env_remove(&name);
        }
    }
    let flags: Vec<_> = paths.flags().collect();
    cargo
        .args(["build", "--release", "--locked"])
        .args(["--package", "sensor", "--bin", "sensor", "--target-dir"])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    cmd::run(&mut cargo)?;
    let program = target.join("release/sensor");
    let bytes = stripped(&program)?;
    paths.refuse_leaks(&bytes, "the program")?;
    Ok(program)
}

/// The bytes of a program without symbols and debug information.
pub(super) fn stripped(program: &Path) -> Result<Vec<u8>> {
    let mut copy = program.as_os_str().to_owned();
    copy.push(format!(".stripped-{}", std::process::id()));
    let copy = PathBuf::from(copy);
    let mut strip = cmd::command("strip");
    strip.args(["--strip-unneeded", "--remove-section=.comment", "-o"]);
    let stripped = cmd::output(strip.arg(&copy).arg(program))
        .context("binutils has the program strip")
        .and_then(|_| fs::read(&copy).context("could not read what strip wrote"));
    let _ = fs::remove_file(&copy); // there is none where strip failed
    stripped
}
