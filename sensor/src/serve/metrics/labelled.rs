//! Counts by a name of which traffic decides: so many names have a row of their own, the rest one together.

use std::collections::BTreeMap;

use crate::counters::Counts;

/// Series that no traffic can make more of.
pub(super) const MOST: usize = 64;
/// What found no row of its own; reports call malformed packets so, too.
const OTHER: &str = "other";

/// The first names that come keep their rows, those with the most bytes first where several come at once: a row that could
/// be lost again would be a counter that falls.
#[derive(Clone, Debug, Default)]
pub(super) struct Labelled {
    rows: BTreeMap<String, Counts>,
}

impl Labelled {
    /// Adds what came in one part.
    pub(super) fn add(&mut self, part: &BTreeMap<String, Counts>) {
        let mut coming: Vec<_> = part.iter().collect();
        coming.sort_by_key(|(name, counts)| (std::cmp::Reverse(counts.bytes), *name));
        for (name, counts) in coming {
            let has_row = self.rows.contains_key(name) || self.rows.len() < MOST;
            let name = if has_row { name } else { OTHER };
            *self.rows.entry(name.to_owned()).or_default() += *counts;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Counts)> {
        self.rows
            .iter()
            .map(|(name, counts)| (name.as_str(), *counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(bytes: u64) -> Counts {
        Counts { packets: 1, bytes }
    }

    #[test]
    fn rows_are_bounded_stay_and_add_up() {
        let mut labelled = Labelled::default();
        let part = |from: u64, to: u64| {
            let row = |number: u64| (format!("name-{number}"), counts(number));
            (from..to).map(row).collect::<BTreeMap<_, _>>()
        };
        labelled.add(&part(0, 1000));
        labelled.add(&part(1000, 1010));
        let rows: BTreeMap<_, _> = labelled.iter().collect();
        assert_eq!(rows.len(), MOST + 1);
        assert_eq!(rows["name-999"], counts(999), "the largest came first");
        assert!(!rows.contains_key("name-1009"), "later ones are late");
        let sum: Counts = rows.values().copied().sum();
        assert_eq!(
            sum,
            Counts {
                packets: 1010,
                bytes: 1010 * 1009 / 2
            }
        );
        labelled.add(&part(999, 1000));
        let again: BTreeMap<_, _> = labelled.iter().collect();
        assert_eq!(
            again["name-999"],
            Counts {
                packets: 2,
                bytes: 1998
            }
        );
    }
}
