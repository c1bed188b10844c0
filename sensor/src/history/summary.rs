//! What the sets say beside their rows, together.

use std::collections::BTreeMap;

use super::Asked;
use super::meta::{Dropped, Meta};
use super::name::length;
use super::slots::Slots;
use crate::counters::Delta;
use crate::names::{Book, PutOut};
use crate::report::{Context, FileInfo, Naming, Span, Time};

/// Notes of all sets together that are kept.
const MOST_NOTES: usize = 100;

#[derive(Default)]
pub(super) struct Summary {
    /// Sets of which a file is missing.
    pub(super) incomplete: u64,
    sensors: Vec<String>,
    backends: Vec<String>,
    filters: Vec<Option<String>>,
    /// The latest of each run.
    runs: BTreeMap<String, Naming>,
    dropped: BTreeMap<String, Dropped>,
    files: Vec<FileInfo>,
    notes: Vec<String>,
    observed: Vec<(i64, i64)>,
    /// Least and most nanoseconds of a bucket.
    resolutions: Option<(i64, i64)>,
    unobserved: bool,
}

impl Summary {
    pub(super) fn add(&mut self, sensor: &str, meta: &Meta) {
        enter(&mut self.sensors, sensor.to_owned());
        enter(&mut self.backends, meta.backend.clone());
        for filter in &meta.filters {
            enter(&mut self.filters, filter.clone());
        }
        for (run, naming) in &meta.runs {
            let known = self
                .runs
                .entry(run.clone())
                .or_insert_with(|| naming.clone());
            if naming.payloads >= known.payloads {
                *known = naming.clone();
            }
            let dropped = self.dropped.entry(run.clone()).or_default();
            if meta.dropped.packets >= dropped.packets {
                *dropped = meta.dropped;
            }
        }
        for file in &meta.files {
            match self.files.iter_mut().find(|one| one.path == file.path) {
                Some(known) => known.clone_from(file),
                None => self.files.push(file.clone()),
            }
        }
        for note in &meta.notes {
            if self.notes.len() < MOST_NOTES {
                enter(&mut self.notes, note.clone());
            }
        }
        match meta.observed {
            Some(span) => self.observed.push(span),
            None => self.unobserved = true,
        }
        let (least, most) = self
            .resolutions
            .unwrap_or((meta.resolution, meta.resolution));
        self.resolutions = Some((least.min(meta.resolution), most.max(meta.resolution)));
    }

    /// Somebody looked for names.
    pub(super) fn has_names(&self) -> bool {
        self.runs.values().any(|naming| naming.enabled)
    }

    pub(super) fn restore_naming(&self, book: &mut Book) {
        for naming in self.runs.values() {
            book.restore_samples(naming.payloads);
            book.restore_put_out(PutOut {
                flows: naming.put_out.flows,
                names: naming.put_out.names,
                answers: naming.put_out.answers,
            });
        }
    }

    pub(super) fn context(mut self, slots: &Slots, asked: &Asked, delta: &Delta) -> Context {
        let (span, not_observed) = self.spans(asked);
        let filter = match &self.filters[..] {
            [one] => one.clone(),
            _ => None,
        };
        self.say(asked);
        Context {
            hostname: self.sensors.join(", "),
            backend: self.backends.join(", "),
            interfaces: slots.interfaces(),
            files: self.files,
            filter,
            top_n: asked.top_n,
            interval: delta.buckets().interval(),
            span,
            not_observed,
            interface_counters: Vec::new(),
            notes: self.notes,
        }
    }

    /// From when to when somebody looked, and when nobody did in between.
    fn spans(&mut self, asked: &Asked) -> (Option<(i64, i64)>, Vec<Span>) {
        let (from, to) = (asked.from.unwrap_or(i64::MIN), asked.to.unwrap_or(i64::MAX));
        let mut spans: Vec<(i64, i64)> = Vec::new();
        self.observed.sort_unstable();
        for (start, end) in &self.observed {
            let (start, end) = ((*start).max(from), (*end).min(to));
            match spans.last_mut() {
                _ if start >= end => {}
                Some((_, last)) if start <= *last => *last = end.max(*last),
                _ => spans.push((start, end)),
            }
        }
        let (Some((start, _)), Some((_, end)), false) =
            (spans.first(), spans.last(), self.unobserved)
        else {
            return (None, Vec::new());
        };
        let gaps = spans.windows(2).map(|pair| Span {
            start: Time(pair[0].1),
            end: Time(pair[1].0),
        });
        (Some((*start, *end)), gaps.collect())
    }

    fn say(&mut self, asked: &Asked) {
        let mut said = Vec::new();
        if self.incomplete > 0 {
            said.push(format!(
                "sets of history of which a file is missing: {}; they were left out (somebody was killed while writing, \
                 or is at it)",
                self.incomplete
            ));
        }
        if self.filters.len() > 1 {
            said.push(
                "the filter changed in this time: each part was counted by the filter of its time"
                    .to_owned(),
            );
        }
        let mut dropped = Dropped::default();
        self.dropped.values().for_each(|one| dropped.add(one));
        if dropped != Dropped::default() {
            said.push(format!(
                "packets that are not in the history, because the disk took none for too long: {}, {} bytes",
                dropped.packets, dropped.bytes
            ));
        }
        if let Some((least, most)) = self.resolutions
            && least != most
        {
            said.push(format!(
                "parts of the history are kept in buckets of {}, so all buckets are that long (the newest parts have {})",
                length(most),
                length(least)
            ));
        }
        if self.runs.values().any(|naming| naming.enabled) && asked.config.names == 0 {
            said.push("names of the history were left out (--max-names 0)".to_owned());
        }
        self.notes.append(&mut said);
    }
}

fn enter<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}
