//! The parts of a message one after the other.

use std::ops::Range;

use super::name::{self, Name, Stop};

/// The twelve bytes that each message begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additionals: u16,
}

impl Header {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (head, _) = bytes.split_first_chunk::<12>()?;
        let word = |number: usize| u16::from_be_bytes([head[2 * number], head[2 * number + 1]]);
        Some(Header {
            id: word(0),
            flags: word(1),
            questions: word(2),
            answers: word(3),
            authorities: word(4),
            additionals: word(5),
        })
    }

    pub(super) fn response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub(super) fn opcode(self) -> u8 {
        (self.flags >> 11 & 15) as u8
    }

    pub(super) fn code(self) -> u8 {
        (self.flags & 15) as u8
    }

    /// Of all three sections.
    pub(super) fn records(self) -> u32 {
        u32::from(self.answers) + u32::from(self.authorities) + u32::from(self.additionals)
    }
}

pub(super) struct RawQuestion {
    pub(super) name: Name,
    pub(super) kind: u16,
    pub(super) class: u16,
}

pub(super) struct RawRecord {
    pub(super) name: Name,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    /// Where in the message its data are; all of them are there.
    pub(super) data: Range<usize>,
}

/// Walks over a message.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    /// Behind the header.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 12 }
    }

    pub(super) fn question(&mut self) -> Result<RawQuestion, Stop> {
        let name = self.name()?;
        let [a, b, c, d] = self.take()?;
        Ok(RawQuestion {
            name,
            kind: u16::from_be_bytes([a, b]),
            class: u16::from_be_bytes([c, d]),
        })
    }

    pub(super) fn record(&mut self) -> Result<RawRecord, Stop> {
        let name = self.name()?;
        let kind = u16::from_be_bytes(self.take()?);
        let class = u16::from_be_bytes(self.take()?);
        let ttl = u32::from_be_bytes(self.take()?);
        let len = usize::from(u16::from_be_bytes(self.take()?));
        let data = self.at..self.at + len;
        if data.end > self.bytes.len() {
            return Err(Stop::Cut);
        }
        self.at = data.end;
        Ok(RawRecord {
            name,
            kind,
            class,
            ttl,
            data,
        })
    }

    fn name(&mut self) -> Result<Name, Stop> {
        let (name, next) = name::read(self.bytes, self.at)?;
        self.at = next;
        Ok(name)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.first_chunk::<N>().ok_or(Stop::Cut)?;
        self.at += N;
        Ok(*taken)
    }
}
