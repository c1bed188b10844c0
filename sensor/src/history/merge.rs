//! Several sets made one, in coarser buckets.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::load::Told;
use super::meta::{Meta, SCHEMA};
use super::rows::{AccountKey, BucketKey, FlowEntry, FlowPart, Rows, Stretch};
use super::slots::{Numbers, Slots, move_to};
use crate::counters::Counts;

/// Merges sets of one sensor, in the order in which they were counted; nothing of their counts is lost but when it was.
pub(super) fn merged(sets: Vec<(Rows, Meta)>, sensor: &str, resolution: i64) -> (Rows, Meta) {
    let mut meta = Meta {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: sensor.to_owned(),
        resolution,
        ..Meta::default()
    };
    let mut slots = Slots::default();
    let mut numbered = Vec::new();
    for (mut rows, one) in sets {
        meta.join(&one);
        let mut numbers = Numbers::of(sensor, &one, &mut slots);
        renumber(&mut rows, &mut |old| numbers.get(old, &mut slots));
        numbered.push(rows);
    }
    meta.interfaces = slots.interfaces();
    let labels = labels(&numbered);
    let mut all = Rows::default();
    for mut rows in numbered {
        for entry in &mut rows.flows {
            if let Some(told) = labels.get(&entry.key) {
                entry.is_told(told.label, told.settled);
            }
        }
        // While it is known in which of the fine buckets its packets are.
        rows.settle();
        add(rows, resolution, &mut all);
    }
    (all, meta)
}

/// The last word on each flow.
fn labels(sets: &[Rows]) -> HashMap<FlowKey, Told, RandomState> {
    let mut labels: HashMap<FlowKey, FlowEntry, RandomState> = HashMap::default();
    for entry in sets.iter().flat_map(|rows| &rows.flows) {
        match labels.get_mut(&entry.key) {
            Some(known) => known.learn(entry.label, entry.settled, None),
            None => {
                let entry = FlowEntry::new(entry.key, entry.label, entry.settled);
                labels.insert(entry.key, entry);
            }
        }
    }
    let told = |entry: FlowEntry| Told {
        label: entry.label,
        settled: entry.settled,
    };
    labels
        .into_iter()
        .map(|(key, entry)| (key, told(entry)))
        .collect()
}

fn renumber(rows: &mut Rows, number: &mut dyn FnMut(u8) -> u8) {
    let mut same = true;
    for entry in &mut rows.flows {
        let (old, new) = (entry.key.slot(), number(entry.key.slot()));
        move_to(&mut entry.key, new);
        same &= old == new;
    }
    if !same {
        rows.forget_places();
    }
    for (mut key, account) in std::mem::take(&mut rows.accounts) {
        if let Some((slot, _)) = &mut key.origin {
            *slot = number(*slot);
        }
        rows.account(key, &account);
    }
}

fn add(rows: Rows, resolution: i64, all: &mut Rows) {
    let wide = |start: i64| start.saturating_sub(start.rem_euclid(resolution));
    let stretched = |stretch: Stretch| Stretch {
        start: stretch.start.map(wide),
        length: stretch.length.max(resolution),
    };
    let mut places = Vec::with_capacity(rows.flows.len());
    for entry in rows.flows {
        let place = all.place(&entry.key);
        all.flows[place as usize].learn(entry.label, entry.settled, entry.info);
        places.push(place);
    }
    for part in rows.parts.iter() {
        let part = FlowPart {
            flow: places[part.flow as usize],
            stretch: stretched(part.stretch),
            ..part
        };
        all.merge_part(&part);
    }
    for (key, counts) in rows.buckets {
        let key = BucketKey {
            stretch: wide(key.stretch),
            start: wide(key.start),
            length: key.length.max(resolution),
            class: key.class,
        };
        all.bucket(key, counts);
    }
    for (key, account) in rows.accounts {
        let key = AccountKey {
            stretch: stretched(key.stretch),
            ..key
        };
        all.account(key, &account);
    }
    all.names.extend(rows.names);
}

impl Rows {
    /// Adds what a flow had, to what it has in the same stretch already.
    fn merge_part(&mut self, part: &FlowPart) {
        let next = self.parts.len() as u32;
        let key = (part.flow, part.stretch, part.class);
        let place = *self.parts_by_stretch.entry(key).or_insert(next);
        if !self.parts.add(place, part) {
            self.parts.push(part);
        }
    }
}

/// All that was seen, for a check that nothing got lost.
pub(super) fn seen(sets: &[(Rows, Meta)]) -> Counts {
    sets.iter().map(|(rows, _)| rows.seen()).sum()
}
