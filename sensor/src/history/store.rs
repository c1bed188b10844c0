//! Sets on the disk: written so that one is whole or not there, and found again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::HistoryError;
use super::encode;
use super::load::Files;
use super::meta::Meta;
use super::name::{Partition, SetName, TABLES};
use super::rows::Rows;
use crate::sink::{SinkError, sync_folder, write_temporary};

/// A set, where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) root: PathBuf,
    pub(super) partition: Partition,
    pub(super) name: SetName,
}

/// A set as a listing of the folders shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Place,
    /// On the disk, all files together.
    pub(super) bytes: u64,
    /// Each table has its file. If not, somebody was killed while writing or removing the set, or is at it.
    pub(super) whole: bool,
    /// Another set has what it had. Nobody knows from the listing alone.
    pub(super) replaced: bool,
    /// When a file of it was written last, nanoseconds since the epoch.
    pub(super) modified: i64,
}

impl Files for Place {
    fn path(&self, table: &str) -> PathBuf {
        let folder = self.root.join(table).join(self.partition.folder());
        folder.join(self.name.file())
    }
}

impl Place {
    /// Writes the set: each file under a temporary name, synced, and only then renamed, one after the other. With the last
    /// one the set is there; until then nobody reads the others.
    pub(super) fn write(&self, rows: &Rows, meta: &Meta) -> Result<u64, HistoryError> {
        let mut files = Vec::new();
        let mut bytes = 0;
        for table in TABLES {
            let path = self.path(table);
            let file = encode::file(table, rows, meta).map_err(|error| HistoryError::Encode {
                path: path.clone(),
                what: error.to_string(),
            })?;
            bytes += file.len() as u64;
            let failed = |error| {
                HistoryError::Sink(SinkError::Write {
                    path: path.clone(),
                    error,
                })
            };
            let folder = crate::sink::folder_of(&path);
            create_folders(&self.root, folder).map_err(failed)?;
            let temporary = write_temporary(folder, |to| to.write_all(&file)).map_err(failed)?;
            files.push((temporary, path));
        }
        let mut done: Vec<PathBuf> = Vec::new();
        for (temporary, path) in files {
            let renamed = temporary
                .persist_noclobber(&path)
                .map_err(|refused| refused.error);
            let synced = renamed.and_then(|_| sync_folder(crate::sink::folder_of(&path)));
            done.push(path.clone());
            if let Err(error) = synced {
                // What is there of the set is no set, and the next try has the same name.
                for path in &done {
                    let _ = fs::remove_file(path);
                }
                return Err(HistoryError::Sink(SinkError::Write { path, error }));
            }
        }
        Ok(bytes)
    }

    /// Removes the set, the file that makes it whole first: nobody reads a half of it.
    pub(super) fn remove(&self) -> Result<(), HistoryError> {
        for table in TABLES.iter().rev() {
            let path = self.path(table);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(HistoryError::Remove { path, error });
                }
                Ok(()) | Err(_) => {}
            }
            self.remove_empty_folders(table);
        }
        Ok(())
    }

    /// The folders of the hour, the day and the sensor, as far as nothing is in them.
    fn remove_empty_folders(&self, table: &str) {
        let mut folder = self.root.join(table).join(self.partition.folder());
        for _ in 0..3 {
            if fs::remove_dir(&folder).is_err() || !folder.pop() {
                return;
            }
        }
    }
}

/// Creates the folder, and sees to it that it is there after a power cut. The history's own folder is made, but not the one
/// that it lies in: where that is gone somebody took it away.
fn create_folders(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = crate::sink::folder_of(folder);
    if folder != root {
        create_folders(root, parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    sync_folder(parent)
}

/// All sets below a history's folder, in the order of their partitions and names. Files that are not called as ours are
/// not looked at.
pub(super) fn list(root: &Path) -> Result<Vec<Found>, HistoryError> {
    let mut sets: BTreeMap<Place, (u64, usize, i64)> = BTreeMap::new();
    for table in TABLES {
        for folder in folders(&root.join(table))? {
            let Some(partition) = Partition::parse(&folder) else {
                continue;
            };
            for (path, metadata) in entries(&folder)? {
                let name = path.file_name().and_then(|name| name.to_str());
                let Some(name) = name.and_then(SetName::parse).filter(|_| metadata.is_file())
                else {
                    continue;
                };
                let place = Place {
                    root: root.to_owned(),
                    partition: partition.clone(),
                    name,
                };
                let (bytes, files, modified) = sets.entry(place).or_default();
                *bytes += metadata.len();
                *files += 1;
                *modified = (*modified).max(modified_at(&metadata));
            }
        }
    }
    let found = sets
        .into_iter()
        .map(|(place, (bytes, files, modified))| Found {
            place,
            bytes,
            whole: files == TABLES.len(),
            replaced: false,
            modified,
        });
    Ok(found.collect())
}

fn modified_at(metadata: &fs::Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    let seconds = metadata.mtime().saturating_mul(1_000_000_000);
    seconds.saturating_add(metadata.mtime_nsec())
}

/// The hours' folders of a table.
pub(super) fn folders(table: &Path) -> Result<Vec<PathBuf>, HistoryError> {
    let mut level = vec![table.to_owned()];
    for prefix in ["sensor=", "date=", "hour="] {
        let mut next = Vec::new();
        for folder in level {
            for (path, metadata) in entries(&folder)? {
                let name = path.file_name().and_then(|name| name.to_str());
                if metadata.is_dir() && name.is_some_and(|name| name.starts_with(prefix)) {
                    next.push(path);
                }
            }
        }
        level = next;
    }
    Ok(level)
}

/// None where the folder is not there; what vanishes meanwhile is left out.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, fs::Metadata)>, HistoryError> {
    let failed = |error| HistoryError::Read {
        path: folder.to_owned(),
        error,
    };
    let list = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut entries = Vec::new();
    for entry in list {
        let entry = entry.map_err(failed)?;
        // Of a link itself, not of what it leads to.
        if let Ok(metadata) = entry.metadata() {
            entries.push((entry.path(), metadata));
        }
    }
    Ok(entries)
}
