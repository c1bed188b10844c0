//! The block format: sections, each in its own byte order and with its own interfaces, and blocks of many kinds.
//!
//! Blocks that hold packets or describe interfaces are looked at whole; all others are passed over without being kept,
//! however long they say they are.

use super::batch::{Mark, Marks};
use super::error::{Cause, Damage, Fault};
use super::interface::{Described, Interface, Names, padded};
use super::pcap::{u16_at, u32_at};
use super::window::Window;
use super::{Oddities, Record, Way, When};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const BLOCK_HEADER: usize = 8;
const TRAILER: usize = 4;
/// The longest block that is kept in memory.
const MAX_BLOCK: u32 = 16 * 1024 * 1024;
/// Bounds what a small compressed file can make us remember.
const MAX_INTERFACES: usize = 1 << 20;
/// Where the packet begins in its block.
const PACKET_DATA: usize = 28;
const SIMPLE_PACKET_DATA: usize = 12;
const FLAGS_OPTION: u16 = 2;

#[derive(Default)]
pub(super) struct PcapNg {
    pub(super) odd: Oddities,
    pub(super) names: Names,
    /// Interfaces keep their names.
    pub(super) describes: bool,
    /// Interfaces so far, of all sections.
    described: u32,
    swap: bool,
    interfaces: Vec<Interface>,
}

/// A packet in the block that lies ahead.
struct Found {
    link_type: u16,
    /// Of the section.
    id: u32,
    interface: u8,
    when: When,
    data_at: usize,
    cap_len: u32,
    orig_len: u32,
    way: Way,
    block_len: usize,
}

enum Step {
    Packet(Found),
    Other,
    End,
}

impl PcapNg {
    /// Reads the first section header, if the file begins with one.
    pub(super) fn open(window: &mut Window) -> Result<Option<Self>, Fault> {
        if u32_at(window.ahead(), 0, false) != SECTION {
            return Ok(None);
        }
        window.fill_header(BLOCK_HEADER + 4)?;
        let mut this = Self::default();
        match this.section(window) {
            Ok(_) => Ok(Some(this)),
            Err(cause) => Err(window.fail(0, cause)),
        }
    }

    #[inline]
    pub(super) fn next<'w>(
        &'w mut self,
        window: &'w mut Window,
    ) -> Result<Option<Record<'w>>, Fault> {
        let found = match self.enhanced_ahead(window.ahead()) {
            Some(found) => found,
            None => match self.walk(window)? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        self.odd.cap_exceeds_wire += u64::from(found.cap_len > found.orig_len);
        let block = window.take(found.block_len);
        let data = block.get(found.data_at..found.data_at + found.cap_len as usize);
        Ok(Some(Record {
            link_type: found.link_type,
            interface: found.interface,
            described: described(&self.interfaces, found.id),
            when: found.when,
            data: data.unwrap_or_default(),
            wire_len: found.orig_len.max(found.cap_len),
            way: found.way,
        }))
    }

    /// As [`super::pcap::Pcap::mark`], of records of one link type, whose number it gives too. Nothing is marked where records
    /// shall be described.
    #[inline]
    pub(super) fn mark(
        &self,
        ahead: &[u8],
        until: usize,
        marks: &mut Marks,
    ) -> (usize, usize, u16) {
        let (mut marked, mut at, mut link_type) = (0, 0, 0);
        if self.describes {
            return (marked, at, link_type);
        }
        for mark in &mut marks.0 {
            let Some(rest) = ahead.get(at..).filter(|_| at < until) else {
                break;
            };
            let Some(found) = self.enhanced_ahead(rest) else {
                break;
            };
            let Some(when) = found
                .usual()
                .filter(|_| marked == 0 || link_type == found.link_type)
            else {
                break;
            };
            link_type = found.link_type;
            *mark = Mark {
                start: at + found.data_at,
                cap_len: found.cap_len,
                wire_len: found.orig_len,
                at: when,
            };
            at += found.block_len;
            marked += 1;
        }
        (marked, at, link_type)
    }

    /// The common case: a whole, sane packet block. Anything else takes the long way and is judged there.
    #[inline]
    fn enhanced_ahead(&self, ahead: &[u8]) -> Option<Found> {
        let length = u32_at(ahead, 4, self.swap);
        if u32_at(ahead, 0, self.swap) != ENHANCED_PACKET
            || check_length(length, least(ENHANCED_PACKET), MAX_BLOCK).is_err()
        {
            return None;
        }
        let block = ahead.get(..length as usize)?;
        check_trailer(block, self.swap).ok()?;
        self.packet(block, u32_at(block, 8, self.swap)).ok()
    }

    #[cold]
    #[inline(never)]
    fn walk(&mut self, window: &mut Window) -> Result<Option<Found>, Fault> {
        loop {
            let offset = window.offset();
            match self.block(window) {
                Ok(Step::Packet(found)) => return Ok(Some(found)),
                Ok(Step::Other) => {}
                Ok(Step::End) => return Ok(None),
                Err(cause) => return Err(window.fail(offset, cause)),
            }
        }
    }

    /// One block; of a packet block the bytes stay in the window for the caller to take.
    fn block(&mut self, window: &mut Window) -> Result<Step, Cause> {
        if !window.fill(1)? {
            return Ok(Step::End);
        }
        window.fill_block(BLOCK_HEADER)?;
        let kind = u32_at(window.ahead(), 0, self.swap);
        if kind == SECTION {
            return self.section(window);
        }
        let length = u32_at(window.ahead(), 4, self.swap);
        if !matches!(
            kind,
            INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET
        ) {
            check_length(length, least(kind), u32::MAX)?;
            return self.pass_over(window, length);
        }
        check_length(length, least(kind), MAX_BLOCK)?;
        window.fill_block(length as usize)?;
        let block = window.ahead().get(..length as usize).unwrap_or_default();
        check_trailer(block, self.swap)?;
        let found = match kind {
            ENHANCED_PACKET => self.packet(block, u32_at(block, 8, self.swap))?,
            OBSOLETE_PACKET => self.packet(block, u16_at(block, 8, self.swap).into())?,
            SIMPLE_PACKET => self.simple_packet(block)?,
            _ => {
                self.interface(block)?;
                window.take(length as usize);
                return Ok(Step::Other);
            }
        };
        Ok(Step::Packet(found))
    }

    fn section(&mut self, window: &mut Window) -> Result<Step, Cause> {
        window.fill_block(BLOCK_HEADER + 4)?;
        let magic = window.ahead();
        let magic = u32_at(magic, 8, false);
        let swap = match magic {
            BYTE_ORDER_MAGIC => false,
            _ if magic.swap_bytes() == BYTE_ORDER_MAGIC => true,
            _ => {
                let magic = magic.to_le_bytes();
                return Err(Damage::UnknownByteOrder { magic }.into());
            }
        };
        let length = u32_at(window.ahead(), 4, swap);
        check_length(length, least(SECTION), MAX_BLOCK)?;
        window.fill_block(length as usize)?;
        let block = window.take(length as usize);
        check_trailer(block, swap)?;
        let (major, minor) = (u16_at(block, 12, swap), u16_at(block, 14, swap));
        if major != 1 {
            return Err(Damage::SectionVersion { major, minor }.into());
        }
        self.swap = swap;
        self.interfaces.clear();
        Ok(Step::Other)
    }

    fn interface(&mut self, block: &[u8]) -> Result<(), Damage> {
        if self.interfaces.len() >= MAX_INTERFACES {
            let limit = MAX_INTERFACES;
            return Err(Damage::TooManyInterfaces { limit });
        }
        let number = self.describes.then_some(self.described);
        self.described = self.described.saturating_add(1);
        let interface = Interface::parse((block, self.swap), number, &mut self.names)?;
        self.interfaces.push(interface);
        Ok(())
    }

    /// An enhanced or an obsolete packet block: they differ only in how the interface is written.
    #[inline]
    fn packet(&self, block: &[u8], interface: u32) -> Result<Found, Damage> {
        let described = self.described(interface)?;
        let cap_len = u32_at(block, 20, self.swap);
        check_cap_len(cap_len, block.len() - PACKET_DATA - TRAILER, described)?;
        let ticks =
            u64::from(u32_at(block, 12, self.swap)) << 32 | u64::from(u32_at(block, 16, self.swap));
        let options = PACKET_DATA + padded(cap_len as usize);
        let options = block
            .get(options..block.len() - TRAILER)
            .unwrap_or_default();
        Ok(Found {
            link_type: described.link_type,
            id: interface,
            interface: described.number,
            when: described.when(ticks),
            data_at: PACKET_DATA,
            cap_len,
            orig_len: u32_at(block, 24, self.swap),
            way: if options.is_empty() {
                Way::Unknown
            } else {
                way(options, self.swap)
            },
            block_len: block.len(),
        })
    }

    /// Its captured length is not written: it follows from the wire length and the snaplen of the first interface.
    fn simple_packet(&self, block: &[u8]) -> Result<Found, Damage> {
        let described = self.described(0)?;
        let orig_len = u32_at(block, 8, self.swap);
        let cap_len = match described.snaplen {
            0 => orig_len,
            snaplen => orig_len.min(snaplen),
        };
        check_cap_len(
            cap_len,
            block.len() - SIMPLE_PACKET_DATA - TRAILER,
            described,
        )?;
        Ok(Found {
            link_type: described.link_type,
            id: 0,
            interface: described.number,
            when: When::Missing,
            data_at: SIMPLE_PACKET_DATA,
            cap_len,
            orig_len,
            way: Way::Unknown,
            block_len: block.len(),
        })
    }

    #[inline]
    fn described(&self, id: u32) -> Result<&Interface, Damage> {
        let count = self.interfaces.len();
        self.interfaces
            .get(id as usize)
            .ok_or(Damage::UnknownInterface { id, count })
    }

    fn pass_over(&self, window: &mut Window, length: u32) -> Result<Step, Cause> {
        let start = window.offset();
        let inner = u64::from(length) - TRAILER as u64;
        if !window.skip(inner)? || !window.fill(TRAILER)? {
            let got = window.offset() - start + window.ahead().len() as u64;
            let needed = length.into();
            return Err(Damage::BlockCutOff { needed, got }.into());
        }
        let (first, last) = (length, u32_at(window.take(TRAILER), 0, self.swap));
        if first != last {
            return Err(Damage::BlockTrailer { first, last }.into());
        }
        Ok(Step::Other)
    }
}

impl Found {
    /// Its time, if there is nothing to be said of it but that, its link type and its lengths.
    #[inline]
    fn usual(&self) -> Option<i64> {
        let usual =
            self.interface == 0 && self.cap_len <= self.orig_len && self.way == Way::Unknown;
        self.when.time().filter(|_| usual)
    }
}

#[inline]
fn described(interfaces: &[Interface], id: u32) -> Option<&Described> {
    interfaces.get(id as usize)?.described.as_deref()
}

/// The shortest a block of this kind can be, with its fixed fields, header and trailer.
fn least(kind: u32) -> u32 {
    match kind {
        SECTION => 28,
        INTERFACE => 20,
        OBSOLETE_PACKET | ENHANCED_PACKET => 32,
        SIMPLE_PACKET => 16,
        _ => 12,
    }
}

#[inline]
fn check_length(value: u32, least: u32, limit: u32) -> Result<(), Damage> {
    if value < least || !value.is_multiple_of(4) {
        return Err(Damage::BlockLength { value, least });
    }
    if value > limit {
        return Err(Damage::BlockTooLong { value, limit });
    }
    Ok(())
}

#[inline]
fn check_trailer(block: &[u8], swap: bool) -> Result<(), Damage> {
    let first = u32_at(block, 4, swap);
    let last = u32_at(block, block.len().saturating_sub(TRAILER), swap);
    if first != last {
        return Err(Damage::BlockTrailer { first, last });
    }
    Ok(())
}

#[inline]
fn check_cap_len(value: u32, room: usize, interface: &Interface) -> Result<(), Damage> {
    if value as usize > room {
        return Err(Damage::CapturedBeyondBlock { value, room });
    }
    let limit = interface.max_cap_len;
    if value > limit {
        return Err(Damage::CapturedLength { value, limit });
    }
    Ok(())
}

/// The way is all that is wanted of a packet's options. Broken ones do not break the packet, which lies before them.
fn way(mut options: &[u8], swap: bool) -> Way {
    while options.len() >= 4 {
        let (code, length) = (u16_at(options, 0, swap), u16_at(options, 2, swap));
        match (code, length) {
            (0, _) => break,
            (FLAGS_OPTION, 4) if options.len() >= 8 => {
                return match u32_at(options, 4, swap) & 3 {
                    1 => Way::Ingress,
                    2 => Way::Egress,
                    _ => Way::Unknown,
                };
            }
            _ => options = options.get(4 + padded(length.into())..).unwrap_or_default(),
        }
    }
    Way::Unknown
}
