//! `cargo xtask tidy`: the rules of the source tree that a compiler does not know, one line for each violation.

mod dependencies;
mod licence;
mod rules;
mod vendored;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd;

/// Checks the tree; a violation is an error.
pub(crate) fn main() -> Result<()> {
    let root = cmd::workspace_root();
    let mut violations = Vec::new();
    let files = source_files(&root)?;
    for path in &files {
        let bytes = fs::read(root.join(path))
            .with_context(|| format!("could not read {}", path.display()))?;
        if let Some(text) = as_text(bytes) {
            violations.extend(rules::check(&rules::File {
                path,
                text: &text,
                root: &root,
            }));
        }
    }
    violations.extend(vendored::check(&root, &files));
    violations.extend(dependencies::check()?);
    for violation in &violations {
        println!("{violation}");
    }
    if !violations.is_empty() {
        bail!("{} violations in {} files", violations.len(), files.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

/// What git tracks or would track; without git (an unpacked archive) all files but those of builds.
pub(crate) fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = cmd::command("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let mut files: Vec<PathBuf> = match cmd::output(&mut git) {
        Ok(list) => list
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .collect(),
        Err(_) => walk(root)?,
    };
    // A file deleted but not yet committed is still listed.
    files.retain(|path| root.join(path).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let full = root.join(&folder);
        for entry in
            fs::read_dir(&full).with_context(|| format!("could not read {}", full.display()))?
        {
            let entry = entry.with_context(|| format!("could not read {}", full.display()))?;
            let path = folder.join(entry.file_name());
            let kind = entry
                .file_type()
                .with_context(|| format!("could not read {}", path.display()))?;
            if !kind.is_dir() {
                found.push(path);
            } else if !["target", "reports", ".git"]
                .iter()
                .any(|skip| path == Path::new(skip))
            {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

fn as_text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}
