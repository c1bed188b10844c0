//! Where in a part which entry is: open addressing over the hashes alone. A look-up for what isn't there, which is the rule,
//! reads nothing but marks of one byte for each slot, and those of a full book still fit a processor's second cache.

/// The low half of an entry's hash, and the entry's place.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    place: u32,
}

/// Mark of a slot without an entry.
const EMPTY: u8 = 0;
const LEAST: usize = 16;

/// At most half of the slots are taken, each as near behind its home as there was room; so a search ends at an empty one.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// [`mark`] of each slot; a power of two of them, or none at all.
    marks: Vec<u8>,
    slots: Vec<Slot>,
    len: usize,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The place with this tag of which `is_it` says so.
    #[inline]
    pub(super) fn find(&self, tag: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.marks.len().checked_sub(1)?;
        let mut at = tag as usize & mask;
        loop {
            let found = self.marks[at];
            if found == EMPTY {
                return None;
            }
            if found == mark(tag) {
                let slot = self.slots[at];
                if slot.tag == tag && is_it(slot.place) {
                    return Some(slot.place);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// It must not be there.
    pub(super) fn insert(&mut self, tag: u32, place: u32) {
        if self.slots.len() < (self.len + 1) * 2 {
            self.grow();
        }
        self.len += 1;
        self.put(Slot { tag, place });
    }

    /// It must be there.
    pub(super) fn remove(&mut self, tag: u32, place: u32) {
        let Some(mask) = self.slots.len().checked_sub(1) else {
            return;
        };
        let mut hole = tag as usize & mask;
        while self.slots[hole].place != place || self.marks[hole] == EMPTY {
            if self.marks[hole] == EMPTY {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // What was pushed beyond the hole moves up, for a search must not end before it.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            if self.marks[at] == EMPTY {
                break;
            }
            let slot = self.slots[at];
            let from_home = at.wrapping_sub(slot.tag as usize) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                self.marks[hole] = self.marks[at];
                hole = at;
            }
        }
        self.marks[hole] = EMPTY;
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = slot.tag as usize & mask;
        while self.marks[at] != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
        self.marks[at] = mark(slot.tag);
    }

    #[cold]
    fn grow(&mut self) {
        let wider = (self.slots.len() * 2).max(LEAST);
        let none = Slot { tag: 0, place: 0 };
        let slots = std::mem::replace(&mut self.slots, vec![none; wider]);
        let marks = std::mem::replace(&mut self.marks, vec![EMPTY; wider]);
        let both = slots.into_iter().zip(marks);
        for (slot, _) in both.filter(|(_, mark)| *mark != EMPTY) {
            self.put(slot);
        }
    }
}

/// Seven bits of the hash that are not those of the home.
fn mark(tag: u32) -> u8 {
    (tag >> 24) as u8 | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_finds_what_is_there_and_nothing_else() {
        let mut index = Index::default();
        let mut there: BTreeMap<u32, u32> = BTreeMap::new();
        let mut random = 99_u32;
        for place in 0..4000 {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
            // Few homes, at both ends: runs are long, and go round.
            let tag = (random >> 16 & 31).wrapping_sub(16);
            index.insert(tag, place);
            there.insert(place, tag);
            if there.len() > 200 {
                let nth = random as usize % there.len();
                let (&place, &tag) = there.iter().nth(nth).unwrap();
                index.remove(tag, place);
                there.remove(&place);
                assert_eq!(index.find(tag, |one| one == place), None);
            }
            assert_eq!(index.len(), there.len());
        }
        for (&place, &tag) in &there {
            assert_eq!(index.find(tag, |one| one == place), Some(place));
        }
        assert!(index.slots.len() >= 2 * there.len() && index.slots.len() < 2048);
    }
}
