//! What the product is measured against: nothing, the parser alone, one cache line for each flow, and the designs that others
//! use (the kernel's hash maps), with drivers that make every packet another flow.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![cfg_attr(target_arch = "bpf", feature(core_intrinsics))]
#![cfg_attr(
    target_arch = "bpf",
    expect(
        internal_features,
        reason = "the only way to an atomic addition on this target"
    )
)]

#[cfg(target_arch = "bpf")]
mod clock;
#[cfg(target_arch = "bpf")]
mod count;
#[cfg(target_arch = "bpf")]
mod filter;
#[cfg(target_arch = "bpf")]
mod flow_table;
#[cfg(target_arch = "bpf")]
mod home;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
#[path = "bench/peers.rs"]
mod peers;
#[cfg(target_arch = "bpf")]
mod sample;
#[cfg(target_arch = "bpf")]
mod skb;
#[cfg(target_arch = "bpf")]
mod view;
#[cfg(target_arch = "bpf")]
mod xdp;

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_PASS};
    use aya_ebpf::bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC};
    use aya_ebpf::macros::{classifier, map, xdp};
    use aya_ebpf::maps::{PerCpuArray, ProgramArray};
    use aya_ebpf::programs::{TcContext, XdpContext};
    use sensor_common::abi::Counts;
    use sensor_common::flow::Direction;
    use sensor_common::parse::{self, Packet};

    use crate::view::Direct;
    use crate::{peers, skb, xdp};

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
    /// Where the bytes of the source address are that make the flow.
    #[unsafe(no_mangle)]
    static SOURCE: u32 = 26;
    /// 0: four of them, as the parser reads an IPv4 address; 1: eight. What is written otherwise than it is read can't be
    /// forwarded from the store to the load, which waits until all before it is done: no packet from the wire does that.
    #[unsafe(no_mangle)]
    static WIDE: u32 = 0;

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

    /// What each table costs in place of ours, as an XDP and as a TC program. All before it is the product's own, or as little as
    /// possible.
    macro_rules! counts_with {
        ($count:path, $seen:ident, $seen_tc:ident, $xdp:ident, $tc:ident) => {
            #[xdp(frags)]
            fn $xdp(ctx: XdpContext) -> u32 {
                if let Some((packet, counts)) = $seen(&ctx) {
                    $count(&packet, counts);
                }
                XDP_PASS
            }

            #[classifier]
            fn $tc(ctx: TcContext) -> i32 {
                if let Some((packet, counts)) = $seen_tc(&ctx) {
                    $count(&packet, counts);
                }
                TC_ACT_UNSPEC
            }
        };
    }

    counts_with!(peers::line, seen, seen_tc, bench_line, bench_tc_line);
    counts_with!(
        peers::percpu_hash,
        seen,
        seen_tc,
        bench_percpu_hash,
        bench_tc_percpu_hash
    );
    counts_with!(
        peers::lru_percpu,
        seen,
        seen_tc,
        bench_lru_percpu,
        bench_tc_lru_percpu
    );
    counts_with!(peers::hash, seen, seen_tc, bench_hash, bench_tc_hash);
    counts_with!(
        peers::pktstat,
        plain,
        plain_tc,
        bench_pktstat,
        bench_tc_pktstat
    );

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
            if address + 8 > end {
                return false;
            }
            if read(&WIDE) == 0 {
                *(address as *mut u32) = flow;
            } else {
                *(address as *mut u64) = u64::from(flow) << 32;
            }
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

    /// A packet with the interface and direction in its key, and what it was on the wire.
    #[inline(always)]
    fn seen(ctx: &XdpContext) -> Option<(Packet, Counts)> {
        let origin = xdp::origin(ctx)?;
        let bytes = xdp::len(ctx);
        let mut packet = xdp::parse_frags(ctx, bytes).ok()?;
        packet.key.set_origin(origin.number(), origin.direction);
        Some((packet, Counts { packets: 1, bytes }))
    }

    #[inline(always)]
    fn seen_tc(ctx: &TcContext) -> Option<(Packet, Counts)> {
        let origin = skb::origin(ctx, Direction::Ingress)?;
        let segments = skb::Segments::of(ctx, origin, skb::is_tagged(ctx));
        let counts = skb::on_wire(ctx, segments, Direction::Ingress);
        let mut packet = skb::parse(ctx, origin.starts_with_ip()).ok()?;
        packet.key.set_origin(origin.number(), origin.direction);
        Some((packet, counts))
    }

    /// A packet by itself, as long as it is in memory.
    #[inline(always)]
    fn plain(ctx: &XdpContext) -> Option<(Packet, Counts)> {
        let bytes = xdp::len(ctx);
        Some((parsed(ctx)?, Counts { packets: 1, bytes }))
    }

    #[inline(always)]
    fn plain_tc(ctx: &TcContext) -> Option<(Packet, Counts)> {
        let bytes = ctx.len() as u64;
        Some((parsed_tc(ctx)?, Counts { packets: 1, bytes }))
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
