//! The edge of the configuration: environment and files, so that everything behind it is tested without a process.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// No config file that a person wrote comes near it.
pub const LARGEST: usize = 1 << 20;

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
