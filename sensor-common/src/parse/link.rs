//! What lies before the network header: Ethernet and its tags, MPLS, PPPoE, LLC, and the link types of capture files.

use super::{MAX_LABELS, MAX_TAGS, Reason};
use crate::flow::Direction;
use crate::protocol::network;
use crate::view::{PacketView, be16, raw32};

/// Hears of what stands between the link-layer header and the network header, as the walk passes it. `()` listens to
/// nothing, and then the walk costs nothing more.
pub trait LinkObserver {
    /// A tag by its EtherType (TPID), with its control word; VN-Tag and 802.1BR tags too.
    fn tag(&mut self, ethertype: u16, control: u16);
    /// An MPLS label stack entry (RFC 3032): label in the upper 20 bits.
    fn label(&mut self, entry: u32);
    /// A PPPoE session id (RFC 2516).
    fn session(&mut self, id: u16);
}

impl LinkObserver for () {
    #[inline(always)]
    fn tag(&mut self, _: u16, _: u16) {}
    #[inline(always)]
    fn label(&mut self, _: u32) {}
    #[inline(always)]
    fn session(&mut self, _: u16) {}
}

pub(super) const IPV4: u16 = network::IPV4;
pub(super) const IPV6: u16 = network::IPV6;

/// EtherTypes start here; smaller values are the length of an 802.3 frame.
const FIRST_ETHERTYPE: u16 = 0x0600;
pub(super) const ETHERNET_LEN: usize = 14;

/// The link types that have a decoder, by what the packet starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    Ethernet,
    /// An IP header of either version.
    RawIp,
    RawIpv4,
    RawIpv6,
    /// BSD loopback: address family in the byte order of the capturing host, or big-endian.
    Null,
    /// Linux cooked captures, `LINKTYPE_LINUX_SLL` and `LINKTYPE_LINUX_SLL2`.
    Sll,
    Sll2,
    /// PPP with or without its HDLC address and control bytes.
    Ppp,
    /// Cisco HDLC.
    CiscoHdlc,
    Unsupported,
}

impl LinkType {
    /// From the LINKTYPE_ number of a capture file (<https://www.tcpdump.org/linktypes.html>); 12, 14 and 101 have all
    /// been used for raw IP.
    pub fn from_number(number: u16) -> Self {
        match number {
            1 => LinkType::Ethernet,
            12 | 14 | 101 => LinkType::RawIp,
            228 => LinkType::RawIpv4,
            229 => LinkType::RawIpv6,
            0 | 108 => LinkType::Null,
            113 => LinkType::Sll,
            276 => LinkType::Sll2,
            9 | 50 => LinkType::Ppp,
            104 => LinkType::CiscoHdlc,
            _ => LinkType::Unsupported,
        }
    }
}

pub(super) struct Start {
    pub(super) network: u16,
    pub(super) offset: usize,
    pub(super) direction: Direction,
}

pub(super) fn start<V: PacketView, O: LinkObserver>(
    view: &V,
    link_type: LinkType,
    observer: &mut O,
) -> Result<Start, Reason> {
    let mut direction = Direction::Unknown;
    let (network, offset) = match link_type {
        LinkType::Ethernet => ethernet(view, 0, observer)?,
        LinkType::RawIp => (raw_ip(view)?, 0),
        LinkType::RawIpv4 => (IPV4, 0),
        LinkType::RawIpv6 => (IPV6, 0),
        LinkType::Null => null(view)?,
        LinkType::Sll => {
            let header = view.at::<16>(0).ok_or(Reason::TruncatedLink)?;
            direction = cooked_direction(be16::<0, _>(header));
            let fields = (be16::<14, _>(header), be16::<2, _>(header));
            cooked(view, fields, 16, observer)?
        }
        LinkType::Sll2 => {
            let header = view.at::<20>(0).ok_or(Reason::TruncatedLink)?;
            direction = cooked_direction(header[10] as u16);
            let fields = (be16::<0, _>(header), be16::<8, _>(header));
            cooked(view, fields, 20, observer)?
        }
        LinkType::Ppp => {
            let hdlc = view.at::<2>(0).ok_or(Reason::TruncatedLink)?;
            // Address and control: 0xff03 (RFC 1662), or 0x0f00 / 0x8f00 of Cisco's framing.
            let framed = matches!(hdlc, [0xff, 0x03] | [0x0f | 0x8f, 0x00]);
            ppp(view, if framed { 2 } else { 0 }, observer)?
        }
        LinkType::CiscoHdlc => {
            let header = view.at::<4>(0).ok_or(Reason::TruncatedLink)?;
            upper(view, be16::<2, _>(header), 4, observer)?
        }
        LinkType::Unsupported => return Err(Reason::UnsupportedLinkType),
    };
    Ok(Start {
        network,
        offset,
        direction,
    })
}

/// The version that the first four bits of an IP header give.
#[inline(always)]
pub(super) fn raw_ip<V: PacketView>(view: &V) -> Result<u16, Reason> {
    let first = view.at::<2>(0).ok_or(Reason::TruncatedNetwork)?;
    match first[0] >> 4 {
        4 => Ok(IPV4),
        6 => Ok(IPV6),
        _ => Err(Reason::IpVersion),
    }
}

/// Ethernet II or 802.3, with whatever tags follow: network id and offset of what they carry.
#[inline(always)]
pub(super) fn ethernet<V: PacketView, O: LinkObserver>(
    view: &V,
    offset: usize,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    let header = view
        .at::<ETHERNET_LEN>(offset)
        .ok_or(Reason::TruncatedLink)?;
    upper(view, be16::<12, _>(header), offset + ETHERNET_LEN, observer)
}

/// Tags, then a provider backbone header, PPPoE or MPLS, then the network header.
#[inline(always)]
fn upper<V: PacketView, O: LinkObserver>(
    view: &V,
    ethertype: u16,
    offset: usize,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    if ethertype == IPV4 || ethertype == IPV6 {
        return Ok((ethertype, offset)); // nine packets of ten
    }
    let (mut ethertype, mut offset) = tags(view, ethertype, offset, observer)?;
    if ethertype == network::PBB {
        // 802.1ah: an I-TAG of four bytes, then the customer's whole Ethernet header.
        let inner = view.at::<18>(offset).ok_or(Reason::TruncatedLink)?;
        let tagged = tags(view, be16::<16, _>(inner), offset + 18, observer)?;
        (ethertype, offset) = (tagged.0, view.forget(tagged.1));
    }
    if ethertype < FIRST_ETHERTYPE {
        (ethertype, offset) = llc(view, offset)?;
    }
    if ethertype == network::PPPOE_SESSION {
        let header = view.at::<8>(offset).ok_or(Reason::TruncatedLink)?;
        observer.session(be16::<2, _>(header));
        (ethertype, offset) = ppp(view, view.forget(offset + 6), observer)?;
        if ethertype == network::PPP {
            ethertype = network::PPPOE_SESSION; // PPP's own control traffic
        }
        return Ok((ethertype, offset));
    }
    if ethertype == network::MPLS || ethertype == network::MPLS_MULTICAST {
        return mpls(view, ethertype, offset, observer);
    }
    Ok((ethertype, offset))
}

/// Walks over tags, each of which ends with the EtherType of what follows it.
#[inline(always)]
fn tags<V: PacketView, O: LinkObserver>(
    view: &V,
    ethertype: u16,
    offset: usize,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    let (mut ethertype, mut offset) = (ethertype, offset);
    for _ in 0..MAX_TAGS {
        if !is_tag(ethertype) {
            return Ok((ethertype, offset));
        }
        offset = view.forget(offset);
        let tag = view.at::<4>(offset).ok_or(Reason::TruncatedLink)?;
        observer.tag(ethertype, be16::<0, _>(tag));
        (ethertype, offset) = match ethertype {
            network::VN_TAG => {
                let tag = view.at::<6>(offset).ok_or(Reason::TruncatedLink)?;
                (be16::<4, _>(tag), offset + 6)
            }
            network::E_TAG => {
                let tag = view.at::<8>(offset).ok_or(Reason::TruncatedLink)?;
                (be16::<6, _>(tag), offset + 8)
            }
            _ => (be16::<2, _>(tag), offset + 4),
        };
    }
    if is_tag(ethertype) {
        return Err(Reason::TooDeep);
    }
    Ok((ethertype, offset))
}

#[inline(always)]
fn is_tag(ethertype: u16) -> bool {
    matches!(
        ethertype,
        network::VLAN
            | network::QINQ
            | network::QINQ_9100
            | network::QINQ_9200
            | network::VN_TAG
            | network::E_TAG
    )
}

/// 802.2 LLC: SNAP with an EtherType inside, IP, or another service access point.
#[inline(always)]
fn llc<V: PacketView>(view: &V, offset: usize) -> Result<(u16, usize), Reason> {
    let header = view.at::<3>(offset).ok_or(Reason::TruncatedLink)?;
    match *header {
        [0xaa, 0xaa, 0x03] => {
            let snap = view.at::<8>(offset).ok_or(Reason::TruncatedLink)?;
            match [snap[3], snap[4], snap[5]] {
                [0, 0, 0] | [0, 0, 0xf8] => Ok((be16::<6, _>(snap), offset + 8)),
                _ => Ok((network::LLC_SNAP, offset + 8)),
            }
        }
        [0x06, 0x06, 0x03] => Ok((IPV4, offset + 3)),
        [service, ..] => Ok((service as u16, offset + 3)),
    }
}

/// Labels down to the bottom of the stack; what follows is IP if its first four bits say so (RFC 4928).
#[inline(always)]
fn mpls<V: PacketView, O: LinkObserver>(
    view: &V,
    ethertype: u16,
    offset: usize,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    const BOTTOM_OF_STACK: u8 = 1;
    let mut offset = offset;
    for _ in 0..MAX_LABELS {
        offset = view.forget(offset);
        let label = view.at::<4>(offset).ok_or(Reason::TruncatedLink)?;
        observer.label(u32::from_be(raw32::<0, _>(label)));
        offset += 4;
        if label[2] & BOTTOM_OF_STACK != 0 {
            let first = view.at::<2>(offset).ok_or(Reason::TruncatedLink)?;
            return Ok(match first[0] >> 4 {
                4 => (IPV4, offset),
                6 => (IPV6, offset),
                _ => (ethertype, offset), // a pseudowire or another payload
            });
        }
    }
    Err(Reason::TooDeep)
}

/// The PPP protocol field, one byte where it was compressed (RFC 1661 section 6.5).
#[inline(always)]
fn ppp<V: PacketView, O: LinkObserver>(
    view: &V,
    offset: usize,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    const COMPRESSED: u8 = 1;
    let field = view.at::<2>(offset).ok_or(Reason::TruncatedLink)?;
    let (protocol, offset) = if field[0] & COMPRESSED != 0 {
        (field[0] as u16, offset + 1)
    } else {
        (be16::<0, _>(field), offset + 2)
    };
    match protocol {
        0x0021 => Ok((IPV4, offset)),
        0x0057 => Ok((IPV6, offset)),
        0x0281 => mpls(view, network::MPLS, offset, observer),
        0x0283 => mpls(view, network::MPLS_MULTICAST, offset, observer),
        _ => Ok((network::PPP, offset)),
    }
}

fn null<V: PacketView>(view: &V) -> Result<(u16, usize), Reason> {
    let header = view.at::<4>(0).ok_or(Reason::TruncatedLink)?;
    let family = u32::from_le(raw32::<0, _>(header));
    let family = if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    };
    Ok(match family {
        2 => (IPV4, 4),
        10 | 24 | 28 | 30 => (IPV6, 4), // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS
        _ => (network::UNKNOWN, 4),
    })
}

/// Linux cooked: the protocol field is an EtherType, or a small number for frames that have none.
fn cooked<V: PacketView, O: LinkObserver>(
    view: &V,
    (protocol, arphrd): (u16, u16),
    offset: usize,
    observer: &mut O,
) -> Result<(u16, usize), Reason> {
    const ARPHRD_NETLINK: u16 = 824;
    const LLC_FRAME: u16 = 0x0004;
    match protocol {
        _ if arphrd == ARPHRD_NETLINK => Ok((network::UNKNOWN, offset)),
        LLC_FRAME => llc(view, offset),
        0..FIRST_ETHERTYPE => Ok((network::UNKNOWN, offset)),
        ethertype => upper(view, ethertype, offset, observer),
    }
}

/// `sll_pkttype` of packet(7): 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us.
fn cooked_direction(packet_type: u16) -> Direction {
    match packet_type {
        0..=2 => Direction::Ingress,
        4 => Direction::Egress,
        _ => Direction::Unknown,
    }
}
