//! All `--packets` of a command line.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Format, PacketWriter};
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::sink::SinkError;
use crate::source::tap::{PacketRecord, SharedTap};
use crate::{status, units};

/// The writers, shared with the live sources.
#[derive(Clone, Default)]
pub struct PacketOutputs {
    writers: Arc<Mutex<Vec<PacketWriter>>>,
    wanted: bool,
    stdout: bool,
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

    pub fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let created = paths.iter().filter_map(|path| PacketWriter::create(path));
        let writers: Result<Vec<PacketWriter>, SinkError> = created.collect();
        Ok(PacketOutputs {
            writers: Arc::new(Mutex::new(
                writers.map_err(|error| Failure::new(Exit::Output, error))?,
            )),
            wanted: !paths.is_empty(),
            stdout: paths.iter().any(|path| path.as_os_str() == "-"),
        })
    }

    pub fn is_empty(&self) -> bool {
        !self.wanted
    }

    pub fn take_stdout(&self) -> bool {
        self.stdout
    }

    pub fn packet(&self, record: &PacketRecord<'_>) {
        for writer in self.writers().iter_mut() {
            writer.packet(record);
        }
    }

    pub fn flush(&self) {
        self.writers().iter_mut().for_each(PacketWriter::flush);
    }

    /// `None` where nothing was asked for.
    pub fn tap(&self) -> Option<SharedTap> {
        let this = self.clone();
        self.wanted.then(|| -> SharedTap {
            Arc::new(move |record: &PacketRecord<'_>| this.packet(record))
        })
    }

    /// What could not be written.
    pub fn finish(&self) -> Vec<SinkError> {
        let mut failed = Vec::new();
        for writer in self.writers().iter_mut() {
            if let Err(error) = writer.finish() {
                failed.push(error);
                let records = units::count(writer.unwritten());
                status::warn(&format!(
                    "records of packets that were not written: {records} and those still buffered"
                ));
            }
        }
        failed
    }

    fn writers(&self) -> MutexGuard<'_, Vec<PacketWriter>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
