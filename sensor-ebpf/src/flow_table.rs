//! The flow table: sets of eight records of one cache line each; a full set spills its smallest record to a log.
//!
//! The running CPU is the only writer of its part (XDP and TC run with bottom halves disabled), so plain loads and
//! stores do. Nothing is ever evicted silently: without room in the log the caller counts an overflow.

use sensor_common::abi::{Counts, Cpu, FLAGS_SHIFT, PACKETS_MASK, Record, Set, WAYS};
use sensor_common::flow::{FlowKey, VALID};

use crate::clock;
use crate::maps;

type Words = [u64; size_of::<Record>() / 8];

/// Where to count: the running CPU and the half that its epoch chose.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    pub(crate) cpu: u64,
    pub(crate) half: u64,
    /// What belongs to that CPU. Kept as a pointer: older verifiers know nothing any more of a number that was compared, spilled
    /// to the stack and loaded again.
    pub(crate) state: *mut Cpu,
}

impl Half {
    #[inline(always)]
    fn region(self) -> u64 {
        self.cpu * 2 + self.half
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
    let set = maps::set(set_of(place.region(), hash))?;
    // SAFETY: the set is this CPU's own.
    let record = match unsafe { in_first_ways(set, hash, key) } {
        Some(record) => record,
        None => elsewhere(place, hash, key)?,
    };
    record.packets_flags =
        record.packets_flags.wrapping_add(counts.packets) | (tcp_flags as u64) << FLAGS_SHIFT;
    record.bytes += counts.bytes;
    record.last = clock::ticks();
    Some(record)
}

#[inline(always)]
fn set_of(region: u64, hash: u64) -> u64 {
    (region << maps::set_bits()) + (hash >> maps::set_shift())
}

/// In which way of its set a flow is looked for first; the bits below are no better than the key's own. The line beside it
/// comes second, and so on: processors fetch them in pairs.
#[inline(always)]
fn first_way(hash: u64) -> usize {
    (hash >> 32) as usize
}

/// # Safety
/// `set` must point to a live value of the map, this CPU's own.
#[inline(always)]
unsafe fn in_first_ways<'a>(set: *mut Set, hash: u64, key: &FlowKey) -> Option<&'a mut Record> {
    for step in 0..2 {
        // SAFETY: the caller's promise.
        let record = unsafe { way(set, first_way(hash) ^ step) };
        if key.same(&record.key) {
            return Some(record);
        }
    }
    None
}

/// What the first two ways do not have: the flow is new, or in another one.
#[inline(always)]
fn elsewhere<'a>(place: Half, hash: u64, key: &FlowKey) -> Option<&'a mut Record> {
    // SAFETY: a live value of the map, this CPU's own.
    unsafe { (*place.state).wanted = key.0 };
    let number = sensor_find(place.region(), hash);
    let set = maps::set(number >> WAYS.trailing_zeros())?;
    // SAFETY: the set is this CPU's own.
    Some(unsafe { way(set, number as usize) })
}

/// The number, among all records, of the one that has the wanted key, found or made; [`NOWHERE`] if there is no room.
///
/// A function of its own, without a pointer among its arguments, so that the verifier goes through it once, and the way of
/// most packets stays short.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_find(region: u64, hash: u64) -> u64 {
    let number = set_of(region, hash);
    let (Some(cpu), Some(set)) = (maps::cpu(region >> 1), maps::set(number)) else {
        return NOWHERE;
    };
    // SAFETY: a live value of the map, this CPU's own.
    let cpu = unsafe { &mut *cpu };
    let key = FlowKey(cpu.wanted);
    for step in 0..WAYS {
        let in_set = first_way(hash) ^ step;
        // SAFETY: the way is masked; the set is this CPU's own.
        let record = unsafe { way(set, in_set) };
        if record.key[4] & VALID == 0 {
            begin(record, &key);
            claimed(cpu, region, number, in_set);
            return number_of(number, in_set);
        }
        if key.same(&record.key) {
            return number_of(number, in_set);
        }
    }
    // SAFETY: as above.
    let in_set = unsafe { smallest(set) };
    // SAFETY: as above.
    let record = unsafe { way(set, in_set) };
    if !spill(cpu, region, record) {
        return NOWHERE;
    }
    begin(record, &key);
    number_of(number, in_set)
}

/// No set has this number.
const NOWHERE: u64 = u64::MAX;

#[inline(always)]
fn number_of(set: u64, way: usize) -> u64 {
    set << WAYS.trailing_zeros() | (way & (WAYS - 1)) as u64
}

#[inline(always)]
fn begin(record: &mut Record, key: &FlowKey) {
    record.key = key.0;
    record.packets_flags = 0;
    record.bytes = 0;
    record.first = clock::ticks();
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
unsafe fn smallest(set: *mut Set) -> usize {
    let mut best = 0;
    let mut fewest = u64::MAX;
    for number in 0..WAYS {
        // SAFETY: the caller's promise.
        let packets = unsafe { way(set, number) }.packets_flags & PACKETS_MASK;
        if packets < fewest {
            (best, fewest) = (number, packets);
        }
    }
    best
}

/// Copies a record to this CPU's log; false if that is full.
#[inline(always)]
fn spill(cpu: &mut Cpu, region: u64, record: &Record) -> bool {
    let spilled = &mut cpu.spilled[region as usize & 1];
    let size = maps::log_size();
    let number = *spilled;
    if number >= size {
        return false;
    }
    let index = region * size + number;
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
fn claimed(cpu: &mut Cpu, region: u64, set: u64, way: usize) {
    let bit = set as usize * WAYS | way & (WAYS - 1);
    if let Some(word) = maps::OCCUPIED.get_ptr_mut((bit / 64) as u32) {
        // SAFETY: a live value of the map, this CPU's own: a region is a multiple of 64 records.
        unsafe { *word |= 1 << (bit & 63) };
    }
    cpu.claimed[region as usize & 1] += 1;
}
