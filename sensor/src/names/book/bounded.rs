//! The one kind of cache that the book is made of: a map with room for so many, of which the one that was left alone for
//! the longest goes out when another comes.
//!
//! What comes from the wire must not decide how much memory is used, and must not make a look-up slow: the hash has a
//! secret seed, and making room takes the same time whatever is in the map.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

#[derive(Clone, Debug)]
pub(super) struct Bounded<K, V> {
    places: HashMap<K, u32, RandomState>,
    /// Also those that were removed and wait for a new owner, see `free`.
    entries: Vec<Entry<K, V>>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    most: usize,
}

/// In the order of when they were last changed.
#[derive(Clone, Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    older: u32,
    newer: u32,
}

const NONE: u32 = u32::MAX;

impl<K: Copy + Eq + Hash, V: Default> Bounded<K, V> {
    /// `most` entries, at least one.
    pub(super) fn new(most: usize) -> Self {
        Bounded {
            places: HashMap::default(),
            entries: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            most: most.clamp(1, NONE as usize - 1),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        // An empty map is the rule where payloads tell nothing, and then even the hash is too much.
        if self.places.is_empty() {
            return None;
        }
        let place = *self.places.get(key)?;
        Some(&self.entries.get(place as usize)?.value)
    }

    /// The entry, which becomes the newest one.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.places.is_empty() {
            return None;
        }
        let place = *self.places.get(key)?;
        self.touch(place);
        Some(&mut self.entries[place as usize].value)
    }

    /// The entry, made if need be, which becomes the newest one; and what had to go for it.
    pub(super) fn entry(&mut self, key: K) -> (&mut V, Option<V>) {
        if let Some(&place) = self.places.get(&key) {
            self.touch(place);
            return (&mut self.entries[place as usize].value, None);
        }
        let out = if self.places.len() >= self.most {
            self.remove_at(self.oldest)
        } else {
            None
        };
        let place = self.place_for(key);
        self.places.insert(key, place);
        self.append(place);
        (&mut self.entries[place as usize].value, out)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        if self.places.is_empty() {
            return None;
        }
        self.remove_at(*self.places.get(key)?)
    }

    fn place_for(&mut self, key: K) -> u32 {
        if let Some(place) = self.free.pop() {
            self.entries[place as usize].key = key;
            return place;
        }
        self.entries.push(Entry {
            key,
            value: V::default(),
            older: NONE,
            newer: NONE,
        });
        (self.entries.len() - 1) as u32
    }

    fn remove_at(&mut self, place: u32) -> Option<V> {
        let entry = self.entries.get(place as usize)?;
        self.places.remove(&entry.key);
        self.unlink(place);
        self.free.push(place);
        Some(std::mem::take(&mut self.entries[place as usize].value))
    }

    fn touch(&mut self, place: u32) {
        if self.newest != place {
            self.unlink(place);
            self.append(place);
        }
    }

    fn unlink(&mut self, place: u32) {
        let Entry { older, newer, .. } = self.entries[place as usize];
        match self.entries.get_mut(older as usize) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.entries.get_mut(newer as usize) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }

    fn append(&mut self, place: u32) {
        let older = std::mem::replace(&mut self.newest, place);
        let entry = &mut self.entries[place as usize];
        (entry.older, entry.newer) = (older, NONE);
        match self.entries.get_mut(older as usize) {
            Some(entry) => entry.newer = place,
            None => self.oldest = place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(map: &mut Bounded<u32, u32>, key: u32, value: u32) -> Option<u32> {
        let (place, out) = map.entry(key);
        *place = value;
        out
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
        assert!(map.entries.len() <= 7);
        for (key, value) in list {
            assert_eq!(map.get(&key), Some(&value));
        }
    }
}
