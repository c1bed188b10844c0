//! `cargo xtask gallery`: the pictures of README and docs, from traffic that is made up here, the same on every machine.

mod capture;
mod traffic;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd;

pub(crate) fn main() -> Result<()> {
    let pictures = committed();
    draw(&pictures)?;
    println!("drew {}", pictures.display());
    Ok(())
}

/// Draws them beside the committed ones, and fails where those differ.
pub(crate) fn compare() -> Result<()> {
    let drawn = cmd::target_dir().join("gallery/drawn");
    if drawn.exists() {
        fs::remove_dir_all(&drawn)
            .with_context(|| format!("could not remove {}", drawn.display()))?;
    }
    draw(&drawn)?;
    let (committed, drawn) = (contents(&committed())?, contents(&drawn)?);
    let names = committed.keys().chain(drawn.keys());
    let mut wrong: Vec<&str> = names
        .filter(|name| committed.get(*name) != drawn.get(*name))
        .map(String::as_str)
        .collect();
    wrong.sort_unstable();
    wrong.dedup();
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = wrong.join(", ");
    bail!("not what is drawn now: {wrong}; `cargo xtask gallery` draws them anew: look at them")
}

fn committed() -> PathBuf {
    cmd::workspace_root().join("docs/gallery")
}

fn draw(pictures: &Path) -> Result<()> {
    let folder = cmd::target_dir().join("gallery");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let capture = folder.join("office.pcapng");
    fs::write(&capture, traffic::office())
        .with_context(|| format!("could not write {}", capture.display()))?;
    println!("made {}", capture.display());
    cmd::run(
        cmd::cargo()
            .args(["run", "--quiet", "--package", "sensor", "--", "read"])
            .arg(&capture)
            .arg("--charts")
            .arg(pictures)
            .args(["--chart-theme", "both", "--chart-format", "svg"]),
    )
}

/// By name.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let what = || format!("could not read {}", folder.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(what)? {
        let path = entry.with_context(what)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes =
            fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        files.insert(name.into_owned(), bytes);
    }
    Ok(files)
}
