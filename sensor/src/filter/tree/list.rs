//! Lists of networks and ports as the smallest lists that say the same.

use std::net::IpAddr;

use super::{PortList, PortRange, Prefix, PrefixList};

impl PrefixList {
    /// Covered prefixes are left out, and two halves become the whole.
    pub fn merged(file: Option<String>, mut prefixes: Vec<Prefix>) -> PrefixList {
        prefixes.sort_unstable();
        let mut kept: Vec<Prefix> = Vec::with_capacity(prefixes.len());
        for prefix in prefixes {
            if kept.last().is_some_and(|last| last.covers(&prefix)) {
                continue;
            }
            let mut prefix = prefix;
            while let Some(whole) = kept.last().and_then(|last| last.joined(&prefix)) {
                kept.pop();
                prefix = whole;
            }
            kept.push(prefix);
        }
        kept.shrink_to_fit();
        PrefixList {
            file,
            prefixes: kept,
        }
    }
}

impl PortList {
    /// What overlaps or touches is one range.
    pub fn merged(file: Option<String>, mut ranges: Vec<PortRange>) -> PortList {
        ranges.retain(|range| range.first <= range.last);
        ranges.sort_unstable();
        let mut kept: Vec<PortRange> = Vec::new();
        for range in ranges {
            match kept.last_mut() {
                Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                    last.last = last.last.max(range.last);
                }
                _ => kept.push(range),
            }
        }
        PortList { file, ranges: kept }
    }
}

impl Prefix {
    /// `addr`, without the bits behind `len`.
    pub fn of(addr: IpAddr, len: u8) -> Prefix {
        let addr = match addr {
            IpAddr::V4(addr) => {
                let behind = 32_u32.saturating_sub(len.into());
                let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
                IpAddr::V4((addr.to_bits() & mask).into())
            }
            IpAddr::V6(addr) => {
                let behind = 128_u32.saturating_sub(len.into());
                let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
                IpAddr::V6((addr.to_bits() & mask).into())
            }
        };
        Prefix { addr, len }
    }

    fn covers(&self, other: &Prefix) -> bool {
        self.len <= other.len && Prefix::of(other.addr, self.len) == *self
    }

    /// The prefix that these two are the halves of.
    fn joined(&self, other: &Prefix) -> Option<Prefix> {
        let whole = Prefix::of(self.addr, self.len.checked_sub(1)?);
        (self.len == other.len && self != other && whole.covers(other)).then_some(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn all_ports_are_one_range() {
        let all = PortRange {
            first: 0,
            last: u16::MAX,
        };
        assert_eq!(PortList::merged(None, vec![all; 2]).ranges, [all]);
        let backwards = PortRange { first: 2, last: 1 };
        assert_eq!(PortList::merged(None, vec![backwards]).ranges, []);
    }

    #[test]
    fn families_are_kept_apart() {
        let everything = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let prefixes = everything.map(|addr| Prefix { addr, len: 0 });
        let list = PrefixList::merged(None, prefixes.to_vec());
        assert_eq!(list.prefixes, prefixes);
    }

    #[test]
    fn merging_keeps_exactly_the_same_addresses() {
        let addr = |last: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | last));
        // Every prefix of the last eight bits of an address, in lists that a counter picks from.
        let all: Vec<Prefix> = (24..=32_u8)
            .flat_map(|len| (0..1_u32 << (len - 24)).map(move |n| (n << (32 - len), len)))
            .map(|(last, len)| Prefix::of(addr(last), len))
            .collect();
        let inside = |list: &[Prefix], addr: IpAddr| {
            list.iter()
                .any(|prefix| Prefix::of(addr, prefix.len).addr == prefix.addr)
        };
        let mut state = 1_u64;
        for _ in 0..300 {
            let picked: Vec<Prefix> = (0..state % 40)
                .map(|n| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(n | 1);
                    all[(state >> 33) as usize % all.len()]
                })
                .filter(|prefix| prefix.len > 26)
                .collect();
            let list = PrefixList::merged(None, picked.clone());
            assert!(
                (0..256).all(|last| {
                    inside(&list.prefixes, addr(last)) == inside(&picked, addr(last))
                })
            );
            assert_eq!(PrefixList::merged(None, list.prefixes.clone()), list);
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(7);
        }
    }
}
