//! The parts of flows, of which there are more in memory than of anything else: the few stretches that they are of are kept
//! apart, so that each takes less than a cache line.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::rows::{FlowPart, Stretch};
use crate::counters::{Class, Counts};
use crate::memory;

#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    list: Vec<Entry>,
    stretches: Vec<Stretch>,
    /// Their places.
    numbers: HashMap<Stretch, u32, RandomState>,
    /// Of the part that came last.
    latest: u32,
}

/// As [`FlowPart`].
#[derive(Clone, Copy, Debug)]
struct Entry {
    counts: Counts,
    first: i64,
    last: i64,
    flow: u32,
    /// Place of its stretch.
    stretch: u32,
    class: Class,
    tcp_flags: u8,
}

const _: () = assert!(size_of::<Entry>() <= 48);

impl Parts {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, place: u32) -> Option<FlowPart> {
        let entry = self.list.get(place as usize)?;
        Some(self.opened(entry))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = FlowPart> {
        self.list.iter().map(|entry| self.opened(entry))
    }

    /// The flow of each.
    pub(super) fn flows(&self) -> impl Iterator<Item = u32> {
        self.list.iter().map(|entry| entry.flow)
    }

    /// Each that any of them is of, and perhaps others.
    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// There come so many more.
    pub(super) fn reserve(&mut self, parts: usize) {
        self.list.reserve(parts);
        memory::prefer_huge_pages(&mut self.list);
    }

    /// Gives the place.
    pub(super) fn push(&mut self, part: &FlowPart) -> u32 {
        let entry = Entry {
            counts: part.counts,
            first: part.first,
            last: part.last,
            flow: part.flow,
            stretch: self.number(part.stretch),
            class: part.class,
            tcp_flags: part.tcp_flags,
        };
        self.list.push(entry);
        self.list.len() as u32 - 1
    }

    /// Adds the counts to the part in this place, if there is one and it is of the same stretch and class.
    pub(super) fn add(&mut self, place: u32, part: &FlowPart) -> bool {
        let Some(known) = self.list.get_mut(place as usize) else {
            return false;
        };
        let stretch = self.stretches[known.stretch as usize];
        let same = (stretch, known.class) == (part.stretch, part.class);
        if same {
            known.counts += part.counts;
            known.first = known.first.min(part.first);
            known.last = known.last.max(part.last);
            known.tcp_flags |= part.tcp_flags;
        }
        same
    }

    pub(super) fn set_class(&mut self, place: u32, class: Class) {
        if let Some(entry) = self.list.get_mut(place as usize) {
            entry.class = class;
        }
    }

    #[inline]
    pub(super) fn prefetch(&self, place: u32) {
        memory::prefetch_whole(&self.list, place as usize);
    }

    #[inline]
    fn opened(&self, entry: &Entry) -> FlowPart {
        FlowPart {
            flow: entry.flow,
            tcp_flags: entry.tcp_flags,
            stretch: self.stretches[entry.stretch as usize],
            counts: entry.counts,
            first: entry.first,
            last: entry.last,
            class: entry.class,
        }
    }

    #[inline]
    fn number(&mut self, stretch: Stretch) -> u32 {
        if self.stretches.get(self.latest as usize) != Some(&stretch) {
            self.latest = self.known_or_new(stretch);
        }
        self.latest
    }

    #[inline(never)]
    fn known_or_new(&mut self, stretch: Stretch) -> u32 {
        let new = self.stretches.len() as u32;
        let number = *self.numbers.entry(stretch).or_insert(new);
        if number == new {
            self.stretches.push(stretch);
        }
        number
    }
}
