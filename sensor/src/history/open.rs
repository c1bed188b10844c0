//! History read again: sets found, chosen, and merged into one delta.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use foldhash::fast::RandomState;
use sensor_common::abi::{CLASS_NOT_IP, Totals, class_of, ip_index};
use sensor_common::flow::{Direction, FlowKey};

use super::HistoryError;
use super::decode::{TableFile, Window};
use super::load::{self, Files, Told};
use super::meta::Meta;
use super::name::{Partition, SetName};
use super::rows::{FlowEntry, Rows, Term, reason};
use super::slots::{Numbers, Slots, move_to};
use super::store::{self, Found, Place};
use super::summary::Summary;
use crate::counters::{self, Class, Counts, Delta, DeltaConfig, FlowCounts};
use crate::names::Book;
use crate::report::Context;

/// What is wanted of a history.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Only what begins from then on, nanoseconds since the epoch.
    pub from: Option<i64>,
    /// Only what begins before.
    pub to: Option<i64>,
    /// Its interval is the least; what is kept coarser makes all buckets coarser.
    pub config: DeltaConfig,
    /// Flows will be selected from it ([`Delta::select`]): all that was kept together of them then stands in one bucket.
    pub by_flow: bool,
    pub top_n: usize,
}

/// A history, merged.
pub struct Opened {
    pub delta: Delta,
    pub context: Context,
    /// How many sets were read.
    pub sets: usize,
    /// Of sets that could not be read: they are left out.
    pub troubles: Vec<HistoryError>,
}

/// Whether the path is a history, or a file of one.
pub fn is_history(path: &Path) -> bool {
    root_of(path).is_some() || file_of(path).is_some()
}

/// Merges all that the paths hold; what is given twice counts once.
pub fn open(paths: &[PathBuf], asked: &Asked) -> Result<Opened, HistoryError> {
    let found = find(paths)?;
    let mut opening = Opening::new(Window::of(asked.from, asked.to), asked);
    let mut sets = opening.choose(&found);
    let rows = sets.iter().map(|set| set.meta.row()).max().unwrap_or(1);
    let window = opening.window.whole(rows);
    if window != opening.window {
        let asked_for = opening.window;
        opening = Opening::new(window, asked);
        opening.summary.widened = Some((asked_for, rows));
        sets = opening.choose(&found);
    }
    let sets = opening.learn_labels(sets);
    let count = sets.len();
    let interval = opening.summary.interval(asked);
    let mut delta = Delta::new(DeltaConfig {
        names: 0,
        interval,
        ..asked.config
    });
    delta.restore_trail(interval.max(rows));
    let names = asked.config.names;
    let mut book = (names > 0 && opening.summary.has_names()).then(|| Book::new(names));
    for mut set in sets {
        match load::set(&set.place, window) {
            Ok((rows, _)) => opening.add(rows, &mut set, &mut delta, book.as_mut()),
            Err(error) => opening.troubles.push(error),
        }
    }
    if let Some(mut book) = book {
        opening.summary.restore_naming(&mut book);
        delta.restore_book(book);
    }
    let context = opening
        .summary
        .context(&opening.slots, (asked, window), &delta);
    Ok(Opened {
        delta,
        context,
        sets: count,
        troubles: opening.troubles,
    })
}

/// A set that counts.
struct Set {
    place: Place,
    meta: Meta,
    /// The new slots of its interfaces.
    numbers: Numbers,
}

struct Opening {
    window: Window,
    by_flow: bool,
    summary: Summary,
    slots: Slots,
    /// The last word on each flow.
    labels: HashMap<FlowKey, Told, RandomState>,
    most_flows: usize,
    troubles: Vec<HistoryError>,
}

impl Opening {
    fn new(window: Window, asked: &Asked) -> Self {
        Opening {
            window,
            by_flow: asked.by_flow,
            summary: Summary::default(),
            slots: Slots::default(),
            labels: HashMap::default(),
            most_flows: asked.config.max_flows,
            troubles: Vec::new(),
        }
    }
}

fn find(paths: &[PathBuf]) -> Result<Vec<Found>, HistoryError> {
    let mut found = Vec::new();
    for path in paths {
        if let Some(place) = file_of(path) {
            found.push(Found {
                place,
                bytes: 0,
                whole: true,
                replaced: false,
                modified: 0,
            });
            continue;
        }
        let root = root_of(path).ok_or_else(|| HistoryError::Nothing { path: path.clone() })?;
        found.extend(store::list(&root)?);
    }
    let mut seen = HashSet::new();
    found.retain(|one| {
        let Place {
            partition, name, ..
        } = &one.place;
        !one.whole || seen.insert((partition.clone(), name.clone()))
    });
    found.sort_by(|a, b| order(&a.place).cmp(&order(&b.place)));
    Ok(found)
}

/// In the order in which they were counted.
fn order(place: &Place) -> impl Ord + '_ {
    let SetName {
        start, run, number, ..
    } = &place.name;
    (start, &place.partition.sensor, run, number)
}

/// The folder with the tables.
fn root_of(path: &Path) -> Option<PathBuf> {
    let candidates = [path.join("history"), path.to_owned()];
    candidates
        .into_iter()
        .find(|root| root.join("buckets").is_dir())
}

/// The set that a file belongs to.
fn file_of(path: &Path) -> Option<Place> {
    let name = SetName::parse(path.file_name()?.to_str()?)?;
    let folder = path.parent()?;
    let partition = Partition::parse(folder)?;
    let root = folder.ancestors().nth(4)?;
    Some(Place {
        root: root.to_owned(),
        partition,
        name,
    })
}

impl Opening {
    /// Leaves out what is not whole, not in the window, or replaced by another set.
    fn choose(&mut self, found: &[Found]) -> Vec<Set> {
        let mut sets = Vec::new();
        let mut replaced = BTreeSet::new();
        for one in found {
            if !one.whole {
                self.summary.incomplete += 1;
                continue;
            }
            let SetName { start, end, .. } = one.place.name;
            let nanoseconds = |seconds: i64| seconds.saturating_mul(1_000_000_000);
            if nanoseconds(start) >= self.window.to || nanoseconds(end) < self.window.from {
                continue;
            }
            // The file that makes the set whole.
            match TableFile::open(&one.place.path("buckets")) {
                Ok(file) => {
                    let sensor = &one.place.partition.sensor;
                    let names = file.meta.replaces.iter();
                    replaced.extend(names.map(|name| (sensor.clone(), name.clone())));
                    let numbers = Numbers::of(sensor, &file.meta, &mut self.slots);
                    sets.push(Set {
                        place: one.place.clone(),
                        meta: file.meta,
                        numbers,
                    });
                }
                Err(error) => self.troubles.push(error),
            }
        }
        sets.retain(|set| {
            let Place {
                partition, name, ..
            } = &set.place;
            !replaced.contains(&(partition.sensor.clone(), name.to_string()))
        });
        sets
    }

    /// Reads the last word on each flow's label, and leaves out the sets that can't be read.
    fn learn_labels(&mut self, mut sets: Vec<Set>) -> Vec<Set> {
        sets.retain_mut(|set| {
            let (labels, most) = (&mut self.labels, self.most_flows);
            let (numbers, slots) = (&mut set.numbers, &mut self.slots);
            let mut show = |mut key: FlowKey, told: Told| {
                let slot = numbers.get(key.slot(), slots);
                move_to(&mut key, slot);
                if let Some(known) = labels.get_mut(&key) {
                    let mut entry = FlowEntry::new(key, known.label, known.settled);
                    entry.learn(told.label, told.settled, None);
                    (known.label, known.settled) = (entry.label, entry.settled);
                } else if labels.len() < most {
                    labels.insert(key, told);
                }
            };
            match load::labels(&set.place.path("flows"), self.window, &mut show) {
                Ok(()) => {
                    self.summary.add(&set.place.partition.sensor, &set.meta);
                    true
                }
                Err(error) => {
                    self.troubles.push(error);
                    false
                }
            }
        });
        sets
    }

    fn add(&mut self, rows: Rows, set: &mut Set, delta: &mut Delta, mut book: Option<&mut Book>) {
        let longest = rows.buckets.keys().map(|key| key.length).max();
        let interval = longest.unwrap_or(0).max(set.meta.resolution);
        delta.restore_interval(interval);
        let bucket = delta.buckets().interval();
        // Flows are taken out again from where the trail has them: of intervals that were kept together that is the first.
        let by_flow = self.by_flow;
        for (key, counts) in &rows.buckets {
            let at = if by_flow { key.stretch } else { key.start };
            self.summary.lumped |= at.div_euclid(bucket) != key.start.div_euclid(bucket);
            delta.restore_bucket(at, key.class, *counts);
        }
        let mut flows = Vec::with_capacity(rows.flows.len());
        for entry in rows.flows {
            let mut key = entry.key;
            let slot = set.numbers.get(key.slot(), &mut self.slots);
            move_to(&mut key, slot);
            let label = self.labels.get(&key).map_or(entry.label, |told| told.label);
            flows.push((key, label));
            if let (Some(book), Some(info)) = (&mut book, entry.info) {
                book.restore_flow(&key, info);
            }
        }
        for part in rows.parts.iter() {
            if part.counts == Counts::ZERO {
                continue;
            }
            let (key, label) = flows[part.flow as usize];
            let class = Class::of_flow(&key, label);
            let placed = by_flow || part.stretch.length <= set.meta.resolution;
            if let (Some(start), true) = (part.stretch.start, placed && class != part.class) {
                delta.restore_shift(start, (part.class, class), part.counts);
            }
            let record = FlowCounts {
                key,
                counts: part.counts,
                tcp_flags: part.tcp_flags,
                first: part.first,
                last: part.last,
            };
            delta.restore_flow(&record, label, part.stretch.start);
        }
        let mut slot_of = |old| set.numbers.get(old, &mut self.slots);
        add_accounts(&rows.accounts, &mut slot_of, delta);
        if let Some(book) = book {
            for (addr, names) in rows.names {
                book.restore_address(addr, names);
            }
        }
    }
}

type Accounts = BTreeMap<super::rows::AccountKey, super::rows::Account>;

fn add_accounts(accounts: &Accounts, slot_of: &mut dyn FnMut(u8) -> u8, delta: &mut Delta) {
    let mut beside = counters::Beside::default();
    let mut current: Option<(Option<i64>, u8, Direction, Box<Totals>)> = None;
    for (key, account) in accounts {
        let Some((slot, direction)) = key.origin else {
            let packets = account.counts.packets;
            match &key.term {
                Term::Captured => {
                    beside.captured_bytes += account.counts.bytes;
                    if account.first <= account.last {
                        let (first, last) = beside.span.unwrap_or((account.first, account.last));
                        beside.span = Some((first.min(account.first), last.max(account.last)));
                    }
                }
                Term::Untimed => beside.untimed += account.counts,
                Term::OutOfRange => beside.out_of_range += packets,
                Term::PayloadsLost => beside.samples_lost += packets,
                Term::Lost(place) => delta.lost(place_of(place), packets),
                _ => {}
            }
            continue;
        };
        let slot = slot_of(slot);
        let here = (key.stretch.start, slot, direction);
        let same = current
            .as_ref()
            .is_some_and(|(at, slot, way, _)| (*at, *slot, *way) == here);
        if !same && let Some((at, slot, way, totals)) = current.take() {
            delta.restore_totals(slot, way, &totals, at);
        }
        let (.., totals) =
            current.get_or_insert_with(|| (here.0, here.1, here.2, Box::new(Totals::ZERO)));
        add_term(&key.term, account.counts, totals);
    }
    if let Some((at, slot, way, totals)) = current {
        delta.restore_totals(slot, way, &totals, at);
    }
    delta.restore_beside(&beside);
}

fn add_term(term: &Term, counts: Counts, totals: &mut Totals) {
    match term {
        Term::InFlows { ipv6, protocol } => totals.ip[ip_index(*protocol, *ipv6)] += counts,
        Term::Overflow { ipv6, protocol } => {
            totals.ip[ip_index(*protocol, *ipv6)] += counts;
            totals.overflow[ip_index(*protocol, *ipv6)] += counts;
        }
        Term::NotIp => totals.class[CLASS_NOT_IP] += counts,
        Term::NotIpOverflow => {
            totals.class[CLASS_NOT_IP] += counts;
            totals.overflow_not_ip += counts;
        }
        Term::Malformed(number) => {
            if let Some(reason) = reason(*number) {
                totals.class[class_of(reason)] += counts;
            }
        }
        Term::Filtered => totals.filtered += counts,
        Term::Duplicates => totals.duplicates += counts,
        Term::Lost(_) | Term::Captured | Term::Untimed | Term::OutOfRange | Term::PayloadsLost => {}
    }
}

/// The places at which a kernel loses packets, by the names that sources give them.
fn place_of(name: &str) -> &'static str {
    const PLACES: [&str; 2] = ["af-packet", "af-xdp"];
    let known = PLACES.into_iter().find(|place| *place == name);
    known.unwrap_or("elsewhere")
}
