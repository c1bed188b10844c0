//! Time buckets: aligned to multiples of the interval since the epoch, and sparse.

use std::collections::HashMap;

use super::class::ClassId;
use super::{Class, Classes, Counts};

/// With more buckets than this the interval is doubled, until they fit: a month at one second, or a file whose clock
/// jumps about, must not take all memory.
const MAX_BUCKETS: usize = 100_000;

/// Counts by class of the packets of one interval.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// Start divided by the interval.
    pub index: i64,
    /// By class id; classes that occurred later may be missing at the end.
    pub classes: Vec<Counts>,
}

impl Bucket {
    /// Counts by class, of the classes that occurred in it.
    pub fn by_class<'a>(
        &'a self,
        classes: &'a Classes,
    ) -> impl Iterator<Item = (&'a Class, Counts)> {
        let pairs = self.classes.iter().zip(classes.iter());
        pairs
            .map(|(counts, class)| (class, *counts))
            .filter(|(_, counts)| *counts != Counts::ZERO)
    }

    pub fn total(&self) -> Counts {
        self.classes.iter().copied().sum()
    }

    #[inline(always)]
    fn add(&mut self, class: ClassId, counts: Counts) {
        match self.classes.get_mut(class as usize) {
            Some(sum) => *sum += counts,
            None => self.add_new(class, counts),
        }
    }

    #[cold]
    fn add_new(&mut self, class: ClassId, counts: Counts) {
        self.classes.resize(class as usize + 1, Counts::ZERO);
        self.classes[class as usize] += counts;
    }

    fn take(&mut self, class: ClassId, counts: Counts) {
        if let Some(sum) = self.classes.get_mut(class as usize) {
            // Wraps instead of hiding what can't be: the accounting identity is computed from the result.
            sum.packets = sum.packets.wrapping_sub(counts.packets);
            sum.bytes = sum.bytes.wrapping_sub(counts.bytes);
        }
    }
}

#[derive(Clone, Debug)]
pub struct Buckets {
    interval: i64,
    list: Vec<Bucket>,
    places: HashMap<i64, usize, foldhash::fast::RandomState>,
    /// Span and place of the bucket that the last packet fell into; most packets fall into the same.
    current: Option<(i64, i64, usize)>,
}

impl Buckets {
    /// `interval` in nanoseconds, at least 1.
    pub fn new(interval: i64) -> Self {
        Buckets {
            interval: interval.max(1),
            list: Vec::new(),
            places: HashMap::default(),
            current: None,
        }
    }

    /// Nanoseconds; a multiple of the one asked for where there were too many buckets.
    pub fn interval(&self) -> i64 {
        self.interval
    }

    #[inline(always)]
    pub fn add(&mut self, at: i64, class: ClassId, counts: Counts) {
        let place = match self.current {
            Some((start, end, place)) if start <= at && at <= end => place,
            _ => self.turn_to(at),
        };
        self.list[place].add(class, counts);
    }

    /// In order of time.
    pub fn sorted(&self) -> Vec<&Bucket> {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort_unstable_by_key(|bucket| bucket.index);
        sorted
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn total(&self) -> Counts {
        self.list.iter().map(Bucket::total).sum()
    }

    /// `translate` gives this side's class id for one of the other's.
    pub fn merge(&mut self, other: &Buckets, translate: &[ClassId]) {
        self.widen(other.interval);
        for bucket in &other.list {
            let start = bucket.index.saturating_mul(other.interval);
            for (class, counts) in bucket.classes.iter().enumerate() {
                if *counts != Counts::ZERO {
                    self.add(start, translate[class], *counts);
                }
            }
        }
    }

    /// Makes the interval at least this long: a double, and a double of that, of what it was.
    pub fn widen(&mut self, interval: i64) {
        while self.interval < interval {
            self.coarsen();
        }
    }

    /// Makes them twice as long, and again, until there are this many at the most, or two.
    pub fn limit(&mut self, most: usize) {
        while self.list.len() > most.max(2) {
            self.coarsen();
        }
    }

    /// First and last nanosecond of the bucket of a time.
    #[inline]
    pub(super) fn span(&self, at: i64) -> (i64, i64) {
        match self.current {
            Some((start, end, _)) if start <= at && at <= end => (start, end),
            _ => self.span_of(at),
        }
    }

    /// The same of the bucket that the last packet fell into.
    #[inline]
    pub(super) fn current_span(&self) -> Option<(i64, i64)> {
        self.current.map(|(start, end, _)| (start, end))
    }

    /// Takes back what was added. [`Self::drop_empty`] must follow.
    pub(super) fn take(&mut self, at: i64, class: ClassId, counts: Counts) {
        if let Some(bucket) = self.existing(at) {
            bucket.take(class, counts);
        }
    }

    /// What was added under one class is under another one now.
    pub(super) fn shift(&mut self, at: i64, from: ClassId, to: ClassId, counts: Counts) {
        if let Some(bucket) = self.existing(at) {
            bucket.take(from, counts);
            bucket.add(to, counts);
        }
    }

    /// Forgets the buckets that have no packets any more.
    pub(super) fn drop_empty(&mut self) {
        self.list.retain(|bucket| bucket.total() != Counts::ZERO);
        let indexes = self.list.iter().map(|bucket| bucket.index);
        self.places = indexes.zip(0..).collect();
        self.current = None;
    }

    #[cold]
    fn turn_to(&mut self, at: i64) -> usize {
        let index = at.div_euclid(self.interval);
        let place = match self.places.get(&index) {
            Some(place) => *place,
            None if self.list.len() >= MAX_BUCKETS => {
                self.coarsen();
                return self.turn_to(at);
            }
            None => {
                self.list.push(Bucket {
                    index,
                    classes: Vec::new(),
                });
                self.places.insert(index, self.list.len() - 1);
                self.list.len() - 1
            }
        };
        let (start, end) = self.span_of(at);
        self.current = Some((start, end, place));
        place
    }

    fn span_of(&self, at: i64) -> (i64, i64) {
        // From `at` both ways: at the ends of time a bucket reaches beyond what fits, but not all the way round.
        let within = at.rem_euclid(self.interval);
        let end = at.saturating_add(self.interval - 1 - within);
        (at.saturating_sub(within), end)
    }

    fn existing(&mut self, at: i64) -> Option<&mut Bucket> {
        let place = self.places.get(&at.div_euclid(self.interval))?;
        self.list.get_mut(*place)
    }

    fn coarsen(&mut self) {
        let mut wider = Buckets::new(self.interval.saturating_mul(2));
        for bucket in self.list.drain(..) {
            let start = bucket.index.saturating_mul(self.interval);
            for (class, counts) in bucket.classes.into_iter().enumerate() {
                wider.add(start, class as ClassId, counts);
            }
        }
        *self = wider;
    }
}
