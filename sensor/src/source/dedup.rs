//! The same packet, mirrored twice, counted once: from two ports of a switch, or before and behind a router.
//!
//! What is compared begins at the network header and leaves out what a hop changes (TTL or hop limit, and IPv4's checksum of
//! the header): MAC addresses, VLAN tags and labels may differ. Of packets without IP and of malformed ones all bytes count.
//! A packet is a duplicate of one that came before within the window, among the last [`MOST`]. Hashes of 64 bits stand for
//! packets, with seeds drawn for each run: that two different ones are taken for the same is a matter of one in 10^14.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::quality::RandomState;
use sensor_common::parse::{Packet, Reason};

use crate::counters::When;

/// Packets that are remembered, at most.
pub const MOST: usize = 1 << 16;

pub struct Dedup {
    /// Nanoseconds.
    window: i64,
    seeds: RandomState,
    /// When a packet came first.
    first: HashMap<u64, i64, foldhash::fast::RandomState>,
    /// In the order in which they came.
    order: VecDeque<(u64, i64)>,
}

/// For interfaces that are counted together.
pub type SharedDedup = Arc<Mutex<Dedup>>;

/// See [`Dedup::is_duplicate`].
pub fn is_duplicate(
    dedup: &SharedDedup,
    data: &[u8],
    wire_len: u64,
    packet: &Result<Packet, Reason>,
    when: When,
) -> bool {
    let mut dedup = dedup.lock().unwrap_or_else(PoisonError::into_inner);
    dedup.is_duplicate(data, wire_len, packet, when)
}

impl Dedup {
    pub fn new(window: i64) -> Self {
        Dedup {
            window,
            seeds: RandomState::default(),
            first: HashMap::default(),
            order: VecDeque::new(),
        }
    }

    /// Whether the packet came before. One without a time is no duplicate of any, and none is of it.
    pub fn is_duplicate(
        &mut self,
        data: &[u8],
        wire_len: u64,
        packet: &Result<Packet, Reason>,
        when: When,
    ) -> bool {
        let When::At(now) = when else { return false };
        let hash = self.hash(data, wire_len, packet);
        self.forget(now);
        if let Some(before) = self.first.get(&hash)
            && now.abs_diff(*before) <= self.window.unsigned_abs()
        {
            return true;
        }
        self.first.insert(hash, now);
        self.order.push_back((hash, now));
        false
    }

    /// Those that are too old, and the oldest where there are too many.
    fn forget(&mut self, now: i64) {
        while let Some((hash, came)) = self.order.front().copied() {
            let old = now.saturating_sub(came) > self.window;
            if !old && self.order.len() < MOST {
                return;
            }
            self.order.pop_front();
            // It may have come again since, with another time.
            if self.first.get(&hash) == Some(&came) {
                self.first.remove(&hash);
            }
        }
    }

    fn hash(&self, data: &[u8], wire_len: u64, packet: &Result<Packet, Reason>) -> u64 {
        let mut hasher = self.seeds.build_hasher();
        match packet {
            Ok(packet) if packet.key.is_ip() => {
                let start = usize::from(packet.network_offset).min(data.len());
                let bytes = &data[start..];
                // What is behind the packet pads a short frame, which the other side of a tag may not need.
                let len = ip_len(bytes, packet.key.is_ipv6()).min(bytes.len());
                network(&bytes[..len], packet.key.is_ipv6(), &mut hasher);
            }
            _ => {
                hasher.write_u64(wire_len);
                hasher.write(data);
            }
        }
        hasher.finish()
    }
}

/// Without what changes on the way.
fn network(bytes: &[u8], ipv6: bool, to: &mut impl Hasher) {
    // Version 6: the hop limit is the eighth byte. Version 4: time to live is the ninth, the checksum the last two of twelve.
    let (before, behind): (usize, usize) = if ipv6 { (7, 8) } else { (8, 12) };
    to.write(bytes.get(..before).unwrap_or(bytes));
    if !ipv6 && let Some(protocol) = bytes.get(9) {
        to.write_u8(*protocol);
    }
    to.write(bytes.get(behind..).unwrap_or_default());
}

/// As the IP header says; all where it leaves that open.
fn ip_len(bytes: &[u8], ipv6: bool) -> usize {
    let field = |at: usize| match bytes.get(at..at + 2) {
        Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    };
    match (ipv6, field(4), field(2)) {
        (true, 0, _) | (false, _, 0) => usize::MAX,
        (true, payload, _) => 40 + payload,
        (false, _, total) => total,
    }
}

#[cfg(test)]
mod tests;
