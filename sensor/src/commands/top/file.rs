//! A capture file: read ahead on a thread of its own, and played.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::feed::{Ending, Feed};
use super::{LONGEST_SLEEP, of_flows};
use crate::agent::Period;
use crate::clock::Now;
use crate::commands::for_files;
use crate::counters::{Delta, DeltaConfig, When};
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::filter::tree::Tree;
use crate::follow::Cuts;
use crate::report::{Context, Time};
use crate::source::file::count::{self, Ledger, Outcome};
use crate::source::file::{CaptureError, CaptureFile, matching};
use crate::top::play::{Ahead, Player, Speed};
use crate::top::{Figures, Matching, Source, Status};
use crate::units;

/// Intervals that wait to be shown: enough to never wait for the disk, few enough for the memory.
const AHEAD: usize = 4;
const BROKEN: &str = "the thread that reads the file has failed";

pub(super) struct Played {
    player: Player,
    incoming: Receiver<Period>,
    reading: Option<JoinHandle<Outcome>>,
    name: String,
    interval: i64,
    filter: Option<String>,
    flow_part: Option<Tree>,
    /// Names by slot, as [`matching::FileFilter`] numbers them.
    interfaces: Vec<String>,
    paused: bool,
    last: Option<Now>,
    /// Of the player's, what was told.
    told: (i64, u64),
    messages: Vec<String>,
    exit: Exit,
}

/// Counts each interval apart, and waits where nobody wants the next one yet.
struct Hand {
    cuts: Cuts,
    to: SyncSender<Period>,
}

impl Hand {
    /// Nobody takes it any more once the view has ended.
    fn over(&mut self, period: Option<Period>) {
        if let Some(period) = period {
            let _ended = self.to.send(period);
        }
    }
}

impl Ledger for Hand {
    #[inline]
    fn of(&mut self, when: When) -> &mut Delta {
        let over = self.cuts.turn_to(when);
        self.over(over);
        self.cuts.current()
    }

    #[inline]
    fn onwards(&mut self, at: i64) -> (&mut Delta, (i64, i64)) {
        self.of(When::At(at));
        self.cuts.go_on()
    }

    fn wants_samples(&self) -> bool {
        self.cuts.wants_samples()
    }

    fn only_counts(&self) -> bool {
        self.cuts.only_counts()
    }

    fn flush(&mut self) {
        self.cuts.current().flush();
    }
}

impl Played {
    pub(super) fn open(
        path: &Path,
        speed: Speed,
        filter: Option<Filter>,
        delta: DeltaConfig,
    ) -> Result<Self, Failure> {
        let name = escape::path(path);
        let mut file = CaptureFile::open(path)
            .map_err(|error| Failure::told(exit_of(&error), format_args!("{name}: {error}")))?;
        let matching = for_files(filter.as_ref())?;
        let mut messages = Vec::new();
        if let Some(matching) = &matching
            && file.interfaces().is_none()
        {
            messages.extend(matching.missing_interfaces(&file));
        }
        let interfaces = filter.iter().flat_map(Filter::interfaces);
        let interfaces = [String::new()].into_iter().chain(interfaces).collect();
        let (to, incoming) = mpsc::sync_channel(AHEAD);
        let mut hand = Hand {
            cuts: Cuts::new(delta, delta.interval),
            to,
        };
        let reading = thread::spawn(move || {
            let outcome = match &matching {
                Some(matching) => matching::count(&mut file, &mut hand, matching, None, |_| ()),
                None => count::count(&mut file, &mut hand, None, |_| ()),
            };
            let last = hand.cuts.end();
            hand.over(last);
            outcome
        });
        let file_name = path.file_name().map_or(path, Path::new);
        Ok(Played {
            player: Player::new(speed, delta.interval),
            incoming,
            reading: Some(reading),
            name: escape::path(file_name),
            interval: delta.interval,
            flow_part: of_flows(filter.as_ref()),
            filter: filter.map(|filter| filter.text().to_owned()),
            interfaces,
            paused: false,
            last: None,
            told: (0, 0),
            messages,
            exit: Exit::Ok,
        })
    }

    /// What is new of the player: quiet that was skipped, time that ran back, the end.
    fn hear(&mut self) {
        let (skipped, backwards) = self.told;
        if self.player.skipped > skipped {
            let quiet = units::duration((self.player.skipped - skipped) as f64 / 1e9);
            self.messages.push(format!("nothing for {quiet}: skipped"));
        }
        if self.player.backwards > backwards {
            let times = units::count(self.player.backwards);
            self.messages
                .push(format!("the capture's time ran back, {times} times so far"));
        }
        self.told = (self.player.skipped, self.player.backwards);
        if self.player.ended {
            self.end();
        }
    }

    fn end(&mut self) {
        let Some(reading) = self.reading.take() else {
            return;
        };
        let error = match reading.join() {
            Ok(outcome) => outcome.error,
            Err(_) => {
                self.exit = Exit::Failed;
                self.messages.push(BROKEN.to_owned());
                return;
            }
        };
        match error {
            Some(error) => {
                self.exit = exit_of(&error);
                self.messages.push(format!("{}: {error}", self.name));
            }
            None => self
                .messages
                .push("the end of the file; q quits".to_owned()),
        }
    }

    fn played(
        &mut self,
        play: impl FnOnce(&mut Player, &mut dyn FnMut() -> Ahead) -> bool,
    ) -> bool {
        let incoming = &self.incoming;
        let mut ahead = || match incoming.try_recv() {
            Ok(period) => Ahead::Slice(Box::new(period)),
            Err(TryRecvError::Empty) => Ahead::Reading,
            Err(TryRecvError::Disconnected) => Ahead::End,
        };
        let had_ended = self.player.ended;
        let new = play(&mut self.player, &mut ahead);
        self.hear();
        new || self.player.ended != had_ended
    }
}

impl Feed for Played {
    fn sleep(&self, _: Now) -> Duration {
        match self.player.speed {
            Speed::Max if !self.paused && !self.player.ended => Duration::from_millis(1),
            _ => LONGEST_SLEEP,
        }
    }

    fn tick(&mut self, now: Now, figures: &mut Figures) -> bool {
        let last = self.last.replace(now).unwrap_or(now);
        if self.paused || self.player.ended {
            return false;
        }
        let passed = now.monotonic - last.monotonic;
        self.played(|player, ahead| player.advance(passed, figures, ahead))
    }

    fn messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.messages)
    }

    fn status(&self, _: Now) -> Status {
        Status {
            sources: vec![Source {
                name: self.name.clone(),
                alive: true,
                ..Source::default()
            }],
            time: self.player.time(),
            pace: match (self.player.ended, self.paused) {
                (true, _) => "ended".to_owned(),
                (false, true) => "paused".to_owned(),
                (false, false) => self.player.speed.to_string(),
            },
            is_file: true,
            filter: self.filter.clone(),
            ..Status::default()
        }
    }

    fn context(&self) -> Context {
        Context {
            hostname: crate::commands::hostname(),
            backend: "file".to_owned(),
            filter: self.filter.clone(),
            top_n: 1,
            interval: self.interval,
            ..Context::default()
        }
    }

    fn interfaces(&self) -> Vec<String> {
        self.interfaces.clone()
    }

    fn matching(&self) -> Option<Matching> {
        let tree = self.flow_part.as_ref()?;
        Some(Matching::of_flows(tree, &self.interfaces))
    }

    fn pause(&mut self, paused: bool, _: &mut Figures) {
        self.paused = paused;
    }

    fn speed(&mut self, faster: bool) {
        self.player.speed = match faster {
            true => self.player.speed.faster(),
            false => self.player.speed.slower(),
        };
    }

    fn step(&mut self, figures: &mut Figures) -> bool {
        self.paused && self.played(|player, ahead| player.step(figures, ahead))
    }

    fn resets(&self) -> bool {
        false
    }

    fn finish(mut self: Box<Self>, _: Now, figures: &mut Figures) -> Ending {
        figures.settle();
        let total = figures.total();
        let how_far = match (self.player.ended, self.player.time()) {
            (true, _) => "all of it".to_owned(),
            (false, Some(time)) => format!("to {}", Time(time).strftime("%Y-%m-%d %H:%M:%S UTC")),
            (false, None) => "nothing of it".to_owned(),
        };
        let mut complaints = std::mem::take(&mut self.messages);
        // That it has ended is no complaint.
        complaints.retain(|_| self.exit != Exit::Ok);
        Ending {
            exit: self.exit,
            complaints,
            closing_line: Some(format!(
                "played {}, {} of {}: {how_far}",
                units::packets(total.packets),
                units::bytes(total.bytes),
                self.name,
            )),
        }
    }
}

fn exit_of(error: &CaptureError) -> Exit {
    match error {
        CaptureError::Io { .. } => Exit::Failed,
        _ => Exit::BadFile,
    }
}
