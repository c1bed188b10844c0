//! Which payloads of packets at hand are looked at: the same choice that the eBPF programs make, where it costs nothing to
//! look a little longer.

use sensor_common::flow::FlowKey;
use sensor_common::parse::Packet;
use sensor_common::protocol::ip;
use sensor_common::sample::{self, COUNT_MASK, TAGS, Tags};

use crate::counters::{Delta, Seen};
use crate::names::Sample;

/// Binary logarithm of the lines of tags at first: room for 16,384 flows, 64 KiB. A flow that is forgotten is looked at
/// again, which costs a microsecond; a table that does not fit the caches costs a tenth of that for every packet.
const LEAST_BITS: u32 = 10;
/// Room for a million flows, 4 MiB.
const MOST_BITS: u32 = 16;

#[derive(Default)]
pub struct Sampler {
    budgets: Budgets,
}

/// How many payloads of which flow were looked at.
pub struct Budgets {
    tags: Vec<Tags>,
    bits: u32,
    /// Flows that fell out since the table grew.
    forgotten: usize,
}

/// A payload's place among those of its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// From 0 on; the budget itself where that is used up.
    pub number: u8,
    pub over: bool,
    /// The last one of its flow that is looked at.
    pub last: bool,
}

impl Default for Budgets {
    fn default() -> Self {
        Budgets {
            tags: vec![Tags::NONE; 1 << LEAST_BITS],
            bits: LEAST_BITS,
            forgotten: 0,
        }
    }
}

impl Budgets {
    /// Counts one more payload.
    #[inline]
    pub fn count(&mut self, key: &FlowKey, hash: u64) -> Turn {
        let budget = sample::budget(key);
        let line = self.line(hash);
        let full = line.0[TAGS - 1] != 0;
        let number = count_in(line, hash, budget.payloads);
        if full && number == 0 {
            self.note_forgotten();
        }
        Turn {
            number,
            over: number >= budget.payloads && !budget.renewed,
            last: number + 1 == budget.payloads && !budget.renewed,
        }
    }

    /// The connection is new, whatever its ports were used for before.
    #[inline]
    pub fn restart(&mut self, hash: u64) {
        self.line(hash).forget(hash);
    }

    #[inline]
    fn line(&mut self, hash: u64) -> &mut Tags {
        // As many lines as there are numbers of so many bits.
        &mut self.tags[(hash >> (64 - self.bits)) as usize]
    }

    #[inline]
    fn note_forgotten(&mut self) {
        self.forgotten += 1;
        // Of a quarter of its flows: each is looked at again, as if it began anew, which costs far more than the room.
        if self.forgotten >= self.tags.len() * TAGS / 4 && self.bits < MOST_BITS {
            self.grow();
        }
    }

    /// Each line becomes two, both with all that it had: which flow belongs where is not known any more, and the half that
    /// is in the wrong place falls out in time.
    #[cold]
    fn grow(&mut self) {
        self.tags = self.tags.iter().flat_map(|line| [*line; 2]).collect();
        self.bits += 1;
        self.forgotten = 0;
    }
}

impl Sampler {
    /// Hands the packet's payload to the delta, if it should be looked at; `data` is the packet as captured. Beyond what the
    /// kernel hands over: every message of DNS and its kin, and every HTTP request.
    #[inline]
    pub fn sample(&mut self, seen: &Seen, data: &[u8], delta: &mut Delta) {
        let Ok(packet) = &seen.packet else {
            return;
        };
        let begins = packet.tcp_flags & SYN != 0;
        // First of all: of a capture of headers alone nothing else is asked.
        let payload = payload(packet, data);
        if !(begins || payload.is_some()) || !packet.key.has_ports() {
            return;
        }
        let mut key = packet.key;
        key.set_origin(seen.slot, seen.way());
        let hash = delta.flows().hash(&key);
        if begins {
            self.budgets.restart(hash);
        }
        let Some(payload) = payload else {
            return;
        };
        let turn = self.budgets.count(&key, hash);
        if turn.over && !begins_request(payload) {
            return;
        }
        delta.sample(&Sample {
            key,
            at: seen.when.time(),
            payload,
            payload_len: packet.payload_len,
            tcp_seq: sequence_number(packet, &key, data),
            number: turn.number,
            last: turn.last,
        });
    }
}

/// As [`Tags::count`], but all tags are compared at once, by a few wide instructions and without a branch for each.
#[inline]
fn count_in(line: &mut Tags, hash: u64, most: u8) -> u8 {
    let name = sample::name_of(hash);
    let mut same = 0_u32;
    for (number, tag) in line.0.iter().enumerate() {
        same |= u32::from(tag & !COUNT_MASK == name) << number;
    }
    let Some(tag) = line.0.get_mut(same.trailing_zeros() as usize) else {
        line.0.copy_within(..TAGS - 1, 1);
        line.0[0] = name | 1;
        return 0;
    };
    let counted = (*tag & COUNT_MASK) as u8;
    if counted >= most {
        return most;
    }
    *tag += 1;
    counted
}

const SYN: u8 = 2;

/// What was captured of it; `None` if that is nothing. Padding behind it is left out.
fn payload<'a>(packet: &Packet, data: &'a [u8]) -> Option<&'a [u8]> {
    let rest = data.get(usize::from(packet.header_len)..)?;
    let len = rest.len().min(packet.payload_len as usize);
    Some(&rest[..len]).filter(|payload| !payload.is_empty())
}

fn sequence_number(packet: &Packet, key: &FlowKey, data: &[u8]) -> Option<u32> {
    if key.protocol() != ip::TCP {
        return None;
    }
    let header = data.get(usize::from(packet.transport_offset)..)?;
    let bytes = header.get(4..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

/// The methods that name a host in nearly all requests: some of those of [`crate::names::decode::http`], told by a comparison
/// of four bytes, for this is asked of every payload.
#[inline]
fn begins_request(payload: &[u8]) -> bool {
    let Some(start) = payload.first_chunk::<4>() else {
        return false;
    };
    matches!(
        start,
        b"GET " | b"POST" | b"HEAD" | b"PUT " | b"DELE" | b"OPTI" | b"PATC" | b"CONN"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::{Counts, DeltaConfig, When};
    use sensor_common::flow::Direction;
    use sensor_common::parse::{self, LinkType};
    use sensor_common::sample::FEW;
    use sensor_common::view::SliceView;

    fn frame(port: u16, payload: &[u8]) -> Vec<u8> {
        let builder = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(40_000, port, 77, 1024);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, payload).unwrap();
        bytes.resize(bytes.len().max(60), 0);
        bytes
    }

    /// What the delta's book has looked at, after each frame.
    fn looked_at(frames: &[Vec<u8>]) -> Vec<u64> {
        let mut sampler = Sampler::default();
        let mut delta = Delta::new(DeltaConfig {
            interval: 1,
            max_flows: 9,
            seeds: [3; 10],
            trail: false,
            names: 9,
        });
        let mut look = |frame: &Vec<u8>| {
            let seen = Seen {
                packet: parse::packet(&SliceView(frame), LinkType::Ethernet),
                when: When::At(0),
                slot: 0,
                direction: Direction::Unknown,
                counts: Counts::ZERO,
                captured_bytes: frame.len() as u64,
            };
            sampler.sample(&seen, frame, &mut delta);
            delta.book().unwrap().samples()
        };
        frames.iter().map(&mut look).collect()
    }

    #[test]
    fn the_first_payloads_are_taken_and_no_more() {
        let frames = vec![frame(9999, b"ab"); 6];
        assert_eq!(looked_at(&frames), [1, 2, 3, 4, 4, 4]);
    }

    #[test]
    fn what_begins_a_request_is_one() {
        use crate::names::decode::http;
        for method in [
            "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT",
        ] {
            let line = format!("{method} ");
            assert!(begins_request(line.as_bytes()), "{method}");
            assert!(http::is_method(method.as_bytes()), "{method}");
        }
        for other in [&b"NOTIFY "[..], b"GETS", b"get ", b"GE"] {
            assert!(!begins_request(other));
        }
    }

    #[test]
    fn what_has_no_payload_is_not_looked_at() {
        let cut = frame(9999, b"abcdefghijkl")[..54].to_vec();
        assert_eq!(looked_at(&[frame(9999, b""), cut]), [0, 0]);
    }

    #[test]
    fn requests_are_taken_whenever_they_come() {
        let mut frames = vec![frame(9999, b"ab"); 9];
        frames.push(frame(9999, b"GET / HTTP/1.1\r\n"));
        assert_eq!(looked_at(&frames).last(), Some(&u64::from(FEW + 1)));
    }

    #[test]
    fn a_new_connection_is_looked_at_again() {
        let mut frames = vec![frame(9999, b"ab"); 6];
        let mut syn = frame(9999, b"");
        syn[47] = 2;
        frames.push(syn);
        frames.push(frame(9999, b"ab"));
        assert_eq!(looked_at(&frames).last(), Some(&u64::from(FEW + 1)));
    }

    #[test]
    fn the_table_grows_with_the_flows_and_forgets_none_of_them_by_it() {
        let frame = frame(9999, b"ab");
        let key = parse::packet(&SliceView(&frame), LinkType::Ethernet)
            .unwrap()
            .key;
        let hash = |number: u64| (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut budgets = Budgets::default();
        let few = 4_000;
        assert!((0..few).all(|flow| budgets.count(&key, hash(flow)).number == 0));
        budgets.grow();
        assert!((0..few).all(|flow| budgets.count(&key, hash(flow)).number == 1));
        for flow in 0..2_000_000 {
            budgets.count(&key, hash(flow));
        }
        assert!(budgets.bits > LEAST_BITS + 2 && budgets.bits <= MOST_BITS);
        assert_eq!(budgets.tags.len(), 1 << budgets.bits);
    }

    #[test]
    fn a_line_is_counted_as_the_kernel_does() {
        let (mut one, mut other) = (Tags::NONE, Tags::NONE);
        let mut random = 7_u64;
        for _ in 0..10_000 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let hash = (random >> 40) % 24 * 0x0123_4567_89ab_cdef;
            if random >> 36 & 15 == 0 {
                one.forget(hash);
                other.forget(hash);
            }
            assert_eq!(count_in(&mut one, hash, 9), other.count(hash, 9, false));
            assert_eq!(one.0, other.0);
        }
    }

    #[test]
    fn payloads_have_numbers_and_padding_is_left_out() {
        let frame = frame(9999, b"ab");
        let packet = parse::packet(&SliceView(&frame), LinkType::Ethernet).unwrap();
        assert_eq!(payload(&packet, &frame), Some(&b"ab"[..]));
        assert_eq!(sequence_number(&packet, &packet.key, &frame), Some(77));
        let mut budgets = Budgets::default();
        let turns: [Turn; 5] = std::array::from_fn(|_| budgets.count(&packet.key, 7));
        assert_eq!(turns.map(|turn| turn.number), [0, 1, 2, 3, FEW]);
        assert_eq!(
            turns.map(|turn| turn.last),
            [false, false, false, true, false]
        );
        assert_eq!(
            turns.map(|turn| turn.over),
            [false, false, false, false, true]
        );
        budgets.restart(7);
        assert_eq!(budgets.count(&packet.key, 7).number, 0);
    }
}
