//! Where in a list the entry of a flow is: an index of hashes, so that many look-ups can wait for memory together.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;
use sensor_common::flow::FlowKey;

use super::rows::FlowEntry;
use crate::grouped::{Index, Place};
use crate::memory;

#[derive(Clone, Debug)]
pub(super) struct Places {
    index: Index,
    hasher: RandomState,
}

impl Default for Places {
    fn default() -> Self {
        Places {
            index: Index::new(usize::MAX),
            hasher: RandomState::default(),
        }
    }
}

/// Hashed by the word.
struct ByWord<'a>(&'a FlowKey);

impl Hash for ByWord<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for word in self.0.0 {
            state.write_u64(word);
        }
    }
}

impl Places {
    /// Of so many entries it is known where they are.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The first step of a look-up: asks for the index.
    #[inline]
    pub(super) fn hash(&self, key: &FlowKey) -> u64 {
        let hash = self.hasher.hash_one(ByWord(key));
        self.index.prefetch(hash);
        hash
    }

    /// The second step, which may be left out: asks for the entry.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64, flows: &[FlowEntry]) {
        if let Some(Place(place)) = self.index.candidates(hash).next() {
            memory::prefetch_whole(flows, place as usize);
        }
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, key: &FlowKey, flows: &[FlowEntry]) -> Option<u32> {
        let is = |Place(place): &Place| flows[*place as usize].key.same(&key.0);
        let found = self.index.candidates(hash).find(is);
        found.map(|Place(place)| place)
    }

    /// The last entry is new.
    pub(super) fn entered(&mut self, hash: u64, flows: &[FlowEntry]) {
        let Some(last) = flows.len().checked_sub(1) else {
            return;
        };
        if self.index.is_full() {
            // All of them, the new one too.
            return self.grow(flows);
        }
        if !self.index.insert(hash, Place(last as u32)) {
            self.grow(flows);
        }
    }

    /// The entries have other keys now.
    pub(super) fn enter_all(&mut self, flows: &[FlowEntry]) {
        self.index = Index::with_room(flows.len());
        for (entry, place) in flows.iter().zip(0..) {
            let hash = self.hash(&entry.key);
            self.index.insert(hash, Place(place));
        }
    }

    #[cold]
    fn grow(&mut self, flows: &[FlowEntry]) {
        let entries = flows.iter().zip(0..);
        let hasher = &self.hasher;
        self.index.grow(
            entries.map(|(entry, place)| (hasher.hash_one(ByWord(&entry.key)), Place(place))),
        );
    }
}
