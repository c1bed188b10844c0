//! What the view knows: all that was counted since the start, and of it what came in the last intervals.

use std::collections::{HashMap, VecDeque};
use std::ops::AddAssign;

use foldhash::fast::RandomState;
use sensor_common::flow::{Direction, FlowKey};

use crate::counters::{Accounting, Class, Counts, Delta, DeltaConfig, Flow};

/// Intervals that the picture of a rate may show.
pub const SERIES: usize = 600;

/// Over how many of the last intervals a rate is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Short = 2,
    Long = 10,
}

/// Where packets were counted.
pub type Way = (u8, Direction);

/// What was counted of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// In the last [`Window::Short`] intervals.
    pub short: Counts,
    pub long: Counts,
    /// Since the start.
    pub total: Counts,
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.short += other.short;
        self.long += other.long;
        self.total += other.total;
    }
}

pub struct Figures {
    config: DeltaConfig,
    whole: Delta,
    recent: Recent,
    held: Option<Held>,
    /// As of [`Figures::settle`].
    accounting: Accounting,
    ways: Vec<Way>,
}

/// The last intervals.
#[derive(Default)]
struct Recent {
    /// The newest is the last; only those of the windows still have their flows.
    intervals: VecDeque<Interval>,
    /// Short and long window of every flow that had a packet in them.
    flows: HashMap<FlowKey, (Counts, Counts), RandomState>,
}

struct Interval {
    flows: Vec<(FlowKey, Counts)>,
    classes: Vec<(Class, Counts)>,
    ways: Vec<(Way, Counts)>,
    nanoseconds: i64,
}

/// What came while the view stood still.
struct Held {
    delta: Delta,
    intervals: VecDeque<Interval>,
}

impl Figures {
    pub fn new(config: DeltaConfig) -> Self {
        let config = DeltaConfig { names: 0, ..config };
        Figures {
            whole: Delta::new(config),
            recent: Recent::default(),
            held: None,
            accounting: Accounting {
                identity_holds: true,
                ..Accounting::default()
            },
            ways: Vec::new(),
            config,
        }
    }

    /// What was counted in an interval of so many nanoseconds; it must be flushed.
    pub fn push(&mut self, delta: &Delta, nanoseconds: i64) {
        let interval = Interval::new(delta, nanoseconds);
        match &mut self.held {
            Some(held) => {
                held.delta.merge(delta);
                held.push(interval);
            }
            None => {
                self.whole.merge(delta);
                self.recent.push(interval);
            }
        }
    }

    /// So many intervals without a packet.
    pub fn idle(&mut self, intervals: usize) {
        let nothing = Delta::new(self.config);
        for _ in 0..intervals {
            self.push(&nothing, self.config.interval);
        }
    }

    /// From now on the figures stay as they are, and what is pushed is kept beside.
    pub fn hold(&mut self) {
        let config = self.config;
        self.held.get_or_insert_with(|| Held {
            delta: Delta::new(config),
            intervals: VecDeque::new(),
        });
    }

    pub fn resume(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        self.whole.merge(&held.delta);
        for interval in held.intervals {
            self.recent.push(interval);
        }
    }

    /// What was counted since [`Self::hold`].
    pub fn held(&self) -> Option<Counts> {
        let held = self.held.as_ref()?;
        Some(held.delta.by_direction().into_iter().sum())
    }

    /// The start is now; what payloads said stays.
    pub fn reset(&mut self) {
        self.whole = self.whole.begin_again(self.config);
        self.recent = Recent::default();
        self.held = self.held.take().map(|_| Held {
            delta: Delta::new(self.config),
            intervals: VecDeque::new(),
        });
    }

    /// Gives the flows the labels that are known by now, and adds everything up: before the figures are looked at.
    pub fn settle(&mut self) {
        self.whole.settle();
        let (accounting, slots) = self.whole.accounting();
        self.accounting = accounting;
        self.ways = slots.iter().map(|one| (one.slot, one.direction)).collect();
    }

    pub fn accounting(&self) -> &Accounting {
        &self.accounting
    }

    /// All that matched the filter of the command line.
    pub fn total(&self) -> Counts {
        let mut total = self.accounting.seen;
        take(&mut total, self.accounting.filtered);
        take(&mut total, self.accounting.duplicates);
        total
    }

    pub fn whole(&self) -> &Delta {
        &self.whole
    }

    pub fn interval(&self) -> i64 {
        self.config.interval
    }

    pub fn of_flow(&self, flow: &Flow) -> Amount {
        let recent = self.recent.flows.get(&flow.key);
        let (short, long) = recent.copied().unwrap_or_default();
        Amount {
            short,
            long,
            total: flow.counts(),
        }
    }

    /// How long the window is by now; it grows in the first intervals.
    pub fn seconds(&self, window: Window) -> f64 {
        let last = self.recent.last(window as usize);
        last.map(|interval| interval.nanoseconds).sum::<i64>() as f64 / 1e9
    }

    /// Where packets were seen, in order.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// Counts and nanoseconds of the last intervals, the newest last, at most so many.
    pub fn series(&self, way: Way, most: usize) -> Vec<(Counts, i64)> {
        let last = self.recent.last(most);
        last.map(|interval| (interval.of_way(way), interval.nanoseconds))
            .collect()
    }

    /// In the window.
    pub fn of_way(&self, way: Way, window: Window) -> Counts {
        let last = self.recent.last(window as usize);
        last.map(|interval| interval.of_way(way)).sum()
    }

    /// Each class of packets, exactly, whether its flows found room or not.
    pub fn by_class(&self) -> Vec<(Class, Amount)> {
        let total = |total| Amount {
            total,
            ..Amount::default()
        };
        let whole = self.whole.by_class().into_iter();
        let mut list: Vec<(Class, Amount)> = whole
            .map(|(class, counts)| (class, total(counts)))
            .collect();
        let newest = self.recent.intervals.iter().rev().enumerate();
        for (age, interval) in newest.take(Window::Long as usize) {
            list.extend(interval.classes.iter().map(|(class, counts)| {
                let amount = Amount {
                    short: match age < Window::Short as usize {
                        true => *counts,
                        false => Counts::ZERO,
                    },
                    long: *counts,
                    total: Counts::ZERO,
                };
                (*class, amount)
            }));
        }
        list
    }
}

impl Held {
    fn push(&mut self, interval: Interval) {
        self.intervals.push_back(interval);
        let len = self.intervals.len();
        // Only the windows ask for flows.
        if let Some(old) = older(len, Window::Long as usize) {
            self.intervals[old].flows = Vec::new();
        }
        if len > SERIES {
            self.intervals.pop_front();
        }
    }
}

impl Recent {
    fn last(&self, most: usize) -> impl Iterator<Item = &Interval> {
        let from = self.intervals.len().saturating_sub(most);
        self.intervals.range(from..)
    }

    fn push(&mut self, interval: Interval) {
        for (key, counts) in &interval.flows {
            let (short, long) = self.flows.entry(*key).or_default();
            *short += *counts;
            *long += *counts;
        }
        self.intervals.push_back(interval);
        let len = self.intervals.len();
        if let Some(old) = older(len, Window::Short as usize) {
            for (key, counts) in &self.intervals[old].flows {
                if let Some((short, _)) = self.flows.get_mut(key) {
                    take(short, *counts);
                }
            }
        }
        if let Some(old) = older(len, Window::Long as usize) {
            for (key, counts) in std::mem::take(&mut self.intervals[old].flows) {
                if let Some((_, long)) = self.flows.get_mut(&key) {
                    take(long, counts);
                    if *long == Counts::ZERO {
                        self.flows.remove(&key);
                    }
                }
            }
        }
        if len > SERIES {
            self.intervals.pop_front();
        }
    }
}

/// The place of the interval that has just left a window of so many, with `len` intervals in all.
fn older(len: usize, window: usize) -> Option<usize> {
    len.checked_sub(window + 1)
}

fn take(from: &mut Counts, counts: Counts) {
    from.packets -= counts.packets;
    from.bytes -= counts.bytes;
}

impl Interval {
    fn new(delta: &Delta, nanoseconds: i64) -> Self {
        let (_, slots) = delta.accounting();
        let flows = delta.flows().iter();
        Interval {
            flows: flows.map(|flow| (flow.key, flow.counts())).collect(),
            classes: delta.by_class(),
            ways: slots
                .iter()
                .map(|one| {
                    let mut counts = one.accounting.seen;
                    take(&mut counts, one.accounting.filtered);
                    take(&mut counts, one.accounting.duplicates);
                    ((one.slot, one.direction), counts)
                })
                .collect(),
            nanoseconds,
        }
    }

    fn of_way(&self, way: Way) -> Counts {
        let found = self.ways.iter().find(|(one, _)| *one == way);
        found.map_or(Counts::ZERO, |(_, counts)| *counts)
    }
}
