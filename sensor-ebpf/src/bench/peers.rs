//! How others count: one entry of a kernel hash map for each flow. The same parser and the same work in front of each:
//! packets, bytes, first, last and flags of the flow, and totals by protocol.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::helpers::generated::bpf_jiffies64;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruPerCpuHashMap, PerCpuArray, PerCpuHashMap};
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

/// Per CPU: plain additions are exact.
macro_rules! count_per_cpu {
    ($map:ident, $packet:ident, $bytes:ident) => {
        // SAFETY: the helper has no preconditions; the value is this CPU's own.
        unsafe {
            let now = bpf_jiffies64();
            protocol($packet, $bytes);
            if let Some(flow) = $map.get_ptr_mut(&$packet.key.0) {
                (*flow)[0] += 1;
                (*flow)[1] += $bytes;
                (*flow)[3] = now;
                (*flow)[4] |= $packet.tcp_flags as u64;
            } else {
                let _full = $map.insert(&$packet.key.0, &new($packet, $bytes, now), 0);
            }
        }
    };
}

#[inline(always)]
pub(crate) fn percpu_hash(packet: &Packet, bytes: u64) {
    count_per_cpu!(PERCPU, packet, bytes);
}

#[inline(always)]
pub(crate) fn lru_percpu(packet: &Packet, bytes: u64) {
    count_per_cpu!(LRU_PERCPU, packet, bytes);
}

/// Shared by all CPUs: what is added must be added atomically.
#[inline(always)]
pub(crate) fn hash(packet: &Packet, bytes: u64) {
    // SAFETY: the helper has no preconditions; the values are live and aligned.
    unsafe {
        let now = bpf_jiffies64();
        protocol(packet, bytes);
        if let Some(flow) = SHARED.get_ptr_mut(&packet.key.0) {
            add(&raw mut (*flow)[0], 1);
            add(&raw mut (*flow)[1], bytes);
            (*flow)[3] = now;
            (*flow)[4] |= packet.tcp_flags as u64;
        } else {
            let _full = SHARED.insert(&packet.key.0, &new(packet, bytes, now), 0);
        }
    }
}

/// As the maps of pktstat-bpf (bpf/counter_common.h at 083f22a): an LRU_PERCPU_HASH whose key of 72 bytes has room for a process beside
/// the 5-tuple, packets and bytes and no more; no totals by protocol, no times, no flags.
#[inline(always)]
pub(crate) fn pktstat(packet: &Packet, bytes: u64) {
    let [a, b, c, d, meta] = packet.key.0;
    let key = [a, b, c, d, 0, 0, 0, meta << 32, meta >> 32];
    if let Some(flow) = PKTSTAT.get_ptr_mut(&key) {
        // SAFETY: the value is this CPU's own.
        unsafe {
            (*flow)[0] += 1;
            (*flow)[1] += bytes;
        }
    } else {
        let _full = PKTSTAT.insert(&key, &[1, bytes], 0);
    }
}

#[inline(always)]
fn new(packet: &Packet, bytes: u64, now: u64) -> Flow {
    [1, bytes, now, now, packet.tcp_flags as u64]
}

#[inline(always)]
fn protocol(packet: &Packet, bytes: u64) {
    if let Some(totals) = PROTOCOLS.get_ptr_mut(packet.key.protocol() as u32) {
        // SAFETY: the value is this CPU's own.
        unsafe {
            (*totals)[0] += 1;
            (*totals)[1] += bytes;
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
