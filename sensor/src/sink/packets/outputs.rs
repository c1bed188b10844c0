//! All `--packets` of a command line.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Format, Pace, PacketWriter};
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::sink::SinkError;
use crate::source::tap::PacketRecord;
use crate::{status, units};

/// The writers, shared with the live sources.
#[derive(Clone, Default)]
pub struct PacketOutputs {
    writers: Arc<Mutex<Vec<PacketWriter>>>,
    wanted: bool,
}

impl PacketOutputs {
    /// Refuses endings that name no format, before anything is written.
    pub fn check(paths: &[PathBuf]) -> Result<(), Failure> {
        match paths.iter().find(|path| Format::of(path).is_none()) {
            None => Ok(()),
            Some(path) => Err(Failure::told(
                Exit::Usage,
                format_args!(
                    "--packets {}: the ending says how records are written: name it .csv or .jsonl (.ndjson)",
                    escape::path(path)
                ),
            )),
        }
    }

    pub fn open(paths: &[PathBuf], pace: Pace) -> Result<Self, Failure> {
        let create = |path: &PathBuf| PacketWriter::create(path, pace);
        let created = paths.iter().filter_map(create);
        let writers: Result<Vec<PacketWriter>, SinkError> = created.collect();
        Ok(PacketOutputs {
            writers: Arc::new(Mutex::new(
                writers.map_err(|error| Failure::new(Exit::Output, error))?,
            )),
            wanted: !paths.is_empty(),
        })
    }

    pub fn is_empty(&self) -> bool {
        !self.wanted
    }

    pub fn packet(&self, record: &PacketRecord<'_>) {
        for writer in self.writers().iter_mut() {
            writer.packet(record);
        }
    }

    pub fn flush(&self) {
        self.writers().iter_mut().for_each(PacketWriter::flush);
    }

    /// Nothing comes after that: waits a little for what is still to be written. How many records weren't.
    pub fn close(&self) -> u64 {
        self.writers().iter_mut().for_each(PacketWriter::close);
        self.unwritten()
    }

    /// Records that could not be written so far.
    pub fn unwritten(&self) -> u64 {
        self.writers().iter().map(PacketWriter::unwritten).sum()
    }

    /// What could not be written.
    pub fn finish(&self) -> Vec<SinkError> {
        let mut failed = Vec::new();
        for writer in self.writers().iter_mut() {
            let Err(error) = writer.finish() else {
                continue;
            };
            // The other error says it itself.
            if !matches!(error, SinkError::TooSlow { .. }) {
                let records = units::count(writer.unwritten());
                status::warn(&format!(
                    "records of packets that were not written: {records} and those still buffered"
                ));
            }
            failed.push(error);
        }
        failed
    }

    fn writers(&self) -> MutexGuard<'_, Vec<PacketWriter>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
