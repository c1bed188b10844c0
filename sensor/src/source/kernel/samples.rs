//! Payloads that the programs handed over, from the ring buffer.

use std::time::{Duration, Instant};

use aya::maps::{Map, MapData, RingBuf};
use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip;
use sensor_common::sample::{BEGINS, SampleHead};

use super::clock::TickClock;
use super::maps::Maps;
use super::object::ObjectError;
use crate::counters::Delta;
use crate::names::Sample;
use crate::source::sampling::{Budgets, Turn};

/// A flood of new flows must not keep the agent from its tables: what is left waits in the ring, and what finds no room
/// there is counted. Before a poll there is more time, because flows are best named when they are first counted.
pub(super) const BETWEEN_POLLS: Duration = Duration::from_millis(25);
pub(super) const BEFORE_A_POLL: Duration = Duration::from_millis(400);
/// Entries between two looks at the clock.
const AT_ONCE: usize = 256;

pub(super) struct Samples {
    ring: RingBuf<MapData>,
    /// What the programs had lost when it was last told.
    lost: u64,
    /// Of all CPUs together: each keeps its own for the flows that it sees.
    budgets: Budgets,
}

impl Samples {
    pub(super) fn new(map: Map) -> Result<Self, ObjectError> {
        Ok(Samples {
            ring: RingBuf::try_from(map)?,
            lost: 0,
            budgets: Budgets::default(),
        })
    }

    /// Moves what has come to the delta, or as much as there is time for.
    pub(super) fn drain(
        &mut self,
        maps: &Maps,
        clock: &TickClock,
        delta: &mut Delta,
        longest: Duration,
    ) {
        let start = Instant::now();
        while self.take(AT_ONCE, clock, delta) && start.elapsed() < longest {}
        self.note_losses(maps, delta);
    }

    /// Goes on counting payloads where other programs have come to.
    pub(super) fn adopt(&mut self, before: &mut Samples) {
        self.budgets = std::mem::take(&mut before.budgets);
    }

    /// False once there are no more.
    fn take(&mut self, most: usize, clock: &TickClock, delta: &mut Delta) -> bool {
        for _ in 0..most {
            let Some(entry) = self.ring.next() else {
                return false;
            };
            let Some((head, payload)) = split(&entry) else {
                continue;
            };
            let key = FlowKey(head.key);
            let hash = delta.flows().hash(&key);
            if head.flags & BEGINS != 0 {
                self.budgets.restart(hash);
            }
            let turn = self.budgets.count(&key, hash);
            if !turn.over {
                delta.sample(&sample(&head, turn, payload, clock));
            }
        }
        true
    }

    fn note_losses(&mut self, maps: &Maps, delta: &mut Delta) {
        let lost = (0..maps.cpu.len())
            .filter_map(|cpu| maps.cpu.at(cpu))
            // SAFETY: a live value of the mapping; an aligned word that the program writes whole.
            .map(|cpu| unsafe { (&raw const (*cpu).samples_lost).read_volatile() })
            .sum();
        delta.lost_samples(lost - self.lost);
        self.lost = lost;
    }
}

fn sample<'a>(head: &SampleHead, turn: Turn, payload: &'a [u8], clock: &TickClock) -> Sample<'a> {
    let key = FlowKey(head.key);
    Sample {
        key,
        at: Some(clock.wall(head.ticks)),
        payload,
        payload_len: head.payload_len,
        tcp_seq: (key.protocol() == ip::TCP).then_some(head.tcp_seq),
        number: turn.number,
        last: turn.last,
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
            flags: BEGINS,
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
