//! A mirror port or a tap: its packets are there for us alone, so they are taken away from the host's stack.
//!
//! On an interface that the host uses itself that would cut it off, so such a one is refused.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use sensor_common::flow::Direction;
use sensor_common::parse::{Packet, Reason};

use super::home::HomeNet;
use super::raw_socket;
use crate::escape;
use crate::link::{self, Address, Link, LinkError};

/// What is asked of all interfaces of a run, which are mirror ports then.
#[derive(Clone, Debug, Default)]
pub struct MirrorPort {
    /// The networks that are ours: they tell which way a packet went.
    pub home: Option<HomeNet>,
    /// Also where the host uses the interface.
    pub force: bool,
    /// Of AF_XDP: the driver is polled by whoever reads.
    pub busy_poll: bool,
}

impl MirrorPort {
    /// Which way a packet went: its coming in here says nothing.
    #[inline]
    pub fn direction(&self, packet: &Result<Packet, Reason>) -> Direction {
        let home = self.home.as_ref();
        home.map_or(Direction::Unknown, |home| home.direction(packet))
    }
}

/// What the host uses the interface for, if anything: in the words of a refusal.
pub fn uses(link: &Link) -> Result<Vec<String>, LinkError> {
    Ok(uses_of(link, &link::addresses()?, &link::links()?))
}

fn uses_of(link: &Link, addresses: &BTreeMap<u32, Vec<Address>>, all: &[Link]) -> Vec<String> {
    let own = addresses.get(&link.index).into_iter().flatten();
    let global = own.filter(|address| !is_link_local(address.addr));
    let mut uses: Vec<String> = global
        .map(|address| format!("it has the address {}", address.addr))
        .collect();
    if let Some(master) = link.master {
        let master = all.iter().find(|other| other.index == master);
        let name = master.map_or("another interface".to_owned(), |master| {
            let kind = master.kind.as_deref().unwrap_or("interface");
            format!("{kind} {}", escape::text(&master.name))
        });
        uses.push(format!("it is part of {name}"));
    }
    let on_it = |other: &&Link| {
        other.lower == Some(link.index) && other.kind.as_deref() != Some("veth") // which has its peer there
    };
    uses.extend(all.iter().filter(on_it).map(|other| {
        let kind = other.kind.as_deref().unwrap_or("interface");
        format!("{kind} {} stands on it", escape::text(&other.name))
    }));
    uses
}

/// Every interface that is up has one of IPv6, whether anybody wants it or not.
fn is_link_local(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(_) => false,
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}

/// While it lives the interface takes in what is addressed to others too; the kernel ends it with the process, however that
/// ends.
#[derive(Debug)]
pub struct Promiscuous {
    _socket: OwnedFd,
}

impl Promiscuous {
    pub fn on(ifindex: u32) -> io::Result<Self> {
        let socket = raw_socket::open(libc::AF_PACKET, 0)?;
        let membership = libc::packet_mreq {
            mr_ifindex: ifindex as libc::c_int,
            mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        let (level, name) = (libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP);
        raw_socket::set(&socket, level, name, &membership)?;
        Ok(Promiscuous { _socket: socket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, kind: Option<&str>) -> Link {
        Link {
            index,
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            ..Link::default()
        }
    }

    #[test]
    fn an_interface_that_only_listens_is_not_in_use() {
        let eth1 = link(2, "eth1", None);
        let own = Address {
            addr: "fe80::1".parse().unwrap(),
            prefix_len: 64,
        };
        let peer = Link {
            lower: Some(2),
            ..link(3, "veth1", Some("veth"))
        };
        let all = [eth1.clone(), peer];
        assert_eq!(uses_of(&eth1, &[(2, vec![own])].into(), &all), [""; 0]);
    }

    #[test]
    fn every_use_is_named() {
        let eth1 = Link {
            master: Some(9),
            ..link(2, "eth1", None)
        };
        let vlan = Link {
            lower: Some(2),
            ..link(3, "eth1.5", Some("vlan"))
        };
        let all = [eth1.clone(), vlan, link(9, "br0", Some("bridge"))];
        let own = ["192.0.2.7", "2001:db8::7", "fe80::7"].map(|addr| Address {
            addr: addr.parse().unwrap(),
            prefix_len: 24,
        });
        let elsewhere = vec![own[0]];
        let addresses = [(2, own.to_vec()), (4, elsewhere)].into();
        assert_eq!(
            uses_of(&eth1, &addresses, &all),
            [
                "it has the address 192.0.2.7",
                "it has the address 2001:db8::7",
                "it is part of bridge br0",
                "vlan eth1.5 stands on it",
            ]
        );
    }
}
