//! The classic format: one file header, then records of 16 bytes and the packet.

use std::ops::RangeInclusive;

use super::batch::Marks;
use super::error::{Cause, Damage, Fault, Unreadable};
use super::format::Container;
use super::link_type;
use super::window::Window;
use super::{Oddities, Record, Way, When};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;
const NS_PER_SECOND: i64 = 1_000_000_000;

#[derive(Clone, Copy)]
pub(super) struct Pcap {
    pub(super) container: Container,
    pub(super) odd: Oddities,
    swap: bool,
    pub(super) link_type: u16,
    lengths: Lengths,
    record_header: usize,
    /// Nanoseconds in one unit of the fraction.
    unit: i64,
    units_per_second: u32,
    /// Nothing longer is a packet, whatever the snaplen says.
    limit: u32,
}

/// The order of the two length fields. Versions before 2.3 had the wire length first, and 2.3 was written both ways.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

struct Header {
    seconds: u32,
    fraction: u32,
    cap_len: u32,
    orig_len: u32,
}

impl Header {
    /// As nearly all files have it: least byte first, captured length first.
    #[inline(always)]
    fn new(ahead: &[u8]) -> Option<Self> {
        let fixed: &[u8; RECORD_HEADER] = ahead.first_chunk()?;
        Some(Header {
            seconds: u32_at(fixed, 0, false),
            fraction: u32_at(fixed, 4, false),
            cap_len: u32_at(fixed, 8, false),
            orig_len: u32_at(fixed, 12, false),
        })
    }
}

/// The container, and whether the file's byte order is the other one, if this is the magic of a pcap file.
fn magic(start: [u8; 4]) -> Option<(Container, bool)> {
    let kind = |magic| match magic {
        0xa1b2_c3d4 => Some(Container::Pcap),
        0xa1b2_3c4d => Some(Container::PcapNs),
        0xa1b2_cd34 => Some(Container::PcapModified),
        _ => None,
    };
    let value = u32::from_le_bytes(start);
    match kind(value) {
        Some(container) => Some((container, false)),
        None => kind(value.swap_bytes()).map(|container| (container, true)),
    }
}

impl Pcap {
    /// Reads the file header, if the magic is that of a pcap file.
    pub(super) fn open(window: &mut Window) -> Result<Option<Self>, Fault> {
        let start = window.ahead().first_chunk().copied().unwrap_or_default();
        let Some((container, swap)) = magic(start) else {
            return Ok(None);
        };
        window.fill_header(FILE_HEADER)?;
        let header = window.take(FILE_HEADER);
        let major = u16_at(header, 4, swap);
        let minor = u16_at(header, 6, swap);
        // The upper bits tell the length of the FCS and are of no use here.
        let link_type = (u32_at(header, 20, swap) & 0xffff) as u16;
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, 0) => Lengths::WireFirst, // 543: how DG/UX wrote it; libpcap reads it too
            (2, 3) => Lengths::SmallerIsCaptured,
            (2, 4) => Lengths::CapturedFirst,
            _ => {
                let format = "pcap";
                let version = Unreadable::Version {
                    format,
                    major,
                    minor,
                };
                return Err(window.fail(4, version));
            }
        };
        let (unit, units_per_second) = match container {
            Container::PcapNs => (1, 1_000_000_000),
            _ => (1000, 1_000_000),
        };
        Ok(Some(Self {
            container,
            odd: Oddities::default(),
            swap,
            link_type,
            lengths,
            record_header: match container {
                Container::PcapModified => MODIFIED_RECORD_HEADER,
                _ => RECORD_HEADER,
            },
            unit,
            units_per_second,
            limit: link_type::max_cap_len(link_type),
        }))
    }

    #[inline(always)]
    pub(super) fn next<'w>(&mut self, window: &'w mut Window) -> Result<Option<Record<'w>>, Fault> {
        let header = match self.peek(window.ahead()) {
            Some(header) => header,
            None => match self.refill(window)? {
                Some(header) => header,
                None => return Ok(None),
            },
        };
        if !self.is_usual(&header) {
            self.note_oddity(&header);
        }
        let ns = self.time(&header);
        let data = window.take_record(self.record_header, header.cap_len as usize);
        Ok(Some(Record {
            link_type: self.link_type,
            interface: 0,
            described: None,
            when: When::At(ns),
            data,
            wire_len: header.orig_len.max(header.cap_len),
            way: Way::Unknown,
        }))
    }

    /// Marks the records at the beginning of `ahead` that are whole and usual, until there is one that is not, or that begins
    /// `until` so many bytes. Gives how many, and the bytes that they are.
    #[inline(always)]
    pub(super) fn mark(&self, ahead: &[u8], until: usize, marks: &mut Marks) -> (usize, usize) {
        let (mut marked, mut at) = (0, 0);
        if self.swap || self.lengths != Lengths::CapturedFirst {
            return (marked, at); // of few files
        }
        for mark in &mut marks.0 {
            let Some(header) = ahead.get(at..).and_then(Header::new) else {
                break;
            };
            let start = at + self.record_header;
            let end = start + header.cap_len as usize;
            let usual = self.is_usual(&header) && header.cap_len <= self.limit;
            if !usual || end > ahead.len() || at >= until {
                break;
            }
            mark.start = start;
            mark.cap_len = header.cap_len;
            mark.wire_len = header.orig_len;
            mark.at = self.time(&header);
            at = end;
            marked += 1;
        }
        (marked, at)
    }

    #[inline(always)]
    fn is_usual(&self, header: &Header) -> bool {
        header.cap_len <= header.orig_len && header.fraction < self.units_per_second
    }

    /// Nanoseconds since the epoch.
    #[inline(always)]
    fn time(&self, header: &Header) -> i64 {
        i64::from(header.seconds) * NS_PER_SECOND + i64::from(header.fraction) * self.unit
    }

    #[cold]
    fn note_oddity(&mut self, header: &Header) {
        self.odd.cap_exceeds_wire += u64::from(header.cap_len > header.orig_len);
        // Writers that got this wrong meant a time, so the excess is carried into the seconds as every reader does.
        self.odd.time_carried += u64::from(header.fraction >= self.units_per_second);
    }

    /// The next record's header, if the whole record is in the window and sane.
    #[inline(always)]
    fn peek(&self, ahead: &[u8]) -> Option<Header> {
        let header = self.header(ahead)?;
        let whole = self.record_header + header.cap_len as usize;
        (header.cap_len <= self.limit && ahead.len() >= whole).then_some(header)
    }

    /// What follows the record that `bytes` begin with, if it has nothing unusual and is of such a second.
    pub(super) fn plausible<'b>(
        &self,
        bytes: &'b [u8],
        seconds: &RangeInclusive<u32>,
    ) -> Option<&'b [u8]> {
        let header = self.header(bytes)?;
        let usual = seconds.contains(&header.seconds)
            && header.fraction < self.units_per_second
            && header.cap_len > 0
            && header.cap_len <= header.orig_len.min(self.limit);
        bytes
            .get(self.record_header + header.cap_len as usize..)
            .filter(|_| usual)
    }

    /// The time of the record that `bytes` begin with, in seconds.
    pub(super) fn seconds(&self, bytes: &[u8]) -> Option<u32> {
        self.header(bytes).map(|header| header.seconds)
    }

    /// The same file, for another of its records.
    pub(super) fn again(&self) -> Self {
        Pcap {
            odd: Oddities::default(),
            ..*self
        }
    }

    #[inline(always)]
    fn header(&self, ahead: &[u8]) -> Option<Header> {
        let mut header = Header::new(ahead)?;
        if self.swap {
            [header.seconds, header.fraction] = swapped([header.seconds, header.fraction]);
            [header.cap_len, header.orig_len] = swapped([header.cap_len, header.orig_len]);
        }
        let (first, second) = (header.cap_len, header.orig_len);
        (header.cap_len, header.orig_len) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::WireFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        Some(header)
    }

    #[cold]
    #[inline(never)]
    fn refill(&self, window: &mut Window) -> Result<Option<Header>, Fault> {
        let offset = window.offset();
        self.read_on(window)
            .map_err(|cause| window.fail(offset, cause))
    }

    fn read_on(&self, window: &mut Window) -> Result<Option<Header>, Cause> {
        let needed = self.record_header;
        if !window.fill(needed)? {
            return match window.ahead().len() {
                0 => Ok(None),
                got => Err(Damage::HeaderCutOff { needed, got }.into()),
            };
        }
        let Some(header) = self.header(window.ahead()) else {
            return Ok(None);
        };
        let (value, limit) = (header.cap_len, self.limit);
        if value > limit {
            return Err(Damage::CapturedLength { value, limit }.into());
        }
        if !window.fill(self.record_header + value as usize)? {
            let needed = value as usize;
            let got = window.ahead().len() - self.record_header;
            return Err(Damage::DataCutOff { needed, got }.into());
        }
        Ok(Some(header))
    }
}

/// Apart, because few files are of the other byte order.
#[cold]
#[inline(never)]
fn swapped(words: [u32; 2]) -> [u32; 2] {
    words.map(u32::swap_bytes)
}

/// 0 beyond the end; the callers have looked at the length.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize, swap: bool) -> u32 {
    let value = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u32::from_le_bytes(*chunk));
    if swap { value.swap_bytes() } else { value }
}

#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize, swap: bool) -> u16 {
    let value = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u16::from_le_bytes(*chunk));
    if swap { value.swap_bytes() } else { value }
}
