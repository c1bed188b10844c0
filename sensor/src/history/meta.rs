//! What a set of history says beside its rows: JSON in the key-value metadata of each of its files, under [`KEY`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::{FileInfo, InterfaceInfo, Naming};

/// The key in the Parquet file.
pub(super) const KEY: &str = "sensor.history";
/// Value of [`Meta::schema`].
pub(super) const SCHEMA: &str = "sensor.history/1";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) schema: String,
    /// Of the sensor that wrote the file.
    pub(super) version: String,
    pub(super) hostname: String,
    /// The runs that counted what is in it, more than one only after compaction.
    pub(super) runs: BTreeMap<String, Run>,
    /// `xdp`, `tc`, `af-packet`, `file` ...
    pub(super) backend: String,
    /// Nanoseconds of a bucket.
    pub(super) resolution: i64,
    /// Nanoseconds of a row of flows, and of the accounting; what was counted in one is known together only.
    #[serde(default)]
    pub(super) flows: i64,
    /// From when to when somebody looked, nanoseconds since the epoch; empty of capture files.
    pub(super) observed: Vec<(i64, i64)>,
    /// The filters that were in force; null where there was none.
    pub(super) filters: Vec<Option<String>>,
    /// By the rows' `slot`.
    pub(super) interfaces: Vec<InterfaceInfo>,
    pub(super) files: Vec<FileInfo>,
    pub(super) notes: Vec<String>,
    /// Names of the sets that this one was made from, and that don't count any more.
    pub(super) replaces: Vec<String>,
}

/// What a run had done by the time that the set was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) naming: Naming,
    /// What could not be written, and is nowhere in the history.
    pub(super) dropped: Dropped,
}

impl Meta {
    /// Nanoseconds of its longest rows, but for those that were written late.
    pub(super) fn row(&self) -> i64 {
        self.resolution.max(self.flows)
    }

    /// Takes over what another set says, but for its interfaces, its resolution and what it replaces.
    pub(super) fn join(&mut self, other: &Meta) {
        for (run, told) in &other.runs {
            let known = self.runs.entry(run.clone()).or_default();
            if told.naming.payloads >= known.naming.payloads {
                known.naming = told.naming.clone();
            }
            if told.dropped.packets >= known.dropped.packets {
                known.dropped = told.dropped;
            }
        }
        self.flows = self.flows.max(other.flows);
        self.observed.extend(&other.observed);
        self.observed = united(&self.observed);
        enter_all(&mut self.filters, &other.filters);
        for file in &other.files {
            match self.files.iter_mut().find(|one| one.path == file.path) {
                Some(known) => known.clone_from(file),
                None => self.files.push(file.clone()),
            }
        }
        enter_all(&mut self.notes, &other.notes);
        self.notes.truncate(MOST_NOTES);
        if !self.backend.split(", ").any(|one| one == other.backend) {
            let separator = if self.backend.is_empty() { "" } else { ", " };
            self.backend.push_str(separator);
            self.backend.push_str(&other.backend);
        }
    }
}

/// Notes of all sets together that are kept.
const MOST_NOTES: usize = 100;

fn enter_all<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !list.contains(one) {
            list.push(one.clone());
        }
    }
}

/// Spans in order, those that meet as one.
pub(super) fn united(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut united: Vec<(i64, i64)> = Vec::new();
    for (start, end) in sorted {
        match united.last_mut() {
            Some((_, last)) if start <= *last => *last = end.max(*last),
            _ => united.push((start, end)),
        }
    }
    united
}

/// Rows that had to be given up, because the disk took none for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    pub packets: u64,
    pub bytes: u64,
    pub flow_rows: u64,
}

impl Dropped {
    pub fn add(&mut self, other: &Dropped) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.flow_rows = self.flow_rows.saturating_add(other.flow_rows);
    }
}
