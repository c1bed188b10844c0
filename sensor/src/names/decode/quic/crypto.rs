//! Frames of Initial packets, and the stream that the CRYPTO frames among them make (RFC 9000 section 19).

use crate::names::decode::tls::reader::Reader;

/// Bytes of the stream that are kept.
const MAX_STREAM: usize = 16 << 10;
/// Pieces with gaps between them that are kept.
const MAX_PIECES: usize = 64;

/// A stream that comes in pieces, in any order and more than once.
#[derive(Clone, Debug, Default)]
pub(super) struct Crypto {
    bytes: Vec<u8>,
    /// Parts of `bytes` that are filled: start and end, in order, apart from each other.
    filled: Vec<(usize, usize)>,
}

impl Crypto {
    /// Takes the CRYPTO frames, up to a frame that is cut off or that no Initial packet may have.
    pub(super) fn add(&mut self, frames: &Frames) {
        let mut rest = Reader(&frames.bytes);
        while let Some(frame) = frame(&mut rest, frames.missing) {
            if let Frame::Crypto { offset, data } = frame {
                self.fill(offset, data);
            }
        }
    }

    /// From offset 0 on, up to the first gap.
    pub(super) fn contiguous(&self) -> &[u8] {
        match self.filled.first() {
            Some((0, end)) => self.bytes.get(..*end).unwrap_or_default(),
            _ => &[],
        }
    }

    fn fill(&mut self, offset: u64, data: &[u8]) {
        let Ok(start) = usize::try_from(offset) else {
            return;
        };
        let end = start.saturating_add(data.len()).min(MAX_STREAM);
        if start >= end
            || self
                .filled
                .iter()
                .any(|(from, to)| *from <= start && end <= *to)
        {
            return;
        }
        // The pieces that this one touches become one with it.
        let first = self.filled.partition_point(|(_, to)| *to < start);
        let behind = self.filled.partition_point(|(from, _)| *from <= end);
        if first == behind && self.filled.len() >= MAX_PIECES {
            return;
        }
        let touched = &self.filled[first..behind];
        let from = touched.first().map_or(start, |piece| piece.0.min(start));
        let to = touched.last().map_or(end, |piece| piece.1.max(end));
        self.filled.splice(first..behind, [(from, to)]);
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(&data[..end - start]);
    }
}

/// What an Initial packet holds: its frames in clear text, as far as they are there.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    pub(super) bytes: Vec<u8>,
    /// Bytes behind them that were cut off.
    pub(super) missing: usize,
}

impl Frames {
    /// Whether a packet that is cut off, and so has no tag to tell, was opened with the right key: nothing in it is wrong, and
    /// a ClientHello begins in it. Of those opened with a wrong one, next to none passes.
    pub(super) fn make_sense(&self) -> bool {
        let mut rest = Reader(&self.bytes);
        let mut crypto = Crypto::default();
        while !rest.0.is_empty() {
            match frame(&mut rest, self.missing) {
                Some(Frame::Crypto { offset, data }) if offset <= MAX_STREAM as u64 => {
                    crypto.fill(offset, data);
                }
                Some(Frame::Other) => {}
                _ => return false,
            }
        }
        begins_hello(crypto.contiguous())
    }
}

/// The kind, a length of three bytes, and the version that TLS 1.3 has there (RFC 8446 sections 4 and 4.1.2).
fn begins_hello(stream: &[u8]) -> bool {
    const LEAST: u16 = 2 + 32 + 1 + 2 + 2 + 2; // version, random, session, one cipher, one compression
    match stream {
        [1, 0, high, low, 3, 3, ..] => u16::from_be_bytes([*high, *low]) >= LEAST,
        _ => false,
    }
}

enum Frame<'a> {
    /// Its data may be cut off.
    Crypto {
        offset: u64,
        data: &'a [u8],
    },
    Other,
}

const PADDING: u64 = 0x00;
const PING: u64 = 0x01;
const ACK: u64 = 0x02;
const ACK_ECN: u64 = 0x03;
const CRYPTO: u64 = 0x06;
const CONNECTION_CLOSE: u64 = 0x1c;

/// The next frame; `None` at the end, or if it can't be in an Initial packet.
fn frame<'a>(rest: &mut Reader<'a>, missing: usize) -> Option<Frame<'a>> {
    match rest.varint()? {
        PADDING => {
            let zeros = rest.0.iter().take_while(|byte| **byte == 0).count();
            rest.take(zeros)?;
        }
        PING => {}
        kind @ (ACK | ACK_ECN) => {
            let (_largest, _delay) = (rest.varint()?, rest.varint()?);
            let ranges = rest.varint()?;
            let _first = rest.varint()?;
            for _ in 0..ranges {
                let (_gap, _len) = (rest.varint()?, rest.varint()?);
            }
            for _ in 0..if kind == ACK_ECN { 3 } else { 0 } {
                rest.varint()?;
            }
        }
        CRYPTO => {
            let offset = rest.varint()?;
            let len = usize::try_from(rest.varint()?).ok()?;
            let there = len.min(rest.0.len());
            if len - there > missing {
                return None;
            }
            let data = rest.take(there)?;
            return Some(Frame::Crypto { offset, data });
        }
        CONNECTION_CLOSE => {
            let (_error, _frame) = (rest.varint()?, rest.varint()?);
            let reason = usize::try_from(rest.varint()?).ok()?;
            rest.take(reason)?;
        }
        _ => return None,
    }
    Some(Frame::Other)
}
