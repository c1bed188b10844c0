//! The flow table: sets of eight records of one cache line each; a full set spills its smallest record to a log.
//!
//! The running CPU is the only writer of its part (XDP and TC run with bottom halves disabled), so plain loads and
//! stores do. Nothing is ever evicted silently: without room in the log the caller counts an overflow.

use sensor_common::abi::{Counts, Cpu, FLAGS_SHIFT, PACKETS_MASK, Record, Set, WAYS};
use sensor_common::flow::FlowKey;

use crate::clock;
use crate::maps;

type Words = [u64; size_of::<Record>() / 8];

/// Where to count: the running CPU and the half that its epoch chose.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    pub(crate) cpu: u32,
    pub(crate) half: u32,
}

impl Half {
    #[inline(always)]
    fn region(self) -> u32 {
        self.cpu << 1 | self.half
    }
}

/// Adds to the flow's record, or makes one, and gives it; `None` if there is no room.
#[inline(always)]
pub(crate) fn add<'a>(
    place: Half,
    key: &FlowKey,
    counts: Counts,
    tcp_flags: u8,
) -> Option<&'a mut Record> {
    let hash = maps::hash(key);
    let index = place.region() << maps::set_bits() | (hash >> maps::set_shift()) as u32;
    let set = maps::SETS.get_ptr_mut(index)?;
    let first_way = (hash >> 32) as usize; // the bits below are no better than the key's own
    let now = clock::ticks();
    for step in 0..WAYS {
        // The line beside it comes second: processors fetch them in pairs.
        let number = first_way ^ step;
        // SAFETY: the way is masked; the set is this CPU's own.
        let record = unsafe { way(set, number) };
        if key.same(&record.key) {
            record.packets_flags = record.packets_flags.wrapping_add(counts.packets)
                | (tcp_flags as u64) << FLAGS_SHIFT;
            record.bytes += counts.bytes;
            record.last = now;
            return Some(record);
        }
        if record.key[4] == 0 {
            fill(record, key, counts, tcp_flags, now);
            claimed(place, index, number);
            return Some(record);
        }
    }
    // SAFETY: as above.
    let smallest = unsafe { smallest(set) };
    if !spill(place, smallest) {
        return None;
    }
    fill(smallest, key, counts, tcp_flags, now);
    Some(smallest)
}

#[inline(always)]
fn fill(record: &mut Record, key: &FlowKey, counts: Counts, tcp_flags: u8, now: u32) {
    record.key = key.0;
    record.packets_flags = counts.packets | (tcp_flags as u64) << FLAGS_SHIFT;
    record.bytes = counts.bytes;
    record.first = now;
    record.last = now;
}

/// # Safety
/// `set` must point to a live value of the map.
#[inline(always)]
unsafe fn way<'a>(set: *mut Set, number: usize) -> &'a mut Record {
    // SAFETY: the number is masked to the ways of the set.
    unsafe { &mut *set.cast::<Record>().add(number & (WAYS - 1)) }
}

/// # Safety
/// As [`way`].
#[inline(always)]
unsafe fn smallest<'a>(set: *mut Set) -> &'a mut Record {
    let mut best = 0;
    let mut fewest = u64::MAX;
    for number in 0..WAYS {
        // SAFETY: the caller's promise.
        let packets = unsafe { way(set, number) }.packets_flags & PACKETS_MASK;
        if packets < fewest {
            (best, fewest) = (number, packets);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { way(set, best) }
}

/// Copies a record to this CPU's log; false if that is full.
#[inline(always)]
fn spill(place: Half, record: &Record) -> bool {
    let Some(spilled) = cpu(place.cpu).map(|cpu| &mut cpu.spilled[place.half as usize & 1]) else {
        return false;
    };
    let size = maps::log_size();
    let number = *spilled;
    if number >= size {
        return false;
    }
    let index = place.region() as u64 * size + number;
    let Some(entry) = maps::LOG.get_ptr_mut(index as u32) else {
        return false;
    };
    // As words: LLVM's BPF backend crashes on copies of more than eight bytes' alignment.
    // SAFETY: a live value of the map, this CPU's own; a record is plain integers and a multiple of eight bytes long.
    unsafe { *entry.cast::<Words>() = *core::ptr::from_ref(record).cast::<Words>() };
    *spilled = number + 1;
    true
}

/// Notes that a set holds one record more, in this way.
#[inline(always)]
fn claimed(place: Half, set_index: u32, way: usize) {
    let bit = set_index as usize * WAYS | way & (WAYS - 1);
    if let Some(word) = maps::OCCUPIED.get_ptr_mut(set_index / (64 / WAYS as u32)) {
        // SAFETY: a live value of the map, this CPU's own: a region is a multiple of 64 records.
        unsafe { *word |= 1 << (bit & 63) };
    }
    if let Some(cpu) = cpu(place.cpu) {
        cpu.claimed[place.half as usize & 1] += 1;
    }
}

#[inline(always)]
pub(crate) fn cpu<'a>(number: u32) -> Option<&'a mut Cpu> {
    let state = maps::CPU.get_ptr_mut(number)?;
    // SAFETY: a live value of the map that only this CPU writes while its half is in use.
    Some(unsafe { &mut *state })
}
