//! IPFIX (RFC 7011): every packet that was counted goes to a collector, in records of flows.
//!
//! Counts of intervals gather in a [`cache`] until a flow ends or a timeout says so; [`encode`] makes messages of records by
//! the lists of [`template`], and a [`session`] sends them. One exporter for each collector: none of them waits for another.
//!
//! A collector that can't be reached costs nothing at first: its flows stay in the cache, and are sent in longer records once
//! it is there again. Only what finds no room in the cache, and then none in the session, is given up, counted and said.

mod cache;
mod collector;
mod encode;
mod follower;
mod interfaces;
mod link;
mod pace;
mod record;
mod session;
mod template;
#[cfg(test)]
mod tests;

use std::thread;
use std::time::Duration;

pub use cache::Timeouts;
pub use collector::{Collector, Transport};
pub use encode::{LARGEST_MESSAGE, SMALLEST_MESSAGE};
pub use follower::exporters;
pub use interfaces::Interfaces;
pub use record::{EndReason, Record, Subject};
pub use session::SendError;

use crate::clock::Now;
use crate::counters::Delta;
use crate::units;
use cache::Cache;
use encode::Encoder;
use link::Link;
use session::Session;

/// What waits at the most: 90 bytes a flow, and more where the cache has room to grow; 1,400 a message.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// For their timeouts, or for a collector that can't be reached.
    flows: usize,
    /// What the cache had no room for, while the collector can't be reached.
    messages: usize,
}

const ROOM: Room = Room {
    flows: 262_144,
    messages: 4_096,
};
/// How long the end of a run waits for a collector that can't be reached, in nanoseconds.
const PATIENCE: i64 = 5_000_000_000;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub timeouts: Timeouts,
    /// Observation domain id.
    pub domain: u32,
    /// Most bytes of a message, from [`SMALLEST_MESSAGE`] on.
    pub message_size: u16,
    /// Most records a second by UDP, 0 = any.
    pub rate: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum IpfixError {
    #[error("no address for {collector}: {error}; check the name, or give an address")]
    Lookup {
        collector: String,
        error: std::io::Error,
    },
    #[error("{flows} flows were not sent, with {packets} packets, {bytes}")]
    NotSent {
        flows: String,
        packets: String,
        bytes: String,
    },
    #[error("nothing listens there: the collector's host refused at least {0} of the messages")]
    Refused(String),
}

/// One collector, and what is on its way to it.
pub struct Exporter {
    collector: Collector,
    cache: Cache,
    encoder: Encoder,
    session: Session,
}

impl Exporter {
    /// Looks the collector's name up, and no more: one that is not there yet is waited for.
    pub fn new(collector: &Collector, settings: &Settings) -> Result<Self, IpfixError> {
        let link = link::prepare(collector, settings.rate).map_err(|error| IpfixError::Lookup {
            collector: collector.to_string(),
            error,
        })?;
        Ok(Self::over(link, collector, settings, ROOM))
    }

    fn over(link: Box<dyn Link>, collector: &Collector, settings: &Settings, room: Room) -> Self {
        Exporter {
            collector: collector.clone(),
            cache: Cache::new(settings.timeouts, room.flows),
            encoder: Encoder::new(settings.message_size),
            session: Session::new(link, settings.domain, settings.message_size, room.messages),
        }
    }

    /// Which interfaces the slots of the next interval are.
    pub fn interfaces(&mut self, interfaces: Interfaces) {
        self.session.know(interfaces);
    }

    /// Takes in what was counted up to `end` (nanoseconds since the epoch, of the packets' clock) and sends what is due. An
    /// error says why nothing could be sent; nothing is lost by it yet.
    pub fn interval(&mut self, delta: &Delta, end: i64, now: Now) -> Result<(), SendError> {
        self.session.ignored(delta.lost_by_place().values().sum());
        let reachable = self.session.retry(now);
        let (encoder, session) = (&mut self.encoder, &mut self.session);
        let mut out = |record: &Record| send(encoder, session, record, now);
        self.cache.add(delta, |record| {
            out(record);
        });
        if reachable {
            self.cache.expire(end, out);
            self.flush(now);
        }
        self.session.result()
    }

    /// Sends all that is left. What can't be sent within some seconds is given up.
    pub fn finish(&mut self, clock: impl Fn() -> Now) -> Result<(), IpfixError> {
        let start = clock();
        let mut done = self.send_rest(start);
        while !done && clock().monotonic - start.monotonic < PATIENCE {
            thread::sleep(BETWEEN_TRIES);
            done = self.send_rest(clock());
        }
        if done {
            self.session.close(clock());
        }
        self.session.give_up();
        let session = &mut self.session;
        self.cache.end(|record| {
            session.lose(record);
            true
        });
        let _told_by_now = self.session.result();
        self.verdict()
    }

    /// Whether nothing is left.
    fn send_rest(&mut self, now: Now) -> bool {
        if self.session.retry(now) {
            let (encoder, session) = (&mut self.encoder, &mut self.session);
            self.cache.end(|record| send(encoder, session, record, now));
        }
        self.flush(now);
        self.cache.is_empty() && self.session.works()
    }

    /// What was sent, for people.
    pub fn told(&self) -> String {
        let statistics = self.session.statistics();
        format!(
            "{}: {} flows sent, {} packets, {}, in {} messages",
            self.collector,
            units::count(statistics.sent.records),
            units::count(statistics.sent.counts.packets),
            units::bytes(statistics.sent.counts.bytes),
            units::count(statistics.messages),
        )
    }

    fn verdict(&self) -> Result<(), IpfixError> {
        let not_sent = self.session.statistics().not_sent;
        if not_sent.records > 0 {
            return Err(IpfixError::NotSent {
                flows: units::count(not_sent.records),
                packets: units::count(not_sent.counts.packets),
                bytes: units::bytes(not_sent.counts.bytes),
            });
        }
        match self.session.refusals() {
            0 => Ok(()),
            refused => Err(IpfixError::Refused(units::count(refused))),
        }
    }

    /// What has gathered in messages that are not full.
    fn flush(&mut self, now: Now) {
        for message in self.encoder.flush() {
            self.session.take(message, now);
        }
    }
}

/// Whether more can go out.
fn send(encoder: &mut Encoder, session: &mut Session, record: &Record, now: Now) -> bool {
    if let Some(message) = encoder.push(record, session.interfaces()) {
        session.take(message, now);
    }
    session.works()
}
