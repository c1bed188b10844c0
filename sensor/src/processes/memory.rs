//! What was seen of sockets in all snapshots, by their ends: a connection that is closed when the report is made is still
//! named in it.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::sockets::{MOST, Socket};
use crate::report::Process;

#[derive(Default)]
pub(super) struct Memory {
    sockets: HashMap<Ends, Seen, RandomState>,
    local: HashSet<IpAddr, RandomState>,
    snapshots: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Ends {
    transport: u8,
    local: (IpAddr, u16),
    remote: Option<(IpAddr, u16)>,
}

struct Seen {
    owner: Arc<Process>,
    /// Number of the last snapshot that it was in.
    last: u64,
}

impl Memory {
    /// `addresses`: those of this network namespace.
    pub(super) fn learn(&mut self, sockets: Vec<(Socket, Arc<Process>)>, addresses: Vec<IpAddr>) {
        self.snapshots += 1;
        let last = self.snapshots;
        for (socket, owner) in sockets {
            let ends = Ends {
                transport: socket.transport,
                local: socket.local,
                remote: socket.remote,
            };
            // Several may listen on one port: the first that the kernel lists has it. A later snapshot knows better.
            let seen = self.sockets.entry(ends).or_insert_with(|| Seen {
                owner: Arc::clone(&owner),
                last,
            });
            if seen.last != last {
                *seen = Seen { owner, last };
            }
        }
        self.local.extend(addresses.into_iter().take(MOST));
        if self.local.len() > MOST {
            self.local.clear();
        }
        self.forget_the_oldest();
    }

    /// Whose the local end of a flow is.
    pub(super) fn owner(
        &self,
        transport: u8,
        local: (IpAddr, u16),
        remote: (IpAddr, u16),
    ) -> Option<&Arc<Process>> {
        let find = |local, remote| {
            let ends = Ends {
                transport,
                local,
                remote,
            };
            self.sockets.get(&ends).map(|seen| &seen.owner)
        };
        let anywhere = |addr: IpAddr| find((addr, local.1), None);
        find(local, Some(remote))
            .or_else(|| find(local, None))
            .or_else(|| {
                let (addr, _) = local;
                if !self.is_local(addr) {
                    return None;
                }
                let ipv4 = || anywhere(Ipv4Addr::UNSPECIFIED.into());
                let ipv4 = addr.is_ipv4().then(ipv4).flatten();
                ipv4.or_else(|| anywhere(Ipv6Addr::UNSPECIFIED.into()))
            })
    }

    /// A socket that is bound to all addresses gets what comes for this one.
    fn is_local(&self, addr: IpAddr) -> bool {
        let broadcast = matches!(addr, IpAddr::V4(addr) if addr.is_broadcast());
        addr.is_loopback() || addr.is_multicast() || broadcast || self.local.contains(&addr)
    }

    /// Twice as many as one snapshot may have: those that there are now are never forgotten.
    fn forget_the_oldest(&mut self) {
        if self.sockets.len() <= 2 * MOST {
            return;
        }
        let mut ages: Vec<u64> = self.sockets.values().map(|seen| seen.last).collect();
        let middle = ages.len() / 2;
        let (_, &mut median, _) = ages.select_nth_unstable(middle);
        let now = self.snapshots;
        self.sockets
            .retain(|_, seen| seen.last > median || seen.last == now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensor_common::protocol::ip::{TCP, UDP};

    fn at(text: &str) -> (IpAddr, u16) {
        let end: std::net::SocketAddr = text.parse().unwrap();
        (end.ip(), end.port())
    }

    fn named(name: &str) -> Arc<Process> {
        Arc::new(Process {
            pid: Some(1),
            name: Some(name.to_owned()),
            cgroup: None,
        })
    }

    fn socket(transport: u8, local: &str, remote: Option<&str>) -> Socket {
        Socket {
            transport,
            local: at(local),
            remote: remote.map(at),
            inode: 1,
            cgroup_id: None,
        }
    }

    fn found(memory: &Memory, transport: u8, local: &str, remote: &str) -> Option<String> {
        let owner = memory.owner(transport, at(local), at(remote))?;
        owner.name.clone()
    }

    #[test]
    fn the_connection_comes_before_the_listener() {
        let mut memory = Memory::default();
        let sockets = vec![
            (socket(TCP, "[::]:443", None), named("listener")),
            (
                socket(TCP, "10.0.0.1:443", Some("192.0.2.9:5000")),
                named("worker"),
            ),
            (socket(UDP, "0.0.0.0:53", None), named("resolver")),
        ];
        memory.learn(sockets, vec!["10.0.0.1".parse().unwrap()]);
        let tcp = |local, remote| found(&memory, TCP, local, remote);
        assert_eq!(
            tcp("10.0.0.1:443", "192.0.2.9:5000").as_deref(),
            Some("worker")
        );
        assert_eq!(
            tcp("10.0.0.1:443", "192.0.2.9:5001").as_deref(),
            Some("listener")
        );
        assert_eq!(
            tcp("10.0.0.7:443", "192.0.2.9:5001"),
            None,
            "not our address"
        );
        assert_eq!(tcp("10.0.0.1:80", "192.0.2.9:5000"), None);
        let udp = |local| found(&memory, UDP, local, "192.0.2.9:5000");
        assert_eq!(udp("10.0.0.1:53").as_deref(), Some("resolver"));
        assert_eq!(udp("255.255.255.255:53").as_deref(), Some("resolver"));
        assert_eq!(udp("[::1]:53"), None, "an IPv4 socket gets no IPv6");
    }

    #[test]
    fn what_is_closed_is_remembered_and_a_new_owner_takes_over() {
        let mut memory = Memory::default();
        let connection = socket(TCP, "10.0.0.1:5000", Some("192.0.2.9:443"));
        memory.learn(vec![(connection.clone(), named("first"))], Vec::new());
        memory.learn(Vec::new(), Vec::new());
        let owner = |memory: &Memory| found(memory, TCP, "10.0.0.1:5000", "192.0.2.9:443");
        assert_eq!(owner(&memory).as_deref(), Some("first"));
        memory.learn(vec![(connection, named("second"))], Vec::new());
        assert_eq!(owner(&memory).as_deref(), Some("second"));
    }

    #[test]
    fn memory_is_bounded_and_what_lives_stays() {
        let mut memory = Memory::default();
        let owner = named("busy");
        let many = |net: u8| -> Vec<_> {
            let sockets = (0..MOST).map(|n| {
                let remote = IpAddr::from([198, net, (n >> 8) as u8, n as u8]);
                let mut socket = socket(TCP, "10.0.0.1:80", Some("192.0.2.9:1"));
                socket.remote = Some((remote, 1000 + (n >> 16) as u16));
                (socket, Arc::clone(&owner))
            });
            sockets.collect()
        };
        for net in 0..5 {
            memory.learn(many(net), Vec::new());
            assert!(memory.sockets.len() <= 2 * MOST);
            let newest = format!("198.{net}.0.1:1000");
            assert!(found(&memory, TCP, "10.0.0.1:80", &newest).is_some());
        }
        assert!(found(&memory, TCP, "10.0.0.1:80", "198.0.0.1:1000").is_none());
    }
}
