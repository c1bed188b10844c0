//! Totals and flow records, as the kernel hands them over, say the same as the packets that they were made of.

use sensor_common::abi::{CLASS_NOT_IP, Totals, class_of, ip_index};

use super::select::{choice, whole_key, with_trail};
use super::*;
use crate::counters::FlowCounts;

/// What the programs would have counted between two drains.
#[derive(Default)]
struct Counted {
    totals: BTreeMap<(u8, u8), Box<Totals>>,
    flows: BTreeMap<[u64; 5], (Counts, u8)>,
    max_flows: usize,
}

impl Counted {
    fn packet(&mut self, seen: &Seen) {
        let Counts { packets, bytes } = seen.counts;
        let place = (seen.slot, seen.direction as u8);
        let totals = self
            .totals
            .entry(place)
            .or_insert_with(|| Box::new(Totals::ZERO));
        let packet = match seen.packet {
            Ok(packet) => packet,
            Err(reason) => return totals.class[class_of(reason)].add(packets, bytes),
        };
        let mut key = packet.key;
        key.set_origin(seen.slot, seen.direction);
        let room = self.flows.len() < self.max_flows || self.flows.contains_key(&key.0);
        let index = key.ip_index();
        let (all, overflow) = match key.is_ip() {
            true => (&mut totals.ip[index], &mut totals.overflow[index]),
            false => (&mut totals.class[CLASS_NOT_IP], &mut totals.overflow_not_ip),
        };
        all.add(packets, bytes);
        if !room {
            return overflow.add(packets, bytes);
        }
        let (counts, flags) = self.flows.entry(key.0).or_default();
        counts.add(packets, bytes);
        *flags |= packet.tcp_flags;
    }

    /// The filter comes first.
    fn filtered(&mut self, seen: &Seen) {
        let place = (seen.slot, seen.direction as u8);
        let totals = self.totals.entry(place);
        let totals = totals.or_insert_with(|| Box::new(Totals::ZERO));
        totals.filtered += seen.counts;
    }

    fn drain(&self, at: i64, delta: &mut Delta) {
        for ((slot, direction), totals) in &self.totals {
            delta.totals(*slot, DIRECTIONS[*direction as usize], totals, at);
        }
        for (key, (counts, tcp_flags)) in &self.flows {
            // Two CPUs may have seen the same flow.
            for share in shares(*counts) {
                let record = FlowCounts {
                    key: FlowKey(*key),
                    counts: share,
                    tcp_flags: *tcp_flags,
                    first: at,
                    last: at,
                };
                delta.flow(&record, at);
            }
        }
        delta.flush();
    }
}

fn shares(all: Counts) -> Vec<Counts> {
    if all.packets < 2 {
        return vec![all];
    }
    let first = counts(1, all.bytes / all.packets);
    vec![first, counts(all.packets - 1, all.bytes - first.bytes)]
}

/// Packets as they are seen live: in whole, at the time of the drain, with a direction.
fn live() -> impl Strategy<Value = Vec<(i64, Vec<Seen>)>> {
    let packets = prop::collection::vec(seen(), 0..60);
    prop::collection::vec((-50i64..500, packets), 0..5).prop_map(|mut drains| {
        for (at, seen) in drains
            .iter_mut()
            .flat_map(|(at, all)| all.iter_mut().map(|seen| (*at, seen)))
        {
            seen.when = When::At(at);
            seen.captured_bytes = seen.counts.bytes;
            if let Ok(packet) = &mut seen.packet {
                packet.direction = Direction::Unknown;
            }
        }
        drains
    })
}

fn drained(drains: &[(i64, Vec<Seen>)], kernel_max: usize, max_flows: usize) -> Delta {
    drained_into(delta(max_flows), drains, kernel_max, |_| true)
}

fn drained_into(
    mut delta: Delta,
    drains: &[(i64, Vec<Seen>)],
    kernel_max: usize,
    filter: impl Fn(&Seen) -> bool,
) -> Delta {
    for (at, packets) in drains {
        let mut kernel = Counted {
            max_flows: kernel_max,
            ..Counted::default()
        };
        for seen in packets {
            match filter(seen) {
                true => kernel.packet(seen),
                false => kernel.filtered(seen),
            }
        }
        kernel.drain(*at, &mut delta);
    }
    delta
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_kernel_s_way_says_the_same(drains in live()) {
        let stream: Vec<Seen> = drains.iter().flat_map(|(_, packets)| packets.clone()).collect();
        let packets = counted(&stream, 10_000);
        prop_assert_eq!(said(&packets), said(&drained(&drains, 10_000, 10_000)));
    }

    #[test]
    fn flows_of_the_kernel_are_left_out_exactly(drains in live(), choice in choice()) {
        let keeps = |seen: &Seen| choice.keeps(&whole_key(seen));
        let before = drained_into(delta(10_000), &drains, 10_000, keeps);
        let all = drained_into(with_trail(10, 10_000), &drains, 10_000, |_| true);
        prop_assert_eq!(said(&before), said(&choice.of(&all)));
        let full = drained_into(with_trail(10, 3), &drains, 5, |_| true);
        prop_assert!(choice.of(&full).accounting().0.identity_holds);
        prop_assert_eq!(said(&full.select(&mut |_, _| true)), said(&full));
    }

    /// The kernel's table may be full, the agent's too, or both.
    #[test]
    fn full_tables_keep_the_identity(drains in live(), kernel_max in 0usize..8, max_flows in 0usize..8) {
        let stream: Vec<Seen> = drains.iter().flat_map(|(_, packets)| packets.clone()).collect();
        let packets = counted(&stream, 10_000);
        for (kernel_max, max_flows) in [(kernel_max, 10_000), (10_000, max_flows), (kernel_max, max_flows)] {
            let full = drained(&drains, kernel_max, max_flows);
            prop_assert!(full.accounting().0.identity_holds);
            prop_assert_eq!(exact(full.by_class()), exact(packets.by_class()));
            prop_assert_eq!(exact_buckets(&full), exact_buckets(&packets));
        }
    }
}

#[test]
fn a_lost_flow_record_breaks_the_identity() {
    let mut totals = Totals::ZERO;
    totals.ip[ip_index(17, false)].add(3, 300);
    let mut delta = delta(10);
    delta.totals(0, Direction::Ingress, &totals, 5);
    let mut key = key(1);
    key.set_origin(0, Direction::Ingress);
    let record = |packets| FlowCounts {
        key,
        counts: counts(packets, packets * 100),
        tcp_flags: 0,
        first: 5,
        last: 5,
    };
    delta.flow(&record(2), 5);
    delta.flush();
    assert!(!delta.accounting().0.identity_holds);
    delta.flow(&record(1), 5);
    delta.flush();
    assert!(delta.accounting().0.identity_holds);
}

#[test]
fn a_packet_that_was_given_to_a_program_and_is_nowhere_breaks_the_identity() {
    for missing in [counts(1, 60), counts(u64::MAX, u64::MAX - 59)] {
        let mut whole = delta(10);
        let mut part = delta(10);
        part.unexplained(missing);
        assert!(!part.accounting().0.identity_holds);
        whole.merge(&part.take());
        assert!(!whole.accounting().0.identity_holds);
        assert_eq!(whole.accounting().0.seen, missing);
        assert!(part.accounting().0.identity_holds);
    }
}
