//! Payloads that the programs handed over, from the ring buffer.

use aya::maps::{Map, MapData, RingBuf};
use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip;
use sensor_common::sample::SampleHead;

use super::clock::TickClock;
use super::object::{Maps, ObjectError};
use crate::counters::Delta;
use crate::names::Sample;

/// Entries that are taken at a time, so that a flood of new flows does not keep the agent from its tables: 20 times what
/// comes in 50 ms at line rate of the machines this was measured on.
const MOST_AT_ONCE: usize = 100_000;

pub(super) struct Samples {
    ring: RingBuf<MapData>,
    /// What the programs had lost when it was last told.
    lost: u64,
}

impl Samples {
    pub(super) fn new(map: Map) -> Result<Self, ObjectError> {
        Ok(Samples {
            ring: RingBuf::try_from(map)?,
            lost: 0,
        })
    }

    /// Moves what has come to the delta.
    pub(super) fn drain(&mut self, maps: &Maps, clock: &TickClock, delta: &mut Delta) {
        for _ in 0..MOST_AT_ONCE {
            let Some(entry) = self.ring.next() else {
                break;
            };
            if let Some((head, payload)) = split(&entry) {
                delta.sample(&sample(&head, payload, clock));
            }
        }
        let lost = (0..maps.cpu.len())
            .filter_map(|cpu| maps.cpu.at(cpu))
            // SAFETY: a live value of the mapping; an aligned word that the program writes whole.
            .map(|cpu| unsafe { (&raw const (*cpu).samples_lost).read_volatile() })
            .sum();
        delta.lost_samples(lost - self.lost);
        self.lost = lost;
    }
}

fn sample<'a>(head: &SampleHead, payload: &'a [u8], clock: &TickClock) -> Sample<'a> {
    let key = FlowKey(head.key);
    Sample {
        key,
        at: Some(clock.wall(head.ticks)),
        payload,
        payload_len: head.payload_len,
        tcp_seq: (key.protocol() == ip::TCP).then_some(head.tcp_seq),
        number: head.number,
        last: head.last != 0,
    }
}

fn split(entry: &[u8]) -> Option<(SampleHead, &[u8])> {
    let (head, payload) = entry.split_at_checked(size_of::<SampleHead>())?;
    // SAFETY: as long as the head, which is plain integers; the read needs no alignment.
    let head = unsafe { head.as_ptr().cast::<SampleHead>().read_unaligned() };
    Some((head, payload.get(..usize::from(head.captured))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_never_longer_than_it_is() {
        let head = SampleHead {
            captured: 3,
            number: 2,
            ..SampleHead::default()
        };
        let mut entry = vec![0u8; size_of::<SampleHead>()];
        // SAFETY: the vector is as long as the head.
        unsafe {
            entry
                .as_mut_ptr()
                .cast::<SampleHead>()
                .write_unaligned(head);
        }
        assert_eq!(split(&entry), None);
        entry.extend(b"abcd");
        assert_eq!(split(&entry), Some((head, &b"abc"[..])));
        assert_eq!(split(&entry[..20]), None);
    }
}
