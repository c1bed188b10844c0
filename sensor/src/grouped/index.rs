//! From hashes to places: open addressing in one array, kept in the order of the hash.
//!
//! Four bytes a slot, so that the index of 100,000 flows is a megabyte and stays in the second-level cache.

use crate::memory::{self, Room};

const START_BITS: u32 = 10;

/// An entry that lands farther than this from its home shows that the table fills from one end: flows come in the order
/// of the hash, from the kernel or from another table, into one that is still too small for all of them. Without growing
/// early each of them would search through all that came before it (measured: 5 s instead of 0.1 s for 200,000 flows).
const FAR: usize = 512;

/// As many wait for their slots at the same time when all are put in anew.
const AHEAD: usize = 16;

/// Where in a list of values one is; it stays there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// In the lower bits the place plus one, in those above some of the hash's: others than the one that is looked for are
    /// seldom looked at. 0 is free.
    slots: Room<u32>,
    bits: u32,
    /// What of a hash is not the number of a slot.
    shift: u32,
    len: usize,
    max: usize,
}

impl Index {
    /// For so many at the most.
    pub(crate) fn new(max: usize) -> Self {
        Index {
            slots: Room::new(0),
            bits: 0,
            shift: u64::BITS - 1,
            len: 0,
            max,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        memory::prefetch(self.slots.as_slice(), self.home(hash));
    }

    /// Places that may be those of the hash.
    #[inline]
    pub(crate) fn candidates(&self, hash: u64) -> Candidates<'_> {
        let places = self.places();
        Candidates {
            slots: self.slots.as_slice(),
            at: self.home(hash),
            tag: hash as u32 & !places,
            places,
        }
    }

    /// [`Self::grow`] must come before the next [`Self::insert`].
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len * 2 >= self.capacity()
    }

    /// Of a key that is not in it yet. False if [`Self::grow`] should come next.
    pub(crate) fn insert(&mut self, hash: u64, place: Place) -> bool {
        let at = self.free(hash);
        self.slots.as_mut_slice()[at] = hash as u32 & !self.places() | (place.0 + 1);
        self.len += 1;
        self.distance(hash, at) <= FAR || self.capacity() >= self.largest()
    }

    /// Makes it twice as large; `all` that is in it has to be said again.
    #[cold]
    pub(crate) fn grow(&mut self, all: impl Iterator<Item = (u64, Place)>) {
        let bits = if self.capacity() == 0 {
            START_BITS
        } else {
            self.bits + 1
        };
        self.refill(bits, all);
    }

    /// As [`Self::grow`], at once to what so many need; nothing if it has that room.
    pub(crate) fn reserve(&mut self, expected: usize, all: impl Iterator<Item = (u64, Place)>) {
        let bits = bits_for(expected);
        if expected > 0 && bits > self.bits {
            self.refill(bits, all);
        }
    }

    fn refill(&mut self, bits: u32, all: impl Iterator<Item = (u64, Place)>) {
        self.resize(bits);
        // The slot of each is asked for before it is written, so that several wait for memory together.
        let mut ahead = [(0, Place(0)); AHEAD];
        let mut came = 0;
        for (hash, place) in all {
            self.prefetch(hash);
            let (hash, place) = std::mem::replace(&mut ahead[came % AHEAD], (hash, place));
            if came >= AHEAD {
                self.insert(hash, place);
            }
            came += 1;
        }
        for number in came.saturating_sub(AHEAD)..came {
            let (hash, place) = ahead[number % AHEAD];
            self.insert(hash, place);
        }
    }

    /// Of nothing yet, with room for so many.
    pub(crate) fn with_room(expected: usize) -> Self {
        let mut this = Index::new(usize::MAX);
        this.resize(bits_for(expected));
        this
    }

    /// Forgets all, and keeps its room.
    pub(crate) fn clear(&mut self) {
        self.slots.as_mut_slice().fill(0);
        self.len = 0;
    }

    fn resize(&mut self, bits: u32) {
        self.bits = bits;
        self.shift = u64::BITS - bits;
        self.slots = Room::new(0); // before there is more
        self.slots = Room::filled(1 << bits, 0);
        self.len = 0;
    }

    /// The bits of a slot that hold its place: twice as many lines as slots have numbers.
    #[inline]
    fn places(&self) -> u32 {
        (2 << self.bits) - 1
    }

    fn free(&self, hash: u64) -> usize {
        let slots = self.slots.as_slice();
        let mask = slots.len() - 1;
        let mut at = self.home(hash);
        while slots[at] != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// Slots that it has when it is full.
    fn largest(&self) -> usize {
        let slots = self.max.saturating_mul(2).saturating_add(2);
        slots.checked_next_power_of_two().unwrap_or(usize::MAX)
    }

    #[inline]
    fn distance(&self, hash: u64, at: usize) -> usize {
        at.wrapping_sub(self.home(hash)) & (self.capacity() - 1)
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        // Where there are no slots yet, any place is out of range.
        (hash >> self.shift) as usize
    }

    /// How far from its home the entry is that is farthest from it.
    #[cfg(test)]
    pub(crate) fn farthest(&self, all: impl Iterator<Item = (u64, Place)>) -> usize {
        let slots = self.slots.as_slice().iter().enumerate();
        let slots: std::collections::HashMap<u32, usize> =
            slots.map(|(at, slot)| (slot & self.places(), at)).collect();
        all.map(|(hash, place)| self.distance(hash, slots[&(place.0 + 1)]))
            .max()
            .unwrap_or(0)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.as_slice().len()
    }
}

/// Binary logarithm of the slots with which an index of so many is not full.
fn bits_for(expected: usize) -> u32 {
    let slots = expected.saturating_mul(2).saturating_add(1);
    let slots = slots.checked_next_power_of_two().unwrap_or(usize::MAX);
    slots.ilog2().max(START_BITS)
}

pub(crate) struct Candidates<'a> {
    slots: &'a [u32],
    at: usize,
    tag: u32,
    places: u32,
}

impl Iterator for Candidates<'_> {
    type Item = Place;

    #[inline]
    fn next(&mut self) -> Option<Place> {
        // Half of the slots are free: this ends.
        let mut at = self.at;
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
            if slot & !self.places == self.tag {
                self.at = at;
                return Some(Place((slot & self.places) - 1));
            }
        }
    }
}
