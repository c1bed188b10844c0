//! What interfaces exist, and what the kernel says about them.
//!
//! Everything is asked over rtnetlink, which answers for the network namespace that the thread is in. `/sys/class/net`
//! would be easier to read and wrong: after `ip netns exec` or `nsenter` it may still be the one of another namespace.

mod ethtool;
mod features;
pub(crate) mod netlink;
#[cfg(test)]
pub(crate) mod netns;
mod route;
pub mod wanted;

pub use ethtool::{
    Offloads, ReceiveQueues, driver, offloads, queues, receive_queues, takes_vlan_tags_off,
    veth_without_xdp,
};
pub use features::{XdpFeatures, xdp_features};

use netlink::{Message, Request};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

/// An interface as the kernel sees it at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    /// The kernel allows nearly any bytes in a name; those that aren't UTF-8 are replaced.
    pub name: String,
    /// ARPHRD_*: what the packets begin with (1 = Ethernet, 772 = loopback, 65534 = nothing, they start at the IP header).
    pub arphrd: u16,
    /// The kind of a virtual interface: veth, bridge, tun, vlan, bond ...; physical ones have none.
    pub kind: Option<String>,
    /// Switched on by the administrator.
    pub up: bool,
    /// Able to carry packets: on, and with a carrier.
    pub running: bool,
    pub loopback: bool,
    pub mtu: u32,
    pub mac: Option<[u8; 6]>,
    /// Index of the bridge, bond ... that this interface is part of.
    pub master: Option<u32>,
    /// Index of what a VLAN or macvlan stands on, or of a veth's other end, where that is in the same namespace.
    pub lower: Option<u32>,
    pub xdp: Option<XdpAttached>,
    pub rx: LinkCounters,
    pub tx: LinkCounters,
}

/// An XDP program that sits on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XdpAttached {
    pub mode: XdpMode,
    /// 0 when the kernel doesn't say.
    pub prog_id: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XdpMode {
    Native,
    Generic,
    Offload,
    /// Programs in more than one mode at a time.
    Several,
}

/// The interface's own counters for one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCounters {
    pub packets: u64,
    pub bytes: u64,
    pub dropped: u64,
    pub errors: u64,
}

/// Both directions, read at the same moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub rx: LinkCounters,
    pub tx: LinkCounters,
}

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    pub addr: IpAddr,
    pub prefix_len: u8,
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error(
        "can't open a netlink socket to list interfaces: {0}; allow AF_NETLINK where address families are restricted"
    )]
    Socket(#[source] io::Error),
    #[error("can't ask the kernel about interfaces: {0}")]
    Send(#[source] io::Error),
    #[error("can't read the kernel's answer about interfaces: {0}")]
    Receive(#[source] io::Error),
    #[error("the kernel refused to tell about interfaces: {0}")]
    Refused(#[source] io::Error),
    #[error("the kernel's answer about interfaces is malformed: {0}")]
    Malformed(&'static str),
    #[error("interfaces changed during each of {attempts} attempts to list them; try again")]
    Interrupted { attempts: usize },
}

impl Link {
    /// In a word or two.
    pub fn state(&self) -> &'static str {
        match (self.up, self.running) {
            (false, _) => "down",
            (true, false) => "no carrier",
            (true, true) => "up",
        }
    }

    /// What packets start with, in a word.
    pub fn link_type(&self) -> &'static str {
        match self.arphrd {
            libc::ARPHRD_ETHER => "ethernet",
            libc::ARPHRD_LOOPBACK => "loopback",
            libc::ARPHRD_NONE => "none",
            libc::ARPHRD_PPP => "ppp",
            libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 => "ip-tunnel",
            libc::ARPHRD_SIT => "sit",
            libc::ARPHRD_IPGRE => "gre",
            libc::ARPHRD_INFINIBAND => "infiniband",
            _ => "other",
        }
    }
}

/// All interfaces of this network namespace, by index.
pub fn links() -> Result<Vec<Link>, LinkError> {
    let request = Request::new(libc::RTM_GETLINK, libc::NLM_F_DUMP, &[0; route::IFINFO_LEN]);
    let mut links = netlink::dump(request, parse_link)?;
    links.sort_by_key(|link| link.index);
    Ok(links)
}

/// The interface of this name (or alternative name), if there is one.
pub fn by_name(name: &str) -> Result<Option<Link>, LinkError> {
    if name.is_empty() || name.len() >= MAX_ALT_NAME || name.contains('\0') {
        return Ok(None);
    }
    let attribute = if name.len() < libc::IFNAMSIZ {
        libc::IFLA_IFNAME
    } else {
        libc::IFLA_ALT_IFNAME
    };
    let terminated: Vec<u8> = name.bytes().chain([0]).collect();
    let request = Request::new(libc::RTM_GETLINK, 0, &[0; route::IFINFO_LEN])
        .attribute(attribute, &terminated);
    match netlink::one(request, parse_link) {
        // Kernels before 5.5 know no alternative names, so that nothing can have one.
        Err(LinkError::Refused(error)) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        found => found,
    }
}

/// The interface with this index, if there (still) is one.
pub fn by_index(index: u32) -> Result<Option<Link>, LinkError> {
    one_by_index(index, parse_link)
}

/// The counters of one interface; `None` when it is gone. One question and one answer, cheap enough for every second.
pub fn counters(index: u32) -> Result<Option<Counters>, LinkError> {
    one_by_index(index, |message| {
        parse(message, libc::RTM_NEWLINK, route::link_counters)
    })
}

/// The interface that traffic to the outside leaves by: the IPv4 default route of the main table with the lowest
/// metric, or the IPv6 one where IPv4 has none.
pub fn default_route() -> Result<Option<u32>, LinkError> {
    let request = Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &[0; route::RTMSG_LEN]);
    let routes = netlink::dump(request, |message| {
        parse(message, libc::RTM_NEWROUTE, route::default_route)
    })?;
    Ok(routes.into_iter().min().map(|route| route.ifindex))
}

/// The addresses of all interfaces, by interface index, sorted.
pub fn addresses() -> Result<BTreeMap<u32, Vec<Address>>, LinkError> {
    let request = Request::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &[0; route::IFADDR_LEN]);
    let found = netlink::dump(request, |message| {
        parse(message, libc::RTM_NEWADDR, route::address)
    })?;
    let mut by_index: BTreeMap<u32, Vec<Address>> = BTreeMap::new();
    for (index, address) in found {
        by_index.entry(index).or_default().push(address);
    }
    by_index.values_mut().for_each(|addresses| addresses.sort());
    Ok(by_index)
}

/// ALTIFNAMSIZ: alternative names are longer than IFNAMSIZ, but not endless.
const MAX_ALT_NAME: usize = 128;

fn one_by_index<T>(
    index: u32,
    parse: impl Fn(Message<'_>) -> Option<T>,
) -> Result<Option<T>, LinkError> {
    // Index 0 would ask for no interface in particular, which the kernel answers with EINVAL; above i32 there is none.
    if index == 0 || i32::try_from(index).is_err() {
        return Ok(None);
    }
    let mut fixed = [0; route::IFINFO_LEN];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    netlink::one(Request::new(libc::RTM_GETLINK, 0, &fixed), parse)
}

fn parse_link(message: Message<'_>) -> Option<Link> {
    parse(message, libc::RTM_NEWLINK, route::link)
}

fn parse<T>(message: Message<'_>, kind: u16, payload: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    (message.kind == kind)
        .then(|| payload(message.payload))
        .flatten()
}

#[cfg(test)]
mod tests;
