//! The way of one packet into the counters.

use sensor_common::abi::CLASS_NOT_IP;
use sensor_common::flow::Direction;
use sensor_common::parse::{Packet, Reason};

use super::{Counts, Delta, Seen, When, narrow};

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

    /// As [`Self::packet`], of a packet that has a time and no known interface. [`Self::note`] must be told of it too.
    #[inline(always)]
    pub fn of_batch(
        &mut self,
        packet: Result<Packet, Reason>,
        at: i64,
        wire_len: u32,
        captured: usize,
    ) {
        let counts = Counts {
            packets: 1,
            bytes: wire_len.into(),
        };
        let size = (counts, captured as u64);
        self.parsed(packet, (0, Direction::Unknown), When::At(at), size);
    }

    #[inline(always)]
    fn parsed(
        &mut self,
        packet: Result<Packet, Reason>,
        (slot, direction): (u8, Direction),
        when: When,
        (counts, captured_bytes): (Counts, u64),
    ) {
        let Counts { packets, bytes } = counts;
        let packet = match packet {
            Ok(packet) => packet,
            Err(reason) => {
                let size = (counts, captured_bytes);
                return self.malformed(reason, (slot, direction), when, size);
            }
        };
        let direction = match direction {
            Direction::Unknown => packet.direction,
            known => known,
        };
        let totals = self.totals_mut(slot, direction);
        if packet.key.is_ip() {
            totals.ip[packet.key.ip_index()].add(packets, bytes);
        } else {
            totals.class[CLASS_NOT_IP].add(packets, bytes);
        }
        let mut key = packet.key;
        key.set_origin(slot, direction);
        let headers_only = captured_bytes <= u64::from(packet.header_len);
        let blind = packet.payload_len > 0 && headers_only;
        if self.trail.is_some() {
            let size = (counts, captured_bytes);
            return self.count_with_trail(key, (packet.tcp_flags, blind), when, size);
        }
        let at = when.time();
        let hash = self.flows.hash(&key);
        self.flows.prefetch(hash);
        let one = self.pending.next();
        // Field by field: a record that is put together elsewhere and copied waits until all of it has been written.
        one.record.key = key;
        one.record.counts = counts;
        one.record.tcp_flags = packet.tcp_flags;
        one.record.first = at.unwrap_or(i64::MAX);
        one.record.last = at.unwrap_or(i64::MIN);
        one.ends = narrow(&key);
        one.hash = hash;
        one.at = at;
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
            one.hint = self.flows.candidate(one.hash, &one.record.key);
        });
        pending.count(counted, |one| self.count_pending(one));
        self.pending = pending;
    }
}
