//! The flows of a table added up part by part: what belongs together is in one part, and what a part adds up to stays in the
//! second-level cache. All at once would take more memory than the flows themselves, and wait for it at each step.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::Counts;
use super::addresses::{Addr, Ends, Pair, Pairs, ends, pair};
use crate::counters::{FlowTable, MOST_PLACES, Place, Stored};

/// Keys in a part at the most, if all are different: a megabyte with their index.
const PART: usize = 8192;
/// With more parts than these their ends don't stay in the first-level cache while flows are sorted into them.
const MOST_PARTS: usize = 512;
/// Number of no part.
const NONE: u16 = u16::MAX;
/// So far ahead a flow is asked for from memory.
const AHEAD: usize = 8;

/// Twice a place, and one more, can be numbered by 32 bits.
const _: () = assert!(2 * MOST_PLACES <= 1 << 32);

/// `each` address once, with what it sent and received, in no order.
pub(super) fn by_address(flows: &FlowTable, mut each: impl FnMut((Addr, (Counts, Counts)))) {
    let parts = Parts::of(flows, ends);
    let mut sums = Ends::with_room(parts.room());
    for part in parts.iter(flows) {
        part.each(|flow, end| {
            let is_source = end == 0;
            sums.add(ends(&flow.key())[end], is_source, flow.counts());
        });
        sums.drain().for_each(&mut each);
    }
}

/// `each` pair once, in no order.
pub(super) fn by_pair(flows: &FlowTable, mut each: impl FnMut(((Addr, Addr), Pair<Counts>))) {
    let parts = Parts::of(flows, |key| [pair(key)]);
    let mut sums = Pairs::with_room(parts.room());
    for part in parts.iter(flows) {
        part.each(|flow, _| sums.add(&flow.key(), flow.times(), flow.counts()));
        sums.drain().for_each(&mut each);
    }
}

/// The flows that have addresses, sorted by the part that a key of theirs belongs to; each is in as many parts as it has keys.
struct Parts<const KEYS: usize> {
    /// Place of the flow times the number of keys, plus which of the keys it is.
    items: Vec<u32>,
    /// Where in `items` each part ends.
    ends: Vec<usize>,
}

impl<const KEYS: usize> Parts<KEYS> {
    fn of<K: Hash>(flows: &FlowTable, keys: impl Fn(&FlowKey) -> [K; KEYS]) -> Self {
        let most = flows.len() * KEYS;
        let number = most.div_ceil(PART).next_power_of_two().min(MOST_PARTS);
        let hasher = RandomState::default();
        let mut ends = vec![0; number];
        // The part of each key, in the order of the places.
        let mut parts = vec![NONE; flows.places() * KEYS];
        flows.each(|Place(place), flow| {
            let key = flow.key();
            if !key.is_ip() {
                return;
            }
            let begin = place as usize * KEYS;
            for (part, key) in parts[begin..].iter_mut().zip(&keys(&key)) {
                let own = hasher.hash_one(key) as usize & (number - 1);
                *part = own as u16;
                ends[own] += 1;
            }
        });
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end); // where it begins, until it is full
        }
        let mut items = vec![0; sum];
        for (item, part) in (0..).zip(parts) {
            if let Some(end) = ends.get_mut(part as usize) {
                items[*end] = item;
                *end += 1;
            }
        }
        Parts { items, ends }
    }

    /// For how many sums there should be room: fewer than flows, where many are of one address.
    fn room(&self) -> usize {
        self.items.len().min(PART)
    }

    fn iter<'a>(&'a self, flows: &'a FlowTable) -> impl Iterator<Item = Part<'a, KEYS>> {
        (0..self.ends.len()).map(move |number| {
            let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
            let items = &self.items[begin..self.ends[number]];
            Part { flows, items }
        })
    }
}

struct Part<'a, const KEYS: usize> {
    flows: &'a FlowTable,
    items: &'a [u32],
}

impl<const KEYS: usize> Part<'_, KEYS> {
    /// `each` flow, and which of its keys is in this part.
    #[inline]
    fn each(&self, mut each: impl FnMut(Stored<'_>, usize)) {
        let split = |item: u32| (Place(item / KEYS as u32), item as usize % KEYS);
        for (at, item) in self.items.iter().enumerate() {
            if let Some(item) = self.items.get(at + AHEAD) {
                self.flows.prefetch_flow(split(*item).0);
            }
            let (place, which) = split(*item);
            each(self.flows.stored(place), which);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::addresses;
    use super::super::samples::*;
    use super::*;

    #[test]
    fn parts_add_up_to_the_same_as_all_at_once() {
        let samples: Vec<Sample> = (0..40_000u32)
            .map(|number| {
                let [.., a, b] = (number % 7_000).to_be_bytes();
                tcp4(
                    [10, 0, a, b],
                    1000,
                    [10, 1, b, a],
                    443 + (number % 3) as u16,
                )
            })
            .collect();
        let delta = delta_of(&samples, samples.len());
        let flows = delta.flows();
        let all = || flows.iter().map(|flow| (flow, flow.counts()));
        let (mut ends, mut came) = (BTreeMap::new(), 0);
        by_address(flows, |(addr, sums)| {
            ends.insert(addr, sums);
            came += 1;
        });
        assert!(ends.len() > PART, "one part is no parts");
        let expected: BTreeMap<_, _> = addresses::by_address(all()).into_iter().collect();
        assert_eq!(ends, expected);
        assert_eq!(came, ends.len());
        let sums = |sum: Pair<Counts>| (sum.a_to_b, sum.b_to_a, sum.first, sum.last);
        let mut pairs = BTreeMap::new();
        by_pair(flows, |(pair, sum)| {
            assert_eq!(pairs.insert(pair, sums(sum)), None);
        });
        let expected = addresses::by_pair(all()).into_iter();
        let expected: BTreeMap<_, _> = expected.map(|(pair, sum)| (pair, sums(sum))).collect();
        assert_eq!(pairs, expected);
    }
}
