//! `--packets`: one record a packet, written while counting goes on, in constant memory.
//!
//! Unlike reports the file grows in place: a capture may be longer than the disk, and whoever follows the file wants to
//! see what is there. An output that fails is given up, and said once; counting is not disturbed.

mod csv;
mod jsonl;
mod outputs;
mod record;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use outputs::PacketOutputs;

use self::csv::CsvWriter;
use self::jsonl::JsonlWriter;
use super::SinkError;
use crate::source::tap::PacketRecord;

/// Reports name who talks to whom: not for everybody's eyes.
const MODE: u32 = 0o640;
const BUFFER: usize = 1 << 16;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Jsonl,
}

impl Format {
    /// By the ending of the file's name; standard output has JSON Lines. `None` for another ending.
    pub fn of(path: &Path) -> Option<Format> {
        if path.as_os_str() == "-" {
            return Some(Format::Jsonl);
        }
        match path.extension()?.to_str()? {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        }
    }
}

/// Takes records of packets.
pub struct PacketWriter {
    /// `None` for standard output.
    path: Option<PathBuf>,
    writer: Writer,
    /// Nothing is written any more.
    closed: bool,
    failure: Option<io::Error>,
    /// Records that could not be written.
    unwritten: u64,
}

enum Writer {
    Csv(Box<CsvWriter<Box<dyn Write + Send>>>),
    Jsonl(JsonlWriter<Box<dyn Write + Send>>),
}

impl PacketWriter {
    /// Replaces the file, or writes to standard output (`-`). `None` if the ending names no format.
    pub fn create(path: &Path) -> Option<Result<Self, SinkError>> {
        let format = Format::of(path)?;
        if path.as_os_str() == "-" {
            return Some(Self::new(None, Box::new(io::stdout()), format));
        }
        let opened = super::refuse_special(path).and_then(|()| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(MODE);
            options.open(path).map_err(|error| SinkError::Write {
                path: path.to_owned(),
                error,
            })
        });
        Some(opened.and_then(|file| Self::new(Some(path.to_owned()), Box::new(file), format)))
    }

    fn new(
        path: Option<PathBuf>,
        to: Box<dyn Write + Send>,
        format: Format,
    ) -> Result<Self, SinkError> {
        let to: Box<dyn Write + Send> = Box::new(BufWriter::with_capacity(BUFFER, to));
        let writer = match format {
            Format::Csv => CsvWriter::new(to).map(|writer| Writer::Csv(Box::new(writer))),
            Format::Jsonl => Ok(Writer::Jsonl(JsonlWriter::new(to))),
        };
        let writer = writer.map_err(|error| failed(path.clone(), error))?;
        Ok(PacketWriter {
            path,
            writer,
            closed: false,
            failure: None,
            unwritten: 0,
        })
    }

    /// Writes a record. What goes wrong is kept for [`Self::finish`].
    pub fn packet(&mut self, record: &PacketRecord<'_>) {
        if self.closed {
            self.unwritten += u64::from(self.failure.is_some());
            return;
        }
        let result = match &mut self.writer {
            Writer::Csv(writer) => writer.write(record),
            Writer::Jsonl(writer) => writer.write(record),
        };
        self.note(result);
    }

    /// Makes what was written visible to others.
    pub fn flush(&mut self) {
        if self.closed {
            return;
        }
        let result = match &mut self.writer {
            Writer::Csv(writer) => writer.flush(),
            Writer::Jsonl(writer) => writer.flush(),
        };
        self.note(result);
    }

    /// A reader that has seen enough is no failure.
    fn note(&mut self, result: io::Result<()>) {
        let Err(error) = result else {
            return;
        };
        self.closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failure = Some(error);
            self.unwritten = 1;
        }
    }

    /// Records that could not be written because the output failed.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Writes what is left, and says what went wrong, if anything did.
    pub fn finish(&mut self) -> Result<(), SinkError> {
        self.flush();
        match self.failure.take() {
            Some(error) => Err(failed(self.path.clone(), error)),
            None => Ok(()),
        }
    }
}

fn failed(path: Option<PathBuf>, error: io::Error) -> SinkError {
    match path {
        Some(path) => SinkError::Write { path, error },
        None => SinkError::Stdout(error),
    }
}
