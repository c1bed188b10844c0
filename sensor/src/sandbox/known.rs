//! The folders that may be written into. Landlock holds folders, not their names: whoever takes one away and makes another of
//! that name has made one that this process may not touch, and is to be told so.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Set once files are restricted.
static KNOWN: OnceLock<Known> = OnceLock::new();

/// What to add to an error of writing to `path`: nothing where the sandbox is not the reason.
pub fn why_refused(path: &Path, error: &io::Error) -> &'static str {
    let refused = error.kind() == io::ErrorKind::PermissionDenied;
    match KNOWN.get() {
        Some(known) if refused && !known.reaches(path) => {
            "; this is not the folder that was there at the start, and the sandbox allows no other: start sensor again"
        }
        _ => "",
    }
}

pub(super) fn remember(folders: &[PathBuf]) {
    let _ = KNOWN.set(Known::of(folders));
}

/// Device and inode of each.
struct Known(Vec<(u64, u64)>);

impl Known {
    fn of(folders: &[PathBuf]) -> Self {
        Known(folders.iter().filter_map(|folder| id(folder)).collect())
    }

    /// Whether the path, or what it will be, lies in one of them.
    fn reaches(&self, path: &Path) -> bool {
        let there = path.ancestors().find_map(|one| one.canonicalize().ok());
        let there = there.or_else(|| Path::new(".").canonicalize().ok());
        there.is_some_and(|there| {
            let mut around = there.ancestors().filter_map(id);
            around.any(|id| self.0.contains(&id))
        })
    }
}

fn id(folder: &Path) -> Option<(u64, u64)> {
    let there = fs::metadata(folder).ok()?;
    Some((there.dev(), there.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_same_name_is_another_one() {
        let root = tempfile::tempdir().unwrap();
        let [away, history] = ["away", "away/history"].map(|name| root.path().join(name));
        fs::create_dir_all(&history).unwrap();
        let known = Known::of(&[away.clone(), history.clone()]);
        let file = history.join("buckets/set.parquet");
        assert!(known.reaches(&file));
        // In what is known a new one may be made.
        fs::remove_dir(&history).unwrap();
        assert!(known.reaches(&file));
        fs::create_dir(&history).unwrap();
        assert!(known.reaches(&file));
        // Kept, so that its number is not given to the new one.
        fs::rename(&away, root.path().join("taken")).unwrap();
        assert!(!known.reaches(&file));
        fs::create_dir(&away).unwrap();
        assert!(!known.reaches(&file));
        assert!(!known.reaches(&root.path().join("other")));
    }

    #[test]
    fn a_path_without_a_folder_lies_in_the_present_one() {
        let known = Known::of(&[PathBuf::from(".")]);
        assert!(known.reaches(Path::new("report.json")));
        assert!(!Known(Vec::new()).reaches(Path::new("report.json")));
    }
}
