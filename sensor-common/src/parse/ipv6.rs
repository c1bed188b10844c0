//! IPv6 and its extension headers, RFC 8200.

use super::transport::{self, Payload};
use super::{MAX_EXTENSIONS, Packet, Reason};
use crate::flow::FlowKey;
use crate::view::{PacketView, be16, raw64};

const HEADER_LEN: usize = 40;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;

#[inline(always)]
pub(super) fn parse<V: PacketView>(view: &V, offset: usize) -> Result<Packet, Reason> {
    let header = view
        .at::<HEADER_LEN>(offset)
        .ok_or(Reason::TruncatedNetwork)?;
    if header[0] >> 4 != 6 {
        return Err(Reason::IpVersion);
    }
    let payload_len = be16::<4, _>(header) as usize;
    let src = [raw64::<8, _>(header), raw64::<16, _>(header)];
    let dst = [raw64::<24, _>(header), raw64::<32, _>(header)];
    let next = header[6];
    let start = Payload {
        offset: offset + HEADER_LEN,
        // 0 is a jumbogram (RFC 2675) or a super-packet: the frame's end is the payload's.
        len: if payload_len == 0 {
            usize::MAX
        } else {
            payload_len
        },
        first_fragment: true,
    };
    let walk = if is_extension(next) {
        extensions(view, next, start)
    } else {
        Walk {
            protocol: next,
            payload: start,
            cut: false,
        }
    };
    let key = FlowKey::ipv6(src, dst, walk.protocol);
    let mut packet = transport::parse(view, key, offset, walk.payload);
    packet.cut |= walk.cut;
    Ok(packet)
}

struct Walk {
    protocol: u8,
    payload: Payload,
    cut: bool,
}

/// The walk ends at the first header that is not one of the four that carry no transport of their own: AH and ESP are
/// transports here, as they are for IPv4.
#[inline(always)]
fn extensions<V: PacketView>(view: &V, first: u8, start: Payload) -> Walk {
    let mut protocol = first;
    let mut payload = start;
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(protocol) {
            break;
        }
        if payload.len < 8 {
            break;
        }
        let offset = view.forget(payload.offset);
        let Some(header) = view.at::<8>(offset) else {
            return Walk {
                protocol,
                payload: Payload { offset, ..payload },
                cut: true,
            };
        };
        let fragment = protocol == FRAGMENT;
        // The second byte of a fragment header is reserved and its length fixed. Written without a branch: every branch
        // here would double the verifier's work eight times over.
        let units = if fragment { 0 } else { header[1] as usize };
        let len = (units + 1) * 8;
        protocol = header[0];
        payload.offset = offset + len;
        payload.len = payload.len.saturating_sub(len);
        if fragment && be16::<2, _>(header) >> 3 != 0 {
            payload.first_fragment = false;
            break;
        }
    }
    Walk {
        protocol,
        payload,
        cut: false,
    }
}

/// The headers that the walk goes over; a packet whose transport is one of them was out of its reach.
#[inline(always)]
pub fn is_extension(next_header: u8) -> bool {
    const MASK: u64 = 1 << HOP_BY_HOP | 1 << ROUTING | 1 << FRAGMENT | 1 << DESTINATION;
    next_header < 64 && MASK >> next_header & 1 == 1
}
