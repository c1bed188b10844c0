//! One part of a map, with an order of its own.

use super::index::Index;

#[derive(Clone, Debug)]
pub(super) struct Shard<K, V> {
    index: Index,
    /// Also those that were removed and wait for a new owner, see `free`.
    entries: Vec<Entry<K, V>>,
    /// Of each entry; apart, because each change goes to two neighbours of which nothing else is wanted.
    links: Vec<Links>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    most: usize,
}

#[derive(Clone, Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    tag: u32,
    /// Has a second chance.
    kept: bool,
}

/// In the order of when they were last changed.
#[derive(Clone, Copy, Debug)]
struct Links {
    older: u32,
    newer: u32,
}

const NONE: u32 = u32::MAX;

impl<K: Copy + Eq, V: Default> Shard<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Shard {
            index: Index::default(),
            entries: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            most: most.clamp(1, NONE as usize - 1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// `tag`: some bits of the key's hash, always the same ones.
    #[inline]
    pub(super) fn place(&self, tag: u32, key: &K) -> Option<u32> {
        let is_it = |place: u32| self.entries[place as usize].key == *key;
        self.index.find(tag, is_it)
    }

    #[inline]
    pub(super) fn get(&self, tag: u32, key: &K) -> Option<&V> {
        let place = self.place(tag, key)?;
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

    pub(super) fn entry(&mut self, tag: u32, key: K) -> (u32, Option<(K, V)>) {
        if let Some(place) = self.place(tag, &key) {
            self.touched(place);
            return (place, None);
        }
        let out = if self.len() >= self.most {
            self.make_room()
        } else {
            None
        };
        let place = self.place_for(tag, key);
        self.index.insert(tag, place);
        self.append(place);
        (place, out)
    }

    pub(super) fn remove_at(&mut self, place: u32) -> Option<(K, V)> {
        let Entry { key, tag, .. } = *self.entries.get(place as usize)?;
        self.index.remove(tag, place);
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

    fn place_for(&mut self, tag: u32, key: K) -> u32 {
        if let Some(place) = self.free.pop() {
            let entry = &mut self.entries[place as usize];
            (entry.key, entry.tag, entry.kept) = (key, tag, false);
            return place;
        }
        self.entries.push(Entry {
            key,
            value: V::default(),
            tag,
            kept: false,
        });
        self.links.push(Links {
            older: NONE,
            newer: NONE,
        });
        (self.entries.len() - 1) as u32
    }

    fn unlink(&mut self, place: u32) {
        let Links { older, newer } = self.links[place as usize];
        match self.links.get_mut(older as usize) {
            Some(links) => links.newer = newer,
            None => self.oldest = newer,
        }
        match self.links.get_mut(newer as usize) {
            Some(links) => links.older = older,
            None => self.newest = older,
        }
    }

    fn append(&mut self, place: u32) {
        let older = std::mem::replace(&mut self.newest, place);
        self.links[place as usize] = Links { older, newer: NONE };
        match self.links.get_mut(older as usize) {
            Some(links) => links.newer = place,
            None => self.oldest = place,
        }
    }
}
