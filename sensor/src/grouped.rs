//! Sums by key. The keys with their sums are a list, and an index says where in it a key is: half the memory of a hash map
//! that grows, and a batch of look-ups can wait for memory together.

mod index;

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;

pub(crate) use self::index::{Index, Place};
use crate::memory;

#[derive(Clone, Debug)]
pub(crate) struct Grouped<K, V> {
    index: Index,
    list: Vec<(K, V)>,
    hasher: RandomState,
}

impl<K, V> Default for Grouped<K, V> {
    fn default() -> Self {
        Grouped {
            index: Index::new(usize::MAX),
            list: Vec::new(),
            hasher: RandomState::default(),
        }
    }
}

impl<K: Copy + Eq + Hash, V: Default> Grouped<K, V> {
    /// With room for so many keys; more may come. A list takes its memory as it is filled.
    pub(crate) fn with_room(expected: usize) -> Self {
        Grouped {
            index: Index::with_room(expected),
            list: Vec::with_capacity(expected),
            hasher: RandomState::default(),
        }
    }

    /// The first step of a look-up: asks for the index.
    #[inline]
    pub(crate) fn hash(&self, key: &K) -> u64 {
        let hash = self.hasher.hash_one(key);
        self.index.prefetch(hash);
        hash
    }

    /// The second step, which may be left out: asks for the sum.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        if let Some(Place(place)) = self.index.candidates(hash).next() {
            memory::prefetch(&self.list, place as usize);
        }
    }

    /// Where the sum of a key is, which is new if it was not there.
    #[inline]
    pub(crate) fn place(&mut self, hash: u64, key: K) -> usize {
        let mut candidates = self.index.candidates(hash);
        let is = |Place(place): &Place| self.list[*place as usize].0 == key;
        match candidates.find(is) {
            Some(Place(place)) => place as usize,
            None => self.insert(hash, key),
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, key: K) -> usize {
        if self.index.is_full() {
            self.grow();
        }
        let place = self.list.len();
        let near = self.index.insert(hash, Place(place as u32));
        self.list.push((key, V::default()));
        if !near {
            self.grow();
        }
        place
    }

    fn grow(&mut self) {
        let keys = self.list.iter().zip(0..);
        let hasher = &self.hasher;
        self.index
            .grow(keys.map(|((key, _), place)| (hasher.hash_one(key), Place(place))));
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, place: usize) -> &mut V {
        &mut self.list[place].1
    }

    #[inline]
    pub(crate) fn key(&self, place: usize) -> &K {
        &self.list[place].0
    }

    /// In the order in which the keys came.
    pub(crate) fn list(&self) -> &[(K, V)] {
        &self.list
    }

    pub(crate) fn into_list(self) -> Vec<(K, V)> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn sums_are_those_of_a_map() {
        for mut grouped in [Grouped::default(), Grouped::with_room(5_000)] {
            sums_are_those_of_a_map_in(&mut grouped);
        }
    }

    fn sums_are_those_of_a_map_in(grouped: &mut Grouped<u32, u64>) {
        let mut map: BTreeMap<u32, u64> = BTreeMap::new();
        for number in 0..100_000u32 {
            let key = number.wrapping_mul(2_654_435_761) >> 17;
            let hash = grouped.hash(&key);
            grouped.prefetch(hash);
            let place = grouped.place(hash, key);
            assert_eq!(*grouped.key(place), key);
            *grouped.at_mut(place) += u64::from(number);
            *map.entry(key).or_default() += u64::from(number);
        }
        assert_eq!(grouped.list().len(), map.len());
        assert_eq!(
            grouped.list().iter().copied().collect::<BTreeMap<_, _>>(),
            map
        );
    }
}
