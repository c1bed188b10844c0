//! Both ways through the traffic control hooks (TCX, clsact), where a buffer may stand for many packets.

use aya_ebpf::bindings::{__sk_buff, TC_ACT_UNSPEC};
use aya_ebpf::helpers::generated::bpf_skb_load_bytes;
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;
use sensor_common::abi::Counts;
use sensor_common::flow::Direction;
use sensor_common::parse::{self, Packet, Reason};
use sensor_common::view::HEADER_WINDOW;
use sensor_common::wire::{self, VLAN_TAG_LEN};

use crate::count::{Origin, count};
use crate::maps;
use crate::view::{Copied, Direct};

#[classifier]
fn sensor_tc_ingress(ctx: TcContext) -> i32 {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let ifindex = unsafe { (*skb).ifindex };
    if let Some(origin) = Origin::of(ifindex, Direction::Ingress) {
        let outcome = parse(&ctx, origin);
        count(outcome, origin, merged_on_wire(&ctx, &outcome));
    }
    TC_ACT_UNSPEC
}

#[classifier]
fn sensor_tc_egress(ctx: TcContext) -> i32 {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let ifindex = unsafe { (*skb).ifindex };
    if let Some(origin) = Origin::of(ifindex, Direction::Egress) {
        let outcome = parse(&ctx, origin);
        count(outcome, origin, segmented_on_wire(skb));
    }
    TC_ACT_UNSPEC
}

#[inline(always)]
fn parse(ctx: &TcContext, origin: Origin) -> Result<Packet, Reason> {
    let direct = direct(ctx);
    let outcome = parse::on_interface(&direct, origin.starts_with_ip());
    let cut = outcome.map_or_else(|reason| reason.is_truncation(), |packet| packet.cut);
    let linear = direct.data_end - direct.data;
    // Big frames and those of packet sockets have little more than the link-layer header in line.
    if cut
        && linear < ctx.len() as usize
        && linear < HEADER_WINDOW
        && let Some(copied) = copied(ctx)
    {
        return parse::on_interface(&copied, origin.starts_with_ip());
    }
    outcome
}

/// What GRO (or a sender on this host) merged, as it came over the wire.
#[inline(always)]
fn merged_on_wire(ctx: &TcContext, outcome: &Result<Packet, Reason>) -> Counts {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let (segments, tagged) = unsafe { ((*skb).gso_segs as u64, (*skb).vlan_present != 0) };
    let mut header_len = 0;
    if segments > 1
        && let Ok(packet) = outcome
    {
        header_len = packet.header_len as u64;
        if let Some(copied) = copied(ctx)
            && let Some(inner) = parse::inner_header_len(&copied, packet)
        {
            header_len = inner as u64;
        }
    }
    let on_wire = wire::segmented(ctx.len() as u64, segments, header_len, tagged);
    Counts {
        packets: on_wire.packets,
        bytes: on_wire.bytes,
    }
}

/// What the device will cut a buffer into; the kernel has done the arithmetic, tunnels included.
#[inline(always)]
fn segmented_on_wire(skb: *mut __sk_buff) -> Counts {
    // SAFETY: the context is live.
    let (segments, len, wire_len, tagged) = unsafe {
        (
            (*skb).gso_segs as u64,
            (*skb).len as u64,
            (*skb).wire_len as u64,
            (*skb).vlan_present != 0,
        )
    };
    // It is not set where a packet did not come through the queueing layer.
    let wire_len = wire_len.max(len);
    let packets = if segments == 0 { 1 } else { segments };
    let tags = if tagged { packets * VLAN_TAG_LEN } else { 0 };
    Counts {
        packets,
        bytes: wire_len + tags,
    }
}

#[inline(always)]
fn direct(ctx: &TcContext) -> Direct<*mut __sk_buff> {
    Direct {
        data: ctx.data(),
        data_end: ctx.data_end(),
        context: ctx.skb.skb,
    }
}

#[inline(always)]
fn copied(ctx: &TcContext) -> Option<Copied<*mut __sk_buff>> {
    let scratch = maps::SCRATCH.get_ptr_mut(0)?;
    let len = ctx.len().min(HEADER_WINDOW as u32);
    // Older verifiers lose a range that was proven by comparing; a mask they all understand.
    let len = (len.wrapping_sub(1) & (HEADER_WINDOW as u32 - 1)) + 1;
    // SAFETY: the scratch buffer is longer and this CPU's own.
    let error = unsafe { bpf_skb_load_bytes(ctx.skb.skb.cast(), 0, scratch.cast(), len) };
    (error == 0).then_some(Copied {
        bytes: scratch.cast(),
        len: len as usize,
        context: ctx.skb.skb,
    })
}
