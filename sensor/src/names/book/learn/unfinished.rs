//! Conversations that wait for the rest of what they said.

use std::sync::Arc;

use super::super::bounded::Bounded;
use super::super::ends::{Addr, Ends};
use super::segments::Segments;
use super::{QuicHello, payload};
use crate::names::Label;
use crate::names::decode::signature::Hints;

/// Beginnings of one source: who sends more of them, without their rest, shall not put out those of others.
const EACH: usize = 256;

#[derive(Clone, Debug)]
pub(in crate::names::book) struct Unfinished {
    open: Bounded<Ends, Open>,
    begun: Bounded<Addr, Vec<Ends>>,
    pub(in crate::names::book) put_out: u64,
}

/// What is known of a conversation that waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    pub(super) hints: Hints,
    /// What it will be called if nothing better comes.
    pub(super) pending: Option<Label>,
    /// The beginning of a ClientHello.
    pub(super) hello: Option<Segments>,
    /// The beginning of the first request's head, before the host.
    pub(super) head: Option<Segments>,
    pub(super) quic: Option<Arc<QuicHello>>,
    /// STUN, where media were announced.
    pub(super) way_free: Option<Label>,
    /// Whose beginnings it is among.
    source: Option<Addr>,
}

impl Unfinished {
    pub(in crate::names::book) fn new(most: usize) -> Self {
        Unfinished {
            open: Bounded::new(most),
            begun: Bounded::new(most),
            put_out: 0,
        }
    }

    /// What a conversation that waits will be called if nothing better comes.
    pub(in crate::names::book) fn otherwise(&self, ends: &Ends) -> Option<Label> {
        self.open.get(ends)?.otherwise()
    }

    /// What waits, for [`Self::put`] or [`Self::done`].
    pub(super) fn take(&mut self, ends: &Ends) -> Open {
        self.open.remove(ends).unwrap_or_default()
    }

    /// What had to go for it.
    pub(super) fn put(
        &mut self,
        ends: Ends,
        source: impl Into<Addr>,
        mut open: Open,
    ) -> [Option<(Ends, Open)>; 2] {
        let mut for_source = None;
        if open.source.is_none() && (open.is_begun() || open.quic.is_some()) {
            let source = source.into();
            let list = self.begun.entry(source).0;
            let oldest = (list.len() >= EACH).then(|| list.remove(0));
            list.push(ends);
            open.source = Some(source);
            for_source = oldest.and_then(|oldest| Some((oldest, self.open.remove(&oldest)?)));
        }
        let (place, out) = self.open.entry(ends);
        *place = open;
        for (ends, open) in for_source.iter().chain(&out) {
            self.done(ends, open);
            self.put_out += 1;
        }
        [for_source, out]
    }

    /// It waits no longer.
    pub(super) fn done(&mut self, ends: &Ends, open: &Open) {
        let Some(source) = open.source else { return };
        if let Some(list) = self.begun.get_mut(&source) {
            list.retain(|one| one != ends);
            if list.is_empty() {
                self.begun.remove(&source);
            }
        }
    }
}

impl Open {
    pub(super) fn is_empty(&self) -> bool {
        !self.says_something() && self.hints == Hints::default()
    }

    /// More than clues that may come again.
    pub(super) fn says_something(&self) -> bool {
        self.waits() || self.otherwise().is_some()
    }

    pub(super) fn otherwise(&self) -> Option<Label> {
        let opened = self.hints.otherwise().map(payload);
        self.pending.or(opened).or(self.way_free)
    }

    pub(super) fn waits(&self) -> bool {
        self.pending.is_some() || self.quic.is_some() || self.is_begun()
    }

    /// More is to come, whether the label is known or not.
    pub(super) fn is_begun(&self) -> bool {
        self.hello.is_some() || self.head.is_some()
    }
}
