//! `cargo xtask gallery`: the pictures of README and docs, from traffic that is made up here, the same on every machine.

mod capture;
mod traffic;

use std::fs;

use anyhow::{Context, Result};

use crate::cmd;

pub(crate) fn main() -> Result<()> {
    let folder = cmd::target_dir().join("gallery");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let capture = folder.join("office.pcapng");
    fs::write(&capture, traffic::office())
        .with_context(|| format!("could not write {}", capture.display()))?;
    println!("made {}", capture.display());
    let pictures = cmd::workspace_root().join("docs/gallery");
    cmd::run(
        cmd::cargo()
            .args(["run", "--quiet", "--package", "sensor", "--", "read"])
            .arg(&capture)
            .arg("--charts")
            .arg(&pictures)
            .args(["--chart-theme", "both", "--chart-format", "svg"]),
    )?;
    println!("drew {}", pictures.display());
    Ok(())
}
