//! The first payloads of a flow, on their way to the agent, which finds names in them.
//!
//! Which payloads are taken, and how much of them, is decided in `sensor_common::sample` for all roads. A record notes how
//! far its flow has come, so that the rest of the flow costs one comparison; what a full ring refuses is counted.

use aya_ebpf::bindings::{__sk_buff, BPF_RB_NO_WAKEUP, xdp_md};
use aya_ebpf::helpers::generated::{
    bpf_probe_read_kernel, bpf_ringbuf_output, bpf_skb_load_bytes, bpf_xdp_get_buff_len,
    bpf_xdp_load_bytes,
};
use aya_ebpf::programs::{TcContext, XdpContext};
use sensor_common::abi::{FLAGS_SHIFT, Record, SAMPLES_DONE, SAMPLES_HANDSHAKE, SAMPLES_SHIFT};
use sensor_common::flow::FlowKey;
use sensor_common::parse::{Packet, Reason};
use sensor_common::protocol::ip;
use sensor_common::sample::{self, BEGINS, LONG, SampleHead};

use crate::{clock, maps, skb, xdp};

/// One value of map `SAMPLE`, and one entry of the ring as far as it is filled.
#[repr(C)]
pub(crate) struct Buffer {
    head: SampleHead,
    bytes: [u8; LONG],
}

/// Where in the packet the payload is, and how long: in one word that is unknown to the verifier, which would follow each
/// way through the headers through all that comes after it otherwise.
#[derive(Clone, Copy)]
struct Payload(u64);

impl Payload {
    #[inline(always)]
    fn of(outcome: Result<Packet, Reason>) -> Option<Self> {
        let packet = outcome.ok()?;
        let place = packet.header_len as u64 | (packet.transport_offset as u64) << 16;
        maps::blurred((packet.payload_len as u64) << 32 | place).map(Payload)
    }

    #[inline(always)]
    fn len(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    fn offset(self) -> u32 {
        self.0 as u16 as u32
    }

    #[inline(always)]
    fn transport_offset(self) -> u32 {
        (self.0 >> 16) as u16 as u32
    }
}

/// How far the packet's flow has come, and how the packet begins: in one word, because the functions that take it are
/// verified by themselves, for any number.
#[derive(Clone, Copy)]
pub(crate) struct Request(u64);

const SYN: u64 = 2;

impl Request {
    #[inline(always)]
    fn new(record: &Record, starts_with_ip: bool) -> Self {
        let taken = record.packets_flags >> SAMPLES_SHIFT & 0xff;
        let begins = record.packets_flags >> FLAGS_SHIFT & SYN;
        Request(taken | begins << 8 | (starts_with_ip as u64) << 16)
    }

    #[inline(always)]
    fn starts_with_ip(self) -> bool {
        self.0 >> 16 & 1 != 0
    }

    /// What the record says now.
    #[inline(always)]
    fn unchanged(self) -> u64 {
        self.0 & 0xff
    }

    /// Payloads of this record that were taken before.
    #[inline(always)]
    fn taken(self) -> u8 {
        self.0 as u8 & !SAMPLES_HANDSHAKE
    }

    /// The payload before this one began a handshake, which may go on in this one.
    #[inline(always)]
    fn handshake(self) -> bool {
        self.0 as u8 & SAMPLES_HANDSHAKE != 0
    }

    /// This record has seen the SYN, so it is a new connection whatever its ports were used for before.
    #[inline(always)]
    fn begins(self) -> bool {
        self.0 >> 8 & SYN != 0
    }
}

/// A packet of a flow with names, and something behind its headers.
#[inline(always)]
pub(crate) fn is_wanted(packet: &Packet) -> bool {
    packet.payload_len != 0 && packet.key.has_ports()
}

/// Hands over the payload of a packet that was counted in `record`, if it is among the first of its flow.
///
/// `hand_over` finds the payload by parsing once more: keeping its place for every packet, until it is known that few are
/// asked for it, costs more.
#[inline(always)]
pub(crate) fn take(
    record: &mut Record,
    starts_with_ip: bool,
    hand_over: impl FnOnce(Request) -> u64,
) {
    const DONE: u64 = (SAMPLES_DONE as u64) << SAMPLES_SHIFT;
    if record.packets_flags & DONE == DONE {
        return;
    }
    let Some(buffer) = maps::SAMPLE.get_ptr_mut(0) else {
        return;
    };
    // SAFETY: a live value of the map, this CPU's own.
    let head = unsafe { &mut (*buffer).head };
    head.key = record.key;
    let taken = hand_over(Request::new(record, starts_with_ip)) & 0xff;
    record.packets_flags = record.packets_flags & !DONE | taken << SAMPLES_SHIFT;
}

#[inline(always)]
pub(crate) fn from_xdp(context: *mut xdp_md, request: Request) -> u64 {
    sensor_sample_xdp(context, request.0)
}

#[inline(always)]
pub(crate) fn from_xdp_frags(context: *mut xdp_md, request: Request) -> u64 {
    sensor_sample_xdp_frags(context, request.0)
}

#[inline(always)]
pub(crate) fn from_skb(context: *mut __sk_buff, request: Request) -> u64 {
    sensor_sample_tc(context, request.0)
}

// Functions of their own, so that the verifier goes through them once, and not once for each way through the headers.

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_sample_xdp(context: *mut xdp_md, request: u64) -> u64 {
    let request = Request(request);
    let ctx = XdpContext::new(context);
    let Some(payload) = Payload::of(xdp::parse(&ctx)) else {
        return request.unchanged();
    };
    let (data, end) = (ctx.data(), ctx.data_end());
    hand_over(request, payload, (end - data) as u32, |offset, to, len| {
        // SAFETY: kernels without multi-buffer XDP have no helper that copies from a packet; this one copies from any
        // address, and `hand_over` keeps to the length.
        unsafe { bpf_probe_read_kernel(to.cast(), len, (data + offset as usize) as *const _) == 0 }
    })
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_sample_xdp_frags(context: *mut xdp_md, request: u64) -> u64 {
    let request = Request(request);
    // SAFETY: the context is live for the call.
    let len = unsafe { bpf_xdp_get_buff_len(context) };
    let Some(payload) = Payload::of(xdp::parse_frags(&XdpContext::new(context), len)) else {
        return request.unchanged();
    };
    hand_over(request, payload, len as u32, |offset, to, len| {
        // SAFETY: as above; the buffer has room for `len`.
        unsafe { bpf_xdp_load_bytes(context, offset, to.cast(), len) == 0 }
    })
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_sample_tc(context: *mut __sk_buff, request: u64) -> u64 {
    let request = Request(request);
    let ctx = TcContext::new(context);
    let Some(payload) = Payload::of(skb::parse(&ctx, request.starts_with_ip())) else {
        return request.unchanged();
    };
    // SAFETY: the context is live for the call.
    let len = unsafe { (&raw const (*context).len).read_volatile() };
    hand_over(request, payload, len, |offset, to, len| {
        // SAFETY: as above; the buffer has room for `len`.
        unsafe { bpf_skb_load_bytes(context.cast(), offset, to.cast(), len) == 0 }
    })
}

/// Gives how many payloads of the record have been taken now, or `SAMPLES_DONE`. `load` copies bytes from an offset of the
/// packet, which is `packet_len` long.
#[inline(always)]
fn hand_over(
    request: Request,
    payload: Payload,
    packet_len: u32,
    load: impl Fn(u32, *mut u8, u32) -> bool,
) -> u64 {
    let Some(buffer) = maps::SAMPLE.get_ptr_mut(0) else {
        return SAMPLES_DONE as u64;
    };
    // SAFETY: a live value of the map, this CPU's own.
    let buffer = unsafe { &mut *buffer };
    let key = FlowKey(buffer.head.key);
    buffer.head.payload_len = payload.len();
    let budget = sample::budget(&key);
    // A SYN's record restarts the count once: with its first payload.
    let restart = request.begins() && request.taken() == 0;
    let cpu = maps::this_cpu();
    let number = if budget.renewed {
        request.taken()
    } else {
        let hash = maps::hash(&key);
        let bits = maps::set_bits();
        let line = cpu << bits | hash >> (64 - bits);
        let Some(tags) = maps::TAGS.get_ptr_mut(line as u32) else {
            return SAMPLES_DONE as u64;
        };
        // SAFETY: a live value of the map, in this CPU's part.
        unsafe { (*tags).count(hash, budget.payloads, restart) }
    };
    if number >= budget.payloads {
        return SAMPLES_DONE as u64;
    }
    let last = number + 1 >= budget.payloads;
    let taken = if last { SAMPLES_DONE } else { number + 1 };
    let offset = payload.offset();
    if offset >= packet_len {
        return taken as u64;
    }
    let mut len = packet_len - offset;
    if payload.len() < len {
        len = payload.len();
    }
    let mut start = [0; 4];
    if len >= 4 && !load(offset, start.as_mut_ptr(), 4) {
        return taken as u64;
    }
    let wanted = sample::wanted(start, &key, request.handshake()) as u32;
    if wanted < len {
        len = wanted;
    }
    // Older verifiers lose a range that was proven by comparing; a mask they all understand.
    let len = (len.wrapping_sub(1) & (LONG as u32 - 1)) + 1;
    if !load(offset, buffer.bytes.as_mut_ptr(), len) {
        return taken as u64;
    }
    buffer.head.tcp_seq = if key.protocol() == ip::TCP {
        sequence_number(payload.transport_offset(), &load)
    } else {
        0
    };
    buffer.head.ticks = clock::ticks();
    buffer.head.captured = len as u16;
    buffer.head.flags = if restart { BEGINS } else { 0 };
    output(buffer, len, cpu);
    if !last && key.protocol() == ip::TCP && sample::is_handshake(start) {
        return (taken | SAMPLES_HANDSHAKE) as u64;
    }
    taken as u64
}

#[inline(always)]
fn sequence_number(transport_offset: u32, load: &impl Fn(u32, *mut u8, u32) -> bool) -> u32 {
    let mut bytes = [0; 4];
    load(transport_offset + 4, bytes.as_mut_ptr(), 4);
    u32::from_be_bytes(bytes)
}

#[inline(always)]
fn output(buffer: &mut Buffer, len: u32, cpu: u64) {
    let len = size_of::<SampleHead>() as u64 + len as u64;
    let ring = (&raw const maps::SAMPLES).cast_mut().cast();
    // SAFETY: the buffer is at least `len` long; the map lives as long as the program.
    let error = unsafe {
        bpf_ringbuf_output(
            ring,
            core::ptr::from_mut(buffer).cast(),
            len,
            BPF_RB_NO_WAKEUP as u64,
        )
    };
    if error != 0
        && let Some(cpu) = maps::cpu(cpu)
    {
        // SAFETY: a live value of the map, this CPU's own.
        unsafe { (*cpu).samples_lost += 1 };
    }
}
