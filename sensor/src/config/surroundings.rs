//! The edge of the configuration: environment and files, so that everything behind it is tested without a process.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// No config file that a person wrote comes near it.
pub const LARGEST: usize = 1 << 20;

static READ: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Files of settings that were read or looked for until now: SIGHUP has them read again.
pub fn files_read() -> Vec<PathBuf> {
    let read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.iter().cloned().collect()
}

/// Remembers one of them.
pub fn note_read(path: &Path) {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.insert(path.to_owned());
}

/// What a process finds around it.
pub trait Surroundings {
    fn env(&self, name: &str) -> Option<OsString>;

    /// Names of all variables.
    fn variables(&self) -> Vec<OsString>;

    /// The file's bytes, at most one more than [`LARGEST`].
    fn read(&self, path: &Path) -> io::Result<Found>;
}

/// A file as it was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub bytes: Vec<u8>,
    /// Anybody may change it, and this process may do anything.
    pub dangerous: bool,
}

/// Those of this process.
#[derive(Clone, Copy, Debug)]
pub struct Process;

impl Surroundings for Process {
    fn env(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn variables(&self) -> Vec<OsString> {
        std::env::vars_os().map(|(name, _)| name).collect()
    }

    fn read(&self, path: &Path) -> io::Result<Found> {
        note_read(path);
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut bytes = Vec::new();
        file.by_ref()
            .take(LARGEST as u64 + 1)
            .read_to_end(&mut bytes)?;
        let open_to_all = metadata.is_file() && metadata.mode() & 0o002 != 0;
        Ok(Found {
            bytes,
            dangerous: open_to_all && is_root(),
        })
    }
}

/// The whole text of a list that a filter names.
pub(super) fn read_list(path: &str, largest: u64) -> Result<String, String> {
    note_read(Path::new(path));
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("it is a directory, not a list".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(largest + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > largest {
        return Err(format!("it is larger than {} MiB", largest >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        format!("it is not UTF-8 text at byte offset {offset}")
    })
}

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions and can't fail.
    unsafe { libc::geteuid() == 0 }
}
