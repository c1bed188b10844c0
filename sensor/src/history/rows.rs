//! The rows of a set, between what was counted and what lies on the disk.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::Reason;

use super::parts::Parts;
use super::places::Places;
use crate::counters::{Class, Counts, Kind};
use crate::names::{FlowInfo, Label, Name};

/// What was counted together in one stretch of time: an interval of the run, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Stretch {
    /// Of its first bucket, nanoseconds since the epoch; `None` where no packet had a time.
    pub(super) start: Option<i64>,
    /// Nanoseconds, a bucket's or those of several.
    pub(super) length: i64,
}

/// A flow, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FlowEntry {
    pub(super) key: FlowKey,
    pub(super) label: Option<Label>,
    /// Nothing will change the label any more.
    pub(super) settled: bool,
    pub(super) info: Option<Arc<FlowInfo>>,
    /// Place of the part that it got last, [`NONE`] before the first one.
    pub(super) latest: u32,
    /// Its label was learned after it had parts: they may stand under another class.
    pub(super) relabelled: bool,
}

/// So many flows in a row are looked at for the next one of a part.
const AHEAD: usize = 8;

/// No place.
pub(super) const NONE: u32 = u32::MAX;

/// What a flow had in a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FlowPart {
    /// Place of its [`FlowEntry`].
    pub(super) flow: u32,
    pub(super) tcp_flags: u8,
    pub(super) stretch: Stretch,
    pub(super) counts: Counts,
    /// Of packets, nanoseconds since the epoch; `first > last` where none had a time.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Under which class they are in the buckets.
    pub(super) class: Class,
}

/// What a part has in one bucket, of a flow whose label may still come: from there it goes to another class by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// Place of the [`FlowPart`].
    pub(super) part: u32,
    /// The bucket.
    pub(super) stretch: Stretch,
    pub(super) counts: Counts,
}

/// Counts of one class in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BucketKey {
    /// Start of the stretch that it was counted in.
    pub(super) stretch: i64,
    pub(super) start: i64,
    pub(super) length: i64,
    pub(super) class: Class,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AccountKey {
    pub(super) stretch: Stretch,
    /// `None` of what is not counted by interface.
    pub(super) origin: Option<(u8, Direction)>,
    pub(super) term: Term,
}

/// A term of the accounting identity, and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Term {
    /// IP packets in flows, by IP version and protocol.
    InFlows {
        ipv6: bool,
        protocol: u8,
    },
    Overflow {
        ipv6: bool,
        protocol: u8,
    },
    NotIp,
    /// Of packets without IP, those whose EtherType was not kept.
    NotIpOverflow,
    Malformed(u8),
    Filtered,
    Duplicates,
    /// Beside the identity from here on: packets that the kernel says it lost, by where.
    Lost(String),
    /// Bytes that were captured; its times are those of the first and the last packet.
    Captured,
    Untimed,
    OutOfRange,
    /// Payloads that could not be handed over for names.
    PayloadsLost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) counts: Counts,
    /// Of packets; only of [`Term::Captured`], else `first > last`.
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The contents of one set.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) flows: Vec<FlowEntry>,
    pub(super) parts: Parts,
    /// Of parts that are longer than a bucket. What a part has beside them has no time.
    pub(super) splits: Vec<Split>,
    /// Nanoseconds of a stretch that is no longer than it should be; 0 where nobody said.
    pub(super) length: i64,
    pub(super) buckets: HashMap<BucketKey, Counts, RandomState>,
    pub(super) accounts: BTreeMap<AccountKey, Account>,
    pub(super) names: BTreeMap<IpAddr, Vec<Name>>,
    places: Places,
    /// Parts before this one are of earlier times than what is added next.
    pub(super) since: u32,
    /// Where the latest stretch that was gathered ends.
    end: Option<i64>,
    /// Of `parts`, where sets are merged.
    pub(super) parts_by_stretch: HashMap<(u32, Stretch, Class), u32, RandomState>,
}

impl Account {
    pub(super) const NOTHING: Account = Account {
        counts: Counts::ZERO,
        first: i64::MAX,
        last: i64::MIN,
    };

    pub(super) fn of(counts: Counts) -> Self {
        Account {
            counts,
            ..Account::NOTHING
        }
    }

    pub(super) fn add(&mut self, other: &Account) {
        self.counts += other.counts;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Term {
    /// Whether it is a part of what was seen; those are counted by interface and direction.
    pub(super) fn is_seen(&self) -> bool {
        match self {
            Term::InFlows { .. }
            | Term::Overflow { .. }
            | Term::NotIp
            | Term::NotIpOverflow
            | Term::Malformed(_)
            | Term::Filtered
            | Term::Duplicates => true,
            Term::Lost(_)
            | Term::Captured
            | Term::Untimed
            | Term::OutOfRange
            | Term::PayloadsLost => false,
        }
    }
}

impl Rows {
    /// None yet, of so many nanoseconds.
    pub(super) fn of_length(length: i64) -> Self {
        Rows {
            length,
            ..Rows::default()
        }
    }

    /// All that was seen.
    pub(super) fn seen(&self) -> Counts {
        let seen = self.accounts.iter().filter(|(key, _)| key.term.is_seen());
        seen.map(|(_, account)| account.counts).sum()
    }

    /// Seconds in which the first row begins, and after which none does.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        let starts = self.accounts.keys().map(|key| key.stretch.start);
        let starts = starts.chain(self.buckets.keys().map(|key| Some(key.start)));
        // Where nothing was counted there may still be labels that were found.
        let starts = starts.chain(self.parts.stretches().iter().map(|stretch| stretch.start));
        let (first, last) = starts
            .flatten()
            .fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(at), b.max(at)));
        let second = |at: i64| at.div_euclid(1_000_000_000);
        (first <= last).then(|| (second(first), second(last) + 1))
    }

    /// The place of a flow, which is entered where it was not known.
    pub(super) fn place(&mut self, key: &FlowKey) -> u32 {
        let hash = self.places.hash(key);
        self.place_of(hash, key)
    }

    /// The first step of [`Self::place`] for many flows: their hashes.
    #[inline]
    pub(super) fn hash(&self, key: &FlowKey) -> u64 {
        self.places.hash(key)
    }

    /// The second step, which may be left out.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        self.places.prefetch(hash, &self.flows);
    }

    /// Enters a flow that is not known. Where it is, is noted when it is asked for.
    #[inline]
    pub(super) fn append(&mut self, key: &FlowKey) -> u32 {
        self.flows.push(FlowEntry::new(*key, None, false));
        self.flows.len() as u32 - 1
    }

    /// The place of a flow, if it is this one or one of the next.
    #[inline]
    pub(super) fn near(&self, place: u32, key: &FlowKey) -> Option<u32> {
        let mut next = self.flows.get(place as usize..)?.iter().take(AHEAD);
        let ahead = next.position(|entry| entry.key.same(&key.0))?;
        Some(place + ahead as u32)
    }

    #[inline]
    pub(super) fn place_of(&mut self, hash: u64, key: &FlowKey) -> u32 {
        self.note_places();
        match self.places.find(hash, key, &self.flows) {
            Some(place) => place,
            None => self.enter(hash, key),
        }
    }

    #[inline(never)]
    fn enter(&mut self, hash: u64, key: &FlowKey) -> u32 {
        let place = self.append(key);
        self.places.entered(hash, &self.flows);
        place
    }

    /// What is added next is of this stretch.
    pub(super) fn turn_to(&mut self, stretch: Stretch) {
        let end = stretch
            .start
            .map(|start| start.saturating_add(stretch.length));
        // None of what is there is of the same: it need not be looked at, which would be what a row costs most.
        let later = self.end.is_some() && stretch.start >= self.end;
        self.since = if later { self.parts.len() as u32 } else { 0 };
        self.end = self.end.max(end);
    }

    /// Adds what a flow had to its latest part where that is of the same stretch and class, or as a further one. Gives the
    /// place.
    pub(super) fn part(&mut self, part: &FlowPart) -> u32 {
        let latest = &mut self.flows[part.flow as usize].latest;
        if *latest < self.since || !self.parts.add(*latest, part) {
            *latest = self.parts.push(part);
        }
        *latest
    }

    /// Rows of flows, as far as they are in memory.
    pub(super) fn flow_rows(&self) -> usize {
        self.parts.len() + self.splits.len()
    }

    /// It says of this flow what will stay.
    pub(super) fn has_settled(&mut self, key: &FlowKey) -> bool {
        self.note_places();
        let place = self.places.find(self.places.hash(key), key, &self.flows);
        place.is_some_and(|place| self.flows[place as usize].settled)
    }

    /// Flows that were appended are found from now on.
    #[inline]
    fn note_places(&mut self) {
        if self.places.len() < self.flows.len() {
            self.forget_places();
        }
    }

    /// The flows are called otherwise from now on.
    pub(super) fn forget_places(&mut self) {
        self.places.enter_all(&self.flows);
    }

    pub(super) fn account(&mut self, key: AccountKey, account: &Account) {
        let sum = self.accounts.entry(key).or_insert(Account::NOTHING);
        sum.add(account);
    }

    pub(super) fn bucket(&mut self, key: BucketKey, counts: Counts) {
        *self.buckets.entry(key).or_insert(Counts::ZERO) += counts;
    }
}

impl FlowEntry {
    /// Nothing is known of it but what these say.
    pub(super) fn new(key: FlowKey, label: Option<Label>, settled: bool) -> Self {
        FlowEntry {
            key,
            label,
            settled,
            info: None,
            latest: NONE,
            relabelled: false,
        }
    }

    /// Takes somebody's word for it.
    pub(super) fn is_told(&mut self, label: Option<Label>, settled: bool) {
        self.relabelled |= self.label != label && self.latest != NONE;
        (self.label, self.settled) = (label, settled);
    }

    /// What somebody knows of it later on: a label that is known is better than none, of two that won't change the first one
    /// stays.
    pub(super) fn learn(
        &mut self,
        label: Option<Label>,
        settled: bool,
        info: Option<Arc<FlowInfo>>,
    ) {
        let better = match (self.settled, settled) {
            (true, true) => self.label.is_none(),
            (true, false) => false,
            (false, _) => true,
        };
        if better {
            self.relabelled |= self.label != label && self.latest != NONE;
            self.label = label;
            self.settled |= settled;
        }
        if info.is_some() {
            self.info = info;
        }
    }
}

/// An order for classes that is the same in every run.
pub(super) fn class_order(class: &Class) -> impl Ord + use<> {
    let (kind, number, name) = match class.kind {
        Kind::Ip {
            ipv6,
            protocol,
            application,
        } => (
            u8::from(ipv6),
            u16::from(protocol),
            application.map(|one| one.name()),
        ),
        Kind::NotIp(id) => (2, id, None),
        Kind::Malformed(reason) => (3, u16::from(reason), None),
    };
    (class.direction, kind, number, name)
}

/// The reason with this number.
pub(super) fn reason(number: u8) -> Option<Reason> {
    Reason::ALL.into_iter().find(|one| *one as u8 == number)
}
