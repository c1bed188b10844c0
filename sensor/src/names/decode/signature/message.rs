//! One payload, and how its bytes are read: whatever is not there is `None`.

use std::cell::OnceCell;

use sensor_common::protocol::ip;

use crate::names::Sample;

/// A payload as the signatures see it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// As much as was captured.
    pub(super) bytes: &'a [u8],
    /// Its length on the wire.
    pub(super) wire: usize,
    pub(super) src: u16,
    pub(super) dst: u16,
    pub(super) udp: bool,
    /// The first that was taken of the flow this way; without the capture's beginning not the first that was sent.
    pub(super) first: bool,
    /// [`Self::text_line`]: many ask for it.
    text_line: OnceCell<Option<&'a [u8]>>,
}

impl<'a> Message<'a> {
    /// `None`: nothing to look at.
    pub(super) fn new(sample: &Sample<'a>) -> Option<Self> {
        let udp = match sample.key.protocol() {
            ip::TCP => false,
            ip::UDP => true,
            _ => return None,
        };
        if sample.payload.is_empty() {
            return None;
        }
        Some(Message {
            bytes: sample.payload,
            wire: (sample.payload_len as usize).max(sample.payload.len()),
            src: sample.key.src_port(),
            dst: sample.key.dst_port(),
            udp,
            first: sample.number == 0,
            text_line: OnceCell::new(),
        })
    }

    /// One of the two ports is one of these.
    pub(super) fn on(&self, ports: &[u16]) -> bool {
        ports.contains(&self.src) || ports.contains(&self.dst)
    }

    pub(super) fn get<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let end = offset.checked_add(N)?;
        self.bytes.get(offset..end)?.try_into().ok()
    }

    pub(super) fn u8(&self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied()
    }

    pub(super) fn be16(&self, offset: usize) -> Option<usize> {
        self.get(offset)
            .map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    pub(super) fn be24(&self, offset: usize) -> Option<usize> {
        let [a, b, c] = self.get(offset)?;
        Some(u32::from_be_bytes([0, a, b, c]) as usize)
    }

    pub(super) fn be32(&self, offset: usize) -> Option<u32> {
        self.get(offset).map(u32::from_be_bytes)
    }

    pub(super) fn le16(&self, offset: usize) -> Option<usize> {
        self.get(offset)
            .map(|bytes| usize::from(u16::from_le_bytes(bytes)))
    }

    pub(super) fn le32(&self, offset: usize) -> Option<u32> {
        self.get(offset).map(u32::from_le_bytes)
    }

    /// The bytes from `offset` on.
    pub(super) fn from(&self, offset: usize) -> &'a [u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }

    pub(super) fn starts(&self, prefix: &[u8]) -> bool {
        self.bytes.starts_with(prefix)
    }

    pub(super) fn has(&self, offset: usize, what: &[u8]) -> bool {
        self.from(offset).starts_with(what)
    }

    pub(super) fn contains(&self, what: &[u8]) -> bool {
        contains(self.bytes, what)
    }

    pub(super) fn cut(&self) -> bool {
        self.bytes.len() < self.wire
    }

    /// The first line without its end. A line that was cut off counts as far as it goes; one that just isn't ended does
    /// not.
    pub(super) fn line(&self) -> Option<&'a [u8]> {
        match self.bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = &self.bytes[..end];
                Some(line.strip_suffix(b"\r").unwrap_or(line))
            }
            None => self.cut().then_some(self.bytes),
        }
    }

    /// A first line that ends, and holds nothing but text.
    pub(super) fn text_line(&self) -> Option<&'a [u8]> {
        *self.text_line.get_or_init(|| self.read_text_line())
    }

    /// No further than the text goes: most payloads are none, and long.
    fn read_text_line(&self) -> Option<&'a [u8]> {
        let end = self.bytes.iter().position(|byte| !is_text(*byte));
        let Some(end) = end else {
            return self.cut().then_some(self.bytes);
        };
        let (line, behind) = self.bytes.split_at(end);
        let ends = behind.starts_with(b"\n") || behind.starts_with(b"\r\n");
        ends.then_some(line)
    }

    /// Length of the BER (X.690) element at `offset`: where its content begins and where it ends. Only lengths that a
    /// message may have: up to three bytes, none indefinite.
    pub(super) fn ber(&self, offset: usize) -> Option<(usize, usize)> {
        let first = usize::from(self.u8(offset + 1)?);
        let start = offset + 2;
        match first {
            0..=0x7f => Some((start, start + first)),
            0x81 => Some((start + 1, start + 1 + usize::from(self.u8(start)?))),
            0x82 => Some((start + 2, start + 2 + self.be16(start)?)),
            0x83 => Some((start + 3, start + 3 + self.be24(start)?)),
            0x84 if self.u8(start)? == 0 => Some((start + 4, start + 4 + self.be24(start + 1)?)),
            _ => None,
        }
    }
}

/// Printable ASCII, tab, or a byte of a longer character.
pub(super) fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff)
}

/// Printable ASCII without blanks.
pub(super) fn is_word(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e)
}

pub(super) fn contains(bytes: &[u8], what: &[u8]) -> bool {
    let Some((first, rest)) = what.split_first() else {
        return true;
    };
    let mut windows = bytes.windows(what.len());
    windows.any(|window| window[0] == *first && window[1..] == *rest)
}

/// Without regard to the case of letters.
pub(super) fn begins(bytes: &[u8], what: &[u8]) -> bool {
    bytes
        .get(..what.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(what))
}

/// A decimal number of up to nine digits at the start: it, and what follows.
pub(super) fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let value = bytes[..digits]
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value, &bytes[digits..]))
}
