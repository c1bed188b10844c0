//! The frames of one block of a TPACKET_V3 ring.
//!
//! A pure walk over bytes: every offset that the block claims is checked against the block, so that nothing in it can
//! lead outside or around in circles. The layout is `tpacket_block_desc` and `tpacket3_hdr` of linux/if_packet.h.

use libc::{TP_STATUS_USER, TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID, TPACKET_ALIGNMENT};
use std::mem::offset_of;

/// One packet as the ring hands it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The captured bytes, from the link-layer header on.
    pub data: &'a [u8],
    /// Length before it was cut to `data`, without a tag that stands in `vlan`. Of a GSO super-packet: all of it, with
    /// one header.
    pub len: u32,
    /// Since the epoch.
    pub time_ns: i64,
    pub ifindex: u32,
    /// ARPHRD_*: what `data` begins with.
    pub arphrd: u16,
    /// PACKET_HOST, PACKET_BROADCAST ... 4 is PACKET_OUTGOING, everything else came in.
    pub packet_type: u8,
    /// The outermost tag, when the kernel or the device has taken it out of the packet.
    pub vlan: Option<Vlan>,
    /// Payload bytes in each packet on the wire, 0 for a packet that is only itself.
    pub gso_size: u16,
    /// VIRTIO_NET_HDR_GSO_*: 1 = TCP over IPv4, 4 = TCP over IPv6, 5 = UDP; 0x80 added when TCP uses ECN.
    pub gso_kind: u8,
}

/// A tag that was stripped from the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vlan {
    pub tpid: u16,
    pub tci: u16,
}

/// Where the kernel keeps the word that says whose the block is.
pub(super) const STATUS_OFFSET: usize =
    HEAD_OFFSET + offset_of!(libc::tpacket_hdr_v1, block_status);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) frames: usize,
    /// Frames that the block promised and that don't lie within it.
    pub(super) unreadable: u64,
}

/// Hands every frame of the block to `f`.
pub(super) fn walk<'a>(block: &'a [u8], mut f: impl FnMut(Frame<'a>)) -> Walked {
    let mut walked = Walked::default();
    let Some(head) = read::<libc::tpacket_hdr_v1>(block, HEAD_OFFSET) else {
        return walked;
    };
    let mut at = head.offset_to_first_pkt as usize;
    for left in (1..=head.num_pkts).rev() {
        let slot = block.get(at..).unwrap_or_default();
        let Some(header) = read::<libc::tpacket3_hdr>(slot, 0) else {
            walked.unreadable += u64::from(left);
            break;
        };
        // A slot without the mark is one that the kernel reserved and gave up, because it can't describe the packet's
        // kind of GSO. It has counted it as dropped; all but the way to the next slot is left over from earlier rounds.
        if header.tp_status & TP_STATUS_USER != 0 {
            match frame(slot, &header) {
                Some(frame) => {
                    walked.frames += 1;
                    f(frame);
                }
                None => walked.unreadable += 1,
            }
        }
        // Slots don't overlap, so a step that is too short is as wrong as one that leads outside.
        let step = header.tp_next_offset as usize;
        at = if step < ADDRESS_END {
            usize::MAX
        } else {
            at.saturating_add(step)
        };
    }
    walked
}

/// The version and an offset come before the block's header proper.
const HEAD_OFFSET: usize = offset_of!(libc::tpacket_block_desc, hdr);
/// The address follows the frame's header at the next multiple of 16.
const ADDRESS_OFFSET: usize = size_of::<libc::tpacket3_hdr>().next_multiple_of(TPACKET_ALIGNMENT);
const ADDRESS_END: usize = ADDRESS_OFFSET + size_of::<libc::sockaddr_ll>();
/// struct virtio_net_hdr: flags, kind, header length, size, two offsets for checksums.
const VNET_HEADER_LEN: usize = 10;
const ETH_P_8021Q: u16 = 0x8100;

fn frame<'a>(slot: &'a [u8], header: &libc::tpacket3_hdr) -> Option<Frame<'a>> {
    let mac = usize::from(header.tp_mac);
    let end = mac.checked_add(header.tp_snaplen as usize)?;
    let address: libc::sockaddr_ll = read(slot, ADDRESS_OFFSET)?;
    let &[_, gso_kind, _, _, size_0, size_1, ..] =
        slot.get(..mac)?.last_chunk::<VNET_HEADER_LEN>()?;
    Some(Frame {
        data: slot.get(mac..end)?,
        len: header.tp_len,
        time_ns: i64::from(header.tp_sec) * 1_000_000_000 + i64::from(header.tp_nsec),
        ifindex: address.sll_ifindex as u32,
        arphrd: address.sll_hatype,
        packet_type: address.sll_pkttype,
        vlan: vlan(header),
        gso_size: if gso_kind == 0 {
            0
        } else {
            u16::from_ne_bytes([size_0, size_1])
        },
        gso_kind,
    })
}

fn vlan(header: &libc::tpacket3_hdr) -> Option<Vlan> {
    let has = |bit| header.tp_status & bit != 0;
    let tpid = if has(TP_STATUS_VLAN_TPID_VALID) {
        header.hv1.tp_vlan_tpid
    } else {
        ETH_P_8021Q
    };
    has(TP_STATUS_VLAN_VALID).then_some(Vlan {
        tpid,
        tci: header.hv1.tp_vlan_tci as u16,
    })
}

/// What the kernel fills for us to read.
///
/// # Safety
/// Only for types for which every pattern of bits is a value.
pub(super) unsafe trait Plain {}
// SAFETY: an integer.
unsafe impl Plain for libc::c_int {}
// SAFETY: integers only.
unsafe impl Plain for libc::tpacket_stats_v3 {}
// SAFETY: integers only.
unsafe impl Plain for libc::tpacket_hdr_v1 {}
// SAFETY: integers only.
unsafe impl Plain for libc::tpacket3_hdr {}
// SAFETY: integers only.
unsafe impl Plain for libc::sockaddr_ll {}

fn read<T: Plain>(bytes: &[u8], at: usize) -> Option<T> {
    let bytes = bytes.get(at..)?.get(..size_of::<T>())?;
    // SAFETY: the slice is as long as T, any bytes are a T, and the read needs no alignment.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
