//! Which payloads of packets at hand are looked at: the same choice that the eBPF programs make, where it costs nothing to
//! look a little longer.

use sensor_common::flow::FlowKey;
use sensor_common::parse::Packet;
use sensor_common::protocol::ip;
use sensor_common::sample::{self, Tags};

use crate::counters::{Delta, Seen, When};
use crate::names::Sample;

/// Binary logarithm of the lines of tags: room for a million flows, 4 MiB. A flow that is forgotten is looked at again.
const LINE_BITS: u32 = 16;

pub struct Sampler {
    tags: Vec<Tags>,
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler {
            tags: vec![Tags::NONE; 1 << LINE_BITS],
        }
    }
}

impl Sampler {
    /// Hands the packet's payload to the delta, if it should be looked at; `data` is the packet as captured.
    #[inline]
    pub fn sample(&mut self, seen: &Seen, data: &[u8], delta: &mut Delta) {
        let Ok(packet) = &seen.packet else {
            return;
        };
        if packet.payload_len == 0 || !packet.key.has_ports() {
            return;
        }
        let mut key = packet.key;
        key.set_origin(seen.slot, seen.way());
        let at = match seen.when {
            When::At(at) => Some(at),
            When::Missing | When::OutOfRange => None,
        };
        let hash = delta.flows().hash(&key);
        if let Some(sample) = self.look(packet, &key, hash, data, at) {
            delta.sample(&sample);
        }
    }

    /// The packet's payload, if it should be looked at. Beyond what the kernel hands over: every message of DNS and its kin,
    /// and every HTTP request. `key` is that of the packet with its origin.
    #[inline]
    fn look<'a>(
        &mut self,
        packet: &Packet,
        key: &FlowKey,
        hash: u64,
        data: &'a [u8],
        at: Option<i64>,
    ) -> Option<Sample<'a>> {
        let payload = payload(packet, data)?;
        let budget = sample::budget(key);
        let tags = self.tags.get_mut((hash >> (64 - LINE_BITS)) as usize)?;
        let begins = packet.tcp_flags & SYN != 0;
        let number = tags.count(hash, budget.payloads, begins);
        let over = number >= budget.payloads;
        if over && !budget.renewed && !begins_request(payload) {
            return None;
        }
        Some(Sample {
            key: *key,
            at,
            payload,
            payload_len: packet.payload_len,
            tcp_seq: sequence_number(packet, key, data),
            number,
            last: number + 1 == budget.payloads && !budget.renewed,
        })
    }
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

/// The methods that name a host in nearly all requests.
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

    fn look(sampler: &mut Sampler, frame: &[u8]) -> Option<(Vec<u8>, u8, bool)> {
        let packet = parse::packet(&SliceView(frame), LinkType::Ethernet).unwrap();
        let sample = sampler.look(&packet, &packet.key, packet.key.hash(&[3; 10]), frame, None)?;
        assert_eq!(sample.tcp_seq, Some(77));
        Some((sample.payload.to_vec(), sample.number, sample.last))
    }

    #[test]
    fn the_first_payloads_are_taken_without_padding() {
        let mut sampler = Sampler::default();
        let frame = frame(9999, b"ab");
        for number in 0..FEW {
            let taken = look(&mut sampler, &frame);
            assert_eq!(taken, Some((b"ab".to_vec(), number, number + 1 == FEW)));
        }
        assert_eq!(look(&mut sampler, &frame), None);
    }

    #[test]
    fn what_has_no_payload_is_not_looked_at() {
        let mut sampler = Sampler::default();
        assert_eq!(look(&mut sampler, &frame(9999, b"")), None);
        let cut = &frame(9999, b"abcdefghijkl")[..54];
        assert_eq!(look(&mut sampler, cut), None);
    }

    #[test]
    fn requests_are_taken_whenever_they_come() {
        let mut sampler = Sampler::default();
        for _ in 0..9 {
            look(&mut sampler, &frame(9999, b"ab"));
        }
        let (payload, number, last) = look(&mut sampler, &frame(9999, b"GET / HTTP/1.1")).unwrap();
        assert_eq!(
            (&payload[..], number, last),
            (&b"GET / HTTP/1.1"[..], FEW, false)
        );
    }
}
