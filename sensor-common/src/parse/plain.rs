//! Packets whose IP header follows an Ethernet header without tags: nearly all. Who asks this first can keep what else there
//! is out of the loop over packets, where it would take the registers.

use super::link::{ETHERNET_LEN, IPV4, IPV6};
use super::{Packet, Reason, ipv4, ipv6};
use crate::view::{PacketView, be16};

/// Of the IP header that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// `None` where tags or another protocol follow, or nothing does.
#[inline(always)]
pub fn family<V: PacketView>(view: &V) -> Option<Family> {
    match be16::<12, _>(view.at::<ETHERNET_LEN>(0)?) {
        IPV4 => Some(Family::Ipv4),
        IPV6 => Some(Family::Ipv6),
        _ => None,
    }
}

/// What [`super::on_interface`] says of a packet of [`Family::Ipv4`].
#[inline(always)]
pub fn ipv4<V: PacketView>(view: &V) -> Result<Packet, Reason> {
    ipv4::parse(view, ETHERNET_LEN)
}

/// The same of [`Family::Ipv6`].
#[inline(always)]
pub fn ipv6<V: PacketView>(view: &V) -> Result<Packet, Reason> {
    ipv6::parse(view, ETHERNET_LEN)
}
