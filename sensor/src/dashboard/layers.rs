//! The chart of a report alone: its buckets by protocol, and the whole time as one slice, as nobody knows when the packets
//! of each flow came.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::data::milliseconds;
use super::rows::{Tables, Text};
use super::timeline::{MOST_SLICES, Timeline};
use crate::counters::Counts;
use crate::report::{BucketRow, Report};

/// For the chart only, laid out as the slices of a [`Timeline`]. A kind has a transport or an application, not both.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Layers {
    start: f64,
    width: f64,
    kinds: Vec<[Text; 5]>,
    by_kind: Vec<Vec<u64>>,
}

pub(super) fn timeline(report: &Report, tables: &mut Tables) -> Timeline {
    let (Some(first), Some(last)) = (report.buckets.first(), report.buckets.last()) else {
        return Timeline::default();
    };
    let interval = ((report.interval_seconds * 1e9).round() as i64).max(1);
    let (first, last) = (first.start.0, last.start.0);
    let end = last.saturating_add(interval);
    let from = report.start.map_or(first, |start| start.0.min(first));
    let to = report.end.map_or(end, |time| time.0.max(end));
    let units = (i128::from(last) - i128::from(first)) / i128::from(interval) + 1;
    let together = i64::try_from((units + MOST_SLICES - 1) / MOST_SLICES).unwrap_or(i64::MAX);
    let width = interval.saturating_mul(together.max(1));
    let mut grid = Grid {
        tables,
        first: first.div_euclid(width),
        width,
        kinds: Vec::new(),
        places: HashMap::new(),
        slices: BTreeMap::new(),
    };
    report.buckets.iter().for_each(|bucket| grid.add(bucket));
    let layers = grid.finish();
    let length = milliseconds(to) - milliseconds(from);
    Timeline::of_whole(milliseconds(from), length, layers)
}

struct Grid<'a> {
    tables: &'a mut Tables,
    first: i64,
    /// Nanoseconds.
    width: i64,
    kinds: Vec<[Text; 5]>,
    places: HashMap<[Text; 5], u64>,
    slices: BTreeMap<i64, BTreeMap<u64, Counts>>,
}

impl Grid<'_> {
    fn add(&mut self, bucket: &BucketRow) {
        let slice = bucket.start.0.div_euclid(self.width);
        for (name, counts) in &bucket.transport {
            let name = self.tables.text(name);
            self.count(slice, [0, 0, name, 0, 0], *counts);
        }
        for (name, counts) in &bucket.application {
            let name = self.tables.text(name);
            self.count(slice, [0, 0, 0, name, 0], *counts);
        }
    }

    fn count(&mut self, slice: i64, kind: [Text; 5], counts: Counts) {
        let next = self.kinds.len() as u64;
        let place = *self.places.entry(kind).or_insert(next);
        if place == next {
            self.kinds.push(kind);
        }
        *self
            .slices
            .entry(slice)
            .or_default()
            .entry(place)
            .or_default() += counts;
    }

    fn finish(mut self) -> Layers {
        let last = self
            .slices
            .keys()
            .next_back()
            .copied()
            .unwrap_or(self.first);
        let row = |sums: BTreeMap<u64, Counts>| -> Vec<u64> {
            let entries = sums.into_iter();
            entries
                .flat_map(|(kind, counts)| [kind, counts.packets, counts.bytes])
                .collect()
        };
        let by_kind = (self.first..=last)
            .map(|slice| self.slices.remove(&slice).map(row).unwrap_or_default())
            .collect();
        Layers {
            start: milliseconds(self.first.saturating_mul(self.width)),
            width: self.width as f64 / 1e6,
            kinds: self.kinds,
            by_kind,
        }
    }
}
