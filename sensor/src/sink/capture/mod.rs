//! `-w`: the packets that are counted, whole, as a capture file that can be read again.
//!
//! Whoever counts copies a packet into a batch and goes on; laying out, rotating, compressing and writing is done by a
//! thread of its own. `read` waits for it where it is slower; a live run, which can't, leaves packets out and counts them.
//! An output that fails is given up, and said once; counting is not disturbed.

mod batch;
mod behind;
mod blocks;
mod classic;
mod current;
mod format;
mod place;
mod rotation;
mod segments;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use rotation::Plan;
pub use writer::Received;

use self::batch::{Batch, Numbering};
use self::behind::{Behind, Refused};
use self::writer::{Style, Tally, Writer};
use super::SinkError;
use super::packets::Pace;
use crate::source::tap::PacketRecord;

/// The most that is kept of a packet: tcpdump's, and what readers believe.
pub const MOST: u32 = 262_144;
/// Nanoseconds: what a kill may cost.
const FLUSH_EVERY: i64 = 1_000_000_000;

/// What to write, and where.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub plan: Plan,
    /// Bytes of each packet; `None` = all.
    pub snaplen: Option<u32>,
    /// The expression that packets are chosen by.
    pub filter: Option<String>,
    /// Files that are read, and must not be written to.
    pub inputs: Vec<PathBuf>,
}

/// What was written, when all is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// As asked for.
    pub path: PathBuf,
    pub files: u64,
    /// Of those, files that the next took the place of, because it had the same name.
    pub replaced: u64,
    pub packets: u64,
    /// Before compression.
    pub bytes: u64,
    /// Packets that could not be written.
    pub lost: u64,
    /// Packets that came after the last file that -W allows.
    pub beyond: u64,
}

/// Takes packets; shared with live sources.
#[derive(Clone)]
pub struct Capture {
    state: Arc<Mutex<State>>,
}

struct State {
    path: PathBuf,
    pace: Pace,
    snaplen: usize,
    numbering: Numbering,
    batch: Batch,
    feed: Feed,
    tally: Arc<Tally>,
    /// Packets that were to be written.
    taken: u64,
    /// Of those, what the output was too slow for.
    left_out: u64,
    /// Nothing was handed over since the last flush.
    flushed: bool,
    /// On a clock that does not jump, in nanoseconds.
    flushed_at: i64,
    failure: Option<SinkError>,
    /// A reader that has seen enough: no failure, and nothing is missing.
    enough: bool,
}

enum Feed {
    /// The thread begins with the first batch, when everything has been given up that it could do harm with.
    Ready(Box<Writer>),
    Running(Behind),
    Done,
}

impl Capture {
    /// Opens the first file, unless the packets have to say what it is called. `now`: of a live run, in nanoseconds since
    /// the epoch.
    pub fn open(asked: Asked, pace: Pace, now: Option<i64>) -> Result<Self, SinkError> {
        let snaplen = asked.snaplen.map_or(usize::MAX, |bytes| bytes as usize);
        let style = Style {
            section: section(),
            filter: asked.filter,
            snaplen: asked.snaplen,
            inputs: asked.inputs.iter().filter_map(identity).collect(),
        };
        let numbering = Numbering::default();
        let path = asked.plan.path.clone();
        let writer = Writer::open(asked.plan, style, numbering.interfaces.clone(), now)?;
        let state = State {
            path,
            pace,
            snaplen,
            numbering,
            batch: Batch::default(),
            tally: writer.tally(),
            feed: Feed::Ready(Box::new(writer)),
            taken: 0,
            left_out: 0,
            flushed: true,
            flushed_at: 0,
            failure: None,
            enough: false,
        };
        Ok(Capture {
            state: Arc::new(Mutex::new(state)),
        })
    }

    pub fn packet(&self, record: &PacketRecord<'_>) {
        self.state().packet(record);
    }

    /// Packets of another file come now.
    pub fn next_input(&self) {
        self.state().numbering.forget();
    }

    /// Makes what was written visible to others, if a second is over since the last time. `now`: nanoseconds of a clock
    /// that does not jump.
    pub fn flush(&self, now: i64) {
        self.state().flush(now);
    }

    /// Packets that the output was too slow for so far.
    pub fn left_out(&self) -> u64 {
        self.state().left_out
    }

    /// Why nothing is written any more, if anything went wrong so far.
    pub fn failure(&self) -> Option<String> {
        self.state().failure.as_ref().map(ToString::to_string)
    }

    /// Nothing comes after that: waits for what is still to be written, of a live run a little. Packets that were not
    /// written.
    pub fn close(&self, received: &[Received]) -> u64 {
        let mut state = self.state();
        state.close(received);
        state.lost()
    }

    /// What was written so far.
    pub fn summary(&self) -> Summary {
        self.state().summary()
    }

    /// What was written; or why not all was.
    pub fn finish(&self) -> (Summary, Result<(), SinkError>) {
        let mut state = self.state();
        state.close(&[]);
        let summary = state.summary();
        let result = match state.failure.take() {
            Some(error) => Err(error),
            None if summary.lost > 0 => Err(SinkError::PacketsTooFast {
                path: state.path.clone(),
                packets: summary.lost,
            }),
            None => Ok(()),
        };
        (summary, result)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn packet(&mut self, record: &PacketRecord<'_>) {
        self.taken += record.packets;
        if matches!(self.feed, Feed::Done) {
            return;
        }
        let interface = self.numbering.of(record);
        self.batch.push(record, interface, self.snaplen);
        if self.batch.is_full() {
            self.hand_over();
        }
    }

    fn flush(&mut self, now: i64) {
        let nothing = self.flushed && self.batch.is_empty();
        if nothing || now.saturating_sub(self.flushed_at) < FLUSH_EVERY {
            return;
        }
        self.flushed_at = now;
        self.batch.flush = true;
        self.hand_over();
    }

    fn hand_over(&mut self) {
        if let Err(error) = self.start() {
            self.feed = Feed::Done;
            self.failure = Some(error);
        }
        let Feed::Running(behind) = &self.feed else {
            return;
        };
        let flushes = self.batch.flush;
        let batch = std::mem::take(&mut self.batch);
        let taken = match self.pace {
            Pace::Output => behind.hand_over(batch),
            Pace::Source => behind.offer(batch),
        };
        match taken {
            Ok(spare) => {
                self.batch = spare;
                self.flushed = flushes;
            }
            Err(Refused::Full(batch)) => {
                self.batch = batch;
                self.batch.flush = false;
                if self.batch.is_full() {
                    self.left_out += self.batch.len();
                    self.batch.clear();
                }
            }
            Err(Refused::Gone) => self.close(&[]),
        }
    }

    fn start(&mut self) -> Result<(), SinkError> {
        self.feed = match std::mem::replace(&mut self.feed, Feed::Done) {
            Feed::Ready(writer) => {
                let started = Behind::start(*writer);
                Feed::Running(started.map_err(|error| self.failed(error))?)
            }
            other => other,
        };
        Ok(())
    }

    fn close(&mut self, received: &[Received]) {
        if !self.batch.is_empty() || matches!(self.feed, Feed::Ready(_)) {
            self.hand_over();
        }
        let Feed::Running(behind) = std::mem::replace(&mut self.feed, Feed::Done) else {
            return;
        };
        match behind.end(received, self.pace == Pace::Output) {
            Ok(()) => {}
            Err(SinkError::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.enough = true;
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn failed(&self, error: io::Error) -> SinkError {
        SinkError::Write {
            path: self.path.clone(),
            error,
        }
    }

    /// Packets that are on their way are not lost.
    fn lost(&self) -> u64 {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let done = count(&self.tally.packets) + count(&self.tally.beyond);
        match (&self.feed, self.enough) {
            (_, true) => 0,
            (Feed::Done, _) => self.taken.saturating_sub(done),
            (Feed::Ready(_) | Feed::Running(_), _) => self.left_out,
        }
    }

    fn summary(&self) -> Summary {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Summary {
            path: self.path.clone(),
            files: count(&self.tally.files),
            replaced: count(&self.tally.replaced),
            packets: count(&self.tally.packets),
            bytes: count(&self.tally.bytes),
            lost: self.lost(),
            beyond: count(&self.tally.beyond),
        }
    }
}

fn identity(path: &PathBuf) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// What wrote the file, on what.
fn section() -> blocks::Section {
    let kernel = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/kernel/{name}"));
        text.map_or_else(|_| String::new(), |text| text.trim().to_owned())
    };
    let os = [kernel("ostype"), kernel("osrelease")].join(" ");
    blocks::Section {
        hardware: std::env::consts::ARCH.to_owned(),
        os: os.trim().to_owned(),
        application: format!("sensor {}", env!("CARGO_PKG_VERSION")),
    }
}
