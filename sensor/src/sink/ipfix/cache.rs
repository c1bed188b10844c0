//! What was counted and not exported yet, by flow. Without a clock: `now` is an argument.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sensor_common::application::Application;
use sensor_common::protocol::ip;

use super::record::{EndReason, Record, Subject};
use crate::counters::{Counts, Delta};

/// FIN or RST.
const ENDS: u8 = 0b101;
/// A connection's last acknowledgements come after its FIN.
const CLOSING: i64 = 2_000_000_000;

/// When a flow's record is sent, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// After its first packet, however many are still coming: what comes later is in another record.
    pub active: i64,
    /// After its last packet.
    pub idle: i64,
}

pub(super) struct Cache {
    timeouts: Timeouts,
    /// The most flows that wait.
    most: usize,
    waiting: HashMap<Subject, Waiting, RandomState>,
}

#[derive(Clone, Copy)]
struct Waiting {
    counts: Counts,
    first: i64,
    last: i64,
    tcp_flags: u8,
    application: Option<Application>,
}

impl Cache {
    pub(super) fn new(timeouts: Timeouts, most: usize) -> Self {
        Cache {
            timeouts,
            most,
            waiting: HashMap::default(),
        }
    }

    /// Takes in what was counted in an interval. What finds no room is given out at once, and so in more records than it
    /// would have had.
    pub(super) fn add(&mut self, delta: &Delta, mut out: impl FnMut(&Record)) {
        for flow in delta.flows().iter() {
            let more = Waiting {
                counts: flow.counts(),
                first: flow.first,
                last: flow.last,
                tcp_flags: flow.tcp_flags,
                application: flow.application(),
            };
            self.merge(Subject::Flow(flow.key), more, &mut out);
        }
        let (first, last) = delta.span().unwrap_or((i64::MAX, i64::MIN));
        for (slot, class, counts) in delta.outside_flows() {
            let more = Waiting {
                counts,
                first,
                last,
                tcp_flags: 0,
                application: None,
            };
            self.merge(Subject::Rest(slot, class), more, &mut out);
        }
    }

    fn merge(&mut self, subject: Subject, more: Waiting, out: &mut impl FnMut(&Record)) {
        if let Some(waiting) = self.waiting.get_mut(&subject) {
            waiting.counts += more.counts;
            waiting.first = waiting.first.min(more.first);
            waiting.last = waiting.last.max(more.last);
            waiting.tcp_flags |= more.tcp_flags;
            waiting.application = more.application;
        } else if self.waiting.len() < self.most {
            self.waiting.insert(subject, more);
        } else {
            out(&more.record(subject, EndReason::LackOfResources));
        }
    }

    /// Gives out what is due, as long as `out` says that it can take more.
    pub(super) fn expire(&mut self, now: i64, out: impl FnMut(&Record) -> bool) {
        let timeouts = self.timeouts;
        self.give(|subject, waiting| waiting.due(subject, timeouts, now), out);
    }

    /// The same with everything: nothing more comes.
    pub(super) fn end(&mut self, out: impl FnMut(&Record) -> bool) {
        let reason = |subject: &Subject, waiting: &Waiting| match waiting.has_ended(subject) {
            true => EndReason::Detected,
            false => EndReason::Forced,
        };
        self.give(|subject, waiting| Some(reason(subject, waiting)), out);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn give(
        &mut self,
        due: impl Fn(&Subject, &Waiting) -> Option<EndReason>,
        mut out: impl FnMut(&Record) -> bool,
    ) {
        let mut open = true;
        self.waiting.retain(|subject, waiting| {
            let reason = match open {
                true => due(subject, waiting),
                false => None,
            };
            if let Some(reason) = reason {
                open = out(&waiting.record(*subject, reason));
            }
            reason.is_none()
        });
    }
}

impl Waiting {
    fn record(&self, subject: Subject, end: EndReason) -> Record {
        Record {
            subject,
            counts: self.counts,
            first: self.first,
            last: self.last,
            tcp_flags: self.tcp_flags,
            application: self.application,
            end,
        }
    }

    fn due(&self, subject: &Subject, timeouts: Timeouts, now: i64) -> Option<EndReason> {
        if self.first > self.last {
            return None; // without a time it is never late
        }
        let quiet = now.saturating_sub(self.last);
        if self.has_ended(subject) && quiet >= CLOSING.min(timeouts.idle) {
            return Some(EndReason::Detected);
        }
        if quiet >= timeouts.idle {
            return Some(EndReason::Idle);
        }
        (now.saturating_sub(self.first) >= timeouts.active).then_some(EndReason::Active)
    }

    fn has_ended(&self, subject: &Subject) -> bool {
        let Subject::Flow(key) = subject else {
            return false;
        };
        key.is_ip() && key.protocol() == ip::TCP && self.tcp_flags & ENDS != 0
    }
}
