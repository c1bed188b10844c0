//! Flows added up by address, and by pair of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::AddAssign;

use sensor_common::flow::FlowKey;

use crate::counters::Flow;
use crate::grouped::Grouped;

/// An [`IpAddr`] in the same order, that is hashed by the word instead of by the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Addr {
    ipv6: bool,
    bits: [u64; 2], // no u128, whose alignment would make it half as long again
}

impl From<IpAddr> for Addr {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Addr {
                ipv6: false,
                bits: [0, addr.to_bits().into()],
            },
            IpAddr::V6(addr) => Addr {
                ipv6: true,
                bits: [(addr.to_bits() >> 64) as u64, addr.to_bits() as u64],
            },
        }
    }
}

impl From<Addr> for IpAddr {
    fn from(addr: Addr) -> Self {
        let [high, low] = addr.bits;
        match addr.ipv6 {
            false => Ipv4Addr::from_bits(low as u32).into(),
            true => Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)).into(),
        }
    }
}

/// Source and destination.
pub(super) fn ends(key: &FlowKey) -> [Addr; 2] {
    [key.src_addr().into(), key.dst_addr().into()]
}

/// The lesser one first, which both ways of a conversation have in common.
pub(super) fn pair(key: &FlowKey) -> [Addr; 2] {
    let [src, dst] = ends(key);
    if src <= dst { [src, dst] } else { [dst, src] }
}

/// What the flows between two addresses add up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<V> {
    pub(crate) a_to_b: V,
    pub(crate) b_to_a: V,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl<V: Default> Default for Pair<V> {
    fn default() -> Self {
        Pair {
            a_to_b: V::default(),
            b_to_a: V::default(),
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

/// What each address sent and received.
pub(super) struct Ends<V>(Grouped<Addr, (V, V)>);

impl<V: Copy + Default + AddAssign> Ends<V> {
    /// About so many addresses will come.
    pub(super) fn with_room(expected: usize) -> Self {
        Ends(Grouped::with_room(expected))
    }

    #[inline]
    pub(super) fn add(&mut self, addr: Addr, is_source: bool, amount: V) {
        let (sent, received) = self.0.sum(addr);
        *if is_source { sent } else { received } += amount;
    }

    pub(super) fn into_list(self) -> Vec<(Addr, (V, V))> {
        self.0.into_list()
    }
}

/// What went between each two addresses.
pub(super) struct Pairs<V>(Grouped<[Addr; 2], Pair<V>>);

impl<V: Copy + Default + AddAssign> Pairs<V> {
    pub(super) fn with_room(expected: usize) -> Self {
        Pairs(Grouped::with_room(expected))
    }

    #[inline]
    pub(super) fn add(&mut self, flow: &Flow, amount: V) {
        let [src, dst] = ends(&flow.key);
        let forward = src <= dst;
        let pair = if forward { [src, dst] } else { [dst, src] };
        let sum = self.0.sum(pair);
        *if forward {
            &mut sum.a_to_b
        } else {
            &mut sum.b_to_a
        } += amount;
        sum.first = sum.first.min(flow.first);
        sum.last = sum.last.max(flow.last);
    }

    pub(super) fn into_list(self) -> Vec<([Addr; 2], Pair<V>)> {
        self.0.into_list()
    }
}

/// What the flows of each address add up to: what it sent, and what it received.
pub(crate) fn by_address<V: Copy + Default + AddAssign>(
    flows: impl Iterator<Item = (Flow, V)>,
) -> Vec<(Addr, (V, V))> {
    let mut sums = Ends::with_room(0);
    for (flow, amount) in flows {
        let [src, dst] = ends(&flow.key);
        sums.add(src, true, amount);
        sums.add(dst, false, amount);
    }
    sums.into_list()
}

/// What the flows between any two addresses add up to, the lesser address first.
pub(crate) fn by_pair<V: Copy + Default + AddAssign>(
    flows: impl Iterator<Item = (Flow, V)>,
) -> Vec<([Addr; 2], Pair<V>)> {
    let mut sums = Pairs::with_room(0);
    flows.for_each(|(flow, amount)| sums.add(&flow, amount));
    sums.into_list()
}
