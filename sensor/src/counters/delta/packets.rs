//! The way of one packet into the counters.

use sensor_common::abi::CLASS_NOT_IP;

use super::{Counts, Delta, Pipeline, Seen};

impl Delta {
    /// Counts one packet (or super-packet). [`Self::flush`] must follow before anything is read.
    ///
    /// Compiled into the loops that call it. What it hands to others it hands over piece by piece: who gets all of `seen` gets
    /// it in memory, where it would be written of every packet, for the few that it is wanted of.
    #[inline(always)]
    pub fn packet(&mut self, seen: &Seen) {
        self.captured_bytes += seen.captured_bytes;
        let at = self.note_time(seen.when, seen.counts);
        let Counts { packets, bytes } = seen.counts;
        let packet = match seen.packet {
            Ok(packet) => packet,
            Err(reason) => {
                let origin = (seen.slot, seen.direction);
                return self.malformed(
                    reason,
                    origin,
                    seen.when,
                    (seen.counts, seen.captured_bytes),
                );
            }
        };
        let direction = seen.way();
        let totals = self.totals_mut(seen.slot, direction);
        if packet.key.is_ip() {
            totals.ip[packet.key.ip_index()].add(packets, bytes);
        } else {
            totals.class[CLASS_NOT_IP].add(packets, bytes);
        }
        let mut key = packet.key;
        key.set_origin(seen.slot, direction);
        let headers_only = seen.captured_bytes <= u64::from(packet.header_len);
        let blind = packet.payload_len > 0 && headers_only;
        if self.trail.is_some() {
            let size = (seen.counts, seen.captured_bytes);
            return self.count_with_trail(key, (packet.tcp_flags, blind), seen.when, size);
        }
        let hash = self.flows.hash(&key);
        self.flows.prefetch(hash);
        let one = self.pending.next();
        // Field by field: a record that is put together elsewhere and copied waits until all of it has been written.
        one.record.key = key;
        one.record.counts = seen.counts;
        one.record.tcp_flags = packet.tcp_flags;
        one.record.first = at.unwrap_or(i64::MAX);
        one.record.last = at.unwrap_or(i64::MIN);
        one.hash = hash;
        one.at = at;
        one.blind = blind;
        self.pushed();
    }

    #[inline(always)]
    pub(super) fn pushed(&mut self) {
        if self.pending.pushed() {
            self.advance(Pipeline::due);
        }
    }

    /// Counts what is still on its way.
    pub fn flush(&mut self) {
        self.advance(Pipeline::all);
    }

    #[inline(never)]
    fn advance(&mut self, due: fn(&Pipeline) -> (usize, usize)) {
        let mut pending = std::mem::take(&mut self.pending);
        let due = due(&pending);
        pending.ask(due.0, |one| {
            one.hint = self.flows.candidate(one.hash, &one.record.key);
        });
        pending.count(due.1, |one| self.count_pending(one));
        self.pending = pending;
    }
}
