//! What the product is measured against: nothing, the parser alone, and the design that others use (a per-CPU hash map),
//! with a driver that makes every packet another flow.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(target_arch = "bpf")]
#[path = "view.rs"]
#[expect(dead_code, reason = "only the direct view is measured")]
mod view;

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_PASS};
    use aya_ebpf::helpers::generated::bpf_jiffies64;
    use aya_ebpf::macros::{map, xdp};
    use aya_ebpf::maps::{PerCpuArray, PerCpuHashMap, ProgramArray};
    use aya_ebpf::programs::XdpContext;
    use sensor_common::parse::{self, Packet};

    use crate::view::Direct;

    /// Packets, bytes, first, last, flags.
    type Flow = [u64; 5];

    #[map]
    static FLOWS: PerCpuHashMap<[u64; 5], Flow> = PerCpuHashMap::with_max_entries(1 << 20, 0);
    #[map]
    static PROTOCOLS: PerCpuArray<[u64; 2]> = PerCpuArray::with_max_entries(256, 0);
    /// Slot 0: the program under measurement.
    #[map]
    static TARGET: ProgramArray = ProgramArray::with_max_entries(1, 0);
    #[map]
    static RANDOM: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);
    #[map]
    static SINK: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

    /// Binary logarithm of the number of flows.
    #[unsafe(no_mangle)]
    static FLOW_BITS: u32 = 0;
    /// 1: flow k as often as 1/k.
    #[unsafe(no_mangle)]
    static SKEWED: u32 = 0;

    #[xdp]
    fn bench_empty(_: XdpContext) -> u32 {
        XDP_PASS
    }

    #[xdp]
    fn bench_parse(ctx: XdpContext) -> u32 {
        if let Some(packet) = parsed(&ctx)
            && let Some(sink) = SINK.get_ptr_mut(0)
        {
            let words = packet.key.0;
            // SAFETY: a live value of the map.
            unsafe {
                *sink =
                    words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ packet.tcp_flags as u64
            };
        }
        XDP_PASS
    }

    #[xdp]
    fn bench_percpu_hash(ctx: XdpContext) -> u32 {
        let Some(packet) = parsed(&ctx) else {
            return XDP_PASS;
        };
        let bytes = (ctx.data_end() - ctx.data()) as u64;
        // SAFETY: the helper has no preconditions; the values are this CPU's own.
        unsafe {
            let now = bpf_jiffies64();
            if let Some(totals) = PROTOCOLS.get_ptr_mut(packet.key.protocol() as u32) {
                (*totals)[0] += 1;
                (*totals)[1] += bytes;
            }
            if let Some(flow) = FLOWS.get_ptr_mut(&packet.key.0) {
                (*flow)[0] += 1;
                (*flow)[1] += bytes;
                (*flow)[3] = now;
                (*flow)[4] |= packet.tcp_flags as u64;
            } else {
                let flow = [1, bytes, now, now, packet.tcp_flags as u64];
                let _full = FLOWS.insert(&packet.key.0, &flow, 0);
            }
        }
        XDP_PASS
    }

    /// Gives the packet another source address, and runs the target on it.
    #[xdp]
    fn bench_driver(ctx: XdpContext) -> u32 {
        const SOURCE: usize = 26;
        // SAFETY: the value is this CPU's own; the packet's range is checked below.
        unsafe {
            let Some(state) = RANDOM.get_ptr_mut(0) else {
                return XDP_ABORTED;
            };
            let mut random = *state | 1;
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            *state = random;
            let mut bits = read(&FLOW_BITS) & 31;
            if read(&SKEWED) == 1 {
                bits = ((random >> 32) as u32 % (bits + 1)) & 31;
            }
            let flow = random as u32 & ((1u32 << bits) - 1);
            let address = ctx.data() + SOURCE;
            if address + 4 > ctx.data_end() {
                return XDP_ABORTED;
            }
            *(address as *mut u32) = flow;
            let _missing = TARGET.tail_call(&ctx, 0);
        }
        XDP_ABORTED
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
