//! The order of the flows' rows in their file: by flow, so that what its rows share is written once, then by time.
//!
//! Flows are in the order of the texts of their addresses, because that is what engines compare with the least and the most
//! that a row group says of itself. Texts are compared once for each address; flows go by the addresses' numbers.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::columns::ABSENT;
use super::rows::Rows;

/// Addresses of flows, each once, by their places in the order of their texts.
pub(super) struct Addresses {
    /// Source and destination of each flow, [`ABSENT`] of what is not IP.
    ends: Vec<[u32; 2]>,
    texts: String,
    /// Of each text in `texts`, in the order.
    spans: Vec<(u32, u32)>,
}

impl Addresses {
    pub(super) fn of<'a>(keys: impl Iterator<Item = &'a FlowKey>) -> Self {
        let mut known: HashMap<IpAddr, u32, RandomState> = HashMap::default();
        let mut texts = String::new();
        let mut found: Vec<Found> = Vec::new();
        let mut number = |addr: IpAddr| {
            *known.entry(addr).or_insert_with(|| {
                found.push(Found::new(addr, &mut texts));
                found.len() as u32 - 1
            })
        };
        let mut ends: Vec<[u32; 2]> = keys
            .map(|key| match key.is_ip() {
                true => [number(key.src_addr()), number(key.dst_addr())],
                false => [ABSENT; 2],
            })
            .collect();
        let text = |one: &Found| &texts[one.span.0 as usize..one.span.1 as usize];
        let mut order: Vec<u32> = (0..found.len() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let (a, b) = (&found[*a as usize], &found[*b as usize]);
            a.begins.cmp(&b.begins).then_with(|| text(a).cmp(text(b)))
        });
        let mut ranks = vec![0; found.len()];
        for (rank, place) in (0..).zip(&order) {
            ranks[*place as usize] = rank;
        }
        let ip = ends.iter_mut().filter(|ends| ends[0] != ABSENT);
        ip.flatten()
            .for_each(|number| *number = ranks[*number as usize]);
        let spans = order
            .iter()
            .map(|place| found[*place as usize].span)
            .collect();
        Addresses { ends, texts, spans }
    }

    /// Of the source and the destination of the flow at this place; [`ABSENT`] of what is not IP.
    pub(super) fn of_flow(&self, place: u32) -> [u32; 2] {
        self.ends[place as usize]
    }

    pub(super) fn text(&self, number: u32) -> &str {
        let (from, to) = self.spans[number as usize];
        &self.texts[from as usize..to as usize]
    }
}

struct Found {
    /// The first bytes of its text, which nearly always tell the order; all of IPv4's.
    begins: u128,
    span: (u32, u32),
}

impl Found {
    fn new(addr: IpAddr, texts: &mut String) -> Self {
        let from = texts.len();
        // Writing to a string can't fail.
        let _ = write!(texts, "{addr}");
        let mut begins = [0; 16];
        let text = &texts.as_bytes()[from..];
        let len = text.len().min(begins.len());
        begins[..len].copy_from_slice(&text[..len]);
        Found {
            begins: u128::from_be_bytes(begins),
            span: (from as u32, texts.len() as u32),
        }
    }
}

/// The places of `rows.parts` in the order of the file.
pub(super) fn of_parts(rows: &Rows, addresses: &Addresses) -> Vec<u32> {
    let keys = rows.flows.iter().zip(&addresses.ends);
    let keys = keys.map(|(entry, ends)| order(&entry.key, *ends));
    let mut flows: Vec<(u128, u32)> = keys.zip(0..).collect();
    flows.sort_unstable();
    // Where each flow's parts begin: as many as there are of the flows before it.
    let mut begins = vec![0u32; rows.flows.len()];
    for part in &rows.parts {
        begins[part.flow as usize] += 1;
    }
    let mut next = 0;
    for (_, flow) in &flows {
        let count = std::mem::replace(&mut begins[*flow as usize], next);
        next += count;
    }
    let mut order = vec![0; rows.parts.len()];
    for (place, part) in (0..).zip(&rows.parts) {
        let at = &mut begins[part.flow as usize];
        order[*at as usize] = place;
        *at += 1;
    }
    // They came in the order of time, but for captures whose times run back.
    let part = |place: &u32| &rows.parts[*place as usize];
    for one in order.chunk_by_mut(|a, b| part(a).flow == part(b).flow) {
        if !one.is_sorted_by_key(|place| part(place).stretch.start) {
            one.sort_by_key(|place| part(place).stretch.start);
        }
    }
    order
}

/// Addresses, ports, protocol, then all else that makes a flow another one.
fn order(key: &FlowKey, ends: [u32; 2]) -> u128 {
    let (src, dst) = match ends {
        [ABSENT, _] => (0, key.network().into()),
        [src, dst] => (src + 1, dst + 1),
    };
    let (mut src_port, mut dst_port) = (0, 0);
    if key.has_ports() {
        (src_port, dst_port) = (key.src_port(), key.dst_port());
    }
    let mut order = u128::from(src);
    for (bits, number) in [
        (32, dst),
        (16, src_port.into()),
        (16, dst_port.into()),
        (8, key.protocol().into()),
        (8, key.slot().into()),
        (8, key.direction() as u32),
    ] {
        order = order << bits | u128::from(number);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_the_order_of_their_texts() {
        let word =
            |text: &str| u32::from_ne_bytes(text.parse::<std::net::Ipv4Addr>().unwrap().octets());
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
        texts.sort();
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
}
