//! A reader of the MaxMind DB format, version 2: a binary tree over the bits of an address, whose leaves point into a
//! section of values.
//!
//! Our own, because databases come from anywhere: the usual crate follows a pointer that points to itself until the stack
//! is full, and reads past the end where the tree is shorter than it says. Here every step is checked and counted.

use std::net::IpAddr;

const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// The metadata lies within this many bytes of the end (the format says so).
const METADATA_WITHIN: usize = 128 * 1024;
/// Zero bytes between the tree and the values.
const SEPARATOR: usize = 16;
/// Values that may be stepped over to find one: real records have some hundreds.
const MOST_STEPS: usize = 10_000;

pub(super) struct Mmdb {
    bytes: Vec<u8>,
    nodes: usize,
    record_bits: usize,
    ipv6: bool,
    /// Node at which the IPv4 addresses begin.
    ipv4_root: usize,
    /// Where the values begin and end.
    values: (usize, usize),
}

impl Mmdb {
    /// The error says what is wrong with it.
    pub(super) fn new(bytes: Vec<u8>) -> Result<Self, &'static str> {
        let tail = bytes.len().saturating_sub(METADATA_WITHIN);
        let near_end = bytes.get(tail..).unwrap_or_default();
        let mut places = near_end.windows(MARKER.len());
        let marker = tail
            + places
                .rposition(|w| w == MARKER)
                .ok_or("it has no metadata")?;
        let metadata = Record {
            values: &bytes[marker + MARKER.len()..],
            at: 0,
        };
        let number = |key| metadata.at(&[key]).and_then(|value| value.number());
        let broken = "its metadata is incomplete";
        let nodes = number("node_count").ok_or(broken)?;
        let record_bits = number("record_size").ok_or(broken)?;
        let ip_version = number("ip_version").ok_or(broken)?;
        if number("binary_format_major_version") != Some(2) {
            return Err("it is of another version of the format than 2");
        }
        if !matches!(record_bits, 24 | 28 | 32) || !matches!(ip_version, 4 | 6) {
            return Err("its metadata makes no sense");
        }
        let (nodes, record_bits) = (nodes as usize, record_bits as usize);
        let values = (nodes.checked_mul(record_bits / 4))
            .and_then(|tree| tree.checked_add(SEPARATOR))
            .filter(|start| *start <= marker)
            .ok_or("it is cut off, or its tree is larger than the file")?;
        let mut database = Mmdb {
            bytes,
            nodes,
            record_bits,
            ipv6: ip_version == 6,
            ipv4_root: 0,
            values: (values, marker),
        };
        if database.ipv6 {
            database.ipv4_root = database.walk(0, 0, 96);
        }
        Ok(database)
    }

    /// What is known of an address.
    pub(super) fn record(&self, addr: IpAddr) -> Option<Record<'_>> {
        let leaf = match addr {
            IpAddr::V4(addr) => self.walk(self.ipv4_root, u128::from(addr.to_bits()) << 96, 32),
            IpAddr::V6(addr) if self.ipv6 => self.walk(0, addr.to_bits(), 128),
            IpAddr::V6(_) => return None,
        };
        // The number of nodes itself says: nothing is known.
        let at = leaf.checked_sub(self.nodes)?.checked_sub(SEPARATOR)?;
        let (start, end) = self.values;
        let values = self.bytes.get(start..end)?;
        (at < values.len()).then_some(Record { values, at })
    }

    /// Follows the first `count` of `bits` from `node` on, as far as there are nodes.
    fn walk(&self, mut node: usize, bits: u128, count: u32) -> usize {
        for number in 0..count {
            if node >= self.nodes {
                break;
            }
            let right = bits >> (127 - number) & 1 == 1;
            node = self.child(node, right).unwrap_or(self.nodes);
        }
        node
    }

    fn child(&self, node: usize, right: bool) -> Option<usize> {
        let size = self.record_bits / 4;
        let both = self.bytes.get(node * size..(node + 1) * size)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
        Some(match (self.record_bits, right) {
            (28, false) => usize::from(both[3] >> 4) << 24 | number(&both[..3]),
            (28, true) => usize::from(both[3] & 15) << 24 | number(&both[4..]),
            (_, false) => number(&both[..size / 2]),
            (_, true) => number(&both[size / 2..]),
        })
    }
}

/// A value, most often a map.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    values: &'a [u8],
    at: usize,
}

const POINTER: u8 = 1;
const STRING: u8 = 2;
const UINT16: u8 = 5;
const UINT32: u8 = 6;
const MAP: u8 = 7;
const UINT64: u8 = 9;
const ARRAY: u8 = 11;
const BOOL: u8 = 14;

/// The first bytes of a value: what it is, how long, and where its content begins.
#[derive(Clone, Copy)]
struct Head {
    kind: u8,
    /// Bytes; of maps and arrays entries; of pointers where they point to.
    size: usize,
    body: usize,
}

impl<'a> Record<'a> {
    /// The value behind these keys, each of the map that the one before it gave.
    pub(super) fn at(&self, keys: &[&str]) -> Option<Record<'a>> {
        let mut steps = MOST_STEPS;
        let mut value = *self;
        for key in keys {
            value = value.entry(key, &mut steps)?;
        }
        Some(value)
    }

    pub(super) fn text(&self) -> Option<&'a [u8]> {
        let head = self.resolved()?;
        (head.kind == STRING).then(|| self.content(head)).flatten()
    }

    pub(super) fn number(&self) -> Option<u32> {
        let head = self.resolved()?;
        if !matches!(head.kind, UINT16 | UINT32 | UINT64) || head.size > 8 {
            return None;
        }
        let bytes = self.content(head)?;
        let number = bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b));
        u32::try_from(number).ok()
    }

    fn entry(&self, key: &str, steps: &mut usize) -> Option<Record<'a>> {
        let map = self.resolved().filter(|head| head.kind == MAP)?;
        let mut at = map.body;
        for _ in 0..map.size {
            let name = Record { at, ..*self };
            let value = Record {
                at: name.end(steps)?,
                ..*self
            };
            if name.text()? == key.as_bytes() {
                return Some(value);
            }
            at = value.end(steps)?;
        }
        None
    }

    /// Where the next value begins. Pointers are not followed.
    fn end(&self, steps: &mut usize) -> Option<usize> {
        let (mut at, mut open) = (self.at, 1_usize);
        while open > 0 {
            *steps = steps.checked_sub(1)?;
            open -= 1;
            let head = self.head(at)?;
            at = head.body;
            match head.kind {
                MAP => open += head.size.checked_mul(2)?,
                ARRAY => open += head.size,
                POINTER | BOOL => {}
                _ => at = at.checked_add(head.size)?,
            }
        }
        Some(at)
    }

    fn content(&self, head: Head) -> Option<&'a [u8]> {
        self.values
            .get(head.body..head.body.checked_add(head.size)?)
    }

    /// The value itself, or the one it points to, which must not be a pointer again.
    fn resolved(&self) -> Option<Head> {
        let head = self.head(self.at)?;
        if head.kind != POINTER {
            return Some(head);
        }
        self.head(head.size).filter(|head| head.kind != POINTER)
    }

    fn head(&self, mut at: usize) -> Option<Head> {
        let mut take = |count: usize| {
            let bytes = self.values.get(at..at.checked_add(count)?)?;
            at += count;
            Some(bytes.iter().fold(0, |sum, b| sum << 8 | usize::from(*b)))
        };
        let control = take(1)?;
        let low = control & 0x1f;
        let kind = match (control >> 5) as u8 {
            0 => (take(1)? as u8).checked_add(MAP)?,
            kind => kind,
        };
        let size = match (kind, low) {
            (POINTER, low) => {
                let (length, high) = ((low >> 3) + 1, low & 7);
                let rest = take(length)?;
                match length {
                    1 => high << 8 | rest,
                    2 => (high << 16 | rest) + 2048,
                    3 => (high << 24 | rest) + 526_336,
                    _ => rest,
                }
            }
            (_, 29) => 29 + take(1)?,
            (_, 30) => 285 + take(2)?,
            (_, 31) => 65_821 + take(3)?,
            (_, low) => low,
        };
        Some(Head {
            kind,
            size,
            body: at,
        })
    }
}
