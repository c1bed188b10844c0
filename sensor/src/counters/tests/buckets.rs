//! Time buckets.

use super::*;
use crate::counters::{Buckets, ClassId};

const ONE: Counts = Counts {
    packets: 1,
    bytes: 100,
};

fn buckets(interval: i64, times: &[i64]) -> Buckets {
    let mut buckets = Buckets::new(interval);
    times.iter().for_each(|at| buckets.add(*at, 0, ONE));
    buckets
}

/// Index and packets of each bucket.
fn listed(buckets: &Buckets) -> Vec<(i64, u64)> {
    let list = buckets.sorted().into_iter();
    list.map(|bucket| (bucket.index, bucket.total().packets))
        .collect()
}

#[test]
fn aligned_to_multiples_of_the_interval() {
    let buckets = buckets(10, &[0, 9, 10, 19, 20]);
    assert_eq!(listed(&buckets), [(0, 2), (1, 2), (2, 1)]);
}

#[test]
fn times_before_the_epoch() {
    let buckets = buckets(10, &[-1, -10, -11, 0, -20, -21]);
    assert_eq!(listed(&buckets), [(-3, 1), (-2, 2), (-1, 2), (0, 1)]);
}

#[test]
fn times_that_run_backwards_and_stand_still() {
    let buckets = buckets(10, &[35, 5, 35, 35, 15, 5]);
    assert_eq!(listed(&buckets), [(0, 2), (1, 1), (3, 3)]);
}

#[test]
fn sparse_over_centuries() {
    const CENTURY: i64 = 100 * 365 * 86_400 * 1_000_000_000;
    let buckets = buckets(1_000_000_000, &[-CENTURY, 0, CENTURY]);
    assert_eq!(buckets.sorted().len(), 3);
    assert_eq!(buckets.interval(), 1_000_000_000);
}

#[test]
fn too_many_buckets_double_the_interval() {
    let mut buckets = Buckets::new(1);
    (0..100_000).for_each(|at| buckets.add(at, 0, ONE));
    assert_eq!((buckets.interval(), buckets.sorted().len()), (1, 100_000));
    buckets.add(100_000, 3, ONE);
    assert_eq!((buckets.interval(), buckets.sorted().len()), (2, 50_001));
    buckets.add(-1, 0, ONE);
    assert_eq!(buckets.total().packets, 100_002);
    let list = listed(&buckets);
    assert_eq!(
        (list[0], list[1], list[50_001]),
        ((-1, 1), (0, 2), (50_000, 1))
    );
    // The classes stay apart.
    assert_eq!(buckets.sorted()[50_001].classes.last(), Some(&ONE));
}

#[test]
fn sparse_buckets_are_coarsened_until_they_fit() {
    let mut buckets = Buckets::new(1);
    (0..=100_000).for_each(|at| buckets.add(at * 64, 0, ONE));
    assert_eq!((buckets.interval(), buckets.sorted().len()), (128, 50_001));
    assert_eq!(buckets.total().packets, 100_001);
}

#[test]
fn merged_into_the_wider_interval() {
    let times = [-25, -1, 0, 5, 12, 39, 40];
    for (left, right) in [(10, 40), (40, 10), (20, 20)] {
        let mut merged = buckets(left, &times);
        merged.merge(&buckets(right, &times), &[0]);
        assert_eq!(merged.interval(), left.max(right));
        let twice: Vec<i64> = times.iter().chain(&times).copied().collect();
        assert_eq!(listed(&merged), listed(&buckets(left.max(right), &twice)));
    }
}

#[test]
fn merged_classes_are_translated() {
    let mut other = Buckets::new(10);
    other.add(3, 0, ONE);
    other.add(4, 1, ONE + ONE);
    let mut merged = buckets(10, &[3]);
    let translate: [ClassId; 2] = [2, 0];
    merged.merge(&other, &translate);
    let classes = &merged.sorted()[0].classes;
    assert_eq!(classes[..], [ONE + ONE + ONE, Counts::ZERO, ONE]);
}

#[test]
fn an_interval_of_nothing_is_one_nanosecond() {
    for interval in [0, -5] {
        assert_eq!(listed(&buckets(interval, &[7])), [(7, 1)]);
    }
}

proptest! {
    #![proptest_config(config())]

    /// Also at both ends of time, where a bucket reaches beyond what can be said in nanoseconds.
    #[test]
    fn each_time_falls_into_its_own_bucket(
        times in prop::collection::vec(
            prop_oneof![
                any::<i64>(),
                -100i64..100,
                (0i64..3000).prop_map(|after| i64::MIN + after),
                (0i64..3000).prop_map(|before| i64::MAX - before),
            ],
            0..40,
        ),
        interval in prop::sample::select(&[1i64, 7, 1000, 1_000_000_000, i64::MAX / 2, i64::MAX][..]),
    ) {
        let mut expected = BTreeMap::<i64, u64>::new();
        times.iter().for_each(|at| *expected.entry(at.div_euclid(interval)).or_default() += 1);
        let expected: Vec<_> = expected.into_iter().collect();
        let buckets = buckets(interval, &times);
        prop_assert_eq!(&listed(&buckets), &expected);
        let mut merged = Buckets::new(interval);
        merged.merge(&buckets, &[0]);
        prop_assert_eq!(listed(&merged), expected);
    }
}
