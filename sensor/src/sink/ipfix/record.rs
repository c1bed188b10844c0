//! What one data record says, before it is bytes.

use std::borrow::Cow;

use sensor_common::application::Application;
use sensor_common::flow::{Direction, FlowKey};

use super::template::{Kind, Shape};
use crate::counters::{self, Class, Counts};

/// Whose packets a record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    Flow(FlowKey),
    /// Packets of which no flow is known, by interface slot: those that found no room in the flow table, of one IP protocol,
    /// and those that are malformed.
    Rest(u8, Class),
}

/// flowEndReason (136).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    Idle = 1,
    Active = 2,
    /// FIN or RST.
    Detected = 3,
    /// The end of the run or of the file.
    Forced = 4,
    /// There was no room to wait for more of it.
    LackOfResources = 5,
}

#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub subject: Subject,
    pub counts: Counts,
    /// Nanoseconds since the epoch; `first > last` where no packet had a time.
    pub first: i64,
    pub last: i64,
    pub tcp_flags: u8,
    pub application: Option<Application>,
    pub end: EndReason,
}

impl Record {
    pub(super) fn shape(&self) -> Shape {
        Shape {
            kind: self.subject.kind(),
            direction: self.subject.direction() != Direction::Unknown,
        }
    }

    /// Milliseconds since the epoch of the first and the last packet; 0 = not known.
    pub(super) fn milliseconds(&self) -> (u64, u64) {
        let milliseconds = |time: i64| u64::try_from(time.div_euclid(1_000_000)).unwrap_or(0);
        match self.first <= self.last {
            true => (milliseconds(self.first), milliseconds(self.last)),
            false => (0, 0),
        }
    }

    /// As in the report's list of application protocols.
    pub(super) fn name(&self) -> Cow<'static, str> {
        self.subject.class(self.application).application()
    }
}

impl Subject {
    pub(super) fn slot(&self) -> u8 {
        match self {
            Subject::Flow(key) => key.slot(),
            Subject::Rest(slot, _) => *slot,
        }
    }

    pub(super) fn direction(&self) -> Direction {
        match self {
            Subject::Flow(key) => key.direction(),
            Subject::Rest(_, class) => class.direction,
        }
    }

    /// EtherType of what is not IP; 0 where it has none, as with LLC, or where none could be read.
    pub(super) fn ethertype(&self) -> u16 {
        const FIRST: u16 = 0x0600;
        match self.class(None).kind {
            counters::Kind::NotIp(network) if network >= FIRST => network,
            _ => 0,
        }
    }

    /// 4 or 6, and the IP protocol; of what is IP.
    pub(super) fn ip(&self) -> (u8, u8) {
        match self.class(None).kind {
            counters::Kind::Ip { ipv6, protocol, .. } => (if ipv6 { 6 } else { 4 }, protocol),
            _ => (0, 0),
        }
    }

    fn kind(&self) -> Kind {
        match (self, self.class(None).kind) {
            (Subject::Flow(_), counters::Kind::Ip { ipv6: false, .. }) => Kind::Ipv4,
            (Subject::Flow(_), counters::Kind::Ip { ipv6: true, .. }) => Kind::Ipv6,
            (Subject::Rest(..), counters::Kind::Ip { .. }) => Kind::Protocol,
            _ => Kind::Link,
        }
    }

    fn class(&self, application: Option<Application>) -> Class {
        let key = match self {
            Subject::Flow(key) => key,
            Subject::Rest(_, class) => return *class,
        };
        let mut class = Class::of_flow(key, None);
        if let counters::Kind::Ip {
            application: named, ..
        } = &mut class.kind
        {
            *named = application;
        }
        class
    }
}
