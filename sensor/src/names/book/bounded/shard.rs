//! One part of a map, with an order of its own.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::quality::RandomState;

#[derive(Clone, Debug)]
pub(super) struct Shard<K, V> {
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
    /// Has a second chance.
    kept: bool,
}

const NONE: u32 = u32::MAX;

impl<K: Copy + Eq + Hash, V: Default> Shard<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Shard {
            places: HashMap::default(),
            entries: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            most: most.clamp(1, NONE as usize - 1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn place(&self, key: &K) -> Option<u32> {
        self.places.get(key).copied()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let place = self.place(key)?;
        Some(&self.entries.get(place as usize)?.value)
    }

    pub(super) fn at(&mut self, place: u32) -> &mut V {
        &mut self.entries[place as usize].value
    }

    /// The entry, which becomes the newest one.
    pub(super) fn touched(&mut self, place: u32) -> &mut V {
        if self.newest != place {
            self.unlink(place);
            self.append(place);
        }
        self.at(place)
    }

    pub(super) fn is_kept(&self, place: u32) -> bool {
        self.entries[place as usize].kept
    }

    pub(super) fn keep(&mut self, place: u32) {
        self.entries[place as usize].kept = true;
    }

    pub(super) fn entry(&mut self, key: K) -> (u32, Option<(K, V)>) {
        if let Some(place) = self.place(&key) {
            self.touched(place);
            return (place, None);
        }
        let out = if self.places.len() >= self.most {
            self.make_room()
        } else {
            None
        };
        let place = self.place_for(key);
        self.places.insert(key, place);
        self.append(place);
        (place, out)
    }

    pub(super) fn remove_at(&mut self, place: u32) -> Option<(K, V)> {
        let key = self.entries.get(place as usize)?.key;
        self.places.remove(&key);
        self.unlink(place);
        self.free.push(place);
        Some((key, std::mem::take(self.at(place))))
    }

    /// Each chance was given by a look-up of its own, so over all this costs no more than those did.
    fn make_room(&mut self) -> Option<(K, V)> {
        while let Some(oldest) = self.entries.get_mut(self.oldest as usize) {
            if !oldest.kept {
                break;
            }
            oldest.kept = false;
            self.touched(self.oldest);
        }
        self.remove_at(self.oldest)
    }

    fn place_for(&mut self, key: K) -> u32 {
        if let Some(place) = self.free.pop() {
            let entry = &mut self.entries[place as usize];
            (entry.key, entry.kept) = (key, false);
            return place;
        }
        self.entries.push(Entry {
            key,
            value: V::default(),
            older: NONE,
            newer: NONE,
            kept: false,
        });
        (self.entries.len() - 1) as u32
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
