//! Files that are whole or absent: a temporary file beside the target, synced, then renamed.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use tempfile::NamedTempFile;

use super::SinkError;

/// Names of our temporary files start with this.
const PREFIX: &str = ".sensor-tmp-";
/// Reports name who talks to whom: not for everybody's eyes.
const MODE: u32 = 0o640;

/// Replaces `path` with what `write` writes, or leaves it as it was. A symbolic link is replaced, not followed.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), SinkError> {
    refuse_special(path)?;
    let error = |error| SinkError::Write {
        path: path.to_owned(),
        error,
    };
    let folder = folder_of(path);
    let file = write_temporary(folder, write).map_err(error)?;
    file.persist(path).map_err(|refused| error(refused.error))?;
    sync_folder(folder).map_err(error)
}

/// Removes temporary files that a killed run left behind in `folder`, and gives their number. Those of a run that is
/// alive are locked and stay.
pub fn clean_stale(folder: &Path) -> Result<usize, SinkError> {
    let error = |error| SinkError::Folder {
        path: folder.to_owned(),
        error,
    };
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !regular || !is_ours(&entry.file_name()) || is_locked(&entry.path()) {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
            Err(refused) => {
                return Err(SinkError::Write {
                    path: entry.path(),
                    error: refused,
                });
            }
        }
    }
    Ok(removed)
}

/// A complete and synced temporary file; it is removed when the value is dropped.
pub(crate) fn write_temporary(
    folder: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)?;
    // Tells `clean_stale` that somebody is still at it. Not every file system has locks; then there is none.
    let _ = file.as_file().try_lock();
    let mut buffered = BufWriter::with_capacity(1 << 16, file.as_file());
    let result = write(&mut buffered).and_then(|()| buffered.flush());
    let _ = buffered.into_parts();
    result?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes a rename survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems can't sync a folder; nothing more can be done there.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// A name for a short-lived link in `folder`, of the kind that `clean_stale` knows.
pub(super) fn temporary_name(suffix: &str) -> String {
    format!("{PREFIX}{}-{suffix}", std::process::id())
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// What is there already may be replaced by a file: it is one.
pub(crate) fn refuse_special(path: &Path) -> Result<(), SinkError> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(());
    };
    let kind = metadata.file_type();
    let kind = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(SinkError::NotAFile {
        path: path.to_owned(),
        kind,
    })
}

fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_with_mode_0640() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        for text in ["first and longer", "second"] {
            write_atomically(&path, |to| to.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode & !MODE, 0, "{mode:o}");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn an_error_half_way_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let error = write_atomically(&path, |to| {
            to.write_all(&vec![b'x'; 1 << 20])?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(error.is_full());
        assert!(error.to_string().contains("report.json"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (folder.path(), "a folder"),
            (socket.as_path(), "a socket"),
            (Path::new("/dev/null"), "a device"),
        ] {
            let error = write_atomically(path, |_| Ok(())).unwrap_err();
            let expected = format!("can't write {}: it is {kind}", path.display());
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_missing_folder_is_an_error_with_the_path() {
        let error = write_atomically(Path::new("/nonexistent/x.json"), |_| Ok(())).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("can't write /nonexistent/x.json: "),
            "{error}"
        );
    }

    #[test]
    fn only_stale_files_of_ours_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".sensor-tmp-dead"), "").unwrap();
        fs::write(folder.path().join("sensor-20260101T000000Z.json"), "").unwrap();
        fs::write(folder.path().join(".tmp"), "").unwrap();
        fs::create_dir(folder.path().join(".sensor-tmp-folder")).unwrap();
        let alive = write_temporary(folder.path(), |_| Ok(())).unwrap();
        assert_eq!(clean_stale(folder.path()).unwrap(), 1);
        assert!(alive.path().exists());
        assert!(!names(folder.path()).contains(&".sensor-tmp-dead".to_owned()));
        assert_eq!(names(folder.path()).len(), 4);
        assert!(clean_stale(Path::new("/nonexistent")).is_err());
    }
}
