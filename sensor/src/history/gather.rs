//! What was counted, as rows.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sensor_common::abi::{CLASS_NOT_IP, Totals, class_of, ip_index};
use sensor_common::flow::Direction;
use sensor_common::parse::Reason;

use super::rows::{Account, AccountKey, BucketKey, FlowPart, Rows, Stretch, Term};
use crate::counters::{Bucket, Class, Counts, Delta, Flow, Known};

impl Rows {
    /// Adds what one part of a run or a file counted. `at`: where it lies if it has no packets with a time. Gives where it lies.
    ///
    /// `delta` must be flushed and settled. Where it has one bucket, all rows are of that bucket. Where it has several, the
    /// buckets' own rows are exact as ever, and those of flows and of the accounting are as long as all of them together.
    pub(super) fn gather(&mut self, delta: &Delta, at: Option<i64>) -> Stretch {
        let interval = delta.buckets().interval();
        let sorted = delta.buckets().sorted();
        let stretch = stretch(&sorted, interval, at);
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
        for flow in delta.flows().iter() {
            self.flow(&flow, stretch);
        }
        for (slot, direction, totals) in delta.totals_by_origin() {
            self.totals(stretch, (slot, direction), totals);
        }
        self.beside(delta, stretch);
        stretch
    }

    /// Asks for the labels and names of the flows that it has, as they are known by now.
    pub(super) fn learn(&mut self, delta: &Delta) {
        let book = delta.book();
        for entry in &mut self.flows {
            let flow = delta.flows().get(&entry.key);
            let (label, settled) = match flow {
                Some(flow) if flow.known == Known::Decided => (flow.label, true),
                _ if entry.settled => (entry.label, true),
                _ => (delta.label_so_far(&entry.key), false),
            };
            let info = book.and_then(|book| book.flow(&entry.key)).cloned();
            entry.learn(label, settled, info);
        }
        self.settle();
    }

    /// Asks for the names of the addresses that its flows are between.
    pub(super) fn learn_addresses(&mut self, delta: &Delta) {
        let Some(book) = delta.book() else {
            return;
        };
        let ip = self.flows.iter().filter(|entry| entry.key.is_ip());
        let addresses: BTreeSet<IpAddr> = ip
            .flat_map(|entry| [entry.key.src_addr(), entry.key.dst_addr()])
            .collect();
        for addr in addresses {
            let names = book.of_address(addr);
            if !names.is_empty() {
                self.names.insert(addr, names.to_vec());
            }
        }
    }

    fn flow(&mut self, flow: &Flow, stretch: Stretch) {
        let place = self.place(&flow.key);
        if flow.known == Known::Decided {
            self.flows[place as usize].learn(flow.label, true, None);
        }
        self.parts.push(FlowPart {
            flow: place,
            tcp_flags: flow.tcp_flags,
            stretch,
            counts: flow.counts(),
            first: flow.first,
            last: flow.last,
            class: Class::of_flow(&flow.key, flow.label),
        });
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

fn stretch(sorted: &[&Bucket], interval: i64, at: Option<i64>) -> Stretch {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return Stretch {
            start: at.map(|at| at.saturating_sub(at.rem_euclid(interval))),
            length: interval,
        };
    };
    let start = first.index.saturating_mul(interval);
    let end = last.index.saturating_add(1).saturating_mul(interval);
    Stretch {
        start: Some(start),
        length: end.saturating_sub(start),
    }
}

fn less(all: Counts, part: Counts) -> Counts {
    Counts {
        packets: all.packets.wrapping_sub(part.packets),
        bytes: all.bytes.wrapping_sub(part.bytes),
    }
}
