//! What clients are shown, between the thread that counts for them and the one that answers them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::dashboard::Data;
use crate::report::Report;
use crate::sink;

/// Clients that are told of everything new, at the same time.
pub(super) const SEATS: usize = 16;
/// After a build comes a rest of so many times as long: a run with a million flows must not keep a CPU busy drawing them.
const REST: u32 = 4;
/// And this long from one to the next in any case: nobody reads faster.
const LEAST: Duration = Duration::from_millis(250);

/// What was counted so far, for the page and as its report.
pub struct Shown {
    pub report: Report,
    pub data: Data,
}

/// Who knows what was counted so far, and may take its time to put it together.
pub trait Show: Send + Sync {
    /// `None` while there is nothing: the first interval goes on.
    fn shown(&self) -> Option<Shown>;
}

pub struct Board {
    show: Arc<dyn Show>,
    progress: watch::Sender<Progress>,
    newest: watch::Sender<Option<Arc<Snapshot>>>,
    building: Mutex<()>,
    seats: Arc<Semaphore>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    parts: u64,
    ended: bool,
}

/// One state of the run, built once for everybody.
pub(super) struct Snapshot {
    progress: Progress,
    /// Whole, as it goes over the wire.
    pub(super) event: Bytes,
    report: Report,
    json: OnceLock<Bytes>,
    /// Not to be replaced before.
    rest: Instant,
}

impl Board {
    pub fn new(show: Arc<dyn Show>) -> Self {
        Board {
            show,
            progress: watch::Sender::default(),
            newest: watch::Sender::default(),
            building: Mutex::default(),
            seats: Arc::new(Semaphore::new(SEATS)),
        }
    }

    /// There is more to show.
    pub fn counted(&self) {
        self.progress.send_modify(|progress| progress.parts += 1);
    }

    /// What there is now is all.
    pub fn ended(&self) {
        self.progress.send_modify(|progress| progress.ended = true);
    }

    /// A place among those who are told of everything new; `None` where all are taken.
    pub(super) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    pub(super) fn free_seats(&self) -> usize {
        self.seats.available_permits()
    }

    /// The present state, or that of a moment ago where building takes long. `None` where there is none yet.
    pub(super) async fn newest(&self) -> Option<Arc<Snapshot>> {
        let _one_at_a_time = self.building.lock().await;
        let progress = *self.progress.borrow();
        let last = self.newest.borrow().clone();
        if let Some(last) = last
            && (last.progress == progress || (!progress.ended && Instant::now() < last.rest))
        {
            return Some(last);
        }
        let show = Arc::clone(&self.show);
        let started = Instant::now();
        let snapshot = spawn_blocking(move || Snapshot::build(show.as_ref(), progress, started));
        let snapshot = Arc::new(snapshot.await.ok()??);
        self.newest.send_replace(Some(Arc::clone(&snapshot)));
        Some(snapshot)
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        self.newest.subscribe()
    }

    /// Builds whatever is new while somebody watches. Ends never.
    pub(super) async fn keep_fresh(&self) {
        let mut progress = self.progress.subscribe();
        while progress.changed().await.is_ok() {
            if self.free_seats() == SEATS {
                continue;
            }
            // Whoever holds the sender may rest until the end of the run, which is shown at once.
            let pause = self.newest.borrow().as_ref().map(|last| last.pause());
            let over = progress.wait_for(|progress| progress.ended);
            let _either = timeout(pause.unwrap_or_default(), over).await;
            self.newest().await;
        }
    }
}

impl Snapshot {
    fn build(show: &dyn Show, progress: Progress, started: Instant) -> Option<Self> {
        let Shown { report, data } = show.shown()?;
        let json = serde_json::to_string(&data).ok()?;
        let took = started.elapsed();
        Some(Snapshot {
            progress,
            event: format!("event: report\ndata: {json}\n\n").into(),
            report,
            json: OnceLock::new(),
            rest: started + LEAST.max(took * (1 + REST)),
        })
    }

    pub(super) fn is_last(&self) -> bool {
        self.progress.ended
    }

    /// The report as JSON; takes a while the first time.
    pub(super) fn json(&self) -> Bytes {
        let written = self.json.get_or_init(|| {
            let mut json = Vec::new();
            // Writing to memory can't fail.
            let _ = sink::json::write(&self.report, &mut json);
            json.into()
        });
        written.clone()
    }

    fn pause(&self) -> Duration {
        self.rest.saturating_duration_since(Instant::now())
    }
}
