//! A capture file at its own pace: what was captured in a second is shown for a second, or faster.
//!
//! The file is read ahead by a thread that cuts it into intervals; this says when each of them is to be seen. Time runs as
//! in the capture, but where it jumps nobody waits: a long quiet is skipped, and from a time that lies back it goes on.

use std::fmt;

use super::figures::{Figures, Window};
use crate::agent::Period;

/// Nobody waits longer than this for the next packet, in nanoseconds of ours.
const PATIENCE: i64 = 3_000_000_000;
/// Longer pauses between two looks are ours (the view was suspended) and not the capture's.
const LONGEST_STEP: i64 = 1_000_000_000;
/// Intervals that are shown in one go: keys must be answered meanwhile.
const MOST_AT_ONCE: usize = 25;

/// What the thread that reads has ready.
pub enum Ahead {
    /// What was counted in one interval; from 0 to 0 without a time.
    Slice(Box<Period>),
    /// It has still to be read.
    Reading,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many seconds of the capture in one of ours.
    Times(f64),
    /// As fast as it can be read.
    Max,
}

impl Speed {
    const FASTEST: f64 = 1024.0;
    const SLOWEST: f64 = 1.0 / 16.0;

    pub fn faster(self) -> Speed {
        match self {
            Speed::Times(times) if times * 2.0 <= Speed::FASTEST => Speed::Times(times * 2.0),
            Speed::Times(_) | Speed::Max => Speed::Max,
        }
    }

    pub fn slower(self) -> Speed {
        match self {
            Speed::Max => Speed::Times(Speed::FASTEST),
            Speed::Times(times) => Speed::Times((times / 2.0).max(Speed::SLOWEST)),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::Times(times) => write!(to, "{times}x"),
            Speed::Max => to.write_str("max speed"),
        }
    }
}

pub struct Player {
    pub speed: Speed,
    interval: i64,
    /// Read, and not due yet.
    next: Option<Period>,
    /// What has been shown ends here, in the capture's time.
    shown: Option<i64>,
    /// How far beyond that the time has run.
    beyond: i64,
    /// Nanoseconds that were skipped because nothing came.
    pub skipped: i64,
    /// How often time ran back.
    pub backwards: u64,
    pub ended: bool,
}

impl Player {
    pub fn new(speed: Speed, interval: i64) -> Self {
        Player {
            speed,
            interval,
            next: None,
            shown: None,
            beyond: 0,
            skipped: 0,
            backwards: 0,
            ended: false,
        }
    }

    /// The capture's time that is shown.
    pub fn time(&self) -> Option<i64> {
        self.shown
    }

    /// Shows what is due after so many nanoseconds of ours; true where something is new.
    pub fn advance(
        &mut self,
        passed: i64,
        figures: &mut Figures,
        ahead: &mut dyn FnMut() -> Ahead,
    ) -> bool {
        if let Speed::Times(times) = self.speed {
            let passed = passed.clamp(0, LONGEST_STEP);
            self.beyond = self.beyond.saturating_add((passed as f64 * times) as i64);
        }
        let mut new = false;
        for _ in 0..MOST_AT_ONCE {
            if !self.show_next(false, figures, ahead) {
                return new;
            }
            new = true;
        }
        // What could not be shown in time is not caught up with.
        self.beyond = self.beyond.min(self.interval);
        new
    }

    /// Shows the next interval, due or not.
    pub fn step(&mut self, figures: &mut Figures, ahead: &mut dyn FnMut() -> Ahead) -> bool {
        self.show_next(true, figures, ahead)
    }

    /// One interval at the most: true where it is shown.
    fn show_next(
        &mut self,
        at_once: bool,
        figures: &mut Figures,
        ahead: &mut dyn FnMut() -> Ahead,
    ) -> bool {
        if self.next.is_none() {
            match ahead() {
                Ahead::Slice(slice) => self.next = Some(*slice),
                // Time stands still until something has been read.
                Ahead::Reading => {
                    self.beyond = self.beyond.min(self.interval);
                    return false;
                }
                Ahead::End => {
                    self.ended = true;
                    return false;
                }
            }
        }
        let Some(next) = &self.next else {
            return false;
        };
        let (start, end) = (next.start, next.end);
        if start == end {
            self.show(0, figures);
            return true;
        }
        let shown = *self.shown.get_or_insert(start);
        if start < shown {
            self.backwards += 1;
            self.turn_to(start);
        } else if start > shown && self.skips(start.saturating_sub(shown), figures) {
            self.turn_to(start);
        }
        let due = at_once || self.speed == Speed::Max || self.beyond >= self.interval;
        if !due {
            return false;
        }
        self.beyond = self.beyond.saturating_sub(self.interval).max(0);
        if self.shown == Some(start) {
            self.show(self.interval, figures);
            self.shown = Some(end);
        } else {
            // Nothing came in this one.
            figures.idle(1);
            self.shown = self.shown.map(|shown| shown.saturating_add(self.interval));
        }
        true
    }

    fn show(&mut self, nanoseconds: i64, figures: &mut Figures) {
        if let Some(slice) = self.next.take() {
            figures.push(&slice.delta, nanoseconds);
        }
    }

    fn turn_to(&mut self, time: i64) {
        self.shown = Some(time);
        self.beyond = 0;
    }

    /// Whether a quiet of so many nanoseconds is too long to sit through. What is left of the rates goes then.
    fn skips(&mut self, quiet: i64, figures: &mut Figures) -> bool {
        let times = match self.speed {
            Speed::Times(times) => times,
            Speed::Max => Speed::FASTEST,
        };
        if quiet as f64 / times <= PATIENCE as f64 {
            return false;
        }
        let intervals = quiet / self.interval;
        figures.idle(intervals.min(Window::Long as i64) as usize);
        self.skipped = self.skipped.saturating_add(quiet);
        true
    }
}
