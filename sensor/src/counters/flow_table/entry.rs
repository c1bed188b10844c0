//! A flow as it lies in memory: one cache line for IPv4, two for everything else.

use sensor_common::flow::FlowKey;

use super::{Flow, Known};
use crate::counters::{Counts, FlowCounts};
use crate::names::Label;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(in crate::counters) struct Entry {
    /// IPv4 addresses as they lie in the key.
    ends: [u32; 2],
    /// The key's last word; zero in a line that is no flow.
    meta: u64,
    pub(in crate::counters) packets: u64,
    pub(in crate::counters) bytes: u64,
    pub(in crate::counters) first: i64,
    pub(in crate::counters) last: i64,
    pub(in crate::counters) class: u32,
    tcp_flags: u8,
    pub(in crate::counters) known: Known,
    pub(in crate::counters) label: Option<Label>,
    /// The next line has the key's other words, see [`Entry::of_words`].
    wide: bool,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// The words of a key whose addresses need no more than one line: those of IPv4 with the addresses themselves zero.
const NARROW: u64 = u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]);
/// Where the IPv4 address is in such a word.
const ADDRESS_SHIFT: u32 = if cfg!(target_endian = "little") {
    32
} else {
    0
};
const ADDRESS_MASK: u64 = 0xffff_ffff << ADDRESS_SHIFT;

/// A key that is looked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::counters) struct Sought {
    /// Both addresses, where 64 bits are enough for them.
    ends: [u32; 2],
    /// The key's last word.
    meta: u64,
    /// They are not enough: `words` are the key's others.
    pub(in crate::counters) wide: bool,
    words: [u64; 4],
}

impl Sought {
    pub(in crate::counters) const NOTHING: Sought = Sought {
        ends: [0; 2],
        meta: 0,
        wide: false,
        words: [0; 4],
    };

    pub(in crate::counters) fn of(key: &FlowKey) -> Self {
        let mut this = Sought::NOTHING;
        this.set(key);
        this
    }

    /// Writes no more of it than will be read.
    #[inline(always)]
    pub(in crate::counters) fn set(&mut self, key: &FlowKey) {
        let [a, b, c, d, meta] = key.0;
        self.meta = meta;
        match narrow(key) {
            Some(ends) => {
                self.ends = ends;
                self.wide = false;
            }
            None => {
                self.words = [a, b, c, d];
                self.wide = true;
            }
        }
    }

    pub(in crate::counters) fn key(&self) -> FlowKey {
        let [a, b, c, d] = self.words;
        match self.wide {
            true => FlowKey([a, b, c, d, self.meta]),
            false => widened(self.ends, self.meta),
        }
    }
}

/// Undoes [`narrow`].
#[inline]
fn widened(ends: [u32; 2], meta: u64) -> FlowKey {
    let [src, dst] = ends.map(|end| NARROW | u64::from(end) << ADDRESS_SHIFT);
    FlowKey([0, src, 0, dst, meta])
}

/// Both addresses, where 64 bits are enough for them.
#[inline(always)]
pub(super) fn narrow(key: &FlowKey) -> Option<[u32; 2]> {
    let [a, src, b, dst, _] = key.0;
    let rest = a | b | ((src ^ NARROW) & !ADDRESS_MASK) | ((dst ^ NARROW) & !ADDRESS_MASK);
    let address = |word: u64| (word >> ADDRESS_SHIFT) as u32;
    (rest == 0).then(|| [address(src), address(dst)])
}

impl Entry {
    pub(super) const EMPTY: Entry = Entry {
        ends: [0; 2],
        meta: 0,
        packets: 0,
        bytes: 0,
        first: i64::MAX,
        last: i64::MIN,
        class: 0,
        tcp_flags: 0,
        known: Known::Undecided,
        label: None,
        wide: false,
    };

    pub(super) fn new(key: &FlowKey) -> Self {
        let ends = narrow(key);
        Entry {
            ends: ends.unwrap_or_default(),
            meta: key.0[4],
            wide: ends.is_none(),
            ..Entry::EMPTY
        }
    }

    /// A line that is no flow: the address words of the one before it.
    pub(super) fn of_words(key: &FlowKey) -> Self {
        let [a, b, c, d, _] = key.0;
        Entry {
            packets: a,
            bytes: b,
            first: c.cast_signed(),
            last: d.cast_signed(),
            ..Entry::EMPTY
        }
    }

    #[inline]
    pub(super) fn is_flow(&self) -> bool {
        self.meta != 0
    }

    /// It is a flow, and has packets.
    pub(super) fn is_counted(&self) -> bool {
        self.is_flow() && self.packets > 0
    }

    #[inline]
    pub(super) fn is_wide(&self) -> bool {
        self.wide
    }

    /// Whether it is the flow of a key with these addresses.
    #[inline]
    pub(super) fn is_narrow(&self, ends: [u32; 2], meta: u64) -> bool {
        let differs = (self.ends[0] ^ ends[0]) | (self.ends[1] ^ ends[1]) | u32::from(self.wide);
        differs == 0 && self.meta == meta
    }

    /// Whether it is the flow of a key that is not wide.
    #[inline(always)]
    pub(super) fn is_sought(&self, sought: &Sought) -> bool {
        self.is_narrow(sought.ends, sought.meta)
    }

    /// The same of any other key; `words` is the line behind this one.
    #[inline]
    pub(super) fn is_of(&self, words: &Entry, key: &FlowKey) -> bool {
        self.wide && key.same(&self.key(words).0)
    }

    /// `words`: the line behind this one, if it is wide.
    #[inline]
    pub(super) fn key(&self, words: &Entry) -> FlowKey {
        if self.wide {
            let (c, d) = (words.first.cast_unsigned(), words.last.cast_unsigned());
            return FlowKey([words.packets, words.bytes, c, d, self.meta]);
        }
        widened(self.ends, self.meta)
    }

    #[inline]
    pub(super) fn flow(&self, words: &Entry) -> Flow {
        Flow {
            key: self.key(words),
            packets: self.packets,
            bytes: self.bytes,
            first: self.first,
            last: self.last,
            class: self.class,
            tcp_flags: self.tcp_flags,
            known: self.known,
            label: self.label,
        }
    }

    /// Everything but the key.
    pub(super) fn take_over(&mut self, flow: &Flow) {
        self.packets = flow.packets;
        self.bytes = flow.bytes;
        self.first = flow.first;
        self.last = flow.last;
        self.class = flow.class;
        self.tcp_flags = flow.tcp_flags;
        self.known = flow.known;
        self.label = flow.label;
    }

    /// Nothing is counted of it any more. What was decided for good stays.
    pub(super) fn begin_again(&mut self) {
        *self = match self.known {
            Known::Decided => Entry {
                packets: 0,
                bytes: 0,
                first: i64::MAX,
                last: i64::MIN,
                tcp_flags: 0,
                ..*self
            },
            Known::Undecided | Known::Spread => Entry {
                ends: self.ends,
                meta: self.meta,
                wide: self.wide,
                class: self.class,
                ..Entry::EMPTY
            },
        };
    }

    /// As [`Flow::times`].
    #[inline]
    pub(in crate::counters) fn times(&self) -> (i64, i64, Known) {
        (self.first, self.last, self.known)
    }

    #[inline]
    pub(in crate::counters) fn add(&mut self, record: &FlowCounts) {
        self.add_counts(record.counts, (record.first, record.last), record.tcp_flags);
    }

    #[inline(always)]
    pub(in crate::counters) fn add_counts(
        &mut self,
        counts: Counts,
        (first, last): (i64, i64),
        tcp_flags: u8,
    ) {
        self.packets += counts.packets;
        self.bytes += counts.bytes;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.tcp_flags |= tcp_flags;
    }
}

#[cfg(test)]
mod tests {
    use sensor_common::flow::Direction;

    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was() {
        let mut ipv4 = FlowKey::ipv4(u32::from_ne_bytes([10, 0, 0, 1]), u32::MAX, 6);
        ipv4.set_ports(0x1234_5678);
        ipv4.set_origin(255, Direction::Egress);
        let mut mapped = FlowKey::ipv6([ipv4.0[0], ipv4.0[1]], [ipv4.0[2], ipv4.0[3]], 6);
        mapped.set_ports(1);
        let keys = [
            (ipv4, false),
            (mapped, false),
            (FlowKey::ipv6([1, 2], [3, 4], 17), true),
            (FlowKey::ipv6([0, ipv4.0[1]], [0, 4], 17), true),
            (FlowKey::not_ip(0), true),
            (FlowKey::not_ip(0xffff), true),
        ];
        for (key, wide) in keys {
            let (entry, words) = (Entry::new(&key), Entry::of_words(&key));
            assert_eq!(entry.is_wide(), wide);
            assert_eq!(entry.key(&words), key);
            assert!(entry.is_flow() && !words.is_flow());
            let sought = Sought::of(&key);
            assert_eq!((sought.key(), sought.wide), (key, wide));
            match narrow(&key) {
                Some(_) => assert!(entry.is_sought(&sought)),
                None => assert!(entry.is_of(&words, &key)),
            }
        }
    }
}
