//! Where reports go: files that are whole or absent, standard output, and text for people.

mod atomic;
pub mod capture;
pub mod csv;
pub mod ipfix;
pub mod json;
pub mod jsonl;
pub mod packets;
mod periodic;
mod stdout;
pub mod text;

use std::io;
use std::path::{Path, PathBuf};

pub use atomic::{clean_stale, write_atomically};
pub(crate) use atomic::{folder_of, refuse_special, sync_folder, write_temporary};
pub use periodic::{Written, write_periodic};
pub use stdout::write_stdout;

use crate::escape;
use crate::sandbox::why_refused;

/// An output that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error(
        "can't write {}: it is {kind}, name a regular file, or - for standard output",
        escape::path(path)
    )]
    NotAFile { path: PathBuf, kind: &'static str },
    #[error(
        "can't write {}: {error}{}",
        escape::path(path),
        why_refused(path, error)
    )]
    Write { path: PathBuf, error: io::Error },
    #[error("can't use folder {}: {error}", escape::path(path))]
    Folder { path: PathBuf, error: io::Error },
    #[error("can't write to standard output: {0}")]
    Stdout(io::Error),
    #[error(
        "{} takes records of packets slower than they come: {records} were left out; narrow them down with -f",
        place(path.as_deref())
    )]
    TooSlow { path: Option<PathBuf>, records: u64 },
    #[error(
        "{} takes packets slower than they come: {packets} were not written; narrow them down with -f, or cut them with -s",
        escape::path(path)
    )]
    PacketsTooFast { path: PathBuf, packets: u64 },
    #[error(
        "can't write more to {}: a pcap file has packets of one link type, and after {had} there is {has}: name it .pcapng",
        escape::path(path)
    )]
    LinkTypes {
        path: PathBuf,
        had: &'static str,
        has: &'static str,
    },
}

impl SinkError {
    /// The disk is full, or a quota is: worth another try later, when there may be room again.
    pub fn is_full(&self) -> bool {
        let error = match self {
            SinkError::NotAFile { .. }
            | SinkError::TooSlow { .. }
            | SinkError::PacketsTooFast { .. }
            | SinkError::LinkTypes { .. } => return false,
            SinkError::Write { error, .. } | SinkError::Folder { error, .. } => error,
            SinkError::Stdout(error) => error,
        };
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

fn place(path: Option<&Path>) -> String {
    path.map_or_else(|| "standard output".to_owned(), escape::path)
}
