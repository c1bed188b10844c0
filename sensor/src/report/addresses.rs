//! Flows added up by address, and by pair of addresses.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::AddAssign;

use sensor_common::flow::FlowKey;

use crate::counters::Flow;
use crate::grouped::Grouped;

/// An [`IpAddr`] in the same order, that is hashed by the word instead of by the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Addr {
    ipv6: bool,
    bits: [u64; 2], // no u128, whose alignment would make it half as long again
}

impl Hash for Addr {
    /// The family is left out: at the most two addresses are alike without it.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [high, low] = self.bits;
        state.write_u64(high);
        state.write_u64(low);
    }
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
#[inline]
pub(super) fn ends(key: &FlowKey) -> [Addr; 2] {
    let ipv6 = key.is_ipv6();
    let end = |high: u64, low: u64| {
        let [high, low] = [high, low].map(u64::from_be); // as they lie in memory
        let bits = match ipv6 {
            true => [high, low],
            false => [0, low & u64::from(u32::MAX)],
        };
        Addr { ipv6, bits }
    };
    let [a, b, c, d, _] = key.0;
    [end(a, b), end(c, d)]
}

/// The lesser one first, which both ways of a conversation have in common.
#[inline]
pub(super) fn pair(key: &FlowKey) -> (Addr, Addr) {
    let [src, dst] = ends(key);
    if src <= dst { (src, dst) } else { (dst, src) }
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

    /// Gives what there is, and begins again with nothing.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Addr, (V, V))> {
        self.0.drain()
    }
}

/// What went between each two addresses.
pub(super) struct Pairs<V>(Grouped<(Addr, Addr), Pair<V>>);

impl<V: Copy + Default + AddAssign> Pairs<V> {
    pub(super) fn with_room(expected: usize) -> Self {
        Pairs(Grouped::with_room(expected))
    }

    #[inline]
    pub(super) fn add(&mut self, key: &FlowKey, (first, last): (i64, i64), amount: V) {
        let [src, dst] = ends(key);
        let forward = src <= dst;
        let pair = if forward { (src, dst) } else { (dst, src) };
        let sum = self.0.sum(pair);
        *if forward {
            &mut sum.a_to_b
        } else {
            &mut sum.b_to_a
        } += amount;
        sum.first = sum.first.min(first);
        sum.last = sum.last.max(last);
    }

    pub(super) fn into_list(self) -> Vec<((Addr, Addr), Pair<V>)> {
        self.0.into_list()
    }

    /// As [`Ends::drain`].
    pub(super) fn drain(&mut self) -> impl Iterator<Item = ((Addr, Addr), Pair<V>)> {
        self.0.drain()
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
) -> Vec<((Addr, Addr), Pair<V>)> {
    let mut sums = Pairs::with_room(0);
    flows.for_each(|(flow, amount)| sums.add(&flow.key, (flow.first, flow.last), amount));
    sums.into_list()
}
