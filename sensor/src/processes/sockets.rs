//! The local TCP and UDP sockets: from the kernel over sock_diag, or where that is refused from /proc/net.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor_common::protocol::ip;

use super::proc_net;
use crate::link::LinkError;
use crate::link::netlink::{self, Message, Request};

/// Sockets that one snapshot looks at.
pub(super) const MOST: usize = 131_072;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_LEN: usize = 56; // struct inet_diag_req_v2
const MESSAGE_LEN: usize = 72; // struct inet_diag_msg
const CGROUP_ID: u16 = 21; // INET_DIAG_CGROUP_ID, Linux 5.9; given without being asked for

/// Connection states of include/net/tcp_states.h that have an owner; TIME_WAIT and SYN_RECV have none.
const TCP_STATES: u32 = {
    const ALL: u32 = (1 << 12) - 1;
    const SYN_RECV: u32 = 3;
    const TIME_WAIT: u32 = 6;
    const CLOSE: u32 = 7;
    ALL & !1 & !(1 << SYN_RECV) & !(1 << TIME_WAIT) & !(1 << CLOSE)
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) transport: u8,
    /// Unspecified = all addresses, of both families for `::`.
    pub(super) local: (IpAddr, u16),
    /// `None` for listeners and unconnected UDP.
    pub(super) remote: Option<(IpAddr, u16)>,
    pub(super) inode: u64,
    pub(super) cgroup_id: Option<u64>,
}

pub(super) struct Found {
    pub(super) sockets: Vec<Socket>,
    pub(super) too_many: bool,
    pub(super) road: Road,
}

pub(super) enum Road {
    Diag,
    ProcNet { refused: String },
}

/// All sockets of this thread's network namespace that somebody holds; an error is a sentence.
pub(super) fn list() -> Result<Found, String> {
    match by_diag(MOST) {
        Ok(sockets) => Ok(found(sockets, Road::Diag)),
        Err(error) => {
            let refused = refusal(&error);
            match proc_net::sockets(MOST) {
                Ok(sockets) => Ok(found(sockets, Road::ProcNet { refused })),
                Err(error) => Err(format!(
                    "the kernel does not list its sockets ({refused}), and /proc/net can't be read ({error})"
                )),
            }
        }
    }
}

impl Socket {
    /// `None` where nobody holds it or it has no port yet. IPv4 on an IPv6 socket is IPv4.
    pub(super) fn new(
        transport: u8,
        local: (IpAddr, u16),
        remote: (IpAddr, u16),
        inode: u64,
    ) -> Option<Self> {
        if inode == 0 || local.1 == 0 {
            return None;
        }
        let canonical = |(addr, port): (IpAddr, u16)| (addr.to_canonical(), port);
        Some(Socket {
            transport,
            local: canonical(local),
            remote: (remote.1 != 0).then(|| canonical(remote)),
            inode,
            cgroup_id: None,
        })
    }
}

fn found(sockets: Vec<Socket>, road: Road) -> Found {
    Found {
        too_many: sockets.len() >= MOST,
        sockets,
        road,
    }
}

fn by_diag(most: usize) -> Result<Vec<Socket>, LinkError> {
    let mut sockets = Vec::new();
    for (transport, states) in [(ip::TCP, TCP_STATES), (ip::UDP, u32::MAX)] {
        for family in [libc::AF_INET, libc::AF_INET6] {
            let request = request(family as u8, transport, states);
            let room = most.saturating_sub(sockets.len());
            let parse = |message: Message<'_>| {
                (message.kind == SOCK_DIAG_BY_FAMILY)
                    .then(|| socket(transport, message.payload))
                    .flatten()
            };
            match netlink::dump_from(libc::NETLINK_SOCK_DIAG, request, room, parse) {
                Ok(more) => sockets.extend(more),
                // Without IPv6 there are no sockets of it.
                Err(LinkError::Refused(error))
                    if family == libc::AF_INET6 && error.raw_os_error() == Some(libc::ENOENT) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(sockets)
}

fn request(family: u8, transport: u8, states: u32) -> Request {
    let mut fixed = [0; REQUEST_LEN];
    fixed[0] = family;
    fixed[1] = transport;
    fixed[4..8].copy_from_slice(&states.to_ne_bytes());
    Request::new(SOCK_DIAG_BY_FAMILY, libc::NLM_F_DUMP, &fixed)
}

/// An inet_diag_msg and its attributes.
fn socket(transport: u8, message: &[u8]) -> Option<Socket> {
    let family = i32::from(*message.first()?);
    let port = |at: usize| {
        Some(u16::from_be_bytes(
            message.get(at..at + 2)?.try_into().ok()?,
        ))
    };
    let addr = |at: usize| -> Option<IpAddr> {
        match family {
            libc::AF_INET => {
                let octets: [u8; 4] = message.get(at..at + 4)?.try_into().ok()?;
                Some(Ipv4Addr::from(octets).into())
            }
            libc::AF_INET6 => {
                let octets: [u8; 16] = message.get(at..at + 16)?.try_into().ok()?;
                Some(Ipv6Addr::from(octets).into())
            }
            _ => None,
        }
    };
    let local = (addr(8)?, port(4)?);
    let remote = (addr(24)?, port(6)?);
    let inode = netlink::u32_at(message, 68)?;
    let mut socket = Socket::new(transport, local, remote, inode.into())?;
    let mut attributes = netlink::attributes(message.get(MESSAGE_LEN..)?);
    let id = attributes.find(|one| one.kind == CGROUP_ID);
    socket.cgroup_id = id.and_then(|one| netlink::u64_at(one.payload, 0));
    Some(socket)
}

fn refusal(error: &LinkError) -> String {
    match error {
        LinkError::Refused(error) | LinkError::Socket(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(family: i32, local: (&[u8], u16), remote: (&[u8], u16), inode: u32) -> Vec<u8> {
        let mut bytes = vec![0; MESSAGE_LEN];
        bytes[0] = family as u8;
        bytes[1] = 1;
        bytes[4..6].copy_from_slice(&local.1.to_be_bytes());
        bytes[6..8].copy_from_slice(&remote.1.to_be_bytes());
        bytes[8..8 + local.0.len()].copy_from_slice(local.0);
        bytes[24..24 + remote.0.len()].copy_from_slice(remote.0);
        bytes[68..72].copy_from_slice(&inode.to_ne_bytes());
        bytes
    }

    fn with_cgroup(mut bytes: Vec<u8>, id: u64) -> Vec<u8> {
        bytes.extend([5u16, 8].iter().flat_map(|part| part.to_ne_bytes())); // INET_DIAG_SHUTDOWN
        bytes.extend([0; 4]);
        bytes.extend(
            [12u16, CGROUP_ID]
                .iter()
                .flat_map(|part| part.to_ne_bytes()),
        );
        bytes.extend(id.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_connection_is_read() {
        let bytes = message(
            libc::AF_INET,
            (&[10, 0, 0, 1], 443),
            (&[192, 0, 2, 9], 51000),
            77,
        );
        let socket = socket(ip::TCP, &with_cgroup(bytes, 4711)).unwrap();
        assert_eq!(socket.local, ("10.0.0.1".parse().unwrap(), 443));
        assert_eq!(socket.remote, Some(("192.0.2.9".parse().unwrap(), 51000)));
        assert_eq!((socket.inode, socket.cgroup_id), (77, Some(4711)));
    }

    #[test]
    fn ipv4_on_an_ipv6_socket_is_ipv4() {
        let mapped = "::ffff:10.0.0.1".parse::<Ipv6Addr>().unwrap().octets();
        let far = "::ffff:192.0.2.9".parse::<Ipv6Addr>().unwrap().octets();
        let bytes = message(libc::AF_INET6, (&mapped, 80), (&far, 5000), 1);
        let socket = socket(ip::TCP, &bytes).unwrap();
        assert_eq!(socket.local.0.to_string(), "10.0.0.1");
        assert_eq!(socket.remote.unwrap().0.to_string(), "192.0.2.9");
        assert_eq!(socket.cgroup_id, None);
    }

    #[test]
    fn listeners_have_no_remote_end_and_dead_sockets_are_none() {
        let listener = message(libc::AF_INET6, (&[0; 16], 22), (&[0; 16], 0), 5);
        assert_eq!(socket(ip::TCP, &listener).unwrap().remote, None);
        let dead = message(libc::AF_INET, (&[10, 0, 0, 1], 22), (&[10, 0, 0, 2], 9), 0);
        assert_eq!(socket(ip::TCP, &dead), None);
    }

    #[test]
    fn not_more_are_listed_than_there_is_room_for() {
        let open = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let _held = [open(), open(), open()];
        let Ok(all) = by_diag(MOST) else {
            println!("skipped: the kernel does not list its sockets");
            return;
        };
        assert!(all.len() >= 3);
        for most in 0..3 {
            assert_eq!(by_diag(most).unwrap().len(), most);
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let whole = with_cgroup(message(libc::AF_INET6, (&[1; 16], 22), (&[2; 16], 7), 5), 1);
        for len in 0..whole.len() {
            let _ = socket(ip::UDP, &whole[..len]);
            assert_eq!(
                socket(ip::UDP, &whole[..len]).is_some(),
                len >= MESSAGE_LEN,
                "{len}"
            );
        }
        let _ = socket(ip::UDP, &[0xff; 200]);
    }
}
