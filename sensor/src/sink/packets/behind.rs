//! Writing on a thread of its own: whoever counts must not wait for a disk that hangs, or for a reader that has stopped to
//! read.
//!
//! What is written is gathered until a flush, which hands it over whole: as records are never parted by one, what there is
//! no room for is left out by whole records.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sandbox::capabilities;

/// Batches that wait for the output; with [`super::BATCH`] records each some megabytes.
const ROOM: usize = 64;
/// How long the end of a run waits for an output that does not take what is left.
const PATIENCE: Duration = Duration::from_secs(1);

/// The end that is written to. Each flush is a batch; it fails with `WouldBlock` if there is no room for one, which is then
/// forgotten, and with what went wrong once the output has failed.
pub(super) struct Behind {
    batch: Vec<u8>,
    batches: SyncSender<Vec<u8>>,
    sent: Arc<AtomicU64>,
    failure: Failed,
}

/// What has become of the batches.
pub(super) struct Written {
    failure: Failed,
    sent: Arc<AtomicU64>,
    /// Something for each that was written; it ends when the thread does.
    batches: Receiver<()>,
}

type Failed = Arc<Mutex<Option<io::Error>>>;

impl Behind {
    pub(super) fn start(mut to: Box<dyn Write + Send>) -> io::Result<(Self, Written)> {
        let (batches, waiting) = mpsc::sync_channel::<Vec<u8>>(ROOM);
        let (done, written) = mpsc::channel();
        let failure = Failed::default();
        let told = Arc::clone(&failure);
        std::thread::Builder::new().spawn(move || {
            capabilities::give_up();
            for batch in waiting {
                let result = to.write_all(&batch).and_then(|()| to.flush());
                if let Err(error) = result {
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return;
                }
                let _nobody_listens = done.send(());
            }
        })?;
        let behind = Behind {
            batch: Vec::new(),
            batches,
            sent: Arc::default(),
            failure: Arc::clone(&failure),
        };
        let written = Written {
            failure,
            sent: Arc::clone(&behind.sent),
            batches: written,
        };
        Ok((behind, written))
    }
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.batch.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let next = Vec::with_capacity(self.batch.len());
        let batch = std::mem::replace(&mut self.batch, next);
        match self.batches.try_send(batch) {
            Ok(()) => {
                self.sent.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(TrySendError::Full(_)) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TrySendError::Disconnected(_)) => {
                let gone = || io::Error::other("the thread that writes it has ended");
                Err(take(&self.failure).unwrap_or_else(gone))
            }
        }
    }
}

impl Written {
    /// Waits until this many more batches were written, as long as the output takes any: how many were.
    pub(super) fn wait(&self, batches: usize) -> usize {
        let end = Instant::now() + PATIENCE;
        let next = || {
            let left = end.saturating_duration_since(Instant::now());
            self.batches.recv_timeout(left).ok()
        };
        std::iter::from_fn(next).take(batches).count()
    }

    /// How many were handed over since the start.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many were written since this was asked last.
    pub(super) fn so_far(&self) -> usize {
        self.batches.try_iter().count()
    }

    /// What went wrong, if anything did.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        take(&self.failure)
    }
}

fn take(failure: &Failed) -> Option<io::Error> {
    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
    failure.take()
}
