//! What the payloads of rtnetlink messages mean: interfaces, default routes, addresses.
//!
//! Pure functions over bytes. A message too short for its fixed part, or without what makes it useful, is `None`; an
//! attribute of an unexpected length is as good as missing.

use super::netlink::{attributes, text, u16_at, u32_at, u64_at};
use super::{Address, Counters, Link, LinkCounters, XdpAttached, XdpMode};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// struct ifinfomsg
pub(super) const IFINFO_LEN: usize = 16;
/// struct rtmsg
pub(super) const RTMSG_LEN: usize = 12;
/// struct ifaddrmsg
pub(super) const IFADDR_LEN: usize = 8;

const RTNH_F_DEAD: u32 = 1;
/// linux/if_link.h
const IFLA_LINK_NETNSID: u16 = 37;

/// The payload of an RTM_NEWLINK.
pub(super) fn link(payload: &[u8]) -> Option<Link> {
    let flags = u32_at(payload, 8)?;
    let flag = |bit: libc::c_int| flags & bit as u32 != 0;
    let mut link = Link {
        index: u32_at(payload, 4)?,
        arphrd: u16_at(payload, 2)?,
        up: flag(libc::IFF_UP),
        running: flag(libc::IFF_RUNNING),
        loopback: flag(libc::IFF_LOOPBACK),
        ..Link::default()
    };
    let mut elsewhere = false;
    for attribute in attributes(payload.get(IFINFO_LEN..)?) {
        let value = attribute.payload;
        match attribute.kind {
            libc::IFLA_IFNAME => link.name = text(value),
            libc::IFLA_MTU => link.mtu = u32_at(value, 0).unwrap_or_default(),
            libc::IFLA_ADDRESS => link.mac = value.try_into().ok(),
            libc::IFLA_MASTER => link.master = u32_at(value, 0).filter(|&index| index != 0),
            libc::IFLA_LINK => link.lower = u32_at(value, 0).filter(|&index| index != 0),
            IFLA_LINK_NETNSID => elsewhere = true,
            libc::IFLA_LINKINFO => link.kind = link_kind(value),
            libc::IFLA_XDP => link.xdp = xdp(value),
            libc::IFLA_STATS64 => {
                (link.rx, link.tx) = counters(value).map(|c| (c.rx, c.tx)).unwrap_or_default()
            }
            _ => {}
        }
    }
    link.lower = link.lower.filter(|_| !elsewhere);
    Some(link)
}

/// Only the counters of an RTM_NEWLINK.
pub(super) fn link_counters(payload: &[u8]) -> Option<Counters> {
    attributes(payload.get(IFINFO_LEN..)?)
        .find(|attribute| attribute.kind == libc::IFLA_STATS64)
        .and_then(|attribute| counters(attribute.payload))
}

/// A usable default route of the main table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DefaultRoute {
    /// Ordered before the metric, so that the smallest route is the one to take: IPv4 first.
    pub(super) ipv6: bool,
    pub(super) metric: u32,
    pub(super) ifindex: u32,
}

/// The payload of an RTM_NEWROUTE, when it is a default route that packets can take.
pub(super) fn default_route(payload: &[u8]) -> Option<DefaultRoute> {
    let family = i32::from(*payload.first()?);
    let destination_len = *payload.get(1)?;
    let kind = *payload.get(7)?;
    let flags = u32_at(payload, 8)?;
    if destination_len != 0
        || kind != libc::RTN_UNICAST
        || flags & (RTNH_F_DEAD | libc::RTM_F_CLONED) != 0
    {
        return None;
    }
    let mut table = u32::from(*payload.get(4)?);
    let (mut metric, mut ifindex) = (0, None);
    for attribute in attributes(payload.get(RTMSG_LEN..)?) {
        match attribute.kind {
            libc::RTA_TABLE => table = u32_at(attribute.payload, 0)?,
            libc::RTA_PRIORITY => metric = u32_at(attribute.payload, 0)?,
            libc::RTA_OIF => ifindex = u32_at(attribute.payload, 0),
            libc::RTA_MULTIPATH => ifindex = ifindex.or_else(|| first_next_hop(attribute.payload)),
            _ => {}
        }
    }
    let ipv6 = match family {
        libc::AF_INET => false,
        libc::AF_INET6 => true,
        _ => return None,
    };
    let in_main = table == u32::from(libc::RT_TABLE_MAIN);
    ifindex.filter(|_| in_main).map(|ifindex| DefaultRoute {
        ipv6,
        metric,
        ifindex,
    })
}

/// The payload of an RTM_NEWADDR: the interface it belongs to, and the address.
pub(super) fn address(payload: &[u8]) -> Option<(u32, Address)> {
    let family = i32::from(*payload.first()?);
    let prefix_len = *payload.get(1)?;
    let ifindex = u32_at(payload, 4)?;
    let (mut local, mut peer) = (None, None);
    for attribute in attributes(payload.get(IFADDR_LEN..)?) {
        match attribute.kind {
            libc::IFA_LOCAL => local = ip(family, attribute.payload),
            libc::IFA_ADDRESS => peer = ip(family, attribute.payload),
            _ => {}
        }
    }
    // On a point-to-point link IFA_ADDRESS is the far end; elsewhere the two are equal, and IPv6 gives only this one.
    let addr = local.or(peer)?;
    Some((ifindex, Address { addr, prefix_len }))
}

fn ip(family: libc::c_int, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        libc::AF_INET => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        libc::AF_INET6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        _ => None,
    }
}

fn link_kind(info: &[u8]) -> Option<String> {
    attributes(info)
        .find(|attribute| attribute.kind == libc::IFLA_INFO_KIND)
        .map(|attribute| text(attribute.payload))
}

/// struct rtnl_link_stats64, which older kernels end earlier.
fn counters(stats: &[u8]) -> Option<Counters> {
    let field = |n: usize| u64_at(stats, n * 8);
    let rx = LinkCounters {
        packets: field(0)?,
        bytes: field(2)?,
        errors: field(4)?,
        dropped: field(6)?,
    };
    let tx = LinkCounters {
        packets: field(1)?,
        bytes: field(3)?,
        errors: field(5)?,
        dropped: field(7)?,
    };
    Some(Counters { rx, tx })
}

/// The interface of the first next hop (struct rtnexthop) that isn't dead.
fn first_next_hop(mut hops: &[u8]) -> Option<u32> {
    const HOP_LEN: usize = 8;
    loop {
        let len = usize::from(u16_at(hops, 0)?);
        if u32::from(*hops.get(2)?) & RTNH_F_DEAD == 0 {
            return u32_at(hops, 4);
        }
        hops = hops.get(len.max(HOP_LEN).next_multiple_of(4)..)?;
    }
}

/// The nested attributes of IFLA_XDP (linux/if_link.h).
fn xdp(bytes: &[u8]) -> Option<XdpAttached> {
    const ATTACHED: u16 = 2;
    const PROG_ID: u16 = 4;
    const DRV_PROG_ID: u16 = 5;
    const SKB_PROG_ID: u16 = 6;
    const HW_PROG_ID: u16 = 7;
    let find = |kind| {
        attributes(bytes)
            .find(|attribute| attribute.kind == kind)
            .map(|attribute| attribute.payload)
    };
    let id = |kind| {
        find(kind)
            .and_then(|value| u32_at(value, 0))
            .filter(|&id| id != 0)
    };
    let mode = match *find(ATTACHED)?.first()? {
        0 => return None,
        1 => XdpMode::Native,
        2 => XdpMode::Generic,
        3 => XdpMode::Offload,
        _ => XdpMode::Several,
    };
    // PROG_ID is absent when programs are attached in several modes: name the one that sees packets first.
    let prog_id = id(PROG_ID)
        .or(id(HW_PROG_ID))
        .or(id(DRV_PROG_ID))
        .or(id(SKB_PROG_ID));
    Some(XdpAttached {
        mode,
        prog_id: prog_id.unwrap_or_default(),
    })
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
