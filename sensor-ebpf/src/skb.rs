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
    let Some(origin) = origin(ctx, direction) else {
        return;
    };
    let subject = Subject {
        context: ctx.skb.skb,
        origin,
    };
    let tagged = is_tagged(ctx);
    if maps::filter_needs_link() {
        note_link(ctx, &subject, tagged);
    }
    let segments = Segments::of(ctx, origin, tagged);
    let counts = on_wire(ctx, segments, direction);
    count::<TAP>(
        parse(ctx, origin.starts_with_ip()),
        origin,
        counts,
        |outcome, origin| subject.passes(outcome, origin, || full_len(ctx, segments)),
        |request| sample::from_skb(ctx.skb.skb, request),
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
pub(crate) fn origin(ctx: &TcContext, direction: Direction) -> Option<Origin> {
    // SAFETY: the context is live.
    let ifindex = unsafe { (*ctx.skb.skb).ifindex };
    Origin::of(ifindex, direction)
}

#[inline(always)]
fn note_link(ctx: &TcContext, subject: &Subject<*mut __sk_buff>, tagged: bool) {
    let tag = tag_of(ctx, tagged);
    let direct = direct(ctx);
    let linear = direct.data_end - direct.data;
    let short = linear < LONGEST_LINK_LAYER && linear < ctx.len() as usize;
    match if short { copied(ctx) } else { None } {
        Some(copied) => subject.note_link(&copied, tag),
        None => subject.note_link(&direct, tag),
    }
}

/// EtherType and control word of the VLAN tag that is in the metadata.
#[inline(always)]
fn tag_of(ctx: &TcContext, tagged: bool) -> Option<(u16, u16)> {
    // SAFETY: the context is live.
    let (ethertype, control) = unsafe {
        (
            (*ctx.skb.skb).vlan_proto as u16,
            (*ctx.skb.skb).vlan_tci as u16,
        )
    };
    // The kernel has the EtherType in network byte order.
    tagged.then_some((u16::from_be(ethertype), control))
}

/// Whether the metadata has a VLAN tag. Asked once for all: of a field that is read in several places the compiler keeps the
/// address, which verifiers refuse.
#[inline(always)]
pub(crate) fn is_tagged(ctx: &TcContext) -> bool {
    // SAFETY: the context is live.
    unsafe { (*ctx.skb.skb).vlan_present != 0 }
}

/// How a super-packet is cut (of any other packet all zero), and whether a tag belongs in front.
#[derive(Clone, Copy)]
pub(crate) struct Segments {
    /// 0 where it is not said: what came from a virtual machine says how long its segments are, but not how many.
    number: u64,
    /// Payload of each but the last.
    len: u64,
    /// Bytes of headers that each carries.
    header_len: u64,
    tagged: bool,
}

impl Segments {
    /// Comes before anything else is known of the packet: the verifier would follow each way through the headers twice over
    /// otherwise.
    #[inline(always)]
    pub(crate) fn of(ctx: &TcContext, origin: Origin, tagged: bool) -> Self {
        let skb = ctx.skb.skb;
        // SAFETY: the context is live.
        let (number, len) = unsafe { ((*skb).gso_segs as u64, (*skb).gso_size as u64) };
        if number <= 1 && len == 0 {
            return Segments {
                number: 0,
                len: 0,
                header_len: 0,
                tagged,
            };
        }
        Segments {
            number,
            len,
            header_len: segment_header_len(ctx, origin),
            tagged,
        }
    }

    #[inline(always)]
    fn are_many(self) -> bool {
        self.number | self.len != 0
    }
}

/// What a filter takes for the packet's length: of a super-packet, that of a full segment.
#[inline(always)]
fn full_len(ctx: &TcContext, segments: Segments) -> u64 {
    let mut len = ctx.len() as u64;
    if segments.len > 0 && segments.header_len + segments.len < len {
        len = segments.header_len + segments.len;
    }
    if segments.tagged {
        len + VLAN_TAG_LEN
    } else {
        len
    }
}

/// Packets and bytes as on the wire.
///
/// On egress the kernel has done the arithmetic for a super-packet's bytes too (`wire_len`); it does none on ingress.
#[inline(always)]
pub(crate) fn on_wire(ctx: &TcContext, segments: Segments, direction: Direction) -> Counts {
    let len = ctx.len() as u64;
    let tagged = segments.tagged;
    if !segments.are_many() {
        let wire::OnWire { packets, bytes } = wire::segmented(len, 1, 0, tagged);
        return Counts { packets, bytes };
    }
    let number = match segments.number {
        0 => wire::segments(len, segments.header_len, segments.len),
        number => number,
    };
    let mut on_wire = wire::segmented(len, number, segments.header_len, tagged);
    if let Direction::Egress = direction {
        // SAFETY: the context is live.
        let wire_len = unsafe { (*ctx.skb.skb).wire_len as u64 };
        let tags = if tagged {
            on_wire.packets * VLAN_TAG_LEN
        } else {
            0
        };
        // Each knows headers that the other may not: the sum of Linux 6.1 lacks those around a tunnel, and there is none
        // where a packet did not come through the queueing layer; ours lacks those of a tunnel that is not known here.
        on_wire.bytes = on_wire.bytes.max(wire_len + tags);
    }
    let wire::OnWire { packets, bytes } = on_wire;
    Counts { packets, bytes }
}

#[inline(always)]
fn segment_header_len(ctx: &TcContext, origin: Origin) -> u64 {
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
