//! From what the kernel hands over to what crossed the wire.
//!
//! A GSO/GRO super-packet is one buffer for many packets: the first headers, then the payload of all. On the wire each
//! packet carries the headers again; a VLAN tag that the hardware or driver stripped was on the wire too.

/// Length of an 802.1Q tag that was moved from the packet into its metadata, in bytes.
pub const VLAN_TAG_LEN: u64 = 4;

/// Packets and bytes (frames without FCS) on the wire for one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnWire {
    pub packets: u64,
    pub bytes: u64,
}

/// `len`: bytes of the buffer from the link-layer header on; `segments`: packets that it stands for (0 counts as 1);
/// `header_len`: bytes of headers that each of them carries; `tag_stripped`: a VLAN tag is in the metadata.
#[inline(always)]
pub fn segmented(len: u64, segments: u64, header_len: u64, tag_stripped: bool) -> OnWire {
    let packets = if segments == 0 { 1 } else { segments };
    let tag = if tag_stripped { VLAN_TAG_LEN } else { 0 };
    OnWire {
        packets,
        bytes: len + (packets - 1) * header_len + packets * tag,
    }
}

/// How many packets a buffer of `len` bytes makes, of which `header_len` are headers, when cut into `gso_size` bytes of
/// payload each. `gso_size` 0 means that it is one packet.
#[inline(always)]
pub fn segments(len: u64, header_len: u64, gso_size: u64) -> u64 {
    if gso_size == 0 || len <= header_len {
        return 1;
    }
    (len - header_len).div_ceil(gso_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_packet_is_itself() {
        assert_eq!(
            segmented(60, 0, 54, false),
            OnWire {
                packets: 1,
                bytes: 60
            }
        );
        assert_eq!(
            segmented(60, 1, 54, true),
            OnWire {
                packets: 1,
                bytes: 64
            }
        );
    }

    #[test]
    fn each_segment_carries_the_headers_and_the_tag() {
        // 3 segments of 1448 bytes behind 66 bytes of headers.
        let wire = segmented(66 + 3 * 1448, 3, 66, false);
        assert_eq!(
            wire,
            OnWire {
                packets: 3,
                bytes: 3 * (66 + 1448)
            }
        );
        assert_eq!(
            segmented(66 + 3 * 1448, 3, 66, true).bytes,
            3 * (66 + 1448 + 4)
        );
    }

    #[test]
    fn the_last_segment_may_be_short() {
        assert_eq!(segments(66 + 1448 + 1, 66, 1448), 2);
        assert_eq!(segments(66 + 1448, 66, 1448), 1);
        assert_eq!(segments(66, 66, 1448), 1);
        assert_eq!(segments(2000, 66, 0), 1);
    }
}
