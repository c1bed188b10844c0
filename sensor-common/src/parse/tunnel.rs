//! How many bytes of headers each segment of a tunnelled super-packet carries.
//!
//! Only segmentation arithmetic needs to look into tunnels: the outermost IP header decides everything else.

use super::link::{self, IPV4, IPV6};
use super::{Packet, network_layer};
use crate::protocol::ip;
use crate::view::{PacketView, be16};

const TRANSPARENT_ETHERNET: u16 = 0x6558;
const VXLAN: u16 = 4789;
const VXLAN_LINUX: u16 = 8472;
const GENEVE: u16 = 6081;

/// What matters of the outer headers, in one word: the kernel passes it through memory, so that the verifier need not
/// follow every way through the outer headers into the inner ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer(pub u64);

impl Outer {
    #[inline(always)]
    pub fn of(packet: &Packet) -> Self {
        let protocol = (packet.key.protocol() as u64) << 16;
        let dst_port = (packet.key.dst_port() as u64) << 32;
        Outer(packet.header_len as u64 | protocol | dst_port)
    }

    #[inline(always)]
    fn end(self) -> usize {
        self.0 as u16 as usize
    }

    #[inline(always)]
    fn protocol(self) -> u8 {
        (self.0 >> 16) as u8
    }

    #[inline(always)]
    fn dst_port(self) -> u16 {
        (self.0 >> 32) as u16
    }
}

/// Bytes of headers that each segment carries: up to the end of the inner transport header where `outer` is a tunnel
/// that is known here, else of the outer one.
#[inline(always)]
pub fn segment_header_len<V: PacketView>(view: &V, outer: Outer) -> u16 {
    inner_header_len(view, outer).unwrap_or(outer.end() as u16)
}

#[inline(always)]
pub(super) fn inner_header_len<V: PacketView>(view: &V, outer: Outer) -> Option<u16> {
    let end = view.forget(outer.end());
    let (network, offset) = match outer.protocol() {
        ip::IPIP => (IPV4, end),
        ip::IPV6 => (IPV6, end),
        ip::GRE => gre(view, end)?,
        ip::UDP => match outer.dst_port() {
            VXLAN | VXLAN_LINUX => (TRANSPARENT_ETHERNET, end + 8),
            GENEVE => {
                let header = view.at::<4>(end)?;
                (
                    be16::<2, _>(header),
                    end + 8 + (header[0] & 0x3f) as usize * 4,
                )
            }
            _ => return None,
        },
        _ => return None,
    };
    let offset = view.forget(offset);
    let (network, offset) = if network == TRANSPARENT_ETHERNET {
        link::ethernet(view, offset, &mut ()).ok()?
    } else {
        (network, offset)
    };
    let inner = network_layer(view, network, view.forget(offset)).ok()?;
    Some(inner.header_len)
}

/// RFC 2784 and 2890: checksum, key and sequence number are four bytes each where their flag is set.
#[inline(always)]
fn gre<V: PacketView>(view: &V, offset: usize) -> Option<(u16, usize)> {
    let header = view.at::<4>(offset)?;
    let optional = (header[0] >> 7 & 1) + (header[0] >> 5 & 1) + (header[0] >> 4 & 1);
    Some((be16::<2, _>(header), offset + 4 + optional as usize * 4))
}
