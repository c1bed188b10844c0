//! What the product is measured against: nothing, the parser alone, and the designs that others use (the kernel's hash
//! maps), with drivers that make every packet another flow.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(core_intrinsics))]
#![cfg_attr(
    target_arch = "bpf",
    expect(
        internal_features,
        reason = "the only way to an atomic addition on this target"
    )
)]

#[cfg(target_arch = "bpf")]
#[path = "view.rs"]
#[expect(dead_code, reason = "only the direct view is measured")]
mod view;

#[cfg(target_arch = "bpf")]
#[path = "bench/peers.rs"]
mod peers;

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_PASS};
    use aya_ebpf::bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC};
    use aya_ebpf::helpers::generated::bpf_xdp_get_buff_len;
    use aya_ebpf::macros::{classifier, map, xdp};
    use aya_ebpf::maps::{PerCpuArray, ProgramArray};
    use aya_ebpf::programs::{TcContext, XdpContext};
    use sensor_common::parse::{self, Packet};

    use crate::peers;
    use crate::view::Direct;

    /// Slot 0: the program under measurement.
    #[map]
    static TARGET: ProgramArray = ProgramArray::with_max_entries(1, 0);
    /// The same for TC programs: one array holds programs of one type.
    #[map]
    static TARGET_TC: ProgramArray = ProgramArray::with_max_entries(1, 0);
    #[map]
    static RANDOM: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);
    #[map]
    static SINK: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

    /// Binary logarithm of the number of flows.
    #[unsafe(no_mangle)]
    static FLOW_BITS: u32 = 0;
    /// 0: any flow as often as another; 1: flow k as often as 1/k; 2: one after the other.
    #[unsafe(no_mangle)]
    static SKEWED: u32 = 0;
    /// Where the four bytes of the source address are that make the flow.
    #[unsafe(no_mangle)]
    static SOURCE: u32 = 26;

    #[xdp(frags)]
    fn bench_empty(_: XdpContext) -> u32 {
        XDP_PASS
    }

    #[classifier]
    fn bench_tc_empty(_: TcContext) -> i32 {
        TC_ACT_UNSPEC
    }

    #[xdp(frags)]
    fn bench_parse(ctx: XdpContext) -> u32 {
        if let Some(packet) = parsed(&ctx) {
            sink(&packet);
        }
        XDP_PASS
    }

    #[classifier]
    fn bench_tc_parse(ctx: TcContext) -> i32 {
        if let Some(packet) = parsed_tc(&ctx) {
            sink(&packet);
        }
        TC_ACT_UNSPEC
    }

    /// What each hash map costs, as an XDP and as a TC program.
    macro_rules! counts_with {
        ($count:path, $xdp:ident, $tc:ident) => {
            #[xdp(frags)]
            fn $xdp(ctx: XdpContext) -> u32 {
                if let Some(packet) = parsed(&ctx) {
                    // SAFETY: the context is live.
                    $count(&packet, unsafe { bpf_xdp_get_buff_len(ctx.ctx) });
                }
                XDP_PASS
            }

            #[classifier]
            fn $tc(ctx: TcContext) -> i32 {
                if let Some(packet) = parsed_tc(&ctx) {
                    $count(&packet, ctx.len() as u64);
                }
                TC_ACT_UNSPEC
            }
        };
    }

    counts_with!(peers::percpu_hash, bench_percpu_hash, bench_tc_percpu_hash);
    counts_with!(peers::lru_percpu, bench_lru_percpu, bench_tc_lru_percpu);
    counts_with!(peers::hash, bench_hash, bench_tc_hash);
    counts_with!(peers::pktstat, bench_pktstat, bench_tc_pktstat);

    /// Gives the packet another source address, and runs the target on it.
    #[xdp(frags)]
    fn bench_driver(ctx: XdpContext) -> u32 {
        if another_flow(ctx.data(), ctx.data_end()) {
            // SAFETY: the slot may be empty, and then the program goes on.
            let _missing = unsafe { TARGET.tail_call(&ctx, 0) };
        }
        XDP_ABORTED
    }

    #[classifier]
    fn bench_tc_driver(ctx: TcContext) -> i32 {
        if another_flow(ctx.data(), ctx.data_end()) {
            // SAFETY: as above.
            let _missing = unsafe { TARGET_TC.tail_call(&ctx, 0) };
        }
        TC_ACT_SHOT
    }

    #[inline(always)]
    fn another_flow(data: usize, end: usize) -> bool {
        // SAFETY: the value is this CPU's own; the packet's range is checked below.
        unsafe {
            let Some(state) = RANDOM.get_ptr_mut(0) else {
                return false;
            };
            let how = read(&SKEWED);
            let mut bits = read(&FLOW_BITS) & 31;
            let mut random = *state + 1;
            if how != 2 {
                random = *state | 1;
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
            }
            *state = random;
            if how == 1 {
                bits = ((random >> 32) as u32 % (bits + 1)) & 31;
            }
            let flow = random as u32 & ((1u32 << bits) - 1);
            let address = data + (read(&SOURCE) & 63) as usize;
            if address + 4 > end {
                return false;
            }
            *(address as *mut u32) = flow;
            true
        }
    }

    #[inline(always)]
    fn sink(packet: &Packet) {
        if let Some(sink) = SINK.get_ptr_mut(0) {
            let words = packet.key.0;
            // SAFETY: a live value of the map.
            unsafe {
                *sink =
                    words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ packet.tcp_flags as u64
            };
        }
    }

    #[inline(always)]
    fn parsed(ctx: &XdpContext) -> Option<Packet> {
        let direct = Direct {
            data: ctx.data(),
            data_end: ctx.data_end(),
            context: ctx.ctx,
        };
        parse::on_interface(&direct, false).ok()
    }

    #[inline(always)]
    fn parsed_tc(ctx: &TcContext) -> Option<Packet> {
        let direct = Direct {
            data: ctx.data(),
            data_end: ctx.data_end(),
            context: ctx.skb.skb,
        };
        parse::on_interface(&direct, false).ok()
    }

    /// # Safety
    /// None needed beyond a live reference; the loader changes constants after the compiler saw them.
    unsafe fn read(constant: &u32) -> u32 {
        // SAFETY: a reference is valid for reads.
        unsafe { core::ptr::from_ref(constant).read_volatile() }
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }

    #[unsafe(link_section = "license")]
    #[unsafe(no_mangle)]
    static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
