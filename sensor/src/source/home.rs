//! The networks that are ours: where the source of packets knows no direction, their addresses do.

use sensor_common::flow::{Direction, FlowKey, IPV6};
use sensor_common::parse::{Packet, Reason};
use sensor_common::prefix_set::Line;

use crate::filter::prefix_table::PrefixTable;
use crate::filter::tree::{Prefix, PrefixList};

/// As the programs in the kernel look into it.
#[derive(Clone, Debug)]
pub struct HomeNet {
    networks: Vec<Prefix>,
    table: PrefixTable,
}

impl HomeNet {
    /// `seed`: any number. `None` where no networks are given.
    pub fn new(networks: &[Prefix], seed: u64) -> Option<Self> {
        let list = PrefixList::merged(None, networks.to_vec());
        let networks = list.prefixes.clone();
        (!networks.is_empty()).then(|| HomeNet {
            networks,
            table: PrefixTable::build(&[list.into()], seed),
        })
    }

    /// For reports.
    pub fn note(&self) -> String {
        let name = |network: &Prefix| format!("{}/{}", network.addr, network.len);
        let names: Vec<String> = self.networks.iter().map(name).collect();
        format!("directions are told by --home-net {}", names.join(", "))
    }

    /// From ours to others: egress; from others to ours: ingress. Everything else stays unknown: within our networks,
    /// between others, without IP, malformed.
    #[inline]
    pub fn direction(&self, packet: &Result<Packet, Reason>) -> Direction {
        match packet {
            Ok(packet) if packet.key.is_ip() => self.of_key(&packet.key),
            _ => Direction::Unknown,
        }
    }

    fn of_key(&self, key: &FlowKey) -> Direction {
        let words = &key.0;
        let ipv6 = words[4] & IPV6 != 0;
        let is_ours = |words| self.table.contains(0, ipv6, words);
        Direction::of_home(is_ours([words[0], words[1]]), is_ours([words[2], words[3]]))
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.table.lines
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn network(text: &str) -> Prefix {
        let (addr, len) = text.split_once('/').unwrap();
        Prefix {
            addr: addr.parse().unwrap(),
            len: len.parse().unwrap(),
        }
    }

    fn key(src: &str, dst: &str) -> FlowKey {
        let words = |text: &str| match text.parse().unwrap() {
            IpAddr::V4(addr) => (u32::from_ne_bytes(addr.octets()), [0; 2]),
            IpAddr::V6(addr) => {
                let octets = addr.octets();
                let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
                (0, [word(&octets[..8]), word(&octets[8..])])
            }
        };
        let (src, dst) = (words(src), words(dst));
        match src.1 {
            [0, 0] => FlowKey::ipv4(src.0, dst.0, 6),
            _ => FlowKey::ipv6(src.1, dst.1, 6),
        }
    }

    #[test]
    fn the_way_is_told_by_which_end_is_ours() {
        let networks = ["10.0.0.0/8", "192.168.7.0/24", "2001:db8::/32"].map(network);
        let home = HomeNet::new(&networks, 7).unwrap();
        for (src, dst, way) in [
            ("10.1.2.3", "192.0.2.1", Direction::Egress),
            ("192.0.2.1", "192.168.7.9", Direction::Ingress),
            ("10.1.2.3", "192.168.7.9", Direction::Unknown),
            ("192.168.8.1", "11.0.0.1", Direction::Unknown),
            ("2001:db8::1", "2001:db9::1", Direction::Egress),
            ("fe80::1", "2001:db8::1", Direction::Ingress),
        ] {
            assert_eq!(home.of_key(&key(src, dst)), way, "{src} > {dst}");
        }
    }

    #[test]
    fn what_others_hold_is_not_named() {
        let home = HomeNet::new(&["10.1.0.0/16", "10.0.0.0/8"].map(network), 0);
        let note = "directions are told by --home-net 10.0.0.0/8";
        assert_eq!(home.unwrap().note(), note);
        assert!(HomeNet::new(&[], 0).is_none());
    }
}
