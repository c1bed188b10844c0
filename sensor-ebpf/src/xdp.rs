//! Ingress before the kernel's own stack: every packet as it came from the wire.

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use sensor_common::abi::Counts;
use sensor_common::flow::Direction;
use sensor_common::parse::{self, Packet, Reason};
use sensor_common::view::HEADER_WINDOW;

use crate::count::{Origin, count};
use crate::filter::{LONGEST_LINK_LAYER, Subject};
use crate::maps;
use crate::sample;
use crate::view::{Copied, Direct};

/// For kernels and drivers without multi-buffer packets (before 5.18).
#[xdp]
#[inline(always)] // a call of its own costs 7 ns a packet
fn sensor_xdp(ctx: XdpContext) -> u32 {
    look_at::<false>(&ctx);
    XDP_PASS
}

/// Nobody else wants the packets of a tap.
#[xdp]
#[inline(always)]
fn sensor_xdp_tap(ctx: XdpContext) -> u32 {
    look_at::<true>(&ctx);
    XDP_DROP
}

/// Multi-buffer: jumbo frames count in full, and the driver's MTU stays as it is.
#[xdp(frags)]
#[inline(always)]
fn sensor_xdp_frags(ctx: XdpContext) -> u32 {
    look_at_frags::<false>(&ctx);
    XDP_PASS
}

#[xdp(frags)]
#[inline(always)]
fn sensor_xdp_frags_tap(ctx: XdpContext) -> u32 {
    look_at_frags::<true>(&ctx);
    XDP_DROP
}

#[inline(always)]
fn look_at<const TAP: bool>(ctx: &XdpContext) {
    let Some(origin) = origin(ctx) else { return };
    let direct = direct(ctx);
    let bytes = (direct.data_end - direct.data) as u64;
    let subject = Subject {
        context: ctx.ctx,
        origin,
    };
    if maps::filter_needs_link() {
        subject.note_link(&direct, None);
    }
    count::<TAP>(
        parse(ctx),
        origin,
        Counts { packets: 1, bytes },
        |outcome, origin| subject.passes(outcome, origin, || bytes),
        |request| sample::from_xdp(ctx.ctx, request),
    );
}

#[inline(always)]
fn look_at_frags<const TAP: bool>(ctx: &XdpContext) {
    let Some(origin) = origin(ctx) else { return };
    let bytes = len(ctx);
    let subject = Subject {
        context: ctx.ctx,
        origin,
    };
    if maps::filter_needs_link() {
        let direct = direct(ctx);
        let linear = direct.data_end - direct.data;
        let short = linear < LONGEST_LINK_LAYER && (linear as u64) < bytes;
        match if short { copied(ctx, bytes) } else { None } {
            Some(copied) => subject.note_link(&copied, None),
            None => subject.note_link(&direct, None),
        }
    }
    count::<TAP>(
        parse_frags(ctx, bytes),
        origin,
        Counts { packets: 1, bytes },
        |outcome, origin| subject.passes(outcome, origin, || bytes),
        |request| sample::from_xdp_frags(ctx.ctx, request),
    );
}

#[inline(always)]
pub(crate) fn parse(ctx: &XdpContext) -> Result<Packet, Reason> {
    parse::on_interface(&direct(ctx), false)
}

/// Of a packet of `bytes` bytes, of which the headers may lie beyond the first buffer.
#[inline(always)]
pub(crate) fn parse_frags(ctx: &XdpContext, bytes: u64) -> Result<Packet, Reason> {
    let direct = direct(ctx);
    let outcome = parse::on_interface(&direct, false);
    let linear = (direct.data_end - direct.data) as u64;
    let cut = outcome.map_or_else(|reason| reason.is_truncation(), |packet| packet.cut);
    if cut
        && linear < bytes
        && linear < HEADER_WINDOW as u64
        && let Some(copied) = copied(ctx, bytes)
    {
        return parse::on_interface(&copied, false);
    }
    outcome
}

#[inline(always)]
pub(crate) fn len(ctx: &XdpContext) -> u64 {
    // SAFETY: the context is live.
    unsafe { bpf_xdp_get_buff_len(ctx.ctx) }
}

#[inline(always)]
pub(crate) fn origin(ctx: &XdpContext) -> Option<Origin> {
    // SAFETY: the context is live.
    let ifindex = unsafe { (*ctx.ctx).ingress_ifindex };
    Origin::of(ifindex, Direction::Ingress)
}

#[inline(always)]
fn direct(ctx: &XdpContext) -> Direct<*mut xdp_md> {
    Direct {
        data: ctx.data(),
        data_end: ctx.data_end(),
        context: ctx.ctx,
    }
}

#[inline(always)]
fn copied(ctx: &XdpContext, bytes: u64) -> Option<Copied<*mut xdp_md>> {
    let scratch = maps::SCRATCH.get_ptr_mut(0)?;
    let len = bytes.min(HEADER_WINDOW as u64) as u32;
    // Older verifiers lose a range that was proven by comparing; a mask they all understand.
    let len = (len.wrapping_sub(1) & (HEADER_WINDOW as u32 - 1)) + 1;
    // SAFETY: the scratch buffer is longer and this CPU's own.
    let error = unsafe { bpf_xdp_load_bytes(ctx.ctx, 0, scratch.cast(), len) };
    (error == 0).then_some(Copied {
        bytes: scratch.cast(),
        len: len as usize,
        context: ctx.ctx,
    })
}
