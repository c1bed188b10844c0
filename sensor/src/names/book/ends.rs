//! Keys of the book's caches: addresses, ports and conversations, that are hashed by the word instead of by the byte.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use sensor_common::flow::{DIRECTION_MASK, FlowKey, SLOT_MASK};

/// An [`IpAddr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Addr {
    ipv6: bool,
    bits: u128,
}

impl From<IpAddr> for Addr {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Addr {
                ipv6: false,
                bits: addr.to_bits().into(),
            },
            IpAddr::V6(addr) => Addr {
                ipv6: true,
                bits: addr.to_bits(),
            },
        }
    }
}

/// Both ways of a flow, wherever they are seen.
#[derive(Clone, Copy, Debug, Eq)]
pub(super) struct Ends([u64; 5]);

impl Ends {
    pub(super) fn of(key: &FlowKey) -> Self {
        let FlowKey(mut words) = if goes_up(key) { *key } else { turned(key) };
        words[4] &= !(SLOT_MASK | DIRECTION_MASK);
        Ends(words)
    }

    /// One of the two ways, without its origin.
    pub(super) fn key(&self) -> FlowKey {
        FlowKey(self.0)
    }
}

/// The other way of a flow.
pub(super) fn turned(key: &FlowKey) -> FlowKey {
    let [a, b, c, d, meta] = key.0;
    let ports = (meta as u32).rotate_left(16);
    FlowKey([c, d, a, b, meta & !u64::from(u32::MAX) | u64::from(ports)])
}

/// Which of the two ways of its conversation a flow is.
pub(super) fn goes_up(key: &FlowKey) -> bool {
    let [a, b, c, d, _] = key.0;
    (a, b, key.src_port()) <= (c, d, key.dst_port())
}

impl PartialEq for Ends {
    fn eq(&self, other: &Self) -> bool {
        FlowKey(self.0).same(&other.0)
    }
}

impl Hash for Ends {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for word in self.0 {
            state.write_u64(word);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use sensor_common::flow::Direction;

    use super::*;

    /// `10.0.0.1:40000` to `10.0.0.2:53`.
    pub(in crate::names::book) fn flow(src: &str, dst: &str, protocol: u8) -> FlowKey {
        let src: std::net::SocketAddr = src.parse().unwrap();
        let dst: std::net::SocketAddr = dst.parse().unwrap();
        let mut key = match (src.ip(), dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => FlowKey::ipv4(
                u32::from_ne_bytes(src.octets()),
                u32::from_ne_bytes(dst.octets()),
                protocol,
            ),
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                FlowKey::ipv6(words(src.octets()), words(dst.octets()), protocol)
            }
            _ => panic!("{src} and {dst} are of two kinds"),
        };
        let ([a, b], [c, d]) = (src.port().to_be_bytes(), dst.port().to_be_bytes());
        key.set_ports(u32::from_ne_bytes([a, b, c, d]));
        key
    }

    fn words(octets: [u8; 16]) -> [u64; 2] {
        let (low, high) = octets.split_at(8);
        [low, high].map(|half| u64::from_ne_bytes(half.try_into().unwrap()))
    }

    #[test]
    fn both_ways_and_all_interfaces_are_one_conversation() {
        for (a, b) in [
            ("10.0.0.1:40000", "10.0.0.2:53"),
            ("10.0.0.1:7", "10.0.0.1:9"),
            ("[2001:db8::1]:443", "[2001:db8::2]:50000"),
        ] {
            let mut there = flow(a, b, 6);
            let back = flow(b, a, 6);
            assert_eq!(Ends::of(&there), Ends::of(&back));
            assert_ne!(goes_up(&there), goes_up(&back));
            there.set_origin(9, Direction::Egress);
            assert_eq!(Ends::of(&there), Ends::of(&back));
        }
        let one = Ends::of(&flow("10.0.0.1:1", "10.0.0.2:2", 6));
        assert_ne!(one, Ends::of(&flow("10.0.0.1:2", "10.0.0.2:1", 6)));
        assert_ne!(one, Ends::of(&flow("10.0.0.1:1", "10.0.0.2:2", 17)));
    }
}
