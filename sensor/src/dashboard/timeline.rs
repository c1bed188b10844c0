//! When the packets came: the report's buckets for the chart, and slices of time for everything else.
//!
//! The page adds up slices to answer for a span of time, so a span begins and ends at the edge of a slice, and what it says
//! of that span is exact. There are at most some hundred slices, each a whole number of buckets.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use sensor_common::flow::{Direction, FlowKey};
use serde::Serialize;

use super::data::{Counted, milliseconds};
use super::layers::Layers;
use super::rows::{Tables, Text};
use crate::counters::{Class, Counts, Delta, Flow};
use crate::report::Report;

pub(super) const MOST_SLICES: i128 = 600;
/// Of [`Counted::parts`] in a file.
pub(super) const MOST_PARTS: usize = 300_000;

/// Of one flow, see [`super::Data::parts`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct Parts(Vec<u64>);

#[derive(Clone, Debug, Serialize)]
pub struct BucketRows {
    /// Milliseconds since the epoch at which the first one begins.
    start: f64,
    /// Milliseconds.
    width: f64,
    /// `[number, packets, bytes, of them ingress packets, bytes, egress packets, bytes]`
    rows: Vec<[u64; 7]>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Timeline {
    /// Milliseconds since the epoch at which the first slice begins.
    start: f64,
    /// Milliseconds.
    width: f64,
    slices: u32,
    /// It is known when the packets of each flow came.
    flows: bool,
    /// `[direction, network, transport, application, 1 if it is IP]`, texts but the last.
    kinds: Vec<[Text; 5]>,
    /// For each slice `[kind, packets, bytes, ...]`.
    by_kind: Vec<Vec<u64>>,
    /// For each slice `[application, told by, packets, bytes, ...]`, only where `flows`.
    told: Vec<Vec<u64>>,
    /// The chart's own slices, where all of it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<Layers>,
}

impl Timeline {
    /// One slice, so that no part of the time can be looked at.
    pub(super) fn of_whole(start: f64, width: f64, chart: Layers) -> Self {
        Timeline {
            start,
            width,
            slices: 1,
            by_kind: vec![Vec::new()],
            chart: Some(chart),
            ..Timeline::default()
        }
    }
}

pub(super) fn bucket_rows(report: &Report) -> BucketRows {
    let width = report.interval_seconds * 1000.0;
    let start = report
        .buckets
        .first()
        .map_or(0.0, |row| milliseconds(row.start.0));
    let row = |row: &crate::report::BucketRow| {
        let number = ((milliseconds(row.start.0) - start) / width).round();
        [
            number as u64,
            row.packets,
            row.bytes,
            row.ingress.packets,
            row.ingress.bytes,
            row.egress.packets,
            row.egress.bytes,
        ]
    };
    BucketRows {
        start,
        width,
        rows: report.buckets.iter().map(row).collect(),
    }
}

/// The slices, and the parts of each flow of `listed`. `watched`: when somebody began and ended to look; a live report's first and last packet come later and earlier.
pub(super) fn timeline(
    counted: Counted<'_>,
    watched: Option<(i64, i64)>,
    listed: &[Flow],
    tables: &mut Tables,
) -> (Timeline, Vec<Parts>) {
    let trail = counted.all.trail_interval();
    let Some(mut grid) = Grid::of(counted.delta, trail, watched) else {
        let timeline = Timeline {
            flows: trail.is_some(),
            ..Timeline::default()
        };
        return (timeline, vec![Parts::default(); listed.len()]);
    };
    let mut parts = Vec::new();
    if trail.is_some() {
        let most = counted.parts.max(listed.len() * 2);
        loop {
            parts = flow_parts(counted.all, listed, grid);
            let entries: usize = parts.iter().map(BTreeMap::len).sum();
            if entries <= most || grid.slices() == 1 {
                break;
            }
            grid.widen();
        }
    }
    let compact = |(parts, flow): (BTreeMap<u64, Counts>, &Flow)| Parts::of(&parts, flow);
    let mut rows: Vec<Parts> = parts.into_iter().zip(listed).map(compact).collect();
    rows.resize(listed.len(), Parts::default());
    let (kinds, by_kind) = by_kind(counted.delta, grid, tables);
    let timeline = Timeline {
        start: milliseconds(grid.start()),
        width: grid.width as f64 / 1e6,
        slices: grid.slices() as u32,
        flows: trail.is_some(),
        kinds,
        by_kind,
        told: told(counted, grid, tables),
        chart: None,
    };
    (timeline, rows)
}

/// Slices of equal width, at multiples of it since the epoch.
#[derive(Clone, Copy)]
struct Grid {
    /// Nanoseconds.
    width: i64,
    first: i64,
    last: i64,
}

impl Grid {
    fn of(delta: &Delta, trail: Option<i64>, watched: Option<(i64, i64)>) -> Option<Self> {
        let buckets = delta.buckets();
        let sorted = buckets.sorted();
        let start = |index: i64| index.saturating_mul(buckets.interval());
        let (first, last) = (start(sorted.first()?.index), start(sorted.last()?.index));
        let (first, last) = match watched {
            Some((start, end)) => (first.min(start), last.max(end.saturating_sub(1))),
            None => (first, last),
        };
        // One is a multiple of the other.
        let unit = buckets.interval().max(trail.unwrap_or(0));
        let units = (i128::from(last) - i128::from(first)) / i128::from(unit) + 1;
        let together = i64::try_from((units + MOST_SLICES - 1) / MOST_SLICES).unwrap_or(i64::MAX);
        Some(Grid {
            width: unit.saturating_mul(together.max(1)),
            first,
            last,
        })
    }

    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
    }

    fn slice(&self, at: i64) -> u64 {
        let slice = at.div_euclid(self.width) - self.first.div_euclid(self.width);
        slice.clamp(0, self.slices() - 1).unsigned_abs()
    }

    fn slices(&self) -> i64 {
        self.last.div_euclid(self.width) - self.first.div_euclid(self.width) + 1
    }

    fn start(&self) -> i64 {
        self.first.div_euclid(self.width).saturating_mul(self.width)
    }
}

impl Parts {
    fn of(parts: &BTreeMap<u64, Counts>, flow: &Flow) -> Self {
        let mut single = parts.iter();
        if let (Some((slice, counts)), None) = (single.next(), single.next())
            && *counts == flow.counts()
        {
            return Parts(vec![*slice]);
        }
        let flat = |(slice, counts): (&u64, &Counts)| [*slice, counts.packets, counts.bytes];
        Parts(parts.iter().flat_map(flat).collect())
    }
}

fn flow_parts(all: &Delta, listed: &[Flow], grid: Grid) -> Vec<BTreeMap<u64, Counts>> {
    let places: HashMap<FlowKey, usize, RandomState> =
        listed.iter().map(|flow| flow.key).zip(0..).collect();
    let mut parts = vec![BTreeMap::new(); listed.len()];
    for part in all.flow_parts() {
        if let Some(place) = places.get(&part.key) {
            let sum: &mut Counts = parts[*place].entry(grid.slice(part.start)).or_default();
            *sum += part.counts;
        }
    }
    parts
}

/// From the buckets: every packet with a time, whatever became of its flow.
fn by_kind(delta: &Delta, grid: Grid, tables: &mut Tables) -> (Vec<[Text; 5]>, Vec<Vec<u64>>) {
    let mut kinds = Vec::new();
    let mut known: HashMap<Class, u64, RandomState> = HashMap::default();
    let mut sums: Vec<BTreeMap<u64, Counts>> = slices_of(grid);
    let interval = delta.buckets().interval();
    for bucket in delta.buckets().sorted() {
        let slice = grid.slice(bucket.index.saturating_mul(interval));
        for (class, counts) in bucket.by_class(delta.classes()) {
            let kind = *known.entry(*class).or_insert_with(|| {
                kinds.push(kind(class, tables));
                kinds.len() as u64 - 1
            });
            *sums[slice as usize].entry(kind).or_default() += counts;
        }
    }
    let flat = |(kind, counts): (&u64, &Counts)| [*kind, counts.packets, counts.bytes];
    let rows = sums.iter().map(|sums| sums.iter().flat_map(flat).collect());
    (kinds, rows.collect())
}

fn kind(class: &Class, tables: &mut Tables) -> [Text; 5] {
    let direction = match class.direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
        Direction::Unknown => "unknown",
    };
    let network = class.network();
    let is_ip = network == "ipv4" || network == "ipv6";
    [
        tables.text(direction),
        tables.text(&network),
        tables.text(&class.transport()),
        tables.text(&class.application()),
        is_ip.into(),
    ]
}

/// How much of each application was told by what, of all flows, listed or not.
fn told(counted: Counted<'_>, grid: Grid, tables: &mut Tables) -> Vec<Vec<u64>> {
    let mut sums: Vec<BTreeMap<[u64; 2], Counts>> = slices_of(grid);
    for part in counted.all.flow_parts() {
        let flow = counted.delta.flows().get(&part.key);
        let Some((application, how)) = flow.and_then(|flow| flow.application().zip(flow.how()))
        else {
            continue;
        };
        let key = [
            tables.text(application.name()).into(),
            tables.text(how.name()).into(),
        ];
        let slice = grid.slice(part.start) as usize;
        *sums[slice].entry(key).or_default() += part.counts;
    }
    let flat = |(key, counts): (&[u64; 2], &Counts)| [key[0], key[1], counts.packets, counts.bytes];
    let rows = sums.iter().map(|sums| sums.iter().flat_map(flat).collect());
    rows.collect()
}

fn slices_of<K>(grid: Grid) -> Vec<BTreeMap<K, Counts>> {
    (0..grid.slices()).map(|_| BTreeMap::new()).collect()
}
