//! The agent's timetable, without a clock and without I/O: when to poll, when a period is complete, when to stop.

use crate::clock::Now;
use crate::counters::{Counts, Delta, DeltaConfig};
use crate::source::{Event, Source, SourceError};

/// How often the interfaces are asked for, however long the interval is.
const CHECK_EVERY: i64 = 1_000_000_000;
/// Wall and monotonic clock may drift apart by this much between two ticks before it counts as a jump.
const JUMP: i64 = 1_000_000_000;
/// A poll may come this late without a word: a busy machine would say little else where intervals are short.
pub const PATIENCE: i64 = 100_000_000;

#[derive(Clone, Copy, Debug)]
pub struct AgentConfig {
    pub delta: DeltaConfig,
    /// Nanoseconds.
    pub report_every: i64,
    pub duration: Option<i64>,
    pub count: Option<u64>,
}

/// One reporting period, complete.
#[derive(Clone)]
pub struct Period {
    pub delta: Delta,
    /// Nanoseconds since the epoch.
    pub start: i64,
    pub end: i64,
}

/// A poll that came late: what the kernel counted since the one before stands in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Nanoseconds.
    pub by: i64,
    /// Start of that bucket, nanoseconds since the epoch.
    pub bucket: i64,
}

/// What a tick brought.
#[derive(Default)]
pub struct Tick {
    /// Counted in the interval that has just ended.
    pub interval: Option<Counts>,
    /// The period may end here, by [`Agent::end_period`]; without, it goes on to the end of the next one.
    pub period_over: bool,
    pub events: Vec<Event>,
    /// The clock was set, or the machine slept: by how many nanoseconds.
    pub clock_jump: Option<i64>,
    pub late: Option<Late>,
    /// Nanoseconds from the end of the interval to this tick.
    pub behind: i64,
    /// Duration or count is reached.
    pub done: bool,
}

pub struct Agent {
    config: AgentConfig,
    delta: Delta,
    counted: Counts,
    /// Of `counted`, what had been counted when the interval began.
    at_interval: Counts,
    period_start: i64,
    next_poll: i64,
    next_report: i64,
    /// On the monotonic clock.
    next_check: i64,
    /// On the monotonic clock.
    end: Option<i64>,
    last: Now,
    last_poll: Now,
    /// Not told yet.
    late: Option<Late>,
    /// How often the source is looked at between polls, at present.
    look_every: i64,
}

impl Agent {
    pub fn new(config: AgentConfig, now: Now, source: &mut dyn Source) -> Self {
        source.begin(now);
        Agent {
            delta: Delta::new(config.delta),
            counted: Counts::ZERO,
            at_interval: Counts::ZERO,
            period_start: now.wall,
            next_poll: next_multiple(now.wall, config.delta.interval),
            next_report: next_multiple(now.wall, config.report_every),
            next_check: now.monotonic,
            end: config
                .duration
                .map(|duration| now.monotonic.saturating_add(duration)),
            last: now,
            last_poll: now,
            late: None,
            look_every: source.look_every(),
            config,
        }
    }

    /// Nanoseconds until the next tick is due.
    pub fn sleep(&self, now: Now) -> i64 {
        let to_end = self.end.map_or(i64::MAX, |end| end - now.monotonic);
        let to_poll = self.next_poll.min(self.next_report) - now.wall;
        self.look_every.min(to_poll).min(to_end).max(0)
    }

    pub fn tick(&mut self, now: Now, source: &mut dyn Source) -> Result<Tick, SourceError> {
        let clock_jump = self.notice_jump(now);
        let interval_over = now.wall >= self.next_poll;
        let report_over = now.wall >= self.next_report;
        // What was counted before a period's end or a jump of the clock must not be taken for what came after it.
        let due = interval_over || report_over || clock_jump.is_some();
        if due || self.config.count.is_some() || source.needs_poll() {
            self.poll(now, source)?;
        } else {
            self.counting(|delta| source.look(delta));
        }
        let mut tick = Tick {
            period_over: report_over,
            clock_jump,
            late: self.late.take(),
            ..Tick::default()
        };
        if interval_over {
            tick.interval = Some(difference(self.counted, self.at_interval));
            self.at_interval = self.counted;
            tick.behind = now.wall - self.next_poll;
            self.next_poll = next_multiple(now.wall, self.config.delta.interval);
        }
        if now.monotonic >= self.next_check {
            self.next_check = now.monotonic.saturating_add(CHECK_EVERY);
            tick.events = source.check();
        }
        self.look_every = source.look_every();
        if report_over {
            self.next_report = next_multiple(now.wall, self.config.report_every);
        }
        tick.done = self.end.is_some_and(|end| now.monotonic >= end)
            || self
                .config
                .count
                .is_some_and(|count| self.counted.packets >= count)
            || tick.events.contains(&Event::AllGone);
        Ok(tick)
    }

    /// Takes in what was counted up to now, before it is due; gives what was counted since the start.
    pub fn poll(&mut self, now: Now, source: &mut dyn Source) -> Result<Counts, SourceError> {
        self.late = self.late(now).or(self.late);
        self.last_poll = now;
        self.counting(|delta| source.poll(now, delta))?;
        Ok(self.counted)
    }

    /// Whether a poll that comes now comes late.
    pub fn late(&self, now: Now) -> Option<Late> {
        let interval = self.config.delta.interval;
        let by = now.monotonic - self.last_poll.monotonic - interval;
        (by > PATIENCE.max(interval / 2)).then(|| Late {
            by,
            bucket: next_multiple(self.last_poll.wall, interval) - interval,
        })
    }

    /// What was counted since the last period, up to the last poll; the next one begins now.
    pub fn end_period(&mut self, now: Now) -> Period {
        let start = std::mem::replace(&mut self.period_start, now.wall);
        Period {
            delta: self.delta.take(),
            start: start.min(now.wall),
            end: now.wall,
        }
    }

    /// The last, unfinished period, with everything that was still in the source.
    pub fn finish(
        mut self,
        now: Now,
        source: &mut dyn Source,
    ) -> (Period, Result<(), SourceError>) {
        let result = source.finish(now, &mut self.delta);
        (self.end_period(now), result)
    }

    /// Counts by other rules from now on, with another period of reports; the last period must just have ended. The
    /// interval stays, and what payloads said.
    pub fn reconfigure(&mut self, delta: DeltaConfig, report_every: i64, now: Now) {
        let interval = self.config.delta.interval;
        self.config.delta = DeltaConfig { interval, ..delta };
        self.config.report_every = report_every;
        self.delta = self.delta.begin_again(self.config.delta);
        self.next_report = next_multiple(now.wall, report_every);
    }

    /// Counted since the start, up to the last poll.
    pub fn counted(&self) -> Counts {
        self.counted
    }

    /// Counts what `take` adds to the delta.
    pub fn counting<T>(&mut self, take: impl FnOnce(&mut Delta) -> T) -> T {
        let before = total(&self.delta);
        let result = take(&mut self.delta);
        self.counted += difference(total(&self.delta), before);
        result
    }

    /// After a jump the timetable starts anew from the clock as it is now.
    fn notice_jump(&mut self, now: Now) -> Option<i64> {
        let passed = now.monotonic - self.last.monotonic;
        let jump = (now.wall - self.last.wall).saturating_sub(passed);
        self.last = now;
        if jump.abs() < JUMP {
            return None;
        }
        self.next_poll = next_multiple(now.wall, self.config.delta.interval);
        self.next_report = next_multiple(now.wall, self.config.report_every);
        Some(jump)
    }
}

fn total(delta: &Delta) -> Counts {
    delta.by_direction().into_iter().sum()
}

fn difference(after: Counts, before: Counts) -> Counts {
    Counts {
        packets: after.packets - before.packets,
        bytes: after.bytes - before.bytes,
    }
}

/// The first multiple of `step` after `time`.
fn next_multiple(time: i64, step: i64) -> i64 {
    (time.div_euclid(step) + 1).saturating_mul(step)
}

#[cfg(test)]
mod tests;
