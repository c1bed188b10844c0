//! The maps and constants that the programs share with the agent. Layout and indices: `sensor_common::abi`.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, RingBuf};
use sensor_common::abi::{Control, Cpu, NO_SLOT, Record, SAMPLE_RING, SLOT_TABLE, Set};
use sensor_common::facts::Facts;
use sensor_common::flow::{FlowKey, HashSeeds};
use sensor_common::prefix_set::Line;
use sensor_common::sample::Tags;

use crate::sample::Buffer;
use crate::view::SCRATCH_LEN;

/// `BPF_F_MMAPABLE`: the agent reads these maps without a system call per flow.
pub(crate) const MMAPABLE: u32 = 1 << 10;

// The agent sets every max_entries before it loads the object.
#[map]
pub(crate) static CONTROL: Array<Control> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub(crate) static CPU: Array<Cpu> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub(crate) static SETS: Array<Set> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub(crate) static LOG: Array<Record> = Array::with_max_entries(1, MMAPABLE);
/// One bit per record of `SETS`, set where there is one, so that a sparse table is read without scanning it.
#[map]
pub(crate) static OCCUPIED: Array<u64> = Array::with_max_entries(1, MMAPABLE);
/// Headers of packets whose linear part is too short for them.
#[map]
pub(crate) static SCRATCH: PerCpuArray<[u8; SCRATCH_LEN]> = PerCpuArray::with_max_entries(1, 0);

/// Payloads on their way to the agent.
#[map]
pub(crate) static SAMPLES: RingBuf = RingBuf::with_byte_size(SAMPLE_RING, 0);
/// Flows whose payloads were taken: a cache line for each set of each CPU's part of `SETS`, one for both halves.
#[map]
pub(crate) static TAGS: Array<Tags> = Array::with_max_entries(1, 0);
/// A payload before it goes to the ring.
#[map]
pub(crate) static SAMPLE: PerCpuArray<Buffer> = PerCpuArray::with_max_entries(1, 0);

/// What the filter asks of the packet at hand.
#[map]
pub(crate) static FACTS: PerCpuArray<Facts> = PerCpuArray::with_max_entries(1, 0);

/// Tables that the filter looks into, in cache lines.
#[map]
pub(crate) static FILTER_LINES: Array<Line> = Array::with_max_entries(1, 0);

/// The networks that are ours on a tap, one set, in cache lines.
#[map]
pub(crate) static HOME_LINES: Array<Line> = Array::with_max_entries(1, 0);

/// A word on its way to being unknown to the verifier.
#[map]
static BLUR: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Slot of an interface, by the low bits of its index. In `.data`, which needs no look-up and which the agent may write
/// while programs run.
#[unsafe(no_mangle)]
static mut SLOT_OF: [u16; SLOT_TABLE] = [NO_SLOT; SLOT_TABLE];

#[unsafe(no_mangle)]
static HASH_SEEDS: HashSeeds = [1; 10];
/// Slots times the directions of one.
#[unsafe(no_mangle)]
static SLOT_WAYS: u32 = 2;
/// Binary logarithm of the sets per CPU and half.
#[unsafe(no_mangle)]
static SET_BITS: u32 = 0;
/// What of a hash is not the number of a set.
#[unsafe(no_mangle)]
static SET_SHIFT: u64 = 63;
/// Records in the log per CPU and half.
#[unsafe(no_mangle)]
static LOG_SIZE: u64 = 1;

/// Payloads are taken.
#[unsafe(no_mangle)]
static SAMPLING: u32 = 0;

/// As with [`filtering`]: without it, what takes payloads is not in the program.
#[inline(always)]
pub(crate) fn sampling() -> bool {
    read(&SAMPLING) != 0
}

/// Addresses tell the direction on a tap.
#[unsafe(no_mangle)]
static HOME: u32 = 0;

#[inline(always)]
pub(crate) fn has_home() -> bool {
    read(&HOME) != 0
}

/// There is a filter.
const FILTER_ON: u32 = 1;
/// The filter asks for tags of the link layer.
const FILTER_LINK: u32 = 2;
#[unsafe(no_mangle)]
static FILTER: u32 = 0;

/// The verifier knows the answer, and takes the code that is never run out of the program.
#[inline(always)]
pub(crate) fn filtering() -> bool {
    read(&FILTER) & FILTER_ON != 0
}

#[inline(always)]
pub(crate) fn filter_needs_link() -> bool {
    read(&FILTER) & FILTER_LINK != 0
}

#[inline(always)]
pub(crate) fn slot_of(ifindex: u32) -> u16 {
    let index = ifindex as usize & (SLOT_TABLE - 1);
    // SAFETY: the index is masked to the table's length; the agent rewrites the table, but an interface's own entry only
    // changes while none of its hooks is attached.
    unsafe {
        core::ptr::addr_of!(SLOT_OF)
            .cast::<u16>()
            .add(index)
            .read_volatile()
    }
}

/// The same value, of which the verifier knows nothing any more.
#[inline(always)]
pub(crate) fn blurred(value: u64) -> Option<u64> {
    let word = BLUR.get_ptr_mut(0)?;
    // SAFETY: a live value of the map, this CPU's own.
    unsafe {
        word.write_volatile(value);
        Some(word.read_volatile())
    }
}

/// [`FlowKey::hash`] with the seeds of this run.
#[inline(always)]
pub(crate) fn hash(key: &FlowKey) -> u64 {
    key.hash_by(|number| read(&HASH_SEEDS[number]))
}

#[inline(always)]
pub(crate) fn slot_ways() -> u32 {
    read(&SLOT_WAYS)
}

#[inline(always)]
pub(crate) fn set_bits() -> u32 {
    read(&SET_BITS) & 31
}

#[inline(always)]
pub(crate) fn set_shift() -> u64 {
    read(&SET_SHIFT) & 63
}

#[inline(always)]
pub(crate) fn log_size() -> u64 {
    read(&LOG_SIZE)
}

/// The loader changes constants after the compiler saw them, hence volatile.
#[inline(always)]
fn read<T: Copy>(constant: &T) -> T {
    // SAFETY: a reference is valid for reads.
    unsafe { core::ptr::from_ref(constant).read_volatile() }
}
