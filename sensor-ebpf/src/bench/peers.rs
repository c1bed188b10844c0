//! How others count: one entry of a kernel hash map for each flow. The same road as the product's in front of each, and the
//! same work: packets, bytes, first, last and flags of the flow, and totals by protocol.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::helpers::generated::bpf_jiffies64;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruPerCpuHashMap, PerCpuArray, PerCpuHashMap};
use sensor_common::abi::{Counts, Record};
use sensor_common::parse::Packet;

/// Packets, bytes, first, last, flags.
type Flow = [u64; 5];

// The measurement sets every max_entries.
#[map]
static PERCPU: PerCpuHashMap<[u64; 5], Flow> = PerCpuHashMap::with_max_entries(1, 0);
#[map]
static LRU_PERCPU: LruPerCpuHashMap<[u64; 5], Flow> = LruPerCpuHashMap::with_max_entries(1, 0);
#[map]
static SHARED: HashMap<[u64; 5], Flow> = HashMap::with_max_entries(1, 0);
#[map]
static PKTSTAT: LruPerCpuHashMap<[u64; 9], [u64; 2]> = LruPerCpuHashMap::with_max_entries(1, 0);
#[map]
static PROTOCOLS: PerCpuArray<[u64; 2]> = PerCpuArray::with_max_entries(256, 0);

/// As many lines as the product's table has places on one CPU, in memory of the same kind.
#[map]
static LINES: Array<Record> = Array::with_max_entries(1, crate::maps::MMAPABLE);
/// Binary logarithm of them.
#[unsafe(no_mangle)]
static LINE_BITS: u32 = 0;

/// The least that can be done for a flow, and no way to count: the addresses choose a line, which is counted in without asking
/// whose it is; nothing but packets and bytes, and no totals.
#[inline(always)]
pub(crate) fn line(packet: &Packet, counts: Counts) {
    let [a, b, c, d, _] = packet.key.0;
    let mixed = (a ^ b ^ c ^ d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // SAFETY: a reference is valid for reads; the loader changes the constant after the compiler saw it.
    let bits = unsafe { core::ptr::from_ref(&LINE_BITS).read_volatile() } & 31;
    if let Some(line) = LINES.get_ptr_mut((mixed >> 32 >> (32 - bits)) as u32) {
        // SAFETY: a live value of the map; one CPU runs the measurement.
        unsafe {
            (*line).packets_flags += counts.packets;
            (*line).bytes += counts.bytes;
        }
    }
}

/// Per CPU: plain additions are exact.
macro_rules! count_per_cpu {
    ($map:ident, $packet:ident, $counts:ident) => {
        // SAFETY: the helper has no preconditions; the value is this CPU's own.
        unsafe {
            let now = bpf_jiffies64();
            protocol($packet, $counts);
            if let Some(flow) = $map.get_ptr_mut(&$packet.key.0) {
                (*flow)[0] += $counts.packets;
                (*flow)[1] += $counts.bytes;
                (*flow)[3] = now;
                (*flow)[4] |= $packet.tcp_flags as u64;
            } else {
                let _full = $map.insert(&$packet.key.0, &new($packet, $counts, now), 0);
            }
        }
    };
}

#[inline(always)]
pub(crate) fn percpu_hash(packet: &Packet, counts: Counts) {
    count_per_cpu!(PERCPU, packet, counts);
}

#[inline(always)]
pub(crate) fn lru_percpu(packet: &Packet, counts: Counts) {
    count_per_cpu!(LRU_PERCPU, packet, counts);
}

/// Shared by all CPUs: what is added must be added atomically.
#[inline(always)]
pub(crate) fn hash(packet: &Packet, counts: Counts) {
    // SAFETY: the helper has no preconditions; the values are live and aligned.
    unsafe {
        let now = bpf_jiffies64();
        protocol(packet, counts);
        if let Some(flow) = SHARED.get_ptr_mut(&packet.key.0) {
            add(&raw mut (*flow)[0], counts.packets);
            add(&raw mut (*flow)[1], counts.bytes);
            (*flow)[3] = now;
            (*flow)[4] |= packet.tcp_flags as u64;
        } else {
            let _full = SHARED.insert(&packet.key.0, &new(packet, counts, now), 0);
        }
    }
}

/// As the maps of pktstat-bpf (bpf/counter_common.h at 083f22a): an LRU_PERCPU_HASH whose key of 72 bytes has room for a process beside
/// the 5-tuple, packets and bytes and no more; no totals by protocol, no times, no flags.
#[inline(always)]
pub(crate) fn pktstat(packet: &Packet, counts: Counts) {
    let [a, b, c, d, meta] = packet.key.0;
    let key = [a, b, c, d, 0, 0, 0, meta << 32, meta >> 32];
    if let Some(flow) = PKTSTAT.get_ptr_mut(&key) {
        // SAFETY: the value is this CPU's own.
        unsafe {
            (*flow)[0] += counts.packets;
            (*flow)[1] += counts.bytes;
        }
    } else {
        let _full = PKTSTAT.insert(&key, &[counts.packets, counts.bytes], 0);
    }
}

#[inline(always)]
fn new(packet: &Packet, counts: Counts, now: u64) -> Flow {
    [
        counts.packets,
        counts.bytes,
        now,
        now,
        packet.tcp_flags as u64,
    ]
}

#[inline(always)]
fn protocol(packet: &Packet, counts: Counts) {
    if let Some(totals) = PROTOCOLS.get_ptr_mut(packet.key.protocol() as u32) {
        // SAFETY: the value is this CPU's own.
        unsafe {
            (*totals)[0] += counts.packets;
            (*totals)[1] += counts.bytes;
        }
    }
}

/// # Safety
/// `to` must point to a live, aligned word.
#[inline(always)]
unsafe fn add(to: *mut u64, what: u64) {
    // SAFETY: the caller's promise.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(to, what) };
}
