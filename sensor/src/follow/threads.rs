//! Each follower on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use super::{Follower, Part};
use crate::sandbox::capabilities;
use crate::status;

/// Parts that wait for a follower, beside the one that it works at.
const MOST_WAITING: usize = 2;

/// Who waits for whom when a follower is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A live run waits for nobody: what comes meanwhile is joined to one part.
    Source,
    /// A file can wait.
    Follower,
}

/// Everybody who follows.
pub struct Followers {
    pace: Pace,
    lines: Vec<Line>,
}

/// What went wrong with followers, which was said when it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Followers that failed at least once.
    pub failed: usize,
}

/// One follower, seen from the counting.
struct Line {
    name: String,
    sender: SyncSender<Arc<Part>>,
    /// What it had no room for, in one.
    behind: Option<Part>,
    thread: JoinHandle<(Box<dyn Follower>, bool)>,
    /// Its thread has ended, which was said.
    ended: bool,
}

impl Followers {
    pub fn start(followers: Vec<Box<dyn Follower>>, pace: Pace) -> Self {
        let lines = followers.into_iter().map(Line::start).collect();
        Followers { pace, lines }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Hands a part to each of them.
    pub fn part(&mut self, part: impl Into<Arc<Part>>) {
        let part = part.into();
        for line in &mut self.lines {
            match self.pace {
                Pace::Source => line.offer(&part),
                Pace::Follower => line.send(Arc::clone(&part)),
            }
        }
    }

    /// Waits until each of them has had everything.
    pub fn finish(self, whole: &Part) -> Trouble {
        let mut trouble = Trouble::default();
        for line in self.lines {
            trouble.failed += usize::from(line.finish(whole));
        }
        trouble
    }
}

impl Line {
    fn start(follower: Box<dyn Follower>) -> Self {
        let (sender, parts) = mpsc::sync_channel(MOST_WAITING);
        Line {
            name: follower.name(),
            sender,
            behind: None,
            thread: thread::spawn(move || follow(follower, &parts)),
            ended: false,
        }
    }

    fn offer(&mut self, part: &Arc<Part>) {
        let next = match self.behind.take() {
            None => Arc::clone(part),
            Some(mut behind) => {
                behind.join(part);
                Arc::new(behind)
            }
        };
        match self.sender.try_send(next) {
            Ok(()) => {}
            Err(TrySendError::Full(next)) => self.behind = Some(Arc::unwrap_or_clone(next)),
            Err(TrySendError::Disconnected(_)) => self.note_end(),
        }
    }

    fn send(&mut self, part: Arc<Part>) {
        if self.sender.send(part).is_err() {
            self.note_end();
        }
    }

    fn note_end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            status::warn(&format!(
                "{}: its thread has failed; it gets nothing more, and counting goes on",
                self.name
            ));
        }
    }

    /// Whether it failed.
    fn finish(mut self, whole: &Part) -> bool {
        if let Some(behind) = self.behind.take() {
            self.send(Arc::new(behind));
        }
        drop(self.sender);
        let Ok((mut follower, failed)) = self.thread.join() else {
            if !self.ended {
                status::warn(&format!("{}: its thread has failed", self.name));
            }
            return true;
        };
        match follower.finish(whole) {
            Ok(()) => failed,
            Err(error) => {
                status::warn(&format!("{}: {error:#}", self.name));
                true
            }
        }
    }
}

/// Until no more parts come. An error that stays is told once.
fn follow(
    mut follower: Box<dyn Follower>,
    parts: &Receiver<Arc<Part>>,
) -> (Box<dyn Follower>, bool) {
    capabilities::give_up();
    let mut failed = false;
    let mut last = None;
    for part in parts {
        let error = follower.part(&part).err().map(|error| format!("{error:#}"));
        if let Some(error) = &error
            && last.as_ref() != Some(error)
        {
            status::warn(&format!("{}: {error}; counting goes on", follower.name()));
        }
        if error.is_none() && last.is_some() {
            status::warn(&format!("{}: it works again", follower.name()));
        }
        failed |= error.is_some();
        last = error;
    }
    (follower, failed)
}
