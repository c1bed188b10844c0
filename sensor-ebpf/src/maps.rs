//! The maps and constants that the programs share with the agent. Layout and indices: `sensor_common::abi`.

use core::arch::asm;

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, RingBuf};
use sensor_common::abi::{Control, Cpu, NO_SLOT, Record, SAMPLE_RING, SLOT_TABLE, Set};
use sensor_common::constant::{Constant, MARK};
use sensor_common::facts::Facts;
use sensor_common::flow::FlowKey;
use sensor_common::prefix_set::Line;
use sensor_common::sample::Tags;

use crate::sample::Buffer;
use crate::view::SCRATCH_LEN;

/// `BPF_F_MMAPABLE`: the agent reads these maps without a system call per flow.
pub(crate) const MMAPABLE: u32 = 1 << 10;

// The agent sets every max_entries before it loads the object.
#[map]
pub(crate) static CONTROL: Array<Control> = Array::with_max_entries(1, MMAPABLE);
/// For sets that are too large to be one value: [`Constant::Direct`].
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

/// What the agent puts in the place of the mark: the compiler knows nothing of it, the verifier all. Loaded anew each time:
/// an immediate costs less than keeping it somewhere until it is asked for again.
#[inline(always)]
fn constant<const NUMBER: u64>() -> u64 {
    let value;
    // SAFETY: loads a number.
    unsafe {
        asm!("{} = {} ll", out(reg) value, const MARK | NUMBER, options(nomem, nostack, preserves_flags));
    }
    value
}

macro_rules! constants {
    ($($(#[$about:meta])* $name:ident = $constant:ident;)*) => {$(
        $(#[$about])*
        #[inline(always)]
        pub(crate) fn $name() -> u64 {
            constant::<{ Constant::$constant as u64 }>()
        }
    )*};
}

constants! {
    slot_ways = SlotWays;
    cpus = Cpus;
    sets = Sets;
    log_size = LogSize;
    direct = Direct;
    cpu_table = CpuTable;
    set_table = SetTable;
}

macro_rules! shifts {
    ($($name:ident = $constant:ident;)*) => {$(
        /// Below 64, as the compiler must know to take it for a shift as it is.
        #[inline(always)]
        pub(crate) fn $name() -> u64 {
            let bits = constant::<{ Constant::$constant as u64 }>();
            // SAFETY: the agent computes it as a number of bits in a word, less than all.
            unsafe { core::hint::assert_unchecked(bits < 64) };
            bits
        }
    )*};
}

shifts! {
    set_bits = SetBits;
    set_shift = SetShift;
}

// The verifier knows the answer to each of these, and takes the code that is never run out of the program.

#[inline(always)]
pub(crate) fn sampling() -> bool {
    constant::<{ Constant::Sampling as u64 }>() != 0
}

#[inline(always)]
pub(crate) fn has_home() -> bool {
    constant::<{ Constant::Home as u64 }>() != 0
}

#[inline(always)]
pub(crate) fn filtering() -> bool {
    constant::<{ Constant::Filtering as u64 }>() != 0
}

#[inline(always)]
pub(crate) fn filter_needs_link() -> bool {
    constant::<{ Constant::FilterLink as u64 }>() != 0
}

/// In 64 bits, as it comes: the binding has 32, which cost two shifts.
#[inline(always)]
pub(crate) fn this_cpu() -> u64 {
    // SAFETY: number 8 of the helpers (bpf_get_smp_processor_id) has no arguments and no preconditions.
    unsafe {
        let helper: extern "C" fn() -> u64 = core::mem::transmute(8usize);
        helper()
    }
}

/// The same number, from now on in one register: a number that stands on the stack is loaded once to be compared and once to be
/// used, and what the verifier (seen on 5.10) learns from comparing the one it does not know of the other.
#[inline(always)]
fn held(mut number: u64) -> u64 {
    // SAFETY: moves a register to itself.
    unsafe {
        asm!("{0} = {0}", inout(reg) number, options(pure, nomem, nostack, preserves_flags));
    }
    number
}

/// What belongs to a CPU.
#[inline(always)]
pub(crate) fn cpu(number: u64) -> Option<*mut Cpu> {
    let number = held(number);
    if number >= cpus() {
        return None;
    }
    let table = cpu_table() as *mut Cpu;
    // SAFETY: compared with their number. Only this CPU writes it while its half is in use.
    Some(unsafe { table.add(number as usize) })
}

#[inline(always)]
pub(crate) fn set(number: u64) -> Option<*mut Set> {
    if direct() == 0 {
        return SETS.get_ptr_mut(number as u32);
    }
    let number = held(number);
    if number >= sets() {
        return None;
    }
    let table = set_table() as *mut Set;
    // SAFETY: compared with their number.
    Some(unsafe { table.add(number as usize) })
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
    key.hash_by(|number| match number {
        0 => constant::<0>(),
        1 => constant::<1>(),
        2 => constant::<2>(),
        3 => constant::<3>(),
        4 => constant::<4>(),
        5 => constant::<5>(),
        6 => constant::<6>(),
        7 => constant::<7>(),
        8 => constant::<8>(),
        _ => constant::<9>(),
    })
}
