//! What a filter may ask of one packet besides its bytes: filled by the kernel's programs and by the userspace sources
//! from the parser's outcome, read by the filter's instructions in the kernel and by its evaluation in userspace.

use crate::flow::FlowKey;
use crate::parse::{LinkObserver, Packet, Reason};
use crate::protocol::network;

/// VLAN tags that are told apart, one that hardware took off included.
pub const MAX_VLANS: usize = 12;
/// MPLS labels that are told apart.
pub const MAX_MPLS: usize = 8;

/// Bits of [`Facts::flags`].
pub const VLAN: u16 = 1;
pub const MPLS: u16 = 2;
pub const PPPOE: u16 = 4;
/// The packet starts with an Ethernet header.
pub const ETHERNET: u16 = 8;

/// Marks an entry of [`Facts::vlans`] that is one; the low twelve bits are the id.
pub const VLAN_ENTRY: u16 = 0x8000;
/// Marks an entry of [`Facts::labels`] that is one; the low twenty bits are the label.
pub const LABEL_ENTRY: u32 = 1 << 31;

/// One packet. The layout is read by generated instructions: offsets by `offset_of!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Facts {
    /// [`FlowKey`] with its origin. Of packets that could not be parsed only the origin: without
    /// [`crate::flow::VALID`], and all addresses zero.
    pub key: [u64; 5],
    /// Bytes on the wire; of a GSO super-packet those of a full segment.
    pub wire_len: u32,
    /// As [`Packet::network_offset`], 0 where nothing could be parsed.
    pub network_offset: u16,
    /// As [`Packet::transport_offset`].
    pub transport_offset: u16,
    pub flags: u16,
    /// PPPoE session id, where [`PPPOE`] is set.
    pub session: u16,
    /// How many entries of `vlans` and of `labels` there are.
    vlan_count: u16,
    label_count: u16,
    pub vlans: [u16; MAX_VLANS],
    pub labels: [u32; MAX_MPLS],
}

impl Facts {
    pub const NONE: Facts = Facts {
        key: [0; 5],
        wire_len: 0,
        network_offset: 0,
        transport_offset: 0,
        flags: 0,
        session: 0,
        vlan_count: 0,
        label_count: 0,
        vlans: [0; MAX_VLANS],
        labels: [0; MAX_MPLS],
    };

    /// What the parser found; `origin` is a key that holds the origin only.
    #[inline(always)]
    pub fn parsed(&mut self, outcome: &Result<Packet, Reason>, origin: u64, wire_len: u32) {
        self.wire_len = wire_len;
        match outcome {
            Ok(packet) => {
                let [a, b, c, d, meta] = packet.key.0;
                self.key = [a, b, c, d, meta | origin];
                self.network_offset = packet.network_offset;
                self.transport_offset = packet.transport_offset;
            }
            Err(_) => {
                self.key = [0, 0, 0, 0, origin];
                self.network_offset = 0;
                self.transport_offset = 0;
            }
        }
    }

    /// Forgets the link layer of the packet before.
    #[inline(always)]
    pub fn new_link(&mut self, ethernet: bool) {
        self.flags = if ethernet { ETHERNET } else { 0 };
        self.vlan_count = 0;
        self.label_count = 0;
        let (vlans, labels) = (self.vlans.as_mut_ptr(), self.labels.as_mut_ptr());
        clear(vlans.cast(), size_of_val(&self.vlans) / 8);
        clear(labels.cast(), size_of_val(&self.labels) / 8);
    }

    pub fn key(&self) -> FlowKey {
        FlowKey(self.key)
    }
}

/// Word by word: the compiler would make a loop over bytes of it, through which the verifier goes step by step.
#[inline(always)]
fn clear(words: *mut u64, count: usize) {
    for index in 0..count {
        // SAFETY: called above, with arrays that are aligned and that long (asserted below).
        unsafe { words.add(index).write_volatile(0) };
    }
}

const _: () = {
    assert!(core::mem::offset_of!(Facts, vlans).is_multiple_of(8));
    assert!(core::mem::offset_of!(Facts, labels).is_multiple_of(8));
    assert!((MAX_VLANS * 2).is_multiple_of(8) && (MAX_MPLS * 4).is_multiple_of(8));
};

impl LinkObserver for Facts {
    #[inline(always)]
    fn tag(&mut self, ethertype: u16, control: u16) {
        if !matches!(
            ethertype,
            network::VLAN | network::QINQ | network::QINQ_9100 | network::QINQ_9200
        ) {
            return;
        }
        self.flags |= VLAN;
        let place = self.vlan_count as usize;
        if place < MAX_VLANS {
            self.vlans[place] = VLAN_ENTRY | control & 0x0fff;
            self.vlan_count += 1;
        }
    }

    #[inline(always)]
    fn label(&mut self, entry: u32) {
        self.flags |= MPLS;
        let place = self.label_count as usize;
        if place < MAX_MPLS {
            self.labels[place] = LABEL_ENTRY | entry >> 12;
            self.label_count += 1;
        }
    }

    #[inline(always)]
    fn session(&mut self, id: u16) {
        self.flags |= PPPOE;
        self.session = id;
    }
}
