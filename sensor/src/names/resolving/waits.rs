//! How long answers took, in places of which each is a 32nd of its value wide: ranks to 3 %, the least and the most exactly.

use std::collections::BTreeMap;

/// Binary logarithm of the places from one power of two to the next.
const FINE: u32 = 5;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// At most 1,888 places.
    places: BTreeMap<u16, u64>,
    least: Option<i64>,
    most: Option<i64>,
}

impl Waits {
    /// Nanoseconds; below 0, where a clock was set back, is 0.
    pub fn add(&mut self, waited: i64) {
        let waited = waited.max(0);
        *self.places.entry(place(waited)).or_default() += 1;
        self.least = Some(self.least.map_or(waited, |least| least.min(waited)));
        self.most = self.most.max(Some(waited));
    }

    pub fn merge(&mut self, other: &Waits) {
        for (place, count) in &other.places {
            *self.places.entry(*place).or_default() += count;
        }
        let least = [self.least, other.least];
        self.least = least.into_iter().flatten().min();
        self.most = self.most.max(other.most);
    }

    pub fn least(&self) -> Option<i64> {
        self.least
    }

    pub fn most(&self) -> Option<i64> {
        self.most
    }

    /// Nearest rank: at least so many percent waited no longer.
    pub fn percentile(&self, percent: u64) -> Option<i64> {
        let (least, most) = (self.least?, self.most?);
        let all: u64 = self.places.values().sum();
        let rank = (u128::from(all) * u128::from(percent)).div_ceil(100);
        let mut before = 0_u128;
        for (place, count) in &self.places {
            before += u128::from(*count);
            if before >= rank {
                return Some(end_of(*place).clamp(least, most));
            }
        }
        Some(most)
    }
}

fn place(waited: i64) -> u16 {
    let waited = waited.unsigned_abs();
    let bits = 64 - waited.leading_zeros();
    // Below 64 each value has its own place.
    let coarse = bits.saturating_sub(FINE + 1);
    (u64::from(coarse << FINE) + (waited >> coarse)) as u16
}

/// The largest value in it.
fn end_of(place: u16) -> i64 {
    let coarse = u32::from(place >> FINE).saturating_sub(1);
    let start = u64::from(place) - u64::from(coarse << FINE);
    let end = ((u128::from(start) + 1) << coarse) - 1;
    i64::try_from(end).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_order_and_fine_enough() {
        let mut values: Vec<i64> = (0..5000).collect();
        values.extend((13..63).flat_map(|bit| [(1_i64 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        values.push(i64::MAX);
        for pair in values.windows(2) {
            assert!(place(pair[0]) <= place(pair[1]), "{pair:?}");
        }
        for value in values {
            let end = end_of(place(value));
            let far = (end as f64 - value as f64) / (value as f64).max(1.0);
            assert!(end >= value && far <= 1.0 / 32.0, "{value}: {end}");
        }
        assert!(place(i64::MAX) < 1888);
    }

    #[test]
    fn ranks_are_the_textbooks() {
        let mut waits = Waits::default();
        assert_eq!((waits.percentile(50), waits.least()), (None, None));
        for value in [15, 20, 35, 40, 50] {
            waits.add(value);
        }
        let ranks = [0, 5, 30, 40, 50, 95, 100].map(|percent| waits.percentile(percent));
        assert_eq!(ranks, [15, 15, 20, 20, 35, 50, 50].map(Some));
        waits.add(-7);
        assert_eq!((waits.least(), waits.most()), (Some(0), Some(50)));
    }
}
