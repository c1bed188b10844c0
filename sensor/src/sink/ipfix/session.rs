//! Messages on their way to one collector: sequence numbers, templates when they are due, what waits while the way is
//! broken. Time is an argument, and the way itself a [`Link`].

use std::collections::VecDeque;
use std::io;

use super::encode::{self, Message, Statistics};
use super::interfaces::Interfaces;
use super::link::Link;
use crate::clock::Now;

/// Messages that wait while the collector can't be reached: six megabytes.
const MOST_WAITING: usize = 4_096;
/// By UDP templates are sent again after this many messages, and after this time: a collector that is started later, or
/// did not get them, can't read anything before.
const PREAMBLE_MESSAGES: u32 = 64;
const PREAMBLE_EVERY: i64 = 30_000_000_000;
/// Between two attempts to reach a collector: the first, and the longest.
const RETRY: i64 = 500_000_000;
const RETRY_AT_MOST: i64 = 8_000_000_000;

/// Why messages wait.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("can't reach the collector: {0}; flows wait for it")]
    Open(io::Error),
    #[error("can't send: {0}; flows wait")]
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
    interfaces: Interfaces,
    statistics: Statistics,
    /// Messages the collector's host refused.
    refused: u64,
    /// Messages since the templates.
    since: u32,
    next_preamble: i64,
    next_try: i64,
    pause: i64,
    trouble: Option<SendError>,
}

impl Session {
    pub(super) fn new(link: Box<dyn Link>, domain: u32, limit: u16) -> Self {
        Session {
            link,
            domain,
            limit,
            open: false,
            sequence: 0,
            outbox: VecDeque::new(),
            interfaces: Interfaces::default(),
            statistics: Statistics::default(),
            refused: 0,
            since: 0,
            next_preamble: i64::MIN,
            next_try: i64::MIN,
            pause: RETRY,
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
            self.next_preamble = i64::MIN;
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
        while self.outbox.len() > MOST_WAITING {
            self.give_up_first();
        }
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
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None if refused > 0 => Err(SendError::Refused),
            None => Ok(()),
        }
    }

    /// The last numbers, which the collector may compare with its own.
    pub(super) fn close(&mut self, now: Now) {
        self.take(encode::last_word(self.domain, &self.statistics), now);
    }

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

    fn give_up_first(&mut self) {
        if let Some(message) = self.outbox.pop_front() {
            self.statistics.not_sent += message.flows;
        }
    }

    fn send_all(&mut self, now: Now) -> Result<(), SendError> {
        self.reach(now)?;
        if self.preamble_is_due(now) {
            self.send_preamble(now)?;
        }
        while let Some(message) = self.outbox.pop_front() {
            if let Err(error) = self.transmit(&message, now) {
                self.outbox.push_front(message);
                return Err(error);
            }
            if self.preamble_is_due(now) {
                self.send_preamble(now)?;
            }
        }
        Ok(())
    }

    fn reach(&mut self, now: Now) -> Result<(), SendError> {
        if self.open {
            return Ok(());
        }
        if now.monotonic < self.next_try {
            return Err(SendError::Open(io::ErrorKind::NotConnected.into()));
        }
        if let Err(error) = self.link.open() {
            self.next_try = now.monotonic.saturating_add(self.pause);
            self.pause = (self.pause * 2).min(RETRY_AT_MOST);
            return Err(SendError::Open(error));
        }
        self.pause = RETRY;
        self.open = true;
        self.next_preamble = i64::MIN;
        if self.link.has_sessions() {
            self.sequence = 0;
        }
        Ok(())
    }

    fn preamble_is_due(&self, now: Now) -> bool {
        if self.next_preamble == i64::MIN {
            return true;
        }
        let old = now.monotonic >= self.next_preamble || self.since >= PREAMBLE_MESSAGES;
        old && !self.link.has_sessions()
    }

    fn send_preamble(&mut self, now: Now) -> Result<(), SendError> {
        let known = &self.statistics;
        for message in encode::preamble(self.limit, self.domain, &self.interfaces, known) {
            self.transmit(&message, now)?;
        }
        self.next_preamble = now.monotonic.saturating_add(PREAMBLE_EVERY);
        self.since = 0;
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
        self.statistics.messages += 1;
        self.statistics.octets += bytes.len() as u64;
        self.statistics.sent += message.flows;
        Ok(())
    }
}
