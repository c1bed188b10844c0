//! The blocks of pcapng that are written: little-endian, times in nanoseconds.
//!
//! After draft-ietf-opsawg-pcapng.

/// Of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) hardware: String,
    pub(super) os: String,
    pub(super) application: String,
}

/// Of an interface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Interface<'a> {
    pub(super) link_type: u16,
    pub(super) snaplen: u32,
    pub(super) name: Option<&'a str>,
    /// What was kept of its packets.
    pub(super) filter: Option<&'a str>,
}

/// Of a packet with a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packet<'a> {
    pub(super) interface: u32,
    /// Nanoseconds since the epoch.
    pub(super) time: u64,
    /// Before it was cut.
    pub(super) len: u32,
    pub(super) data: &'a [u8],
    /// 1 = inbound, 2 = outbound, 0 = not known.
    pub(super) way: u32,
    pub(super) comment: Option<&'a str>,
}

/// How an interface fared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    pub(super) interface: u32,
    /// Nanoseconds since the epoch.
    pub(super) time: u64,
    pub(super) received: u64,
    pub(super) dropped: u64,
    /// Packets of it in this file.
    pub(super) delivered: u64,
}

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
/// Longer texts are cut: an option's length has 16 bits.
const LONGEST_TEXT: usize = 4096;

pub(super) fn section(to: &mut Vec<u8>, section: &Section) {
    block(to, SECTION, |to| {
        to.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        to.extend(1u16.to_le_bytes());
        to.extend(0u16.to_le_bytes());
        to.extend(u64::MAX.to_le_bytes()); // the length of the section is not known
        let texts = [&section.hardware, &section.os, &section.application];
        for (code, text) in (2u16..).zip(texts).filter(|(_, text)| !text.is_empty()) {
            option(to, code, cut(text).as_bytes());
        }
        option(to, END_OF_OPTIONS, &[]);
    });
}

pub(super) fn interface(to: &mut Vec<u8>, interface: &Interface<'_>) {
    const NAME: u16 = 2;
    const TIME_RESOLUTION: u16 = 9;
    const FILTER: u16 = 11;
    block(to, INTERFACE, |to| {
        to.extend(interface.link_type.to_le_bytes());
        to.extend(0u16.to_le_bytes());
        to.extend(interface.snaplen.to_le_bytes());
        if let Some(name) = interface.name.filter(|name| !name.is_empty()) {
            option(to, NAME, cut(name).as_bytes());
        }
        option(to, TIME_RESOLUTION, &[9]);
        if let Some(filter) = interface.filter {
            // The first byte says that it is a text.
            option(to, FILTER, &[&[0], cut(filter).as_bytes()].concat());
        }
        option(to, END_OF_OPTIONS, &[]);
    });
}

#[inline]
pub(super) fn packet(to: &mut Vec<u8>, packet: &Packet<'_>) {
    const FLAGS: u16 = 2;
    block(to, ENHANCED_PACKET, |to| {
        to.extend(packet.interface.to_le_bytes());
        time(to, packet.time);
        to.extend((packet.data.len() as u32).to_le_bytes());
        to.extend(packet.len.to_le_bytes());
        to.extend_from_slice(packet.data);
        pad(to, packet.data.len());
        if let Some(comment) = packet.comment {
            option(to, COMMENT, cut(comment).as_bytes());
        }
        if packet.way != 0 {
            option(to, FLAGS, &packet.way.to_le_bytes());
        }
        if packet.way != 0 || packet.comment.is_some() {
            option(to, END_OF_OPTIONS, &[]);
        }
    });
}

/// A packet of the first interface that has no time; how much of it there is follows from that one's snaplen.
pub(super) fn simple(to: &mut Vec<u8>, len: u32, data: &[u8]) {
    block(to, SIMPLE_PACKET, |to| {
        to.extend(len.to_le_bytes());
        to.extend_from_slice(data);
        pad(to, data.len());
    });
}

pub(super) fn statistics(to: &mut Vec<u8>, statistics: &Statistics) {
    const RECEIVED: u16 = 4;
    const DROPPED: u16 = 5;
    const DELIVERED: u16 = 8;
    block(to, STATISTICS, |to| {
        to.extend(statistics.interface.to_le_bytes());
        time(to, statistics.time);
        option(to, RECEIVED, &statistics.received.to_le_bytes());
        option(to, DROPPED, &statistics.dropped.to_le_bytes());
        option(to, DELIVERED, &statistics.delivered.to_le_bytes());
        option(to, END_OF_OPTIONS, &[]);
    });
}

#[inline]
fn block(to: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = to.len();
    to.extend(kind.to_le_bytes());
    to.extend([0; 4]);
    body(to);
    let len = ((to.len() - start + 4) as u32).to_le_bytes();
    if let Some(place) = to.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&len);
    }
    to.extend(len);
}

/// The upper half first, whatever the byte order.
fn time(to: &mut Vec<u8>, time: u64) {
    to.extend(((time >> 32) as u32).to_le_bytes());
    to.extend((time as u32).to_le_bytes());
}

fn option(to: &mut Vec<u8>, code: u16, value: &[u8]) {
    to.extend(code.to_le_bytes());
    to.extend((value.len() as u16).to_le_bytes());
    to.extend_from_slice(value);
    pad(to, value.len());
}

/// Behind so many bytes: up to a multiple of four.
fn pad(to: &mut Vec<u8>, len: usize) {
    let zeros = [0; 3];
    to.extend_from_slice(zeros.get(..len.wrapping_neg() & 3).unwrap_or_default());
}

fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(LONGEST_TEXT);
    text.get(..end).unwrap_or(text)
}
