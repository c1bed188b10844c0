//! A ring of descriptors that the kernel and we share: one side writes and moves the producer, the other reads and moves the
//! consumer. Both are counters that run on and wrap around.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the parts of a ring lie.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) producer: NonNull<AtomicU32>,
    pub(super) consumer: NonNull<AtomicU32>,
    pub(super) flags: NonNull<AtomicU32>,
    pub(super) entries: NonNull<u8>,
    /// A power of two.
    pub(super) size: u32,
}

/// One side of a ring with entries of type `T`.
pub(super) struct Ring<T> {
    parts: Parts,
    entries: NonNull<T>,
}

// SAFETY: the memory is reachable from anywhere, and one side of a ring has one owner.
unsafe impl<T: Send> Send for Ring<T> {}

impl<T: Copy> Ring<T> {
    /// # Safety
    /// The parts must lie in memory that outlives the ring, with `size` entries of type `T`, of which any bytes are one, and
    /// nobody else may be on this side.
    pub(super) unsafe fn new(parts: Parts) -> Self {
        Ring {
            entries: parts.entries.cast(),
            parts,
        }
    }

    /// Entries that the kernel has produced and that were not taken; for the side that consumes.
    pub(super) fn ready(&self) -> u32 {
        let produced = self.atomic(self.parts.producer).load(Ordering::Acquire);
        let consumed = self.atomic(self.parts.consumer).load(Ordering::Relaxed);
        // More than fit can't be: whatever the memory says, no entry is read twice in a pass.
        produced.wrapping_sub(consumed).min(self.parts.size)
    }

    /// The entry that is `number` behind the next to be taken; at most as many as are [`Self::ready`].
    pub(super) fn at(&self, number: u32) -> T {
        let consumed = self.atomic(self.parts.consumer).load(Ordering::Relaxed);
        self.entry(consumed.wrapping_add(number))
    }

    /// The next `count` entries were taken, and may be written to again.
    pub(super) fn take(&self, count: u32) {
        self.atomic(self.parts.consumer)
            .fetch_add(count, Ordering::Release);
    }

    /// Entries that may be put into it; for the side that produces.
    pub(super) fn room(&self) -> u32 {
        let consumed = self.atomic(self.parts.consumer).load(Ordering::Acquire);
        let produced = self.atomic(self.parts.producer).load(Ordering::Relaxed);
        self.parts
            .size
            .saturating_sub(produced.wrapping_sub(consumed))
    }

    /// Writes the entry that is `number` behind the last that was [`Self::give`]n; at most as many as there is
    /// [`Self::room`] for.
    pub(super) fn put(&mut self, number: u32, value: T) {
        let produced = self.atomic(self.parts.producer).load(Ordering::Relaxed);
        let index = produced.wrapping_add(number) & (self.parts.size - 1);
        // SAFETY: the index is masked to the entries, and the other side does not read this one before it is given.
        unsafe { self.entries.add(index as usize).write(value) };
    }

    /// The other side may read the `count` entries that were put.
    pub(super) fn give(&self, count: u32) {
        self.atomic(self.parts.producer)
            .fetch_add(count, Ordering::Release);
    }

    /// The kernel sleeps, and goes on when it is told to.
    pub(super) fn needs_wakeup(&self) -> bool {
        self.atomic(self.parts.flags).load(Ordering::Relaxed) & libc::XDP_RING_NEED_WAKEUP != 0
    }

    fn entry(&self, index: u32) -> T {
        let index = index & (self.parts.size - 1);
        // SAFETY: the index is masked to the entries; the other side does not write to one that was given and not taken.
        unsafe { self.entries.add(index as usize).read() }
    }

    fn atomic(&self, word: NonNull<AtomicU32>) -> &AtomicU32 {
        // SAFETY: it lies in memory that outlives the ring, and is only accessed as an atomic.
        unsafe { word.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory {
        words: [AtomicU32; 3],
        entries: [u64; 8],
    }

    /// Both sides of a ring.
    fn pair(memory: &mut Memory) -> (Ring<u64>, Ring<u64>) {
        let parts = Parts {
            producer: NonNull::from(&memory.words[0]),
            consumer: NonNull::from(&memory.words[1]),
            flags: NonNull::from(&memory.words[2]),
            entries: NonNull::from(&mut memory.entries).cast(),
            size: 8,
        };
        // SAFETY: the memory outlives both in each test.
        unsafe { (Ring::new(parts), Ring::new(parts)) }
    }

    #[test]
    fn what_goes_in_comes_out_in_order_also_where_the_counters_wrap() {
        let start = u32::MAX - 5;
        let mut memory = Memory {
            words: [start.into(), start.into(), 0.into()],
            entries: [0; 8],
        };
        let (mut producer, consumer) = pair(&mut memory);
        let mut next = 0;
        for round in 0..40 {
            assert_eq!((producer.room(), consumer.ready()), (8, 0));
            let count = round % 9;
            for number in 0..count {
                producer.put(number, u64::from(next + number));
            }
            assert_eq!(consumer.ready(), 0, "not given yet");
            producer.give(count);
            assert_eq!((producer.room(), consumer.ready()), (8 - count, count));
            for number in 0..count {
                assert_eq!(consumer.at(number), u64::from(next + number));
            }
            consumer.take(count);
            next += count;
        }
    }

    #[test]
    fn no_counter_leads_outside() {
        let mut memory = Memory {
            words: [1000.into(), 0.into(), libc::XDP_RING_NEED_WAKEUP.into()],
            entries: [7; 8],
        };
        let (producer, consumer) = pair(&mut memory);
        assert_eq!((consumer.ready(), producer.room()), (8, 0));
        assert_eq!(consumer.at(u32::MAX), 7);
        assert!(consumer.needs_wakeup());
    }
}
