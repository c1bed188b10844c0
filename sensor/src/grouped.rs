//! Sums by key. The keys with their sums are a list, and an index says where in it a key is: half the memory of a hash map
//! that grows.

mod index;

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;

pub(crate) use self::index::{Index, Place};

#[derive(Clone, Debug)]
pub(crate) struct Grouped<K, V> {
    index: Index,
    list: Vec<(K, V)>,
    hasher: RandomState,
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

    /// The sum of a key, new if there was none.
    #[inline]
    pub(crate) fn sum(&mut self, key: K) -> &mut V {
        let hash = self.hasher.hash_one(key);
        let mut candidates = self.index.candidates(hash);
        let is = |Place(place): &Place| self.list[*place as usize].0 == key;
        let place = match candidates.find(is) {
            Some(Place(place)) => place as usize,
            None => self.insert(hash, key),
        };
        &mut self.list[place].1
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

    /// Gives the sums in the order in which the keys came, and begins again with none, in the same memory.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (K, V)> {
        self.index.clear();
        self.list.drain(..)
    }

    /// In the order in which the keys came.
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
        for grouped in [Grouped::with_room(0), Grouped::with_room(5_000)] {
            sums_are_those_of_a_map_in(grouped);
        }
    }

    fn sums_are_those_of_a_map_in(mut grouped: Grouped<u32, u64>) {
        let mut map: BTreeMap<u32, u64> = BTreeMap::new();
        for number in 0..100_000u32 {
            let key = number.wrapping_mul(2_654_435_761) >> 17;
            *grouped.sum(key) += u64::from(number);
            *map.entry(key).or_default() += u64::from(number);
        }
        let list: Vec<_> = grouped.drain().collect();
        assert_eq!(list.len(), map.len());
        assert_eq!(list.into_iter().collect::<BTreeMap<_, _>>(), map);
        *grouped.sum(7) += 5;
        assert_eq!(grouped.into_list(), [(7, 5)]);
    }
}
