//! Time for first and last packet: jiffies cost 0.7 ns, `bpf_ktime_get_ns` 35 (measured); the agent maps one to the
//! other.

use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;

/// The low 32 bits of jiffies.
#[inline(always)]
pub(crate) fn ticks() -> u32 {
    // SAFETY: the helper has no arguments and no preconditions.
    unsafe { aya_ebpf::helpers::generated::bpf_jiffies64() as u32 }
}

/// Run by the agent (BPF_PROG_TEST_RUN), never attached: what time it is in ticks.
#[classifier]
fn sensor_clock(_: TcContext) -> i32 {
    ticks() as i32
}
