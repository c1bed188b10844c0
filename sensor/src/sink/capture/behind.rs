//! Writing on a thread of its own: whoever counts must not wait for a disk, and a compressed file costs more than counting.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::batch::Batch;
use super::writer::{Received, Writer};
use crate::clock::Now;
use crate::sandbox::capabilities;
use crate::sink::SinkError;

/// Batches that wait for the output, of a megabyte each: at a gigabit a second, half a second.
const ROOM: usize = 64;
/// How long the end of a run waits for an output that takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// The end that is written to.
pub(super) struct Behind {
    batches: Option<SyncSender<Batch>>,
    /// Batches that were written, to be filled again.
    spare: Receiver<Batch>,
    told: Arc<Told>,
    thread: JoinHandle<()>,
}

/// What both ends know.
#[derive(Default)]
struct Told {
    failure: Mutex<Option<SinkError>>,
    received: Mutex<Vec<Received>>,
}

/// A batch that could not be handed over.
pub(super) enum Refused {
    /// There is no room for it.
    Full(Batch),
    /// Nothing is written any more.
    Gone,
}

impl Behind {
    pub(super) fn start(writer: Writer) -> io::Result<Self> {
        let (batches, incoming) = mpsc::sync_channel(ROOM);
        let (used, spare) = mpsc::channel();
        let told = Arc::new(Told::default());
        let tell = Arc::clone(&told);
        let thread = std::thread::Builder::new()
            .name("capture".into())
            .spawn(move || {
                capabilities::give_up();
                if let Err(error) = write(writer, &incoming, &used, &tell) {
                    *lock(&tell.failure) = Some(error);
                }
            })?;
        Ok(Behind {
            batches: Some(batches),
            spare,
            told,
            thread,
        })
    }

    /// Without waiting.
    pub(super) fn offer(&self, batch: Batch) -> Result<Batch, Refused> {
        let batches = self.batches.as_ref().ok_or(Refused::Gone)?;
        match batches.try_send(batch) {
            Ok(()) => Ok(self.spare.try_recv().unwrap_or_default()),
            Err(TrySendError::Full(batch)) => Err(Refused::Full(batch)),
            Err(TrySendError::Disconnected(_)) => Err(Refused::Gone),
        }
    }

    /// Waits for room.
    pub(super) fn hand_over(&self, batch: Batch) -> Result<Batch, Refused> {
        let batches = self.batches.as_ref().ok_or(Refused::Gone)?;
        match batches.send(batch) {
            Ok(()) => Ok(self.spare.try_recv().unwrap_or_default()),
            Err(_) => Err(Refused::Gone),
        }
    }

    /// Nothing comes any more: waits until all is written, or, if not for ever, for an output that still takes something.
    pub(super) fn end(mut self, received: &[Received], for_ever: bool) -> Result<(), SinkError> {
        *lock(&self.told.received) = received.to_vec();
        drop(self.batches.take());
        loop {
            match self.spare.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) if for_ever => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    let _panicked = self.thread.join();
                    break;
                }
            }
        }
        lock(&self.told.failure).take().map_or(Ok(()), Err)
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(
    mut writer: Writer,
    incoming: &Receiver<Batch>,
    used: &Sender<Batch>,
    told: &Told,
) -> Result<(), SinkError> {
    for mut batch in incoming {
        writer.write(&batch)?;
        batch.clear();
        let _nobody_waits = used.send(batch);
    }
    let received = lock(&told.received).clone();
    writer.finish(Now::read().wall, &received)
}
