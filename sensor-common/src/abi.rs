//! The layout of the kernel's maps: written by the eBPF programs, read by the agent through a memory mapping.
//!
//! Each CPU owns its part of every map, so nothing is shared between CPUs and no update needs an atomic. Everything
//! exists twice (two halves, chosen by the lowest bit of an epoch): the agent turns the epoch, waits until no program
//! run that saw the old one is left (one RCU grace period), and then reads a half that stands still.
//!
//! Every `u64` is native-endian. Sizes are asserted below, and the agent compares them with those of the object's maps.

use core::ops::{Add, AddAssign};

use crate::flow::FlowKey;
use crate::parse::Reason;

/// Packets and bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[repr(C)]
pub struct Counts {
    pub packets: u64,
    pub bytes: u64,
}

impl Counts {
    pub const ZERO: Counts = Counts {
        packets: 0,
        bytes: 0,
    };

    #[inline(always)]
    pub fn add(&mut self, packets: u64, bytes: u64) {
        self.packets = self.packets.wrapping_add(packets);
        self.bytes = self.bytes.wrapping_add(bytes);
    }
}

impl Add for Counts {
    type Output = Counts;

    fn add(mut self, other: Counts) -> Counts {
        self += other;
        self
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        Counts::add(self, other.packets, other.bytes);
    }
}

impl core::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::ZERO, Add::add)
    }
}

/// Number of classes behind the IP protocols: what carries no IP, and each reason for malformed.
pub const CLASSES: usize = 16;
/// Class of packets that carry no IP.
pub const CLASS_NOT_IP: usize = 0;

/// Class of packets that could not be parsed.
#[inline(always)]
pub fn class_of(reason: Reason) -> usize {
    1 + reason as usize
}

/// Index into [`Totals::ip`] and [`Totals::overflow`].
#[inline(always)]
pub fn ip_index(protocol: u8, ipv6: bool) -> usize {
    protocol as usize | (ipv6 as usize) << 8
}

/// Every packet of one CPU, interface, direction and half, in exactly one of `ip`, `class`, `filtered` and
/// `duplicates`. They cannot overflow.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Totals {
    /// By IP protocol, IPv4 first, then IPv6.
    pub ip: [Counts; 512],
    pub class: [Counts; CLASSES],
    /// The part of `ip` that found no room in the flow table.
    pub overflow: [Counts; 512],
    /// The part of `class[CLASS_NOT_IP]` that found no room in the flow table.
    pub overflow_not_ip: Counts,
    /// What the filter left out; in none of the others.
    pub filtered: Counts,
    /// Packets that came a second time and were left out; in none of the others, and never counted by programs.
    pub duplicates: Counts,
    reserved: [u64; 2],
}

impl Totals {
    pub const ZERO: Totals = Totals {
        ip: [Counts::ZERO; 512],
        class: [Counts::ZERO; CLASSES],
        overflow: [Counts::ZERO; 512],
        overflow_not_ip: Counts::ZERO,
        filtered: Counts::ZERO,
        duplicates: Counts::ZERO,
        reserved: [0; 2],
    };
}

impl Totals {
    /// All but what the filter left out, and what came before.
    pub fn matched(&self) -> Counts {
        self.ip.iter().chain(&self.class).copied().sum()
    }

    /// Where the packets of a flow belong.
    #[inline(always)]
    pub fn of_flow(&mut self, key: &FlowKey) -> &mut Counts {
        match key.is_ip() {
            true => &mut self.ip[key.ip_index()],
            false => &mut self.class[CLASS_NOT_IP],
        }
    }
}

impl AddAssign<&Totals> for Totals {
    fn add_assign(&mut self, other: &Totals) {
        // Names every field: one that is new does not compile until it is added here.
        let Totals {
            ip,
            class,
            overflow,
            overflow_not_ip,
            filtered,
            duplicates,
            reserved: _,
        } = other;
        let pairs = self.ip.iter_mut().zip(ip);
        let pairs = pairs.chain(self.class.iter_mut().zip(class));
        let pairs = pairs.chain(self.overflow.iter_mut().zip(overflow));
        pairs.for_each(|(to, from)| *to += *from);
        self.overflow_not_ip += *overflow_not_ip;
        self.filtered += *filtered;
        self.duplicates += *duplicates;
    }
}

/// Directions that a slot has in map `CONTROL`: ingress, egress.
pub const SLOT_WAYS: u32 = 2;
/// The same on a tap: unknown, ingress, egress.
pub const TAP_WAYS: u32 = 3;

/// One value of map `CONTROL`: index = (cpu * slots + slot) * directions of a slot + direction. What is in a record of the
/// flow table is not here as well: the agent adds it when it reads the record.
#[repr(C, align(64))]
pub struct Control {
    pub half: [Totals; 2],
}

/// One value of map `CPU`, of as many as there are CPUs: what each packet needs in the first cache line, what inserts need in
/// the others.
#[repr(C, align(64))]
pub struct Cpu {
    /// Written by the agent only; its lowest bit chooses the half.
    pub epoch: u64,
    /// Payloads for which the ring buffer had no room, since the start.
    pub samples_lost: u64,
    /// Every packet of a monitored interface, per half, before anything else is known of it: the agent holds the sum of all
    /// that it finds against this.
    pub seen: [Counts; 2],
    reserved: [u64; 2],
    /// Records spilled to the log, per half.
    pub spilled: [u64; 2],
    /// Records claimed in the sets, per half.
    pub claimed: [u64; 2],
    reserved_behind: [u64; 4],
    /// The key that is looked for, on its way from one function to another.
    pub wanted: [u64; 5],
    reserved_last: [u64; 3],
}

/// One flow: a cache line. Index in map `LOG`: (cpu * 2 + half) * log size + n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Record {
    /// [`crate::flow::FlowKey`]; the record is empty while the last word lacks [`crate::flow::VALID`].
    pub key: [u64; 5],
    /// Packets in the low 48 bits, how far its payloads have been taken in the next 8, the OR of the TCP flags in the top 8.
    pub packets_flags: u64,
    pub bytes: u64,
    /// Low 32 bits of jiffies at the first and at the last packet.
    pub first: u32,
    pub last: u32,
}

pub const FLAGS_SHIFT: u32 = 56;
pub const SAMPLES_SHIFT: u32 = 48;
pub const PACKETS_MASK: u64 = (1 << SAMPLES_SHIFT) - 1;

/// Added to the number of payloads: the last one began a handshake.
pub const SAMPLES_HANDSHAKE: u8 = 0x40;
/// Instead of a number of payloads: no more of this record are taken.
pub const SAMPLES_DONE: u8 = 0xff;

/// Size of the ring buffer `SAMPLES`: it is emptied every 50 ms, so that is room for about 200,000 short payloads a second.
pub const SAMPLE_RING: u32 = 8 << 20;

/// Records in a set.
pub const WAYS: usize = 8;

/// One of map `SETS`: index = (cpu * 2 + half) << set bits | top bits of the hash.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Set {
    pub ways: [Record; WAYS],
}

/// Value of `SLOT_OF` for an interface that is not counted.
pub const NO_SLOT: u16 = u16::MAX;
/// Added to the slot of an interface whose packets start with the IP header.
pub const SLOT_L3: u16 = 0x8000;
/// `SLOT_OF` is indexed by the low bits of the interface's index.
pub const SLOT_TABLE: usize = 1024;

const _: () = {
    assert!(size_of::<Counts>() == 16);
    assert!(size_of::<Totals>() == 16 * (512 + CLASSES + 512 + 1) + 48);
    assert!(size_of::<Totals>().is_multiple_of(64));
    assert!(size_of::<Control>() == 2 * size_of::<Totals>());
    assert!(size_of::<Cpu>() == 192);
    assert!(size_of::<Record>() == 64);
    assert!(size_of::<Set>() == 512);
    assert!(Reason::ALL.len() < CLASSES);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_and_reason_has_a_place_of_its_own() {
        let mut places: Vec<_> = (0..=255)
            .flat_map(|protocol| [false, true].map(|ipv6| ip_index(protocol, ipv6)))
            .collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..Totals::ZERO.ip.len()));
        let classes: Vec<_> = Reason::ALL.iter().map(|reason| class_of(*reason)).collect();
        assert!(
            classes
                .iter()
                .copied()
                .eq(CLASS_NOT_IP + 1..=Reason::ALL.len())
        );
    }

    #[test]
    fn reasons_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> =
            Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        let truncated = Reason::ALL
            .iter()
            .filter(|reason| reason.name().starts_with("truncated"));
        assert!(truncated.eq(Reason::ALL.iter().filter(|reason| reason.is_truncation())));
    }

    #[test]
    fn counts_add_up() {
        let one = Counts {
            packets: 1,
            bytes: 60,
        };
        let sum: Counts = [one, one, one].into_iter().sum();
        assert_eq!(sum, one + one + one);
        assert_eq!((sum.packets, sum.bytes), (3, 180));
    }
}
