//! A file that is being written, whole block by whole block: whatever happens to the writer, those that were written can be
//! read.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;

use super::format::Compression;
use crate::sink::{SinkError, refuse_special, stdout};
use crate::source::file::link_type;

/// Whole packets: for nobody's eyes but the owner's.
const MODE: u32 = 0o600;
/// Faster than a disk writes.
const GZIP_LEVEL: u32 = 1;
const ZSTD_LEVEL: i32 = 1;

pub(super) struct Place {
    file: File,
    /// `None` for standard output.
    path: Option<PathBuf>,
    compression: Option<Compression>,
    /// Bytes of it that are whole.
    whole: u64,
}

impl Place {
    /// Replaces what is there, unless it is one of these (device and inode), which are read.
    pub(super) fn create(
        path: &Path,
        compression: Option<Compression>,
        inputs: &[(u64, u64)],
    ) -> Result<Self, SinkError> {
        refuse_special(path)?;
        let failed = |error| SinkError::Write {
            path: path.to_owned(),
            error,
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(MODE);
        let file = file.open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if inputs.contains(&(metadata.dev(), metadata.ino())) {
            let error = io::Error::other("it is an input: name another file");
            return Err(failed(error));
        }
        file.set_len(0).map_err(failed)?;
        Ok(Place {
            file,
            path: Some(path.to_owned()),
            compression,
            whole: 0,
        })
    }

    pub(super) fn stdout() -> Result<Self, SinkError> {
        stdout::refuse_closed()?;
        let file = io::stdout().as_fd().try_clone_to_owned();
        Ok(Place {
            file: file.map_err(SinkError::Stdout)?.into(),
            path: None,
            compression: None,
            whole: 0,
        })
    }

    /// All of these bytes, or none of them; compressed they can be read without those that follow.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let result = match self.compression {
            None => self.append(bytes),
            Some(compression) => {
                compressed(bytes, compression).and_then(|bytes| self.append(&bytes))
            }
        };
        result.map_err(|error| self.failed(error))
    }

    /// The packets so far are of one link type, and the next is of another.
    pub(super) fn link_types(&self, had: u16, has: u16) -> SinkError {
        let name = |number| link_type::name(number).unwrap_or("unknown");
        SinkError::LinkTypes {
            path: self.path.clone().unwrap_or_default(),
            had: name(had),
            has: name(has),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let result = self.file.write_all(bytes);
        match result {
            Ok(()) => self.whole += bytes.len() as u64,
            // What is there of them would be damage; of a stream it can't be taken back.
            Err(_) if self.path.is_some() => {
                let _kept = self.file.set_len(self.whole);
                let _kept = self.file.seek(SeekFrom::Start(self.whole));
            }
            Err(_) => {}
        }
        result
    }

    fn failed(&self, error: io::Error) -> SinkError {
        match self.path.clone() {
            Some(path) => SinkError::Write { path, error },
            None => SinkError::Stdout(error),
        }
    }
}

/// A frame, or member, of its own: readers take several behind each other for one.
fn compressed(bytes: &[u8], by: Compression) -> io::Result<Vec<u8>> {
    match by {
        Compression::Gzip => {
            let level = flate2::Compression::new(GZIP_LEVEL);
            let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), level);
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        Compression::Zstd => {
            let mut frame = Vec::with_capacity(zstd::zstd_safe::compress_bound(bytes.len()));
            let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
            compressor.compress_to_buffer(bytes, &mut Cursor::new(&mut frame))?;
            Ok(frame)
        }
    }
}
