//! The order of the flows' rows in their file: by flow, so that what its rows share is written once, then by time.
//!
//! Flows are in the order of the texts of their addresses, IPv4 first, because that is what engines compare with the least and
//! the most that a row group says of itself. Texts of IPv4 are never compared: numbers have the same order, see [`TextOrder`].
//! Those of IPv6 are, once for each address; flows go by the addresses' numbers.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::columns::ABSENT;
use super::rows::Rows;
use crate::memory;

/// Addresses of flows, each once, by their places in the order of their texts.
pub(super) struct Addresses {
    /// Source and destination of each flow, [`ABSENT`] of what is not IP.
    ends: Vec<[u32; 2]>,
    texts: Texts,
}

impl Addresses {
    pub(super) fn of<'a>(keys: impl Iterator<Item = &'a FlowKey>) -> Self {
        let order = TextOrder::new();
        let mut ends: Vec<[u32; 2]> = Vec::with_capacity(keys.size_hint().0);
        // In the upper half what decides the order, in the lower one whose it is: two for each flow.
        let mut ipv4: Vec<u64> = Vec::with_capacity(2 * ends.capacity());
        let mut ipv6 = Ipv6::default();
        for key in keys {
            let place = 2 * ends.len() as u64;
            ends.push(
                match key.is_ip().then(|| (key.src_addr(), key.dst_addr())) {
                    Some((IpAddr::V4(src), IpAddr::V4(dst))) => {
                        ipv4.push(order.of(src) << 32 | place);
                        ipv4.push(order.of(dst) << 32 | (place + 1));
                        [0; 2]
                    }
                    Some((IpAddr::V6(src), IpAddr::V6(dst))) => {
                        ipv6.flows.push(place as u32 / 2);
                        [ipv6.number(src), ipv6.number(dst)]
                    }
                    _ => [ABSENT; 2],
                },
            );
        }
        let ipv4 = by_upper_half(ipv4);
        let mut texts = Texts::with_room(ipv4.len());
        let mut last = None;
        for one in ipv4 {
            let (value, place) = (one >> 32, one as u32);
            if last.replace(value) != Some(value) {
                texts.ipv4(order.back(value));
            }
            ends[place as usize / 2][place as usize % 2] = texts.spans.len() as u32 - 1;
        }
        ipv6.rank(&mut ends, &mut texts);
        Addresses { ends, texts }
    }

    /// Of the source and the destination of the flow at this place; [`ABSENT`] of what is not IP.
    pub(super) fn of_flow(&self, place: u32) -> [u32; 2] {
        self.ends[place as usize]
    }

    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number)
    }

    fn len(&self) -> usize {
        self.texts.spans.len()
    }
}

/// Sorted by the upper half, what is equal there as it came: digit by digit, for there are many, and nothing is to be compared.
fn by_upper_half(mut list: Vec<u64>) -> Vec<u64> {
    let mut sorted = vec![0; list.len()];
    for shift in [32, 40, 48, 56] {
        let digit = |one: u64| usize::from((one >> shift) as u8);
        let mut places = [0; 257];
        list.iter().for_each(|one| places[digit(*one) + 1] += 1);
        if places.contains(&list.len()) {
            continue; // all have the same
        }
        for digit in 1..places.len() {
            places[digit] += places[digit - 1];
        }
        for one in &list {
            let place = &mut places[digit(*one)];
            sorted[*place] = *one;
            *place += 1;
        }
        std::mem::swap(&mut list, &mut sorted);
    }
    list
}

/// One behind the other.
#[derive(Default)]
struct Texts {
    all: String,
    /// Of each in `all`.
    spans: Vec<(u32, u32)>,
}

impl Texts {
    /// For so many addresses of IPv4. Memory is taken as it is filled.
    fn with_room(addresses: usize) -> Self {
        Texts {
            all: String::with_capacity(addresses * "192.168.100.1".len()),
            spans: Vec::with_capacity(addresses),
        }
    }

    fn get(&self, number: u32) -> &str {
        let (from, to) = self.spans[number as usize];
        &self.all[from as usize..to as usize]
    }

    fn ipv4(&mut self, addr: Ipv4Addr) {
        let from = self.all.len() as u32;
        for (number, octet) in addr.octets().into_iter().enumerate() {
            if number > 0 {
                self.all.push('.');
            }
            let digit = |value: u8| char::from(b'0' + value % 10);
            if octet >= 100 {
                self.all.push(digit(octet / 100));
            }
            if octet >= 10 {
                self.all.push(digit(octet / 10));
            }
            self.all.push(digit(octet));
        }
        self.spans.push((from, self.all.len() as u32));
    }

    fn ipv6(&mut self, addr: Ipv6Addr) {
        let from = self.all.len() as u32;
        // Writing to a string can't fail.
        let _ = write!(self.all, "{addr}");
        self.spans.push((from, self.all.len() as u32));
    }
}

/// IPv4 addresses as numbers in the order of their texts. Behind each octet comes a dot or the end, both of which are less than
/// any digit: so octets are in the order of their texts, and addresses in that of their octets.
struct TextOrder {
    ranks: [u8; 256],
    octets: [u8; 256],
}

impl TextOrder {
    fn new() -> Self {
        let mut octets: [u8; 256] = std::array::from_fn(|octet| octet as u8);
        octets.sort_by_cached_key(u8::to_string);
        let mut ranks = [0; 256];
        for (rank, octet) in (0..=u8::MAX).zip(octets) {
            ranks[usize::from(octet)] = rank;
        }
        TextOrder { ranks, octets }
    }

    fn of(&self, addr: Ipv4Addr) -> u64 {
        let ranks = addr.octets().map(|octet| self.ranks[usize::from(octet)]);
        u32::from_be_bytes(ranks).into()
    }

    fn back(&self, value: u64) -> Ipv4Addr {
        let ranks = (value as u32).to_be_bytes();
        ranks.map(|rank| self.octets[usize::from(rank)]).into()
    }
}

/// Each address once, in the order in which they came.
#[derive(Default)]
struct Ipv6 {
    known: HashMap<Ipv6Addr, u32, RandomState>,
    texts: Texts,
    /// Places of their flows.
    flows: Vec<u32>,
}

impl Ipv6 {
    fn number(&mut self, addr: Ipv6Addr) -> u32 {
        *self.known.entry(addr).or_insert_with(|| {
            self.texts.ipv6(addr);
            self.texts.spans.len() as u32 - 1
        })
    }

    /// Puts them behind the texts that are there, in their order, and gives their flows their numbers there.
    fn rank(&self, ends: &mut [[u32; 2]], texts: &mut Texts) {
        let text = |number: u32| self.texts.get(number);
        let mut order: Vec<(u128, u32)> = (0..self.texts.spans.len() as u32)
            .map(|number| (begin_of(text(number)), number))
            .collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| text(a.1).cmp(text(b.1))));
        let mut ranks = vec![0; order.len()];
        for (_, number) in order {
            ranks[number as usize] = texts.spans.len() as u32;
            let from = texts.all.len() as u32;
            texts.all.push_str(text(number));
            texts.spans.push((from, texts.all.len() as u32));
        }
        for place in &self.flows {
            let ends = &mut ends[*place as usize];
            *ends = ends.map(|number| ranks[number as usize]);
        }
    }
}

/// The first bytes of a text, which nearly always tell the order.
fn begin_of(text: &str) -> u128 {
    let mut begin = [0; 16];
    let len = text.len().min(begin.len());
    begin[..len].copy_from_slice(&text.as_bytes()[..len]);
    u128::from_be_bytes(begin)
}

/// Place of a row's part, and of its flow.
pub(super) type Row = (u32, u32);

/// Of `rows.parts`, in the order of the file.
pub(super) fn of_parts(rows: &Rows, addresses: &Addresses) -> Vec<Row> {
    // Where each flow's parts begin: as many as there are of the flows before it.
    let mut begins = vec![0u32; rows.flows.len()];
    for flow in rows.parts.flows() {
        begins[flow as usize] += 1;
    }
    let mut next = 0;
    for flow in of_flows(rows, addresses) {
        let count = std::mem::replace(&mut begins[flow as usize], next);
        next += count;
    }
    let mut order = vec![(0, 0); rows.parts.len()];
    let (mut latest, mut in_order) = (None, true);
    for (place, part) in (0..).zip(rows.parts.iter()) {
        let at = &mut begins[part.flow as usize];
        order[*at as usize] = (place, part.flow);
        *at += 1;
        in_order &= part.stretch.start >= latest;
        latest = part.stretch.start;
    }
    // They came in the order of time, but for captures whose times run back.
    if !in_order {
        for one in order.chunk_by_mut(|a, b| a.1 == b.1) {
            one.sort_by_key(|(place, _)| rows.parts.get(*place).map(|part| part.stretch.start));
        }
    }
    order
}

/// Asks for what a row is made of: rows lie here and there in memory.
#[inline]
pub(super) fn prefetch(rows: &Rows, addresses: &Addresses, row: Option<&Row>) {
    if let Some((place, flow)) = row {
        rows.parts.prefetch(*place);
        memory::prefetch_whole(&rows.flows, *flow as usize);
        memory::prefetch(&addresses.ends, *flow as usize);
    }
}

/// Places of the flows in their order: those of one source lie together, and are sorted by what else they are.
fn of_flows(rows: &Rows, addresses: &Addresses) -> Vec<u32> {
    let source = |place: usize| match addresses.ends[place] {
        [ABSENT, _] => 0,
        [src, _] => src as usize + 1,
    };
    let mut begins = vec![0u32; addresses.len() + 2];
    for place in 0..rows.flows.len() {
        begins[source(place) + 1] += 1;
    }
    for at in 1..begins.len() {
        begins[at] += begins[at - 1];
    }
    let mut flows = vec![(0, 0, 0); rows.flows.len()];
    let mut at = begins.clone();
    for (place, entry) in rows.flows.iter().enumerate() {
        let at = &mut at[source(place)];
        let (ends, rest) = order(&entry.key, addresses.ends[place]);
        flows[*at as usize] = (ends, rest, place as u32);
        *at += 1;
    }
    for span in begins.windows(2) {
        flows[span[0] as usize..span[1] as usize].sort_unstable();
    }
    flows.into_iter().map(|(.., place)| place).collect()
}

/// Of flows of one source: destination, ports, protocol, then all else that makes a flow another one.
fn order(key: &FlowKey, [_, dst]: [u32; 2]) -> (u64, u32) {
    let dst = match key.is_ip() {
        true => dst,
        false => key.network().into(),
    };
    let ports = match key.has_ports() {
        true => u32::from(key.src_port()) << 16 | u32::from(key.dst_port()),
        false => 0,
    };
    let rest = [0, key.protocol(), key.slot(), key.direction() as u8];
    (
        u64::from(dst) << 32 | u64::from(ports),
        u32::from_be_bytes(rest),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_the_order_of_their_texts() {
        let word = |text: &str| u32::from_ne_bytes(text.parse::<Ipv4Addr>().unwrap().octets());
        let half = |number: u64| number.to_be();
        let mut keys = vec![FlowKey::not_ip(0x0806)];
        for (src, dst) in [
            ("10.0.0.10", "9.9.9.9"),
            ("10.0.0.9", "10.0.0.1"),
            ("1.2.3.4", "10.0.0.10"),
        ] {
            keys.push(FlowKey::ipv4(word(src), word(dst), 6));
        }
        // More than sixteen bytes are the same.
        let net = half(0x2001_0db8_1111_2222);
        for host in [
            0x0003_0000_0000_0001,
            0x0003_0000_0000_000f,
            0x0002_0000_0000_0001,
        ] {
            keys.push(FlowKey::ipv6([net, half(host)], [0, half(1)], 17));
        }
        let addresses = Addresses::of(keys.iter());
        let mut texts: Vec<String> = keys
            .iter()
            .filter(|key| key.is_ip())
            .flat_map(|key| [key.src_addr().to_string(), key.dst_addr().to_string()])
            .collect();
        texts.sort_by_key(|text| (text.contains(':'), text.clone()));
        texts.dedup();
        let numbered: Vec<&str> = (0..texts.len() as u32)
            .map(|one| addresses.text(one))
            .collect();
        assert_eq!(numbered, texts);
        for (place, key) in (0..).zip(&keys) {
            let [src, dst] = addresses.of_flow(place);
            assert_eq!(src == ABSENT, !key.is_ip());
            if key.is_ip() {
                assert_eq!(addresses.text(src), key.src_addr().to_string());
                assert_eq!(addresses.text(dst), key.dst_addr().to_string());
            }
        }
    }

    #[test]
    fn upper_halves_are_sorted_and_the_lower_ones_stay() {
        for digits in [0xff_00ff_u64, 0xffff_ffff, 0xff00_0000, 0x0f, 0] {
            let list = (0..5_000u64).map(|place| {
                (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & digits) << 32 | place
            });
            let list: Vec<u64> = list.collect();
            let mut expected = list.clone();
            expected.sort_unstable();
            assert_eq!(by_upper_half(list), expected);
        }
        assert!(by_upper_half(Vec::new()).is_empty());
    }

    #[test]
    fn numbers_of_ipv4_have_the_order_of_the_texts() {
        let order = TextOrder::new();
        let octets = [
            0, 1, 2, 9, 10, 11, 19, 20, 99, 100, 101, 109, 110, 199, 200, 249, 255,
        ];
        let mut list: Vec<Ipv4Addr> = Vec::new();
        for a in octets {
            for b in octets {
                list.extend(
                    [[a, b, 1, 10], [1, a, 10, b], [10, 1, a, b], [b, 100, 25, a]]
                        .map(Ipv4Addr::from),
                );
            }
        }
        let mut by_text = list.clone();
        by_text.sort_by_key(Ipv4Addr::to_string);
        list.sort_by_key(|addr| order.of(*addr));
        assert_eq!(list, by_text);
        let mut texts = Texts::default();
        for (number, addr) in (0..).zip(list) {
            assert_eq!(order.back(order.of(addr)), addr);
            texts.ipv4(addr);
            assert_eq!(texts.get(number), addr.to_string());
        }
    }
}
