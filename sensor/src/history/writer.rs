//! Keeps what was counted, period by period.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::HistoryError;
use super::meta::{Dropped, Meta, Run, SCHEMA};
use super::name::{Partition, SetName};
use super::rows::{FlowEntry, FlowPart, Rows, Stretch};
use super::store::Place;
use crate::counters::{Class, Counts, Delta, Known};
use crate::names::Label;
use crate::report::{Context, Naming};

/// Rows of flows in memory, 90 bytes each, that make a set of their own before the period is over.
const MOST_OF_A_SET: usize = 1 << 20;
/// The same of all sets that wait for a disk that takes none: 380 MB. Then the oldest are given up.
const MOST_WAITING: usize = 1 << 22;
/// Hours of one period that get sets of their own: a capture whose times jump about must not fill the disk with files.
const MOST_HOURS: usize = 48;
/// Flows that are remembered for the case that they get another label in a later period.
const MOST_OPEN: usize = 1 << 18;

/// Where the history of a run goes, and what is known of it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that has the tables' folders.
    pub root: PathBuf,
    /// Twelve hexadecimal digits, new in each run.
    pub run: String,
    pub lengths: Lengths,
    /// Most rows in memory, for tests; else [`Config::MOST_ROWS`].
    pub most_rows: usize,
}

/// Of what time rows are, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// A bucket.
    pub interval: i64,
    /// A row of flows and of the accounting, a multiple of it.
    pub flows: i64,
}

impl Config {
    pub const MOST_ROWS: usize = MOST_WAITING;
}

/// What was counted in one part of a run, beside the delta.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    pub context: &'a Context,
    /// From when to when somebody looked, nanoseconds since the epoch; `None` of capture files.
    pub observed: Option<(i64, i64)>,
}

pub struct Writer {
    config: Config,
    /// By the hour that they begin in.
    current: BTreeMap<i64, Rows>,
    observed: Option<(i64, i64)>,
    waiting: VecDeque<Waiting>,
    number: u32,
    dropped: Dropped,
    /// Flows in sets that are written by now whose label may still change.
    open: HashMap<FlowKey, Option<Label>, RandomState>,
    written: Written,
    /// Of the part that came last, and its stretch.
    last_hour: i64,
    last_stretch: Option<Stretch>,
}

/// What lies on the disk by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub sets: u64,
    pub flow_rows: u64,
    pub bytes: u64,
    /// What was given up, and is nowhere.
    pub dropped: Dropped,
}

struct Waiting {
    place: Place,
    rows: Rows,
    meta: Meta,
}

impl Writer {
    pub fn new(config: Config) -> Self {
        Writer {
            config,
            current: BTreeMap::new(),
            observed: None,
            waiting: VecDeque::new(),
            number: 0,
            dropped: Dropped::default(),
            open: HashMap::default(),
            written: Written::default(),
            last_hour: 0,
            last_stretch: None,
        }
    }

    /// Takes in what was counted next. `delta` is flushed and settled.
    pub fn part(&mut self, delta: &Delta, beside: Beside<'_>) -> Result<(), HistoryError> {
        let at = beside.observed.map(|(start, _)| start);
        let start = delta.span().map(|(first, _)| first).or(at).unwrap_or(0);
        let hour = Partition::of("", start).hour;
        let hour = match self.current.keys().next() {
            Some(first) if self.current.len() >= MOST_HOURS => *first,
            _ => hour,
        };
        self.last_stretch = Some(self.current.entry(hour).or_default().gather(
            delta,
            at,
            self.config.lengths.flows,
        ));
        self.last_hour = hour;
        if let Some((start, end)) = beside.observed {
            let (first, last) = self.observed.unwrap_or((start, end));
            self.observed = Some((first.min(start), last.max(end)));
        }
        let rows: usize = self.current.values().map(Rows::flow_rows).sum();
        if rows >= MOST_OF_A_SET {
            return self.commit(delta, beside);
        }
        Ok(())
    }

    /// A period is over: what came since the last one is written, with the labels and names that `delta` knows by now.
    ///
    /// What can't be written stays in memory and is tried again at the next commit, as long as there is room.
    pub fn commit(&mut self, delta: &Delta, beside: Beside<'_>) -> Result<(), HistoryError> {
        self.commit_as(delta, beside, false)
    }

    /// `last`: nothing more comes, and no label is waited for.
    fn commit_as(
        &mut self,
        delta: &Delta,
        beside: Beside<'_>,
        last: bool,
    ) -> Result<(), HistoryError> {
        let naming = Naming::of(delta);
        let mut current = std::mem::take(&mut self.current);
        if let (true, Some((start, _))) = (current.is_empty(), self.observed) {
            // That nobody sent anything is something to be written too.
            current.insert(Partition::of("", start).hour, Rows::default());
        }
        for rows in current.values_mut() {
            rows.learn(delta);
            match last {
                true => rows.forget_splits(),
                false => rows.split_up(|entry| !entry.settled),
            }
            rows.join_buckets();
        }
        self.correct(delta, &mut current);
        for (hour, mut rows) in current {
            rows.learn_addresses(delta);
            self.enqueue(hour, rows, (beside, &naming));
        }
        self.observed = None;
        self.write_waiting()
    }

    /// Nothing more comes. `whole` is all that was counted, with the labels that it has in the last report.
    pub fn conclude(&mut self, whole: &Delta, beside: Beside<'_>) -> Result<(), HistoryError> {
        let nothing = self.current.is_empty() && self.observed.is_none();
        if nothing && !self.open.is_empty() {
            // Somewhere to note what became known of flows that are written already.
            let hour = self.last_hour;
            self.current.insert(hour, Rows::default());
        }
        self.commit_as(whole, beside, true)
    }

    pub fn written(&self) -> Written {
        Written {
            dropped: self.dropped,
            ..self.written
        }
    }

    /// Something could not be written yet.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What lies in no set: it was given up, or waits for a disk that takes none.
    pub fn missing(&self) -> Counts {
        let waiting: Counts = self.waiting.iter().map(|one| one.rows.seen()).sum();
        let Dropped { packets, bytes, .. } = self.dropped;
        waiting + Counts { packets, bytes }
    }

    fn enqueue(&mut self, hour: i64, rows: Rows, (beside, naming): (Beside<'_>, &Naming)) {
        let context = beside.context;
        let mut partition = Partition::of(&context.hostname, 0);
        partition.hour = hour;
        let (start, end) = rows.span().or(self.quiet()).unwrap_or((0, 1));
        for entry in &rows.flows {
            if entry.settled {
                // Of a map with nothing in it, too, it would cost a hash.
                if !self.open.is_empty() {
                    self.open.remove(&entry.key);
                }
            } else if self.open.len() < MOST_OPEN {
                self.open.insert(entry.key, entry.label);
            }
        }
        let place = Place {
            root: self.config.root.clone(),
            partition,
            name: SetName {
                start,
                end,
                resolution: self.config.lengths.interval,
                run: self.config.run.clone(),
                number: self.number,
            },
        };
        self.number += 1;
        let run = Run {
            naming: naming.clone(),
            dropped: Dropped::default(),
        };
        let meta = Meta {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: context.hostname.clone(),
            runs: [(self.config.run.clone(), run)].into(),
            backend: context.backend.clone(),
            resolution: self.config.lengths.interval,
            flows: self.config.lengths.flows,
            observed: self.observed.into_iter().collect(),
            filters: vec![context.filter.clone()],
            interfaces: context.interfaces.clone(),
            files: context.files.clone(),
            notes: context.notes.clone(),
            replaces: Vec::new(),
        };
        self.waiting.push_back(Waiting { place, rows, meta });
        self.make_room();
    }

    /// Seconds of a period without packets.
    fn quiet(&self) -> Option<(i64, i64)> {
        let second = |at: i64| at.div_euclid(1_000_000_000);
        self.observed
            .map(|(start, end)| (second(start), second(end) + 1))
    }

    /// Gives up the oldest rows where there are too many.
    fn make_room(&mut self) {
        let mut rows: usize = self.waiting.iter().map(|one| one.rows.parts.len()).sum();
        while rows > self.config.most_rows && self.waiting.len() > 1 {
            let Some(oldest) = self.waiting.pop_front() else {
                return;
            };
            rows -= oldest.rows.parts.len();
            let Counts { packets, bytes } = oldest.rows.seen();
            self.dropped.add(&Dropped {
                packets,
                bytes,
                flow_rows: oldest.rows.parts.len() as u64,
            });
        }
    }

    fn write_waiting(&mut self) -> Result<(), HistoryError> {
        while let Some(oldest) = self.waiting.front_mut() {
            for run in oldest.meta.runs.values_mut() {
                run.dropped = self.dropped;
            }
            let bytes = oldest.place.write(&oldest.rows, &oldest.meta)?;
            self.written.bytes += bytes;
            self.written.sets += 1;
            self.written.flow_rows += oldest.rows.parts.len() as u64;
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Notes what became known of flows that lie in earlier sets: a row without packets.
    fn correct(&mut self, delta: &Delta, current: &mut BTreeMap<i64, Rows>) {
        let mut now_settled =
            |key: &FlowKey| current.values_mut().any(|rows| rows.has_settled(key));
        self.open.retain(|key, _| !now_settled(key));
        let Some(rows) = current.values_mut().next_back() else {
            return;
        };
        let Some(stretch) = self.last_stretch else {
            return;
        };
        let mut corrections = Vec::new();
        for (key, before) in &self.open {
            let Some(flow) = delta.flows().get(key) else {
                continue;
            };
            if flow.known == Known::Decided {
                corrections.push((*key, flow.label, flow.label != *before));
            }
        }
        for (key, label, changed) in corrections {
            self.open.remove(&key);
            if !changed {
                continue;
            }
            let place = rows.place(&key);
            let entry: &mut FlowEntry = &mut rows.flows[place as usize];
            entry.learn(
                label,
                true,
                delta.book().and_then(|book| book.flow(&key)).cloned(),
            );
            rows.part(&FlowPart {
                flow: place,
                tcp_flags: 0,
                stretch,
                counts: Counts::ZERO,
                first: i64::MAX,
                last: i64::MIN,
                class: Class::of_flow(&key, label),
            });
        }
    }
}
