//! Tells a tap of the frames of one interface.

use std::sync::Arc;

use super::Frame;
use crate::counters::{Delta, Seen};
use crate::source::file::link_type;
use crate::source::tap::{Bytes, Origin, PacketRecord, SharedTap, SuperPacket, Tag};

pub struct Listener {
    pub tap: SharedTap,
    /// The interface's name.
    pub interface: Arc<str>,
    /// Bytes of each packet that it wants; 0 = those that are there for others.
    pub snaplen: u32,
}

impl Listener {
    #[inline(never)]
    /// `header_len`: bytes of headers that each packet of a super-packet carries.
    pub(super) fn tell(&self, frame: &Frame<'_>, seen: &Seen, header_len: u64, delta: &Delta) {
        (self.tap)(&PacketRecord {
            when: seen.when,
            interface: Some(&self.interface),
            direction: seen.direction,
            packets: seen.counts.packets,
            wire_len: seen.counts.bytes,
            cap_len: seen.captured_bytes,
            bytes: Bytes {
                data: frame.data,
                link_type: link_type::of_hardware(frame.arphrd),
                tag: frame.vlan.map(|vlan| Tag {
                    tpid: vlan.tpid,
                    tci: vlan.tci,
                }),
                len: frame.len,
                super_packet: (frame.gso_size > 0).then_some(SuperPacket {
                    header_len: header_len as u32,
                    size: frame.gso_size,
                }),
            },
            origin: Origin {
                number: frame.ifindex,
                name: Some(&self.interface),
            },
            parsed: &seen.packet,
            book: delta.book(),
        });
    }
}
