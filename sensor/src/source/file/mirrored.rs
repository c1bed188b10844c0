//! Counting the packets of a capture that was made at a mirror port: by directions that the capture does not know, and those
//! that were mirrored twice once.

use super::CaptureFile;
use super::count::{Counting, Ledger, Outcome, seen, walk};
use super::matching::{FileFilter, Sight};
use crate::counters::Seen;
use crate::source::dedup::Dedup;
use crate::source::home::HomeNet;
use crate::source::tap::Tap;

/// What is known of the port.
#[derive(Clone, Debug, Default)]
pub struct Mirrored {
    pub home: Option<HomeNet>,
    /// Nanoseconds within which the same packet is one, in each file by itself.
    pub dedup: Option<i64>,
}

impl Mirrored {
    /// `None` where captures are counted as they are.
    pub fn asked(self) -> Option<Self> {
        (self.home.is_some() || self.dedup.is_some()).then_some(self)
    }

    /// The networks that are ours alone tell the way, whatever the capture says of it.
    fn decide_way(&self, seen: &mut Seen) {
        let Some(home) = &self.home else { return };
        seen.direction = home.direction(&seen.packet);
        if let Ok(packet) = &mut seen.packet {
            packet.direction = seen.direction;
        }
    }
}

/// As [`super::count::count`] and [`super::matching::count`], by one thread.
pub fn count(
    file: &mut CaptureFile,
    ledger: &mut impl Ledger,
    (mirrored, filter): (&Mirrored, Option<&FileFilter>),
    tap: Option<Tap<'_>>,
    progress: impl FnMut(&CaptureFile),
) -> Outcome {
    if let Some(filter) = filter {
        file.want_interfaces(&filter.interfaces);
    }
    let mut counting = Counting::new(ledger, tap);
    let mut dedup = mirrored.dedup.map(Dedup::new);
    let mut sight = Sight::new(filter.is_some_and(|filter| filter.matcher.program().needs_link()));
    let outcome = walk(
        file,
        |record, link_type| {
            let mut seen = seen(&record, sight.look(&record, link_type));
            mirrored.decide_way(&mut seen);
            let way = seen.way();
            sight.note(&record, &seen.packet, way);
            if filter.is_some_and(|filter| filter.keeps_interfaces) {
                seen.slot = record.interface;
            }
            let (when, wire_len) = (record.when, seen.counts.bytes);
            let duplicate =
                |dedup: &mut Dedup| dedup.is_duplicate(record.data, wire_len, &seen.packet, when);
            if dedup.as_mut().is_some_and(duplicate) {
                let delta = counting.ledger.of(record.when);
                delta.duplicate(seen.slot, way, seen.counts);
            } else if filter.is_none_or(|filter| filter.matcher.matches(sight.facts(), record.data))
            {
                counting.seen(&record, seen);
            } else {
                let delta = counting.ledger.of(record.when);
                delta.filtered(seen.slot, way, seen.counts);
            }
        },
        progress,
    );
    counting.ledger.flush();
    outcome
}
