//! Messages on their way to one collector: sequence numbers, templates when they are due, what waits while the way is
//! broken. Time is an argument, and the way itself a [`Link`].

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::encode::{self, Flows, Message, Statistics};
use super::interfaces::Interfaces;
use super::link::Link;
use super::record::Record;
use crate::clock::Now;

/// By UDP templates are sent again after this many messages, and after this time: a collector that is started later, or
/// did not get them, can't read anything before.
const TEMPLATES_MESSAGES: u32 = 64;
const TEMPLATES_EVERY: i64 = 30_000_000_000;
/// Options say little that is not in each record, and nfcapd 1.7.1 takes them for lost records: it does not count them, as
/// RFC 7011 has it, in sequence numbers.
const OPTIONS_EVERY: i64 = 600_000_000_000;
/// Between two attempts to reach a collector: the first, and the longest.
const RETRY: i64 = 500_000_000;
const RETRY_AT_MOST: i64 = 8_000_000_000;
/// A refusal comes soon after a message: after so many without one, the collector is there again.
const TAKEN: u32 = 3;

/// Why messages wait.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("can't reach the collector: {0}; flows wait for it")]
    Open(Arc<io::Error>),
    #[error("can't send: {0}; flows wait for it")]
    Send(io::Error),
    #[error("the collector's host refuses: nothing listens on that port; what is sent is lost")]
    Refused,
}

pub(super) struct Session {
    link: Box<dyn Link>,
    /// Observation domain.
    domain: u32,
    /// Most bytes of a message.
    limit: u16,
    open: bool,
    /// Records that were sent: in this connection, or by UDP since the start.
    sequence: u32,
    outbox: VecDeque<Message>,
    /// The most messages that wait.
    room: usize,
    interfaces: Interfaces,
    statistics: Statistics,
    /// Messages that the collector's host refused.
    refused: u64,
    /// Messages sent since the last one of these, while it is not sure that they are taken.
    refusing: Option<u32>,
    /// Messages since the templates.
    since: u32,
    next_templates: i64,
    next_options: i64,
    next_try: i64,
    pause: i64,
    /// Why it could not be reached when that was last tried.
    unreachable: Option<Arc<io::Error>>,
    trouble: Option<SendError>,
}

impl Session {
    pub(super) fn new(link: Box<dyn Link>, domain: u32, limit: u16, room: usize) -> Self {
        Session {
            link,
            domain,
            limit,
            open: false,
            sequence: 0,
            outbox: VecDeque::new(),
            room,
            interfaces: Interfaces::default(),
            statistics: Statistics::default(),
            refused: 0,
            refusing: None,
            since: 0,
            next_templates: i64::MIN,
            next_options: i64::MIN,
            next_try: i64::MIN,
            pause: RETRY,
            unreachable: None,
            trouble: None,
        }
    }

    pub(super) fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// The collector will hear of them before the next records.
    pub(super) fn know(&mut self, interfaces: Interfaces) {
        if interfaces != self.interfaces {
            self.interfaces = interfaces;
            self.next_options = i64::MIN;
        }
    }

    /// Packets that nobody could count.
    pub(super) fn ignored(&mut self, packets: u64) {
        self.statistics.ignored += packets;
    }

    /// Sends it, behind all that waits. If that is too much, the oldest is given up.
    pub(super) fn take(&mut self, message: Message, now: Now) {
        self.outbox.push_back(message);
        if self.trouble.is_none() {
            self.trouble = self.send_all(now).err();
        }
        while self.outbox.len() > self.room {
            self.give_up_first();
        }
    }

    /// Whether what is taken now goes out at once.
    pub(super) fn works(&self) -> bool {
        self.trouble.is_none()
    }

    /// Tries anew what could not be sent: whether everything was.
    pub(super) fn retry(&mut self, now: Now) -> bool {
        self.trouble = self.send_all(now).err();
        self.trouble.is_none()
    }

    /// What has gone wrong since this was asked last.
    pub(super) fn result(&mut self) -> Result<(), SendError> {
        let refused = self.link.refused();
        self.refused += refused;
        if refused > 0 {
            self.refusing = Some(0);
        } else if self.refusing.is_some_and(|sent| sent >= TAKEN) {
            self.refusing = None;
        }
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None if self.refusing.is_some() => Err(SendError::Refused),
            None => Ok(()),
        }
    }

    /// The last numbers, which the collector may compare with its own.
    pub(super) fn close(&mut self, now: Now) {
        self.take(encode::last_word(self.domain, &self.statistics), now);
    }

    /// Nothing that waits will be sent any more.
    pub(super) fn give_up(&mut self) {
        while !self.outbox.is_empty() {
            self.give_up_first();
        }
    }

    pub(super) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    pub(super) fn refusals(&self) -> u64 {
        self.refused
    }

    /// A record will never be sent.
    pub(super) fn lose(&mut self, record: &Record) {
        self.statistics.not_sent += Flows::of(record);
    }

    fn give_up_first(&mut self) {
        if let Some(message) = self.outbox.pop_front() {
            self.statistics.not_sent += message.flows;
        }
    }

    fn send_all(&mut self, now: Now) -> Result<(), SendError> {
        self.reach(now)?;
        self.send_due(now)?;
        while let Some(message) = self.outbox.pop_front() {
            if let Err(error) = self.transmit(&message, now) {
                self.outbox.push_front(message);
                return Err(error);
            }
            self.send_due(now)?;
        }
        Ok(())
    }

    fn reach(&mut self, now: Now) -> Result<(), SendError> {
        if self.open {
            return Ok(());
        }
        if let Some(error) = &self.unreachable
            && now.monotonic < self.next_try
        {
            return Err(SendError::Open(Arc::clone(error)));
        }
        if let Err(error) = self.link.open() {
            self.next_try = now.monotonic.saturating_add(self.pause);
            self.pause = (self.pause * 2).min(RETRY_AT_MOST);
            let error = Arc::new(error);
            self.unreachable = Some(Arc::clone(&error));
            return Err(SendError::Open(error));
        }
        self.unreachable = None;
        self.pause = RETRY;
        self.open = true;
        self.next_templates = i64::MIN;
        self.next_options = i64::MIN;
        if self.link.has_sessions() {
            self.sequence = 0;
        }
        Ok(())
    }

    /// Whether something that is due at `next` is to be sent; by TCP only what was never sent.
    fn is_due(&self, next: i64, now: Now) -> bool {
        next == i64::MIN || (now.monotonic >= next && !self.link.has_sessions())
    }

    /// What a collector must know to read records, and what else it may want to.
    fn send_due(&mut self, now: Now) -> Result<(), SendError> {
        let many = self.since >= TEMPLATES_MESSAGES && !self.link.has_sessions();
        if many || self.is_due(self.next_templates, now) {
            for message in encode::templates(self.limit) {
                self.transmit(&message, now)?;
            }
            self.next_templates = now.monotonic.saturating_add(TEMPLATES_EVERY);
            self.since = 0;
        }
        if self.is_due(self.next_options, now) {
            let known = &self.statistics;
            for message in encode::options(self.limit, self.domain, &self.interfaces, known) {
                self.transmit(&message, now)?;
            }
            self.next_options = now.monotonic.saturating_add(OPTIONS_EVERY);
        }
        Ok(())
    }

    fn transmit(&mut self, message: &Message, now: Now) -> Result<(), SendError> {
        let seconds = now.wall.div_euclid(1_000_000_000) as u32;
        let bytes = message.seal(seconds, self.sequence, self.domain);
        if let Err(error) = self.link.send(&bytes, message.records) {
            self.open = false;
            return Err(SendError::Send(error));
        }
        self.sequence = self.sequence.wrapping_add(message.records);
        self.since += 1;
        self.refusing = self.refusing.map(|sent| sent + 1);
        self.statistics.messages += 1;
        self.statistics.octets += bytes.len() as u64;
        self.statistics.sent += message.flows;
        Ok(())
    }
}
