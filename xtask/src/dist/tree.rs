//! Files of a package, before there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

/// Files by their paths within the package.
#[derive(Clone, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, Content>,
}

#[derive(Clone)]
struct Content {
    bytes: Vec<u8>,
    mode: u32,
}

impl Tree {
    pub(super) fn add(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.insert(path, bytes.into(), 0o644);
    }

    pub(super) fn add_program(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.insert(path, bytes.into(), 0o755);
    }

    /// All of another below a folder; an empty name is this one's own.
    pub(super) fn graft(&mut self, folder: &str, other: &Tree) {
        for (path, content) in &other.files {
            let path = format!("{folder}{path}");
            self.insert(&path, content.bytes.clone(), content.mode);
        }
    }

    fn insert(&mut self, path: &str, bytes: Vec<u8>, mode: u32) {
        self.files.insert(path.to_owned(), Content { bytes, mode });
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// What Debian calls Installed-Size: each file in whole KiB, and one for each folder.
    pub(super) fn kibibytes(&self) -> usize {
        let files = self.files.values();
        let sizes = files.map(|file| file.bytes.len().div_ceil(1024));
        sizes.sum::<usize>() + self.folders().len()
    }

    /// With the modes and the time that they shall have, whatever the umask and the clock.
    pub(super) fn write(&self, root: &Path, time: SystemTime) -> Result<()> {
        let folders = self.folders();
        for folder in &folders {
            let path = root.join(folder);
            let made = fs::create_dir_all(&path)
                .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)));
            made.with_context(|| format!("could not make {}", path.display()))?;
        }
        for (path, content) in &self.files {
            let path = root.join(path);
            let written = fs::write(&path, &content.bytes)
                .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(content.mode)))
                .and_then(|()| File::open(&path)?.set_modified(time));
            written.with_context(|| format!("could not write {}", path.display()))?;
        }
        // The inner ones first: a folder's time changes with what is made in it.
        for folder in folders.iter().rev() {
            let path = root.join(folder);
            let set = File::open(&path).and_then(|open| open.set_modified(time));
            set.with_context(|| format!("could not set the time of {}", path.display()))?;
        }
        Ok(())
    }

    /// Outer ones first, the root (an empty name) among them.
    fn folders(&self) -> BTreeSet<&str> {
        let parents = self.paths().flat_map(|path| {
            let slashes = path.match_indices('/');
            slashes.map(|(at, _)| &path[..at])
        });
        parents.chain([""]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_those_that_files_lie_in() {
        let mut inner = Tree::default();
        inner.add("b/c", *b"x");
        inner.add_program("d", vec![0; 1025]);
        let mut tree = Tree::default();
        tree.graft("a/", &inner);
        assert_eq!(tree.paths().collect::<Vec<_>>(), ["a/b/c", "a/d"]);
        assert_eq!(tree.folders(), BTreeSet::from(["", "a", "a/b"]));
        assert_eq!(tree.kibibytes(), 3 + 3);
    }
}
