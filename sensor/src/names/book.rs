//! What the payloads said, for as long as there is room.
//!
//! One [`Book`] has a cache each for conversations, addresses and answers of DNS; each has room for so many, and what was
//! left alone for the longest goes out first, counted. What is half known (a ClientHello in several segments, a flow that
//! was announced) has small caches of its own. Cloned once for each report that is kept: plain tables, shared texts.

mod addresses;
mod answers;
mod asked;
mod bounded;
mod conversations;
mod ends;
mod expected;
mod learn;
mod refine;
mod restored;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use sensor_common::application::Application;
use sensor_common::classify;
use sensor_common::flow::FlowKey;

use self::addresses::Addresses;
use self::answers::Answers;
use self::asked::Asked;
use self::conversations::{Conversations, Seen};
use self::ends::Ends;
use self::expected::Announced;
use self::learn::{Leases, Unfinished};
use super::resolving::Heard;
use super::{FlowInfo, Label, Name, Sample, Verdict};

/// How much was put out of the full caches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutOut {
    /// Flows of which the label or the names were known, or begun to be, or announced.
    pub flows: u64,
    /// Names of addresses, or of leases without an address yet.
    pub names: u64,
    /// Answers of DNS.
    pub answers: u64,
}

#[derive(Clone, Debug)]
pub struct Book {
    conversations: Conversations,
    addresses: Addresses,
    answers: Answers,
    asked: Asked,
    announced: Announced,
    unfinished: Unfinished,
    leases: Leases,
    heard: Vec<Heard>,
    samples: u64,
}

impl Book {
    /// `most`: entries in each cache.
    pub fn new(most: usize) -> Self {
        let waiting = (most / 64).max(learn::LEAST_WAITING);
        Book {
            conversations: Conversations::new(most),
            addresses: Addresses::new(most),
            answers: Answers::new(most),
            asked: Asked::new(waiting),
            announced: Announced::new(waiting),
            unfinished: Unfinished::new(waiting),
            leases: Leases::new(waiting),
            heard: Vec::new(),
            samples: 0,
        }
    }

    /// Learns from a payload.
    pub fn observe(&mut self, sample: &Sample<'_>) {
        self.samples += 1;
        if sample.key.is_ip() && sample.key.has_ports() {
            self.learn(sample);
        }
    }

    /// What the payloads since the last call told of questions and answers of DNS: to be asked for after each.
    pub fn heard(&mut self) -> std::vec::Drain<'_, Heard> {
        self.heard.drain(..)
    }

    /// A flow is counted for the first time (in this period): notes the name by which its addresses were asked for just
    /// before, and gives what is known of it.
    pub fn flow_started(&mut self, key: &FlowKey, at: Option<i64>) -> Verdict {
        if !key.is_ip() {
            return NEVER;
        }
        let ends = Ends::of(key);
        let seen = self.conversations.counted(&ends, at);
        self.as_announced(&ends, seen, key, at);
        if !seen.asked {
            self.name_as_asked(&ends, key, at);
        }
        if key.has_ports() { seen.verdict } else { NEVER }
    }

    /// What is known of a flow, whichever way and wherever it was seen.
    pub fn verdict(&self, key: &FlowKey) -> Verdict {
        if !(key.is_ip() && key.has_ports()) {
            return NEVER;
        }
        self.conversations.verdict(&Ends::of(key))
    }

    /// The label so far: that of the verdict; before there is one, what the flow is if nothing better comes.
    pub fn label(&self, key: &FlowKey) -> Option<Label> {
        match self.verdict(key) {
            Verdict::Decided(label) => label,
            Verdict::Undecided => self.unfinished.otherwise(&Ends::of(key)),
        }
    }

    pub fn flow(&self, key: &FlowKey) -> Option<&Arc<FlowInfo>> {
        self.conversations.info(&Ends::of(key))
    }

    /// Names of an address, the surest and latest first.
    pub fn of_address(&self, addr: IpAddr) -> &[Name] {
        self.addresses.of(addr)
    }

    /// Whether it has a name for any address.
    pub fn names_addresses(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// Payloads that were looked at.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    pub fn put_out(&self) -> PutOut {
        PutOut {
            flows: self.conversations.put_out + self.unfinished.put_out + self.announced.put_out,
            names: self.addresses.put_out + self.leases.put_out,
            answers: self.answers.put_out + self.asked.put_out,
        }
    }

    /// Notes what another flow announced this one as; what its payloads say goes before that.
    fn as_announced(
        &mut self,
        ends: &Ends,
        seen: Seen,
        key: &FlowKey,
        at: Option<i64>,
    ) -> Option<Application> {
        if seen.verdict != Verdict::Undecided {
            return None;
        }
        if seen.announced.is_some() || self.announced.is_empty() {
            return seen.announced;
        }
        let application = self.announced.take(key, at)?;
        self.conversations.announce(*ends, application);
        Some(application)
    }

    fn name_as_asked(&mut self, ends: &Ends, key: &FlowKey, at: Option<i64>) {
        if self.answers.is_empty() {
            return;
        }
        // The names of these are those that they ask for.
        if by_port(key).is_some_and(learn::asks_for_names) {
            return;
        }
        let (src, dst) = (key.src_addr(), key.dst_addr());
        let (of_src, of_dst) = (
            || self.answers.find(src, dst, at),
            || self.answers.find(dst, src, at),
        );
        // A name is that of the side that was looked for, never of the one that came: which packet was seen first tells
        // nothing of that, ports do.
        let found = match server(key) {
            Some(Side::Source) => of_src(),
            Some(Side::Destination) => of_dst(),
            None => of_dst().or_else(of_src),
        };
        if let Some(name) = found {
            self.conversations.name_as_asked(*ends, name);
        }
    }
}

/// There is nothing in these packets that could tell.
const NEVER: Verdict = Verdict::Decided(None);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Source,
    Destination,
}

/// The side whose port is one that services have, if the other's is not.
fn server(key: &FlowKey) -> Option<Side> {
    let serves = |port: u16| {
        let known = classify::by_port(key.protocol(), port, 0).is_some();
        key.has_ports() && (port < 1024 || known)
    };
    match (serves(key.src_port()), serves(key.dst_port())) {
        (true, false) => Some(Side::Source),
        (false, true) => Some(Side::Destination),
        _ => None,
    }
}

fn by_port(key: &FlowKey) -> Option<Application> {
    classify::by_port(key.protocol(), key.src_port(), key.dst_port())
}
