//! The way of one packet into the counters.

use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{Packet, Reason};

use super::{Counts, Delta, FlowCounts, Seen, When};

impl Delta {
    /// Counts one packet (or super-packet). [`Self::flush`] must follow before anything is read.
    ///
    /// Compiled into the loops that call it. What it hands to others it hands over piece by piece: who gets all of `seen` gets
    /// it in memory, where it would be written of every packet, for the few that it is wanted of.
    #[inline(always)]
    pub fn packet(&mut self, seen: &Seen) {
        self.captured_bytes += seen.captured_bytes;
        self.note_time(seen.when, seen.counts);
        let size = (seen.counts, seen.captured_bytes);
        self.parsed(seen.packet, (seen.slot, seen.direction), seen.when, size);
    }

    /// Notes of several packets what [`Self::of_batch`] does not: the bytes captured, and the first and last time.
    #[inline]
    pub fn note(&mut self, captured_bytes: u64, (first, last): (i64, i64)) {
        self.captured_bytes += captured_bytes;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }

    /// As [`Self::packet`], of a packet that has a time and no known interface. [`Self::note`] must be told of it too. Only
    /// where neither payloads nor a trail are wanted ([`Self::divisible`]).
    #[inline(always)]
    pub fn of_batch(&mut self, packet: Result<Packet, Reason>, at: i64, wire_len: u32) {
        let counts = Counts {
            packets: 1,
            bytes: wire_len.into(),
        };
        match packet {
            Ok(packet) => {
                let key = self.total(&packet, (0, packet.direction), counts);
                let record = FlowCounts::of_moment(key, counts, packet.tcp_flags, Some(at));
                self.push(&record, Some(at), false);
            }
            Err(reason) => {
                let origin = (0, Direction::Unknown);
                self.malformed(reason, origin, When::At(at), (counts, 0));
            }
        }
    }

    #[inline(always)]
    fn parsed(
        &mut self,
        packet: Result<Packet, Reason>,
        (slot, direction): (u8, Direction),
        when: When,
        size: (Counts, u64),
    ) {
        let packet = match packet {
            Ok(packet) => packet,
            Err(reason) => return self.malformed(reason, (slot, direction), when, size),
        };
        let (counts, captured_bytes) = size;
        let direction = match direction {
            Direction::Unknown => packet.direction,
            known => known,
        };
        let key = self.total(&packet, (slot, direction), counts);
        let headers_only = captured_bytes <= u64::from(packet.header_len);
        let blind = packet.payload_len > 0 && headers_only;
        let at = when.time();
        let record = || FlowCounts::of_moment(key, counts, packet.tcp_flags, at);
        if self.trail.is_some() {
            // A record of its own: one that others get in memory would be written of every packet.
            return self.count_with_trail(&record(), when, blind, captured_bytes);
        }
        self.push(&record(), at, blind);
    }

    /// Adds it to the totals. Gives the key of its flow.
    #[inline(always)]
    fn total(
        &mut self,
        packet: &Packet,
        (slot, direction): (u8, Direction),
        counts: Counts,
    ) -> FlowKey {
        let totals = self.totals_mut(slot, direction);
        *totals.of_flow(&packet.key) += counts;
        let mut key = packet.key;
        key.set_origin(slot, direction);
        key
    }

    /// Sends it on its way. Field by field: a record that is put together elsewhere and copied waits until all of it has been
    /// written.
    #[inline(always)]
    pub(super) fn push(&mut self, record: &FlowCounts, at: Option<i64>, blind: bool) {
        let hash = self.flows.hash(&record.key);
        self.flows.prefetch(hash);
        let one = self.pending.next();
        one.key.set(&record.key);
        one.hash = hash;
        one.counts = record.counts;
        one.first = record.first;
        one.last = record.last;
        one.at = at.unwrap_or_default();
        one.timed = at.is_some();
        one.tcp_flags = record.tcp_flags;
        one.blind = blind;
        self.pushed();
    }

    #[inline(always)]
    pub(super) fn pushed(&mut self) {
        if self.pending.pushed() {
            self.advance();
        }
    }

    #[inline(never)]
    fn advance(&mut self) {
        self.advance_to(self.pending.due());
    }

    /// Counts what is still on its way.
    pub fn flush(&mut self) {
        self.advance_to(self.pending.all());
    }

    #[inline(always)]
    fn advance_to(&mut self, (asked, counted): (usize, usize)) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.ask(asked, |one| {
            one.hint = self.flows.candidate(one.hash, &one.key);
        });
        pending.count(counted, |one| self.count_pending(one));
        self.pending = pending;
    }
}
