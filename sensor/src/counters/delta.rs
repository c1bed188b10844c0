//! What one source counted since it was last asked: exact totals, flows, time buckets, and the accounting that holds
//! them together.
//!
//! Packet sources (files, AF_PACKET) feed packets, the kernel source feeds the totals and flow records that it drained.
//! Nobody to the right of a `Delta` can tell the difference.

mod apart;
mod cut;
mod divide;
mod drained;
mod late;
mod merge;
mod names;
mod packets;
mod pipeline;
mod record;
mod restored;
mod select;
mod timeline;
mod trail;
mod walk;

use std::collections::BTreeMap;

use sensor_common::abi::{Totals, class_of};
use sensor_common::flow::{Direction, FlowKey, HashSeeds};
use sensor_common::parse::{Packet, Reason};

use self::apart::Apart;
use self::late::{Coming, Late, Sums, in_current};
#[cfg(test)]
pub(in crate::counters) use self::names::Told;
use self::names::{Labels, Payloads};
use self::pipeline::{Pending, Pipeline};
pub use self::record::FlowCounts;
pub use self::restored::Beside;
pub use self::timeline::FlowPart;
use self::trail::{Owner, Trail};
use super::accounting::{index_of, not_ip_overflow};
use super::flow_table::{Line, Place, Sought};
use super::{Buckets, Class, ClassId, Classes, Counts, FlowTable, Known, When};

/// Flows of another table whose entries are fetched from memory at the same time.
const BATCH: usize = 64;

#[derive(Clone, Copy, Debug)]
pub struct DeltaConfig {
    /// Length of a bucket in nanoseconds.
    pub interval: i64,
    /// The most flows that are kept apart; the packets of further ones are `overflow`.
    pub max_flows: usize,
    pub seeds: HashSeeds,
    /// Remember what each flow put into each bucket, for [`Delta::select`] and [`Delta::flow_parts`]; only a filter with a
    /// part about flows and the dashboard need it. Measured: 0.3 us more for each packet at 100,000 flows, 0.5 us at a
    /// million (0.1 and 0.2 us without); of the kernel's, for each flow record at each poll. Memory: 65 to 130 bytes
    /// for each flow, and 75 to 150 for each flow and bucket that it has packets in. Of these there are at most two for each
    /// of `max_flows`: above that the buckets are made wider.
    pub trail: bool,
    /// Entries in each cache of [`Book`]; 0 = payloads are not looked at, ports alone give labels.
    pub names: usize,
}

/// One buffer as a packet source saw it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub packet: Result<Packet, Reason>,
    pub when: When,
    pub slot: u8,
    pub direction: Direction,
    /// On the wire: more than one packet for a GSO super-packet.
    pub counts: Counts,
    pub captured_bytes: u64,
}

impl Seen {
    /// Which way it went, as the source or else the packet's link layer says.
    #[inline]
    pub fn way(&self) -> Direction {
        match (self.direction, &self.packet) {
            (Direction::Unknown, Ok(packet)) => packet.direction,
            (known, _) => known,
        }
    }
}

#[derive(Clone)]
pub struct Delta {
    config: DeltaConfig,
    totals: Vec<Totals>,
    flows: FlowTable,
    classes: Classes,
    buckets: Buckets,
    pending: Pipeline,
    captured_bytes: u64,
    untimed: Counts,
    unexplained: Counts,
    out_of_range: u64,
    first: i64,
    last: i64,
    lost: BTreeMap<&'static str, u64>,
    trail: Option<Trail>,
    /// By [`Delta::select`].
    selected: bool,
    labels: Labels,
    late: Late,
    apart: Apart,
    payloads: Payloads,
    /// The table may have flows without packets, of before the last [`Delta::cut`].
    kept: bool,
}

impl Delta {
    pub fn new(config: DeltaConfig) -> Self {
        Delta {
            config,
            totals: Vec::new(),
            flows: FlowTable::new(config.max_flows, config.seeds),
            classes: Classes::default(),
            buckets: Buckets::new(config.interval),
            pending: Pipeline::new(),
            captured_bytes: 0,
            untimed: Counts::ZERO,
            unexplained: Counts::ZERO,
            out_of_range: 0,
            first: i64::MAX,
            last: i64::MIN,
            lost: BTreeMap::new(),
            trail: config.trail.then(|| Trail::new(&config)),
            selected: false,
            labels: Labels::new(config.names),
            late: Late::default(),
            apart: Apart::default(),
            payloads: Payloads::default(),
            kept: false,
        }
    }

    /// Nothing counted, the same labels known.
    fn empty(&self, config: DeltaConfig) -> Delta {
        let without_book = DeltaConfig { names: 0, ..config };
        Delta {
            config,
            labels: self.labels.clone(),
            ..Delta::new(without_book)
        }
    }

    /// Counts what the filter left out of one interface and direction, and nothing more of it.
    #[inline]
    pub fn filtered(&mut self, slot: u8, direction: Direction, counts: Counts) {
        self.totals_mut(slot, direction).filtered += counts;
    }

    /// Counts a packet that came before, of one interface and direction, and nothing more of it.
    #[inline]
    pub fn duplicate(&mut self, slot: u8, direction: Direction, counts: Counts) {
        self.totals_mut(slot, direction).duplicates += counts;
    }

    /// Packets that the kernel says it lost, by where.
    pub fn lost(&mut self, place: &'static str, packets: u64) {
        *self.lost.entry(place).or_default() += packets;
    }

    /// By slot and direction, see [`super::accounting`].
    pub(super) fn slot_totals(&self) -> &[Totals] {
        &self.totals
    }

    pub fn flows(&self) -> &FlowTable {
        &self.flows
    }

    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// First and last time of a packet, nanoseconds since the epoch.
    pub fn span(&self) -> Option<(i64, i64)> {
        (self.first <= self.last).then_some((self.first, self.last))
    }

    pub fn captured_bytes(&self) -> u64 {
        self.captured_bytes
    }

    /// See [`Self::unexplained`].
    pub(super) fn of_no_account(&self) -> Counts {
        self.unexplained
    }

    /// Packets without a usable time: they count everywhere but in buckets.
    pub fn untimed(&self) -> Counts {
        self.untimed
    }

    /// How many of the untimed have a time that can't be true.
    pub fn out_of_range(&self) -> u64 {
        self.out_of_range
    }

    /// What a flow has under other classes than its own, see [`Apart`].
    pub(super) fn apart(&self) -> &Apart {
        &self.apart
    }

    pub fn lost_by_place(&self) -> &BTreeMap<&'static str, u64> {
        &self.lost
    }

    /// Nearly every packet is of a flow that is where it probably is, and whose class won't change any more.
    #[inline(always)]
    fn count_pending(&mut self, one: &Pending) {
        let hit = one.hint.and_then(|line| self.flows.hit(line, &one.key));
        match hit {
            Some(entry) if entry.known == Known::Decided => {
                entry.add_counts(one.counts, (one.first, one.last), one.tcp_flags);
                if one.timed {
                    self.buckets.add(one.at, entry.class, one.counts);
                }
            }
            _ => self.count_other(one),
        }
    }

    #[inline(never)]
    fn count_other(&mut self, one: &Pending) {
        let record = one.record();
        let place = self.flows.entry_at(one.hint, &record.key, one.hash);
        let class = self.count_flow(&record, place, one.at(), one.blind);
        if one.timed {
            self.buckets.add(one.at, class, record.counts);
        }
    }

    /// At once instead of in a batch, which would have to carry for all what only the trail asks for.
    #[inline(never)]
    fn count_with_trail(
        &mut self,
        record: &FlowCounts,
        when: When,
        blind: bool,
        captured_bytes: u64,
    ) {
        let FlowCounts { key, counts, .. } = record;
        let one = Pending::of(record, self.flows.hash(key), when.time());
        self.count_other(&Pending { blind, ..one });
        self.note_trail(key, when, *counts, captured_bytes);
    }

    /// Packets of this key have just been counted in a flow, or as overflow.
    fn note_trail(&mut self, key: &FlowKey, when: When, counts: Counts, captured_bytes: u64) {
        let Some(trail) = &mut self.trail else {
            return;
        };
        match self.flows.contains(key) {
            true => trail.add(Owner::Flow(*key), when, counts, captured_bytes),
            false => trail.overflowed(when),
        }
    }

    /// Counts a flow (or its overflow, where it has no place) and gives the class under which it goes into the bucket of time `at`. `blind`: there
    /// is a payload, and nothing was captured of it.
    #[inline]
    fn count_flow(
        &mut self,
        record: &FlowCounts,
        place: Option<Place>,
        at: Option<i64>,
        blind: bool,
    ) -> ClassId {
        let Some(place) = place.or_else(|| self.place_instead(record)) else {
            return self.overflow(record);
        };
        let mut entry = self.flows.at_mut(place);
        let is_decided = entry.known == Known::Decided;
        if !is_decided && entry.packets == 0 && !self.labels.are_known() {
            // As `Sums::expect` would have it: there is nothing but the ports to tell.
            entry.class = self.classes.id(Class::of_flow(&record.key, None));
            entry.known = Known::Decided;
        } else if !is_decided && (blind || !in_current(&self.buckets, entry.times(), record, at)) {
            self.expect(place, &Coming { record, at, blind });
            entry = self.flows.at_mut(place);
        }
        entry.add(record);
        entry.class
    }

    /// Readies a flow that is not decided for packets that are counted in it next.
    #[inline(never)]
    fn expect(&mut self, place: Place, coming: &Coming<'_>) {
        let mut flow = self.flows.load(place);
        let mut sums = Sums {
            classes: &mut self.classes,
            buckets: &mut self.buckets,
            late: &mut self.late,
        };
        sums.expect(&mut flow, coming, &mut self.labels);
        self.flows.store(place, &flow);
    }

    #[cold]
    fn overflow(&mut self, record: &FlowCounts) -> ClassId {
        let (key, direction) = (&record.key, record.key.direction());
        let Counts { packets, bytes } = record.counts;
        let totals = self.totals_mut(key.slot(), direction);
        let class = if key.is_ip() {
            totals.overflow[key.ip_index()].add(packets, bytes);
            Class::of_overflow(direction, key.protocol(), key.is_ipv6())
        } else {
            totals.overflow_not_ip.add(packets, bytes);
            not_ip_overflow(direction)
        };
        self.classes.id(class)
    }

    #[cold]
    fn malformed(
        &mut self,
        reason: Reason,
        (slot, direction): (u8, Direction),
        when: When,
        (counts, captured_bytes): (Counts, u64),
    ) {
        let totals = self.totals_mut(slot, direction);
        totals.class[class_of(reason)].add(counts.packets, counts.bytes);
        if let Some(at) = when.time() {
            self.in_bucket(at, Class::of_malformed(direction, reason), counts);
        }
        if let Some(trail) = &mut self.trail {
            let owner = Owner::Malformed {
                slot,
                direction,
                reason,
            };
            trail.add(owner, when, counts, captured_bytes);
        }
    }

    #[inline(always)]
    fn note_time(&mut self, when: When, counts: Counts) {
        match when {
            When::At(at) => {
                self.first = self.first.min(at);
                self.last = self.last.max(at);
                return;
            }
            When::Missing => {}
            When::OutOfRange => self.out_of_range += counts.packets,
        }
        self.untimed += counts;
    }

    fn in_bucket(&mut self, at: i64, class: Class, counts: Counts) {
        if counts != Counts::ZERO {
            let class = self.classes.id(class);
            self.buckets.add(at, class, counts);
        }
    }

    #[inline(always)]
    fn totals_mut(&mut self, slot: u8, direction: Direction) -> &mut Totals {
        self.totals_at(index_of(slot, direction))
    }

    #[inline(always)]
    fn totals_at(&mut self, index: usize) -> &mut Totals {
        if index >= self.totals.len() {
            self.more_totals(index);
        }
        &mut self.totals[index]
    }

    #[cold]
    fn more_totals(&mut self, index: usize) {
        self.totals.resize(index + 1, Totals::ZERO);
    }
}
