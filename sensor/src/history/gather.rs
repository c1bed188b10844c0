//! What was counted, as rows.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use sensor_common::abi::{CLASS_NOT_IP, Totals, class_of, ip_index};
use sensor_common::flow::Direction;
use sensor_common::parse::Reason;

use super::rows::{Account, AccountKey, BucketKey, FlowPart, Rows, Split, Stretch, Term};
use crate::counters::{Bucket, Class, Counts, Delta, Flow, Known};
use crate::memory;

/// Flows whose entries are fetched from memory at the same time.
const BATCH: usize = 64;

impl Rows {
    /// Adds what one part of a run or a file counted. `at`: where it lies if it has no packets with a time. Gives where it lies.
    ///
    /// `delta` must be flushed and settled. Buckets get rows of their own, as long as they are. Rows of flows and of the
    /// accounting are of `length` nanoseconds, or of several such lengths where the part is longer; of flows whose label may
    /// still come it is noted what is in which bucket.
    pub(super) fn gather(&mut self, delta: &Delta, at: Option<i64>, length: i64) -> Stretch {
        let interval = delta.buckets().interval();
        let sorted = delta.buckets().sorted();
        let stretch = stretch(&sorted, (interval, length), at);
        for bucket in &sorted {
            let start = bucket.index.saturating_mul(interval);
            for (class, counts) in bucket.by_class(delta.classes()) {
                let key = BucketKey {
                    stretch: stretch.start.unwrap_or(start),
                    start,
                    length: interval,
                    class: *class,
                };
                self.bucket(key, counts);
            }
        }
        self.length = length;
        self.turn_to(stretch);
        self.gather_all(delta, stretch);
        for (slot, direction, totals) in delta.totals_by_origin() {
            self.totals(stretch, (slot, direction), totals);
        }
        self.beside(delta, stretch);
        stretch
    }

    /// Asks for the labels and names of the flows that it has, as they are known by now.
    pub(super) fn learn(&mut self, delta: &Delta) {
        if !delta.knows_labels() {
            return; // then all of them are settled
        }
        let book = delta.book();
        for entry in &mut self.flows {
            let info = book.and_then(|book| book.flow(&entry.key));
            let info = info.filter(|info| !info.is_nothing()).map(Arc::clone);
            if entry.settled {
                // What a part says for good is not asked again.
                entry.learn(None, false, info);
                continue;
            }
            let (label, settled) = match delta.flows().get(&entry.key) {
                Some(flow) if flow.known == Known::Decided => (flow.label, true),
                _ => (delta.label_so_far(&entry.key), false),
            };
            entry.learn(label, settled, info);
        }
        self.split_up(|entry| entry.relabelled);
        self.settle();
    }

    /// Asks for the names of the addresses that its flows are between.
    pub(super) fn learn_addresses(&mut self, delta: &Delta) {
        let Some(book) = delta.book().filter(|book| book.names_addresses()) else {
            return;
        };
        let ip = self.flows.iter().filter(|entry| entry.key.is_ip());
        let addresses: HashSet<IpAddr, RandomState> = ip
            .flat_map(|entry| [entry.key.src_addr(), entry.key.dst_addr()])
            .collect();
        for addr in addresses {
            let names = book.of_address(addr);
            if !names.is_empty() {
                self.names.insert(addr, names.to_vec());
            }
        }
    }

    /// Most flows come in the order in which they came in the part before this one.
    fn gather_all(&mut self, delta: &Delta, stretch: Stretch) {
        let first = self.flows.is_empty();
        self.parts.reserve(delta.flows().len());
        if first {
            self.flows.reserve(delta.flows().len());
            memory::prefer_huge_pages(&mut self.flows);
        }
        let mut next = 0;
        let mut batch = Vec::with_capacity(BATCH);
        for flow in delta.flows().iter() {
            let beside = match first {
                true => Some(self.append(&flow.key)),
                false => self.near(next, &flow.key),
            };
            if let Some(place) = beside {
                next = place + 1;
                self.gather_flow(&flow, place, (delta, stretch));
                continue;
            }
            batch.push((flow, self.hash(&flow.key)));
            if batch.len() == BATCH {
                self.gather_flows(&mut batch, delta, stretch);
            }
        }
        self.gather_flows(&mut batch, delta, stretch);
    }

    /// Flows with their hashes.
    fn gather_flows(&mut self, batch: &mut Vec<(Flow, u64)>, delta: &Delta, stretch: Stretch) {
        for (_, hash) in &*batch {
            self.prefetch(*hash);
        }
        for (flow, hash) in batch.drain(..) {
            let place = self.place_of(hash, &flow.key);
            self.gather_flow(&flow, place, (delta, stretch));
        }
    }

    #[inline]
    fn gather_flow(&mut self, flow: &Flow, place: u32, of: (&Delta, Stretch)) {
        let part = self.part_of(flow, place, of);
        let part = self.part(&part);
        let (delta, stretch) = of;
        // Of a longer one, that came late, a window has all rows or none.
        let several = delta.buckets().interval() < stretch.length && stretch.length == self.length;
        if several && flow.known != Known::Decided {
            self.split(part, flow, delta);
        }
    }

    fn part_of(&mut self, flow: &Flow, place: u32, of: (&Delta, Stretch)) -> FlowPart {
        let (delta, stretch) = of;
        if flow.known == Known::Decided {
            self.flows[place as usize].learn(flow.label, true, None);
        }
        let class = delta.classes().get(flow.class).copied();
        FlowPart {
            flow: place,
            tcp_flags: flow.tcp_flags,
            stretch,
            counts: flow.counts(),
            first: flow.first,
            last: flow.last,
            class: class.unwrap_or_else(|| Class::of_flow(&flow.key, flow.label)),
        }
    }

    /// Notes in which buckets a flow's part is.
    fn split(&mut self, part: u32, flow: &Flow, delta: &Delta) {
        let length = delta.buckets().interval();
        let splits = delta.placed(flow).map(|(at, counts)| Split {
            part,
            stretch: Stretch {
                start: Some(at.saturating_sub(at.rem_euclid(length))),
                length,
            },
            counts,
        });
        self.splits.extend(splits);
    }

    fn totals(&mut self, stretch: Stretch, origin: (u8, Direction), totals: &Totals) {
        let mut add = |term: Term, counts: Counts| {
            if counts != Counts::ZERO {
                let key = AccountKey {
                    stretch,
                    origin: Some(origin),
                    term,
                };
                self.account(key, &Account::of(counts));
            }
        };
        for ipv6 in [false, true] {
            for protocol in 0..=u8::MAX {
                let index = ip_index(protocol, ipv6);
                let overflow = totals.overflow[index];
                add(Term::Overflow { ipv6, protocol }, overflow);
                let in_flows = less(totals.ip[index], overflow);
                add(Term::InFlows { ipv6, protocol }, in_flows);
            }
        }
        let (not_ip, overflow) = (totals.class[CLASS_NOT_IP], totals.overflow_not_ip);
        add(Term::NotIpOverflow, overflow);
        add(Term::NotIp, less(not_ip, overflow));
        for reason in Reason::ALL {
            add(
                Term::Malformed(reason as u8),
                totals.class[class_of(reason)],
            );
        }
        add(Term::Filtered, totals.filtered);
        add(Term::Duplicates, totals.duplicates);
    }

    /// What is counted of all interfaces together.
    fn beside(&mut self, delta: &Delta, stretch: Stretch) {
        let beside = delta.beside();
        let packets = |packets| Counts { packets, bytes: 0 };
        let captured = Counts {
            packets: 0,
            bytes: beside.captured_bytes,
        };
        let (first, last) = beside.span.unwrap_or((i64::MAX, i64::MIN));
        let captured = Account {
            counts: captured,
            first,
            last,
        };
        let mut list = vec![
            (Term::Captured, captured),
            (Term::Untimed, Account::of(beside.untimed)),
            (Term::OutOfRange, Account::of(packets(beside.out_of_range))),
            (
                Term::PayloadsLost,
                Account::of(packets(beside.samples_lost)),
            ),
        ];
        let lost = delta.lost_by_place().iter();
        list.extend(
            lost.map(|(place, lost)| {
                (Term::Lost((*place).to_owned()), Account::of(packets(*lost)))
            }),
        );
        for (term, account) in list {
            // That a kernel says it lost nothing is told, too.
            if account != Account::NOTHING || matches!(term, Term::Lost(_)) {
                let key = AccountKey {
                    stretch,
                    origin: None,
                    term,
                };
                self.account(key, &account);
            }
        }
    }
}

/// `length`: of a bucket, and of a row.
fn stretch(sorted: &[&Bucket], (interval, length): (i64, i64), at: Option<i64>) -> Stretch {
    let length = length.max(interval);
    let floor = |at: i64| at.saturating_sub(at.rem_euclid(length));
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return Stretch {
            start: at.map(floor),
            length,
        };
    };
    let start = floor(first.index.saturating_mul(interval));
    let end = last.index.saturating_add(1).saturating_mul(interval);
    let rows = end.saturating_sub(start).div_euclid(length);
    let whole = rows.saturating_mul(length);
    Stretch {
        start: Some(start),
        length: match whole < end.saturating_sub(start) {
            true => whole.saturating_add(length),
            false => whole,
        },
    }
}

pub(super) fn less(all: Counts, part: Counts) -> Counts {
    Counts {
        packets: all.packets.wrapping_sub(part.packets),
        bytes: all.bytes.wrapping_sub(part.bytes),
    }
}
