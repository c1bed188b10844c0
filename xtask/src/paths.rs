//! Folders of this machine, kept out of what is built: the same source must give the same bytes in any folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd;

/// Folders, and what stands in the place of each. rustc takes the last one that fits.
/// The names start with `/_` because BTF quotes source lines where a path exists.
pub(crate) struct Paths(Vec<(PathBuf, &'static str)>);

impl Paths {
    pub(crate) fn find(sysroot: &Path, target_dir: &Path) -> Result<Self> {
        let cargo_home = cargo_home()?;
        let mut paths = vec![
            (cmd::workspace_root(), "/_sensor"),
            (cargo_home.clone(), "/_cargo"),
        ];
        // The folder's name holds a hash of the registry's address: another mirror, another name.
        if let Ok(entries) = fs::read_dir(cargo_home.join("registry/src")) {
            paths.extend(entries.flatten().map(|entry| (entry.path(), "/_registry")));
        }
        paths.push((sysroot.to_path_buf(), "/_rust"));
        paths.push((target_dir.to_path_buf(), "/_target"));
        let resolved: Vec<_> = paths
            .iter()
            .filter_map(|(path, to)| Some((path.canonicalize().ok()?, *to)))
            .collect();
        paths.extend(resolved);
        Ok(Self(paths))
    }

    /// For rustc, one each.
    pub(crate) fn flags(&self) -> impl Iterator<Item = String> {
        let one =
            |(from, to): &(PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
        self.0.iter().map(one)
    }

    /// A path that slipped through would make it differ from folder to folder.
    pub(crate) fn refuse_leaks(&self, built: &[u8], what: &str) -> Result<()> {
        for (path, _) in &self.0 {
            let needle = path.as_os_str().as_encoded_bytes();
            if built.windows(needle.len()).any(|window| window == needle) {
                bail!(
                    "{what} holds the path {}; remap it in xtask/src/paths.rs",
                    path.display()
                );
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn of(from: &str, to: &'static str) -> Self {
        Self(vec![(PathBuf::from(from), to)])
    }
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME") {
        return Ok(cmd::workspace_root().join(home));
    }
    let home = env::home_dir().context("neither CARGO_HOME nor HOME is set; set one")?;
    Ok(home.join(".cargo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_machine_in_what_is_built_is_refused() {
        let paths = Paths::of("/home/somebody", "/_cargo");
        let clean = paths.refuse_leaks(b"\x7fELF /_cargo/lib.rs", "it");
        assert!(clean.is_ok());
        let error = paths
            .refuse_leaks(b"\x7fELF /home/somebody/lib.rs", "it")
            .unwrap_err();
        assert!(error.to_string().contains("/home/somebody"), "{error}");
    }
}
