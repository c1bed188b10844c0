//! From the first bytes of a packet to its flow key, by one walk over the headers.
//!
//! The outermost IP header decides. Whatever the bytes are, the walk ends, reads nothing out of bounds and names its
//! outcome: a [`Packet`] (IP or not), or the [`Reason`] why there is none.

mod ipv4;
mod ipv6;
mod link;
mod transport;
mod tunnel;

#[cfg(test)]
mod tests;

pub use ipv6::is_extension as is_ipv6_extension;
pub use link::{LinkObserver, LinkType};
pub use tunnel::{Outer, segment_header_len};

use crate::flow::{Direction, FlowKey};
use crate::view::PacketView;

/// VLAN-like tags (802.1Q, 802.1ad, 0x9100, 802.1BR, VN-Tag) that are walked over; more make the packet `too_deep`.
pub const MAX_TAGS: usize = 4;
/// MPLS labels that are walked over.
pub const MAX_LABELS: usize = 8;
/// IPv6 extension headers that are walked over; with more, the next one's number is the transport.
pub const MAX_EXTENSIONS: usize = 8;

/// What the headers of one packet say.
///
/// In this order, because a [`Reason`] in its place takes the first byte: were it one of the key's, the compiler would carry
/// that word in two pieces through every program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Packet {
    /// TCP flags (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128), 0 for anything else.
    pub tcp_flags: u8,
    /// Way that the link-layer header itself tells (Linux cooked captures).
    pub direction: Direction,
    /// Bytes up to the end of the transport header, or of the last header that was understood.
    pub header_len: u16,
    /// Where the network header begins, counted from the start of the packet.
    pub network_offset: u16,
    /// Where the header behind the IP header and its extensions begins; 0 where there is none: later fragments, packets
    /// without IP.
    pub transport_offset: u16,
    /// Bytes that the IP header says are behind the TCP or UDP header; at least 2^31 where it leaves that open
    /// (super-packets), 0 for other transports.
    pub payload_len: u32,
    /// A header ends beyond the bytes at hand: who has more bytes should parse again.
    pub cut: bool,
    /// Without its origin (slot, direction), which only the source knows.
    pub key: FlowKey,
}

/// Why a packet has no flow key. The order is the order of the kernel's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The link-layer header or a tag is cut off.
    TruncatedLink = 0,
    /// The IP header is cut off before its addresses end.
    TruncatedNetwork = 1,
    /// More tags or labels than are walked over.
    TooDeep = 2,
    /// Announced as IP, but the version field is not the announced one.
    IpVersion = 3,
    /// IPv4 header length below 20 bytes (RFC 791 section 3.1).
    Ipv4HeaderLength = 4,
    /// IPv4 total length below the header's own length (0 is a super-packet and fine).
    Ipv4TotalLength = 5,
    /// A capture file's link type that has no decoder here.
    UnsupportedLinkType = 6,
}

impl Reason {
    pub const ALL: [Reason; 7] = [
        Reason::TruncatedLink,
        Reason::TruncatedNetwork,
        Reason::TooDeep,
        Reason::IpVersion,
        Reason::Ipv4HeaderLength,
        Reason::Ipv4TotalLength,
        Reason::UnsupportedLinkType,
    ];

    /// The name that stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reason::TruncatedLink => "truncated_link",
            Reason::TruncatedNetwork => "truncated_network",
            Reason::TooDeep => "too_deep",
            Reason::IpVersion => "ip_version",
            Reason::Ipv4HeaderLength => "ipv4_header_length",
            Reason::Ipv4TotalLength => "ipv4_total_length",
            Reason::UnsupportedLinkType => "unsupported_link_type",
        }
    }

    /// More bytes of the same packet could change the outcome.
    #[inline(always)]
    pub fn is_truncation(self) -> bool {
        matches!(self, Reason::TruncatedLink | Reason::TruncatedNetwork)
    }
}

/// Parses a packet as an interface shows it: from its Ethernet header, or from its IP header where the device has no
/// link layer (tun, WireGuard).
#[inline(always)]
pub fn on_interface<V: PacketView>(view: &V, starts_with_ip: bool) -> Result<Packet, Reason> {
    on_interface_observed(view, starts_with_ip, &mut ())
}

/// [`on_interface`], telling the observer of the link layer.
#[inline(always)]
pub fn on_interface_observed<V: PacketView, O: LinkObserver>(
    view: &V,
    starts_with_ip: bool,
    observer: &mut O,
) -> Result<Packet, Reason> {
    let (network, offset) = link_layer(view, starts_with_ip, observer)?;
    network_layer(view, network, offset)
}

/// Walks over the link layer alone: network id and offset of the network header.
#[inline(always)]
pub fn link_layer<V: PacketView, O: LinkObserver>(
    view: &V,
    starts_with_ip: bool,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    if starts_with_ip {
        Ok((link::raw_ip(view)?, 0))
    } else {
        link::ethernet(view, 0, observer)
    }
}

/// Parses a packet of any link type that has a decoder.
pub fn packet<V: PacketView>(view: &V, link_type: LinkType) -> Result<Packet, Reason> {
    packet_observed(view, link_type, &mut ())
}

/// [`packet`], telling the observer of the link layer.
pub fn packet_observed<V: PacketView, O: LinkObserver>(
    view: &V,
    link_type: LinkType,
    observer: &mut O,
) -> Result<Packet, Reason> {
    let start = link::start(view, link_type, observer)?;
    let mut packet = network_layer(view, start.network, start.offset)?;
    packet.direction = start.direction;
    Ok(packet)
}

#[inline(always)]
fn network_layer<V: PacketView>(view: &V, network: u16, offset: usize) -> Result<Packet, Reason> {
    match network {
        link::IPV4 => ipv4::parse(view, offset),
        link::IPV6 => ipv6::parse(view, offset),
        other => Ok(Packet {
            key: FlowKey::not_ip(other),
            tcp_flags: 0,
            header_len: offset as u16,
            network_offset: offset as u16,
            transport_offset: 0,
            payload_len: 0,
            direction: Direction::Unknown,
            cut: false,
        }),
    }
}

// At the end: it moves no line of what the kernel runs, whose object tells lines.
pub mod plain;
