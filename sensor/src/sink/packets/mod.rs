//! `--packets`: one record a packet, written while counting goes on, in constant memory.
//!
//! Unlike reports the file grows in place: a capture may be longer than the disk, and whoever follows the file wants to
//! see what is there. An output that fails is given up, and said once; counting is not disturbed. Of a live run, which
//! can't wait, records are left out and counted where an output takes them slower than they come.

mod behind;
mod csv;
mod jsonl;
mod outputs;
mod record;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use outputs::PacketOutputs;

use self::behind::{Behind, Written};
use self::csv::CsvWriter;
use self::jsonl::JsonlWriter;
use super::SinkError;
use crate::source::tap::PacketRecord;

/// Reports name who talks to whom: not for everybody's eyes.
const MODE: u32 = 0o640;
const BUFFER: usize = 1 << 16;
/// Records that are handed over to the thread that writes at once.
const BATCH: u64 = 256;

/// Who waits for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The source for the output: files.
    Output,
    /// Nobody: what the output does not take in time is left out.
    Source,
}

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
    /// Of those, what the output was too slow for.
    left_out: u64,
    /// `None` where writing is waited for.
    behind: Option<HandedOver>,
}

/// Records on their way to the thread that writes them.
struct HandedOver {
    written: Written,
    /// Of each batch that is not known to be written.
    batches: VecDeque<u64>,
    /// In the batch that is gathered.
    records: u64,
    /// Batches so far: a flush where there is nothing to write is none.
    sent: u64,
}

enum Writer {
    Csv(Box<CsvWriter<Box<dyn Write + Send>>>),
    Jsonl(Box<JsonlWriter<Box<dyn Write + Send>>>),
}

impl PacketWriter {
    /// Replaces the file, or writes to standard output (`-`). `None` if the ending names no format.
    pub fn create(path: &Path, pace: Pace) -> Option<Result<Self, SinkError>> {
        let format = Format::of(path)?;
        if path.as_os_str() == "-" {
            return Some(Self::new(None, Box::new(io::stdout()), format, pace));
        }
        let opened = super::refuse_special(path).and_then(|()| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(MODE);
            options.open(path).map_err(|error| SinkError::Write {
                path: path.to_owned(),
                error,
            })
        });
        let path = Some(path.to_owned());
        Some(opened.and_then(|file| Self::new(path, Box::new(file), format, pace)))
    }

    fn new(
        path: Option<PathBuf>,
        to: Box<dyn Write + Send>,
        format: Format,
        pace: Pace,
    ) -> Result<Self, SinkError> {
        let (to, behind): (Box<dyn Write + Send>, _) = match pace {
            Pace::Output => (Box::new(BufWriter::with_capacity(BUFFER, to)), None),
            Pace::Source => {
                let started = Behind::start(to).map_err(|error| failed(path.clone(), error));
                let (behind, written) = started?;
                let handed_over = HandedOver {
                    written,
                    batches: VecDeque::new(),
                    records: 0,
                    sent: 0,
                };
                (Box::new(behind), Some(handed_over))
            }
        };
        let writer = match format {
            Format::Csv => CsvWriter::new(to).map(|writer| Writer::Csv(Box::new(writer))),
            Format::Jsonl => Ok(Writer::Jsonl(Box::new(JsonlWriter::new(to)))),
        };
        let writer = writer.map_err(|error| failed(path.clone(), error))?;
        Ok(PacketWriter {
            path,
            writer,
            closed: false,
            failure: None,
            unwritten: 0,
            left_out: 0,
            behind,
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
        if let Some(behind) = &mut self.behind {
            behind.records += 1;
            if behind.records >= BATCH {
                self.flush();
            }
        }
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
        if let (Ok(()), Some(behind)) = (&result, &mut self.behind) {
            behind.taken();
        }
        self.note(result);
    }

    /// Of a batch that was handed over, or could not be; of a record otherwise.
    fn note(&mut self, result: io::Result<()>) {
        match (result, &mut self.behind) {
            (Ok(()), _) => {}
            (Err(error), Some(behind)) if error.kind() == io::ErrorKind::WouldBlock => {
                let records = behind.refused();
                self.left_out += records;
                self.unwritten += records;
            }
            (Err(error), Some(behind)) => {
                let records = behind.given_up();
                self.fail(error, records);
            }
            (Err(error), None) => self.fail(error, 1),
        }
    }

    /// A reader that has seen enough is no failure.
    fn fail(&mut self, error: io::Error, records: u64) {
        self.closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failure = Some(error);
            self.unwritten += records;
        }
    }

    /// Records that could not be written because the output failed, or was too slow.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Hands over what is left and waits for a little while until it is written. Nothing is written after that.
    pub fn close(&mut self) {
        self.flush();
        let was_closed = std::mem::replace(&mut self.closed, true);
        let Some(behind) = self.behind.as_mut().filter(|_| !was_closed) else {
            return;
        };
        behind.wait();
        let failure = behind.written.take_failure();
        let records = behind.given_up();
        match failure {
            Some(error) => self.fail(error, records),
            None => {
                self.left_out += records;
                self.unwritten += records;
            }
        }
    }

    /// Writes what is left, and says what went wrong, if anything did.
    pub fn finish(&mut self) -> Result<(), SinkError> {
        self.close();
        let path = self.path.clone();
        let records = std::mem::take(&mut self.left_out);
        match self.failure.take() {
            Some(error) => Err(failed(path, error)),
            None if records > 0 => Err(SinkError::TooSlow { path, records }),
            None => Ok(()),
        }
    }
}

impl HandedOver {
    /// The batch was, if there was one.
    fn taken(&mut self) {
        let sent = self.written.sent();
        if std::mem::replace(&mut self.sent, sent) != sent {
            self.batches.push_back(std::mem::take(&mut self.records));
        }
        self.forget(self.written.so_far());
    }

    /// The batch was not: its records.
    fn refused(&mut self) -> u64 {
        std::mem::take(&mut self.records)
    }

    /// All records that are not known to be written.
    fn given_up(&mut self) -> u64 {
        self.forget(self.written.so_far());
        self.batches.drain(..).sum::<u64>() + self.refused()
    }

    fn wait(&mut self) {
        self.forget(self.written.so_far());
        self.forget(self.written.wait(self.batches.len()));
    }

    fn forget(&mut self, batches: usize) {
        self.batches.drain(..batches.min(self.batches.len()));
    }
}

fn failed(path: Option<PathBuf>, error: io::Error) -> SinkError {
    match path {
        Some(path) => SinkError::Write { path, error },
        None => SinkError::Stdout(error),
    }
}
