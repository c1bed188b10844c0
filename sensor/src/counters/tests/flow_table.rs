//! The flow table.

use super::*;
use crate::counters::FlowTable;

fn count(table: &mut FlowTable, key: &FlowKey) -> bool {
    let hash = table.hash(key);
    table.prefetch(hash);
    let entry = table.entry(key, hash);
    entry
        .map(|place| table.at_mut(place).packets += 1)
        .is_some()
}

#[test]
fn an_empty_table() {
    let table = FlowTable::new(10, SEEDS);
    [0, 1, u64::MAX]
        .into_iter()
        .for_each(|hash| table.prefetch(hash));
    assert!(table.is_empty() && table.iter().next().is_none());
}

#[test]
fn growth_keeps_every_flow() {
    let mut table = FlowTable::new(100_000, SEEDS);
    for round in 1..=2 {
        for number in 0..20_000 {
            assert!(count(&mut table, &key(number)));
        }
        assert_eq!((table.len(), table.iter().count()), (20_000, 20_000));
        assert!(table.iter().all(|flow| flow.packets == round));
    }
    let keys: std::collections::BTreeSet<_> = table.iter().map(|flow| flow.key).collect();
    assert!((0..20_000).all(|number| keys.contains(&key(number))));
}

#[test]
fn a_full_table_knows_its_flows_and_takes_no_others() {
    for max in [0, 1, 767, 768, 769, 1536, 3000] {
        let mut table = FlowTable::new(max, SEEDS);
        for number in 0..4000 {
            assert_eq!(
                count(&mut table, &key(number)),
                (number as usize) < max,
                "{max}"
            );
        }
        for number in 0..4000 {
            assert_eq!(
                count(&mut table, &key(number)),
                (number as usize) < max,
                "{max}"
            );
        }
        assert_eq!(table.len(), max);
        assert!(table.iter().all(|flow| flow.packets == 2));
    }
}

#[test]
fn keys_that_differ_in_one_bit_are_different_flows() {
    all_differ(FlowKey::ipv6([1, 2], [3, 4], 6), &[0, 1, 2, 3, 4]);
    // The other words are zero in every key of IPv4.
    all_differ(key(7), &[1, 3, 4]);
}

fn all_differ(base: FlowKey, words: &[usize]) {
    let mut table = FlowTable::new(1000, SEEDS);
    assert!(count(&mut table, &base));
    for word in words {
        for bit in 0..64 {
            let mut other = base;
            other.0[*word] ^= 1 << bit;
            assert!(count(&mut table, &other));
        }
    }
    assert_eq!(table.len(), 1 + words.len() * 64);
    assert!(table.iter().all(|flow| flow.packets == 1));
}

/// The kernel and other tables hand their flows over in the order of the hash: a table that filled from one end and grew
/// step by step would search through all that it has for each of them.
#[test]
fn flows_in_the_order_of_the_hash_stay_near_their_place() {
    const FLOWS: u32 = 50_000;
    let mut full = FlowTable::new(1 << 20, SEEDS);
    (0..FLOWS).for_each(|number| assert!(count(&mut full, &key(number))));
    let mut table = FlowTable::new(1 << 20, SEEDS);
    for flow in full.iter() {
        assert!(count(&mut table, &flow.key));
        assert!(
            !table.len().is_multiple_of(10_000) || table.farthest() < 1000,
            "{} flows",
            table.len()
        );
    }
    assert_eq!(table.len(), FLOWS as usize);
    // And it takes no more memory than it would have taken otherwise.
    assert!(table.capacity() <= 2 * full.capacity());
}
