//! The userspace flow table: an index of hashes, and the flows themselves a cache line each.
//!
//! Apart, because they grow apart: the index is an eighth of the flows and small enough for the second-level cache at
//! 100,000 of them, and it alone is written anew when it grows. Flows never move, so the table takes no more memory while it
//! grows than afterwards.
//!
//! The index is kept in the order of the hash, as the kernel's table is ordered by the same top bits of the same hash:
//! merging what it counted walks from front to back instead of jumping about.

mod entry;
mod lines;

use sensor_common::application::Application;
use sensor_common::flow::{FlowKey, HashSeeds};

pub(super) use self::entry::{Entry, Sought};
pub(super) use self::lines::Line;
use self::lines::Lines;
pub(crate) use self::lines::MOST_PLACES;
use super::{Counts, FlowCounts, application};
use crate::grouped::Index;
pub(crate) use crate::grouped::Place;
use crate::names::{How, Label};

/// One flow and its counts.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    pub key: FlowKey,
    pub packets: u64,
    pub bytes: u64,
    /// Nanoseconds since the epoch; `first > last` where no packet had a time.
    pub first: i64,
    pub last: i64,
    pub class: u32,
    pub tcp_flags: u8,
    pub known: Known,
    /// Found in payloads; without one the port must do.
    pub label: Option<Label>,
}

/// A flow as it lies in the table: of it only what is asked for is put together.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    entry: &'a Entry,
    /// The line behind it.
    words: &'a Entry,
}

impl Stored<'_> {
    #[inline]
    pub(crate) fn key(self) -> FlowKey {
        self.entry.key(self.words)
    }

    #[inline]
    pub(crate) fn counts(self) -> Counts {
        Counts {
            packets: self.entry.packets,
            bytes: self.entry.bytes,
        }
    }

    /// First and last.
    #[inline]
    pub(crate) fn times(self) -> (i64, i64) {
        (self.entry.first, self.entry.last)
    }

    #[inline]
    pub(crate) fn class(self) -> u32 {
        self.entry.class
    }

    /// As [`Flow::label`].
    #[inline]
    pub(crate) fn label(self) -> Option<Label> {
        self.entry.label
    }

    #[inline]
    pub(crate) fn flow(self) -> Flow {
        self.entry.flow(self.words)
    }
}

/// How much is known of a flow's application, and of where its packets are for the case that more becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Payloads may still tell. All its packets are in the bucket of its first and last time, or have no time.
    Undecided,
    /// The same, but its packets are in several buckets, which are noted apart.
    Spread,
    /// Won't change any more.
    Decided,
}

impl Flow {
    pub fn counts(&self) -> Counts {
        Counts {
            packets: self.packets,
            bytes: self.bytes,
        }
    }

    /// First and last time, and what is known of it.
    pub(super) fn times(&self) -> (i64, i64, Known) {
        (self.first, self.last, self.known)
    }

    pub(super) fn add(&mut self, record: &FlowCounts) {
        self.packets += record.counts.packets;
        self.bytes += record.counts.bytes;
        self.first = self.first.min(record.first);
        self.last = self.last.max(record.last);
        self.tcp_flags |= record.tcp_flags;
    }

    /// The application protocol that a report names it by; without one it has the name of its transport or network.
    pub fn application(&self) -> Option<Application> {
        let label = self.label.map(|label| label.application);
        label.or_else(|| application(&self.key))
    }

    /// By what [`Self::application`] is known.
    pub fn how(&self) -> Option<How> {
        let label = self.label.map(|label| label.how);
        label.or_else(|| application(&self.key).map(|_| How::Port))
    }

    /// Nanoseconds from the first to the last packet; `None` where no packet had a time.
    pub fn duration(&self) -> Option<u64> {
        (self.first <= self.last).then(|| self.last.abs_diff(self.first))
    }
}

#[derive(Clone, Debug)]
pub struct FlowTable {
    index: Index,
    lines: Lines,
    max: usize,
    seeds: HashSeeds,
}

impl FlowTable {
    /// `max` flows at the most; `seeds` should be random and odd.
    pub fn new(max: usize, seeds: HashSeeds) -> Self {
        FlowTable {
            index: Index::new(max),
            lines: Lines::default(),
            max,
            seeds,
        }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = Flow> {
        self.lines.flows()
    }

    /// `change` says whether it changed the flow.
    pub(super) fn update(&mut self, change: impl FnMut(&mut Flow) -> bool) {
        self.lines.update(change);
    }

    #[inline(always)]
    pub fn hash(&self, key: &FlowKey) -> u64 {
        key.hash_by(|place| {
            let seed = &self.seeds[place];
            // Read one by one, or the compiler makes vectors of them, whose 64-bit products take three times the instructions.
            // SAFETY: a reference to a live value.
            unsafe { std::ptr::read_volatile(seed) }
        })
    }

    /// Asks for the part of the index that a look-up begins with, so that a batch of them waits for memory once.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.index.prefetch(hash);
    }

    /// Where the flow with this hash probably is; asks for its cache lines too.
    #[inline]
    pub(super) fn candidate(&self, hash: u64, sought: &Sought) -> Option<Line> {
        let line = Line::of(self.index.candidates(hash).next()?);
        self.lines.prefetch(line, sought.wide);
        Some(line)
    }

    pub fn get(&self, key: &FlowKey) -> Option<Flow> {
        let place = self.find(key, self.hash(key))?;
        Some(self.load(place))
    }

    pub fn contains(&self, key: &FlowKey) -> bool {
        self.find(key, self.hash(key)).is_some()
    }

    /// Takes over a flow of another table that had no more room than this one.
    pub(super) fn put(&mut self, flow: &Flow) {
        if let Some(place) = self.entry(&flow.key, self.hash(&flow.key)) {
            self.store(place, flow);
        }
    }

    /// The flow of `key`, new (all zero) if it was not there; `None` if the table is full.
    #[inline]
    pub(super) fn entry(&mut self, key: &FlowKey, hash: u64) -> Option<Place> {
        match self.find(key, hash) {
            Some(place) => Some(place),
            None => self.insert(key, hash),
        }
    }

    /// The same where [`Self::candidate`] gave a hint.
    #[inline]
    pub(super) fn entry_at(
        &mut self,
        hint: Option<Line>,
        key: &FlowKey,
        hash: u64,
    ) -> Option<Place> {
        match hint {
            Some(line) if self.lines.is(line, key) => Some(line.place()),
            _ => self.entry(key, hash),
        }
    }

    /// The flow in this place, if it is that of the key.
    #[inline(always)]
    pub(super) fn hit(&mut self, line: Line, sought: &Sought) -> Option<&mut Entry> {
        self.lines.hit(line, sought)
    }

    #[inline]
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Entry {
        self.lines.at_mut(place)
    }

    /// `each` flow and its place, in the order in which they came.
    #[inline]
    pub(crate) fn each(&self, each: impl FnMut(Place, Stored<'_>)) {
        self.lines.each(each);
    }

    #[inline]
    pub(crate) fn stored(&self, place: Place) -> Stored<'_> {
        self.lines.stored(place)
    }

    /// More than the number of any place.
    pub(crate) fn places(&self) -> usize {
        self.lines.places()
    }

    /// Asks for the flow in this place.
    #[inline]
    pub(crate) fn prefetch_flow(&self, place: Place) {
        self.lines.prefetch_line(Line::of(place));
    }

    pub(super) fn load(&self, place: Place) -> Flow {
        self.lines.flow(place)
    }

    /// Everything but the key.
    pub(super) fn store(&mut self, place: Place, flow: &Flow) {
        self.lines.at_mut(place).take_over(flow);
    }

    #[inline]
    fn find(&self, key: &FlowKey, hash: u64) -> Option<Place> {
        let mut candidates = self.index.candidates(hash);
        candidates.find(|place| self.lines.is(Line::of(*place), key))
    }

    /// Of a key that is not in it yet.
    #[cold]
    fn insert(&mut self, key: &FlowKey, hash: u64) -> Option<Place> {
        if self.len() >= self.max {
            return None;
        }
        if self.index.is_full() {
            self.grow();
        }
        let place = self.lines.push(key)?;
        if !self.index.insert(hash, place) {
            self.grow();
        }
        Some(place)
    }

    /// There will be so many flows at the least.
    pub(super) fn expect(&mut self, flows: usize) {
        let Self { index, lines, .. } = self;
        index.reserve(flows.min(self.max), hashes(lines, &self.seeds));
    }

    /// Flows that have packets.
    pub(super) fn counted(&self) -> usize {
        self.lines.counted()
    }

    /// Leaves the flows that have packets, in their order. Gives all of them in their places, with nothing counted.
    pub(super) fn leave(&mut self) -> FlowTable {
        let counted = self.counted();
        if counted == self.len() {
            // As always at the first cut: a copy needs no place looked for.
            let left = self.clone();
            self.lines.begin_again(|_| ());
            return std::mem::replace(self, left);
        }
        let mut left = FlowTable::new(self.max, self.seeds);
        left.expect(counted);
        self.lines.begin_again(|flow| {
            let hash = left.hash(&flow.key);
            if let Some(place) = left.insert(&flow.key, hash) {
                left.store(place, flow);
            }
        });
        std::mem::replace(self, left)
    }

    fn grow(&mut self) {
        self.index.grow(hashes(&self.lines, &self.seeds));
    }

    /// How far from its home the entry of the index is that is farthest from it.
    #[cfg(test)]
    pub(super) fn farthest(&self) -> usize {
        self.index.farthest(
            self.lines
                .keys()
                .map(|(place, key)| (self.hash(&key), place)),
        )
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.index.capacity()
    }
}

fn hashes(lines: &Lines, seeds: &HashSeeds) -> impl Iterator<Item = (u64, Place)> {
    let keys = lines.keys();
    keys.map(|(place, key)| (key.hash(seeds), place))
}
