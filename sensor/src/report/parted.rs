//! The flows of a table added up part by part: what belongs together is in one part, and what a part adds up to stays in the
//! second-level cache. All at once would take more memory than the flows themselves, and wait for it at each step.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;
use sensor_common::flow::FlowKey;

use super::Counts;
use super::addresses::{Addr, Ends, Pair, Pairs, ends, pair};
use crate::counters::{Flow, FlowTable, Place};

/// Keys in a part at the most, if all are different: a megabyte with their index.
const PART: usize = 8192;
/// With more parts than these their ends don't stay in the first-level cache while flows are sorted into them.
const MOST_PARTS: usize = 512;
/// So far ahead a flow is asked for from memory.
const AHEAD: usize = 8;

/// In no order; each address once.
pub(super) fn by_address(flows: &FlowTable) -> impl Iterator<Item = (Addr, (Counts, Counts))> {
    let parts = Parts::of(flows, ends);
    parts.into_sums(flows, |part| {
        let mut sums = Ends::with_room(part.room());
        part.each(|flow, end| {
            let is_source = end == 0;
            sums.add(ends(&flow.key)[end], is_source, flow.counts());
        });
        sums.into_list()
    })
}

/// In no order; each pair once.
pub(super) fn by_pair(flows: &FlowTable) -> impl Iterator<Item = ([Addr; 2], Pair<Counts>)> {
    let parts = Parts::of(flows, |key| [pair(key)]);
    parts.into_sums(flows, |part| {
        let mut sums = Pairs::with_room(part.room());
        part.each(|flow, _| sums.add(flow, flow.counts()));
        sums.into_list()
    })
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
        let part_of = |key: &K| hasher.hash_one(key) as usize & (number - 1);
        let mut ends = vec![0; number];
        for (_, key) in flows.keys().filter(|(_, key)| key.is_ip()) {
            for key in &keys(&key) {
                ends[part_of(key)] += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end); // where it begins, until it is full
        }
        let mut items = vec![0; sum];
        for (Place(place), key) in flows.keys().filter(|(_, key)| key.is_ip()) {
            for (key, which) in keys(&key).iter().zip(0..) {
                let end = &mut ends[part_of(key)];
                items[*end] = place * KEYS as u32 + which;
                *end += 1;
            }
        }
        Parts { items, ends }
    }

    fn into_sums<T>(
        self,
        flows: &FlowTable,
        add_up: impl Fn(Part<'_, KEYS>) -> Vec<T>,
    ) -> impl Iterator<Item = T> {
        (0..self.ends.len()).flat_map(move |number| {
            let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
            let items = &self.items[begin..self.ends[number]];
            add_up(Part { flows, items })
        })
    }
}

struct Part<'a, const KEYS: usize> {
    flows: &'a FlowTable,
    items: &'a [u32],
}

impl<const KEYS: usize> Part<'_, KEYS> {
    /// For how many sums there should be room: fewer than flows, where many are of one address.
    fn room(&self) -> usize {
        self.items.len().min(PART)
    }

    /// `each` flow, and which of its keys is in this part.
    fn each(&self, mut each: impl FnMut(&Flow, usize)) {
        let split = |item: u32| (Place(item / KEYS as u32), item as usize % KEYS);
        for (at, item) in self.items.iter().enumerate() {
            if let Some(item) = self.items.get(at + AHEAD) {
                self.flows.prefetch_flow(split(*item).0);
            }
            let (place, which) = split(*item);
            each(&self.flows.load(place), which);
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
        let ends: BTreeMap<_, _> = by_address(flows).collect();
        assert!(ends.len() > PART, "one part is no parts");
        let expected: BTreeMap<_, _> = addresses::by_address(all()).into_iter().collect();
        assert_eq!(ends, expected);
        assert_eq!(by_address(flows).count(), ends.len());
        let sums = |(pair, sum): ([Addr; 2], Pair<Counts>)| (pair, (sum.a_to_b, sum.b_to_a));
        let pairs: BTreeMap<_, _> = by_pair(flows).map(sums).collect();
        let expected: BTreeMap<_, _> = addresses::by_pair(all()).into_iter().map(sums).collect();
        assert_eq!(pairs, expected);
    }
}
