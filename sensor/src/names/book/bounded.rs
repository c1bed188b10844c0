//! The one kind of cache that the book is made of: a map with room for so many, of which the one that was left alone for
//! the longest goes out when another comes.
//!
//! What comes from the wire must not decide how much memory is used, and must not make a look-up slow: making room takes
//! the same time whatever is in the map, and the hash (foldhash, which is fast and no cryptography) begins with numbers
//! that are random for each map. Who can't see them, nor the time of single look-ups, can't aim at one place.
//!
//! The map is in parts, so that each report may keep the book as it was: a clone shares the parts, and each is copied when
//! it is next changed.

mod index;
mod shard;

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::quality::RandomState;

use self::shard::Shard;

/// Entries of one part, up to [`MOST_SHARDS`].
const SHARD: usize = 1024;
const MOST_SHARDS: usize = 256;

#[derive(Clone, Debug)]
pub(super) struct Bounded<K, V> {
    /// A power of two of them.
    shards: Box<[Arc<Shard<K, V>>]>,
    hash: RandomState,
    len: usize,
}

impl<K: Copy + Eq + Hash, V: Clone + Default> Bounded<K, V> {
    /// `most` entries, at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let count = (most / SHARD).clamp(1, MOST_SHARDS);
        // The power of two that is not above it.
        let count = 1 << count.ilog2();
        let shard = || Arc::new(Shard::new(most.div_ceil(count)));
        Bounded {
            shards: (0..count).map(|_| shard()).collect(),
            hash: RandomState::default(),
            len: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        // An empty map is the rule where payloads tell nothing, and then even the hash is too much.
        if self.len == 0 {
            return None;
        }
        let (shard, tag) = self.home(key);
        self.shards[shard].get(tag, key)
    }

    /// The entry, which becomes the newest one.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.len == 0 {
            return None;
        }
        let (shard, tag) = self.home(key);
        let shard = &mut self.shards[shard];
        // A part that is shared is not copied for what isn't there.
        let place = shard.place(tag, key)?;
        Some(Arc::make_mut(shard).touched(place))
    }

    /// The entry, made if need be, which becomes the newest one; and what had to go for it.
    pub(super) fn entry(&mut self, key: K) -> (&mut V, Option<(K, V)>) {
        let (shard, tag) = self.home(&key);
        let shard = Arc::make_mut(&mut self.shards[shard]);
        let before = shard.len();
        let (place, out) = shard.entry(tag, key);
        self.len += shard.len() - before;
        (shard.at(place), out)
    }

    /// The next time that it would have to go it stays, once.
    pub(super) fn keep(&mut self, key: &K) {
        if self.len == 0 {
            return;
        }
        let (shard, tag) = self.home(key);
        let shard = &mut self.shards[shard];
        if let Some(place) = shard.place(tag, key)
            && !shard.is_kept(place)
        {
            Arc::make_mut(shard).keep(place);
        }
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        if self.len == 0 {
            return None;
        }
        let (shard, tag) = self.home(key);
        let shard = &mut self.shards[shard];
        let place = shard.place(tag, key)?;
        self.len -= 1;
        Arc::make_mut(shard)
            .remove_at(place)
            .map(|(_, value)| value)
    }

    /// The part of a key, and the bits of its hash by which the part finds it: others than those that chose the part.
    #[inline]
    fn home(&self, key: &K) -> (usize, u32) {
        let hash = self.hash.hash_one(key);
        let shard = (hash >> 40) as usize & (self.shards.len() - 1);
        (shard, hash as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(map: &mut Bounded<u32, u32>, key: u32, value: u32) -> Option<u32> {
        let (place, out) = map.entry(key);
        *place = value;
        out.map(|(_, value)| value)
    }

    #[test]
    fn the_one_that_was_left_alone_goes_out() {
        let mut map = Bounded::new(3);
        for key in 1..=3 {
            assert_eq!(set(&mut map, key, key * 10), None);
        }
        map.get_mut(&1);
        assert_eq!(set(&mut map, 4, 40), Some(20));
        assert_eq!(set(&mut map, 3, 33), None);
        assert_eq!(set(&mut map, 5, 50), Some(10));
        assert_eq!((map.len(), map.get(&3), map.get(&2)), (3, Some(&33), None));
    }

    #[test]
    fn removed_ones_make_room() {
        let mut map = Bounded::new(2);
        set(&mut map, 1, 1);
        set(&mut map, 2, 2);
        assert_eq!((map.remove(&1), map.remove(&1)), (Some(1), None));
        assert_eq!(set(&mut map, 3, 3), None);
        assert_eq!(set(&mut map, 4, 4), Some(2));
    }

    #[test]
    fn it_does_as_a_list_in_order_does() {
        let mut map = Bounded::new(7);
        let mut list: Vec<(u32, u32)> = Vec::new();
        let mut random = 12345_u32;
        for turn in 0..20_000 {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
            let key = random >> 16 & 15;
            let place = list.iter().position(|(one, _)| *one == key);
            let old = place.map(|place| list.remove(place).1);
            if random >> 24 & 7 == 0 {
                assert_eq!(map.remove(&key), old);
                continue;
            }
            let out = (list.len() == 7).then(|| list.remove(0).1);
            list.push((key, turn));
            assert_eq!(set(&mut map, key, turn), out);
            assert_eq!(map.len(), list.len());
        }
        for (key, value) in list {
            assert_eq!(map.get(&key), Some(&value));
        }
    }

    #[test]
    fn who_was_seen_again_has_a_second_chance() {
        let mut map = Bounded::new(3);
        for key in 1..=3 {
            set(&mut map, key, key);
        }
        map.keep(&1);
        assert_eq!(set(&mut map, 4, 4), Some(2));
        assert_eq!(set(&mut map, 5, 5), Some(3));
        assert_eq!(set(&mut map, 6, 6), Some(1)); // behind 3, and only once
        for key in 4..=6 {
            map.keep(&key);
        }
        assert_eq!(set(&mut map, 7, 7), Some(4));
        map.keep(&99);
    }

    #[test]
    fn a_clone_shares_what_is_not_changed() {
        let mut map = Bounded::new(64 * SHARD);
        for key in 0..40_000 {
            set(&mut map, key, key);
        }
        assert!(map.len() > 39_000, "the parts are alike: {}", map.len());
        let before = map.clone();
        *map.get_mut(&7).unwrap() = 8;
        map.get_mut(&99_999);
        map.remove(&99_999);
        let pairs = map.shards.iter().zip(&before.shards);
        let copied = pairs.filter(|(one, other)| !Arc::ptr_eq(one, other));
        assert_eq!(copied.count(), 1);
        assert_eq!((map.get(&7), before.get(&7)), (Some(&8), Some(&7)));
        for key in 0..200_000 {
            set(&mut map, key, key);
        }
        assert_eq!(map.len(), 64 * SHARD, "bounded");
    }
}
