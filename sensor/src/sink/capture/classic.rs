//! The classic format: one header, and records of 16 bytes and the packet. Nothing but time and lengths has a place in it.

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const NS_PER_SECOND: u64 = 1_000_000_000;

pub(super) fn header(to: &mut Vec<u8>, link_type: u16, snaplen: u32) {
    to.extend(MAGIC_NANOSECONDS.to_le_bytes());
    to.extend(2u16.to_le_bytes());
    to.extend(4u16.to_le_bytes());
    for word in [0, 0, snaplen, u32::from(link_type)] {
        to.extend(word.to_le_bytes());
    }
}

/// `time` is in nanoseconds since the epoch; seconds beyond 32 bits begin again from 0, as everywhere in this format.
#[inline]
pub(super) fn packet(to: &mut Vec<u8>, time: u64, len: u32, data: &[u8]) {
    let seconds = (time / NS_PER_SECOND) as u32;
    let fraction = (time % NS_PER_SECOND) as u32;
    for word in [seconds, fraction, data.len() as u32, len] {
        to.extend(word.to_le_bytes());
    }
    to.extend_from_slice(data);
}
