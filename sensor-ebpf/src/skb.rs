//! Both ways through the traffic control hooks (TCX, clsact), where a buffer may stand for many packets.

use aya_ebpf::bindings::{__sk_buff, TC_ACT_SHOT, TC_ACT_UNSPEC};
use aya_ebpf::helpers::generated::bpf_skb_load_bytes;
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;
use sensor_common::abi::Counts;
use sensor_common::flow::Direction;
use sensor_common::parse::{self, Outer, Packet, Reason};
use sensor_common::view::HEADER_WINDOW;
use sensor_common::wire::{self, VLAN_TAG_LEN};

use crate::count::{Origin, count};
use crate::filter::{LONGEST_LINK_LAYER, Subject};
use crate::maps;
use crate::sample;
use crate::view::{Copied, Direct};

#[classifier]
#[inline(always)] // a call of its own costs 7 ns a packet
fn sensor_tc_ingress(ctx: TcContext) -> i32 {
    look_at::<false>(&ctx, Direction::Ingress);
    TC_ACT_UNSPEC
}

/// Nobody else wants the packets of a tap.
#[classifier]
#[inline(always)]
fn sensor_tc_tap(ctx: TcContext) -> i32 {
    look_at::<true>(&ctx, Direction::Ingress);
    TC_ACT_SHOT
}

#[classifier]
#[inline(always)]
fn sensor_tc_egress(ctx: TcContext) -> i32 {
    look_at::<false>(&ctx, Direction::Egress);
    TC_ACT_UNSPEC
}

#[inline(always)]
fn look_at<const TAP: bool>(ctx: &TcContext, direction: Direction) {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let ifindex = unsafe { (*skb).ifindex };
    let Some(origin) = Origin::of(ifindex, direction) else {
        return;
    };
    let subject = subject(ctx, origin);
    note_link(ctx, &subject);
    let header_len = segment_header_len(ctx, origin);
    let counts = on_wire(ctx, header_len, direction);
    count::<TAP>(
        parse(ctx, origin.starts_with_ip()),
        origin,
        counts,
        |outcome, origin| subject.passes(outcome, origin, full_len(ctx, header_len)),
        |request| sample::from_skb(skb, request),
    );
}

#[inline(always)]
pub(crate) fn parse(ctx: &TcContext, starts_with_ip: bool) -> Result<Packet, Reason> {
    let direct = direct(ctx);
    let outcome = parse::on_interface(&direct, starts_with_ip);
    let cut = outcome.map_or_else(|reason| reason.is_truncation(), |packet| packet.cut);
    let linear = direct.data_end - direct.data;
    // Big frames and those of packet sockets have little more than the link-layer header in line.
    if cut
        && linear < ctx.len() as usize
        && linear < HEADER_WINDOW
        && let Some(copied) = copied(ctx)
    {
        return parse::on_interface(&copied, starts_with_ip);
    }
    outcome
}

#[inline(always)]
fn subject(ctx: &TcContext, origin: Origin) -> Subject<*mut __sk_buff> {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let (tagged, ethertype, control) = unsafe {
        (
            (*skb).vlan_present != 0,
            (*skb).vlan_proto as u16,
            (*skb).vlan_tci as u16,
        )
    };
    Subject {
        context: skb,
        origin,
        // The kernel has the EtherType in network byte order.
        tag: tagged.then_some((u16::from_be(ethertype), control)),
    }
}

#[inline(always)]
fn note_link(ctx: &TcContext, subject: &Subject<*mut __sk_buff>) {
    if !maps::filter_needs_link() {
        return;
    }
    let direct = direct(ctx);
    let linear = direct.data_end - direct.data;
    let short = linear < LONGEST_LINK_LAYER && linear < ctx.len() as usize;
    match if short { copied(ctx) } else { None } {
        Some(copied) => subject.note_link(&copied),
        None => subject.note_link(&direct),
    }
}

/// What a filter takes for the packet's length: of a super-packet, that of a full segment.
#[inline(always)]
fn full_len(ctx: &TcContext, header_len: u64) -> u64 {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let (segment_len, tagged) = unsafe { ((*skb).gso_size as u64, (*skb).vlan_present != 0) };
    let mut len = ctx.len() as u64;
    if segment_len > 0 && header_len + segment_len < len {
        len = header_len + segment_len;
    }
    if tagged { len + VLAN_TAG_LEN } else { len }
}

/// Packets and bytes as on the wire.
///
/// On egress the kernel has done the arithmetic for bytes (`wire_len`, tunnels included); it does none on ingress. What
/// came from a virtual machine says how long its segments are, but not how many they are.
#[inline(always)]
fn on_wire(ctx: &TcContext, header_len: u64, direction: Direction) -> Counts {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let (segments, segment_len, tagged) = unsafe {
        (
            (*skb).gso_segs as u64,
            (*skb).gso_size as u64,
            (*skb).vlan_present != 0,
        )
    };
    let len = ctx.len() as u64;
    let mut on_wire = wire::segmented(len, 1, 0, tagged);
    if segments > 1 || segment_len > 0 {
        let segments = if segments == 0 {
            wire::segments(len, header_len, segment_len)
        } else {
            segments
        };
        on_wire = wire::segmented(len, segments, header_len, tagged);
    }
    if let Direction::Egress = direction {
        // SAFETY: the context is live.
        let wire_len = unsafe { (*skb).wire_len as u64 };
        // It is not set where a packet did not come through the queueing layer.
        if wire_len > len {
            let tags = if tagged {
                on_wire.packets * VLAN_TAG_LEN
            } else {
                0
            };
            on_wire.bytes = wire_len + tags;
        }
    }
    Counts {
        packets: on_wire.packets,
        bytes: on_wire.bytes,
    }
}

/// Bytes of headers that each segment of a super-packet carries, 0 for other packets. Comes before anything else is
/// known of the packet: the verifier would follow each way through the headers twice over otherwise.
#[inline(always)]
fn segment_header_len(ctx: &TcContext, origin: Origin) -> u64 {
    let skb = ctx.skb.skb;
    // SAFETY: the context is live.
    let (segments, segment_len) = unsafe { ((*skb).gso_segs, (*skb).gso_size) };
    if segments <= 1 && segment_len == 0 {
        return 0;
    }
    let Some(copied) = copied(ctx) else { return 0 };
    let Ok(packet) = parse::on_interface(&copied, origin.starts_with_ip()) else {
        return 0;
    };
    match maps::blurred(Outer::of(&packet).0) {
        Some(outer) => parse::segment_header_len(&copied, Outer(outer)) as u64,
        None => packet.header_len as u64,
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
