//! IPv4, RFC 791.

use super::transport::{self, Payload};
use super::{Packet, Reason};
use crate::flow::FlowKey;
use crate::view::{PacketView, be16, raw32};

const MIN_LEN: usize = 20;
const FRAGMENT_OFFSET: u16 = 0x1fff;

#[inline(always)]
pub(super) fn parse<V: PacketView>(view: &V, offset: usize) -> Result<Packet, Reason> {
    let header = view.at::<MIN_LEN>(offset).ok_or(Reason::TruncatedNetwork)?;
    if header[0] >> 4 != 4 {
        return Err(Reason::IpVersion);
    }
    let header_len = (header[0] & 15) as usize * 4;
    if header_len < MIN_LEN {
        return Err(Reason::Ipv4HeaderLength);
    }
    let total_len = be16::<2, _>(header) as usize;
    if total_len != 0 && total_len < header_len {
        return Err(Reason::Ipv4TotalLength);
    }
    let protocol = header[9];
    let payload = Payload {
        offset: offset + header_len,
        // Segmentation offload leaves 0 in captures made on the sending host: the frame's end is the payload's.
        len: if total_len == 0 {
            usize::MAX
        } else {
            total_len - header_len
        },
        first_fragment: be16::<6, _>(header) & FRAGMENT_OFFSET == 0,
    };
    let key = FlowKey::ipv4(raw32::<12, _>(header), raw32::<16, _>(header), protocol);
    Ok(transport::parse(view, key, offset, payload))
}
