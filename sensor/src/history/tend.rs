//! Retention and compaction, carried out.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use super::HistoryError;
use super::decode::{MOST_ROWS, TableFile, Window};
use super::load::{self, Files};
use super::name::{Partition, SetName, TABLES};
use super::plan::{self, Action, Policy};
use super::store::{self, Found, Place};
use super::{merge, meta::Meta, rows::Rows};
use crate::clock::Now;
use crate::{sink, status};

const MINUTE: i64 = 60_000_000_000;
/// How often it is looked at what there is to do.
const EVERY: i64 = 10 * MINUTE;
/// The wall clock may go wrong by so much against the other one until nothing is removed for [`STEADY`].
const JUMP: i64 = 5 * MINUTE;
const STEADY: i64 = 60 * MINUTE;
/// Two runs that keep their history in one folder must not merge or remove the same sets.
const LOCK: &str = ".sensor-history.lock";

/// Looks after a folder, on a thread of its own and not all the time.
pub(super) struct Tender {
    root: PathBuf,
    policy: Policy,
    run: String,
    watch: Watch,
    number: u32,
    busy: Option<JoinHandle<u32>>,
}

/// Whether the wall clock can be believed: by a wrong one everything is old.
#[derive(Clone, Copy, Debug)]
struct Watch {
    anchor: Option<Now>,
    /// By the other clock.
    next: i64,
}

impl Watch {
    /// Whether it is time to do something.
    fn is_due(&mut self, now: Now) -> bool {
        let Some(anchor) = self.anchor.replace(now) else {
            self.next = now.monotonic;
            return true;
        };
        let passed = now.monotonic.saturating_sub(anchor.monotonic);
        let told = now.wall.saturating_sub(anchor.wall);
        if told.abs_diff(passed) > JUMP.unsigned_abs() {
            self.next = now.monotonic.saturating_add(STEADY);
        }
        now.monotonic >= self.next
    }

    fn done(&mut self, now: Now) {
        self.next = now.monotonic.saturating_add(EVERY);
    }
}

impl Tender {
    /// `run`: twelve hexadecimal digits that no run has.
    pub(super) fn new(root: PathBuf, policy: Policy, run: String) -> Self {
        Tender {
            root,
            policy,
            run,
            watch: Watch {
                anchor: None,
                next: 0,
            },
            number: 0,
            busy: None,
        }
    }

    /// Does what is due, unless it is still at it.
    pub(super) fn tend(&mut self, now: Now) {
        if self.busy.as_ref().is_some_and(|busy| !busy.is_finished()) {
            return;
        }
        self.wait();
        if !self.watch.is_due(now) {
            return;
        }
        self.watch.done(now);
        let (root, policy, run) = (self.root.clone(), self.policy.clone(), self.run.clone());
        let number = self.number;
        self.busy = Some(thread::spawn(move || {
            let mut work = Work { root, run, number };
            if let Err(error) = work.tend(&policy, now.wall) {
                status::warn(&format!("the history can't be tidied: {error}"));
            }
            work.number
        }));
    }

    /// Until it has done what it is at.
    pub(super) fn wait(&mut self) {
        if let Some(busy) = self.busy.take() {
            match busy.join() {
                Ok(number) => self.number = number,
                Err(_) => status::warn("the thread that tidies the history has failed"),
            }
        }
    }
}

pub(super) struct Work {
    pub(super) root: PathBuf,
    pub(super) run: String,
    pub(super) number: u32,
}

impl Work {
    /// One round. Where another run has the lock it does this.
    pub(super) fn tend(&mut self, policy: &Policy, now: i64) -> Result<(), HistoryError> {
        let Some(_lock) = lock(&self.root) else {
            return Ok(());
        };
        clean(&self.root)?;
        let found = listing(&self.root)?;
        for action in plan::plan(policy, &found, now) {
            match action {
                Action::Remove(place, _) => place.remove()?,
                Action::Merge(places, resolution) => {
                    if let Err(error) = self.merge(&places, resolution) {
                        status::warn(&format!("{error}; its hour of the history stays as it is"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the new set, which says what it replaces, and then removes the old ones. Wherever this ends, no reader counts
    /// twice, and the next round goes on.
    fn merge(&mut self, places: &[Place], resolution: i64) -> Result<(), HistoryError> {
        let Some(first) = places.first() else {
            return Ok(());
        };
        let (place, rows, meta) = self.merged(first, places, resolution)?;
        if rows.parts.len() as i64 > MOST_ROWS {
            return Ok(()); // no reader would take it
        }
        place.write(&rows, &meta)?;
        places.iter().try_for_each(Place::remove)
    }

    pub(super) fn merged(
        &mut self,
        first: &Place,
        places: &[Place],
        resolution: i64,
    ) -> Result<(Place, Rows, Meta), HistoryError> {
        let mut sets = Vec::new();
        for place in places {
            sets.push(load::set(place, Window::ALL)?);
        }
        let before = merge::seen(&sets);
        let (rows, mut meta) = merge::merged(sets, &first.partition.sensor, resolution);
        if rows.seen() != before {
            return Err(HistoryError::Damaged {
                path: first.path("accounting"),
                what: "its counts don't add up when they are merged".to_owned(),
            });
        }
        meta.replaces = places.iter().map(|place| place.name.to_string()).collect();
        let names = || places.iter().map(|place| &place.name);
        let name = SetName {
            start: names().map(|name| name.start).min().unwrap_or(0),
            end: names().map(|name| name.end).max().unwrap_or(0),
            resolution,
            run: self.run.clone(),
            number: self.number,
        };
        self.number += 1;
        let (start, end) = rows.span().unwrap_or((name.start, name.end));
        let place = Place {
            root: self.root.clone(),
            partition: Partition::clone(&first.partition),
            name: SetName {
                start: name.start.min(start),
                end: name.end.max(end),
                ..name
            },
        };
        Ok((place, rows, meta))
    }
}

/// What there is, and what of it is replaced.
pub(super) fn listing(root: &Path) -> Result<Vec<Found>, HistoryError> {
    let mut found = store::list(root)?;
    let mut replaced = BTreeSet::new();
    for pair in found.chunk_by(|a, b| a.place.partition == b.place.partition) {
        // A set alone in its hour replaces nobody.
        for one in pair.iter().filter(|one| one.whole && pair.len() > 1) {
            if let Ok(file) = TableFile::open(&one.place.path("buckets")) {
                let partition = &one.place.partition;
                let names = file.meta.replaces.into_iter();
                replaced.extend(names.map(|name| (partition.clone(), name)));
            }
        }
    }
    for one in &mut found {
        let name = (one.place.partition.clone(), one.place.name.to_string());
        one.replaced = replaced.contains(&name);
    }
    Ok(found)
}

/// Removes what killed runs left half written.
fn clean(root: &Path) -> Result<(), HistoryError> {
    for table in TABLES {
        for folder in store::folders(&root.join(table))? {
            sink::clean_stale(&folder).map_err(HistoryError::Sink)?;
        }
    }
    Ok(())
}

/// `None` where another one has it. Not every file system has locks; there everybody is alone.
fn lock(root: &Path) -> Option<File> {
    let file = File::create(root.join(LOCK)).ok()?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => None,
        Ok(()) | Err(TryLockError::Error(_)) => Some(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_not_believed_for_an_hour() {
        let mut watch = Watch {
            anchor: None,
            next: 0,
        };
        let at = |wall: i64, monotonic: i64| Now {
            wall: wall * MINUTE,
            monotonic: monotonic * MINUTE,
        };
        assert!(watch.is_due(at(1000, 0)));
        watch.done(at(1000, 0));
        assert!(!watch.is_due(at(1009, 9)));
        assert!(watch.is_due(at(1010, 10)));
        watch.done(at(1010, 10));
        for (wall, monotonic) in [(900_000, 11), (900_010, 21), (900_059, 70)] {
            assert!(!watch.is_due(at(wall, monotonic)), "{monotonic}");
        }
        assert!(watch.is_due(at(900_060, 71)));
    }
}
