//! What the processor and the kernel are told of how memory will be used. Hints: no result depends on them.

use std::fmt;
use std::mem::MaybeUninit;

const HUGE_PAGE: usize = 2 << 20;
/// Of shorter lists the processor has the addresses of all pages at hand, and what a huge page rounds up is most of them.
const LARGE: usize = HUGE_PAGE / 2;

/// Asks for the cache line in which an element begins, so that a batch of look-ups waits for memory once.
#[inline]
pub fn prefetch<T>(list: &[T], place: usize) {
    if let Some(element) = list.get(place) {
        prefetch_line(element);
    }
}

/// The same of what lies at this address.
#[inline]
pub fn prefetch_line<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and fails at no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast::<i8>()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// The same of all of an element that is longer than a line or not at the beginning of one.
#[inline]
pub fn prefetch_whole<T>(list: &[T], place: usize) {
    prefetch(list, place);
    prefetch(list, place.saturating_add(1)); // begins where it ends
}

/// What a long list has reserved is taken in huge pages when it is filled, each at once instead of page by page.
pub fn prefer_huge_pages<T>(list: &mut Vec<T>) {
    let begin = list.as_mut_ptr().cast::<u8>();
    let before = begin.align_offset(HUGE_PAGE);
    let bytes = (list.capacity() * size_of::<T>()).saturating_sub(before);
    let whole = bytes - bytes % HUGE_PAGE;
    if whole > 0 {
        // SAFETY: the range lies within the list's allocation, and the call changes nothing of what is in it.
        unsafe {
            libc::madvise(
                begin.wrapping_add(before).cast(),
                whole,
                libc::MADV_HUGEPAGE,
            )
        };
    }
}

/// A list of fixed length, in huge pages where it is long: a table that is looked up here and there otherwise waits for the
/// address of each page. Its memory is taken as it is filled.
pub struct Room<T> {
    /// Behind what makes `start` the beginning of a huge page.
    memory: Vec<MaybeUninit<T>>,
    start: usize,
    len: usize,
    length: usize,
}

impl<T: Copy> Room<T> {
    pub fn new(length: usize) -> Self {
        let bytes = length * size_of::<T>();
        let large = bytes >= LARGE;
        let padding = match large {
            // To the beginning of a huge page, and to the end of the last one.
            true => (HUGE_PAGE + bytes.next_multiple_of(HUGE_PAGE) - bytes) / size_of::<T>(),
            false => 0,
        };
        let mut memory: Vec<MaybeUninit<T>> = Vec::with_capacity(length + padding);
        // SAFETY: so much was reserved, and what is not initialised is of a type that need not be.
        unsafe { memory.set_len(length + padding) };
        let start = match large {
            true => memory.as_ptr().align_offset(HUGE_PAGE),
            false => 0,
        };
        let start = start.min(padding);
        let this = Room {
            memory,
            start,
            len: 0,
            length,
        };
        if large {
            this.prefer_huge_pages();
        }
        this
    }

    /// Full of this value.
    pub fn filled(length: usize, value: T) -> Self {
        let mut this = Room::new(length);
        let (begin, end) = (this.start, this.start + length);
        this.memory[begin..end].fill(MaybeUninit::new(value));
        this.len = length;
        this
    }

    /// How many more it takes.
    pub fn left(&self) -> usize {
        self.length - self.len
    }

    /// The caller has seen that there is room.
    #[inline]
    pub fn push(&mut self, value: T) {
        assert!(self.len < self.length, "no more room was asked for");
        self.memory[self.start + self.len].write(value);
        self.len += 1;
    }

    #[inline]
    pub fn as_slice(&self) -> &[T] {
        let begin = self.memory.as_ptr().wrapping_add(self.start);
        // SAFETY: `push` has initialised so many from `start` on, which is within `memory`.
        unsafe { std::slice::from_raw_parts(begin.cast(), self.len) }
    }

    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let begin = self.memory.as_mut_ptr().wrapping_add(self.start);
        // SAFETY: as above, and borrowed for writing.
        unsafe { std::slice::from_raw_parts_mut(begin.cast(), self.len) }
    }

    fn prefer_huge_pages(&self) {
        let begin = self.memory.as_ptr().wrapping_add(self.start);
        let bytes = (self.length * size_of::<T>()).next_multiple_of(HUGE_PAGE);
        // SAFETY: the range lies within one allocation of ours, and the call changes nothing of what is in it.
        unsafe { libc::madvise(begin.cast_mut().cast(), bytes, libc::MADV_HUGEPAGE) };
    }
}

impl<T: Copy> Clone for Room<T> {
    fn clone(&self) -> Self {
        let mut copy = Room::new(self.length);
        let (from, to) = (self.start, self.start + self.len);
        let values = &self.memory[from..to];
        copy.memory[copy.start..][..self.len].copy_from_slice(values);
        copy.len = self.len;
        copy
    }
}

impl<T> fmt::Debug for Room<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.len, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_into_a_room_is_in_it() {
        for length in [0, 1, 100, 300_000, 1_000_000] {
            let mut room = Room::new(length);
            (0..length as u64).for_each(|number| room.push(number));
            assert_eq!(room.left(), 0);
            let mut copy = room.clone();
            assert!(copy.as_slice().iter().copied().eq(0..length as u64));
            assert_eq!(Room::filled(length, 7).as_slice(), vec![7; length]);
            copy.as_mut_slice()
                .iter_mut()
                .for_each(|number| *number += 1);
            assert!(copy.as_slice().iter().copied().eq(1..=length as u64));
            assert!(room.as_slice().iter().copied().eq(0..length as u64));
        }
    }
}
