//! A window that slides over the input, from which whole records are borrowed.
//!
//! Records are never copied out: bytes move only when the window is refilled, and then only the cut-off record at its end.
//! Its size keeps it in the second-level cache; larger reads measured no faster.

use super::error::{Cause, Damage, Fault, Unreadable};
use super::input::Input;

const SIZE: usize = 256 * 1024;

pub(super) struct Window {
    input: Input,
    /// Valid from `start` to `end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where in the stream `buffer[0]` lies.
    base: u64,
    ended: bool,
}

impl Window {
    pub(super) fn new(input: Input) -> Self {
        Self::at(0, input)
    }

    /// Of an input that begins so many bytes into the stream.
    pub(super) fn at(base: u64, input: Input) -> Self {
        Self {
            input,
            buffer: vec![0; SIZE],
            start: 0,
            end: 0,
            base,
            ended: false,
        }
    }

    /// What has been read and not yet taken.
    #[inline(always)]
    pub(super) fn ahead(&self) -> &[u8] {
        self.lend(self.start, self.end)
    }

    /// Moves past a record of which the caller has seen that it is ahead, and lends what follows its header.
    #[inline(always)]
    pub(super) fn take_record(&mut self, header: usize, length: usize) -> &[u8] {
        let from = self.start + header;
        let to = from + length;
        debug_assert!(to <= self.end, "more is taken than is there");
        self.start = to;
        self.lend(from, to)
    }

    #[inline(always)]
    fn lend(&self, from: usize, to: usize) -> &[u8] {
        // A branch, as below.
        match self.buffer.get(from..to) {
            Some(bytes) => bytes,
            None => nothing(),
        }
    }

    /// Moves past the next `length` bytes and lends them; fewer where fewer are there.
    #[inline(always)]
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        // Branches, not `min`: the processor guesses them right and reads the next header while it still checks this one.
        let from = self.start;
        let to = if length <= self.end - from {
            from + length
        } else {
            self.end
        };
        self.start = to;
        self.buffer.get(from..to).unwrap_or_default()
    }

    /// Offset of the next byte in the uncompressed stream.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Reads until `need` bytes are ahead; true if they are, false at the end of the input.
    ///
    /// Never reads on once there is enough, so that packets of a slow pipe come out as they come in. The buffer grows
    /// as bytes arrive and not by what a length field claims.
    pub(super) fn fill(&mut self, need: usize) -> Result<bool, Cause> {
        if self.end - self.start >= need {
            return Ok(true);
        }
        self.slide();
        while self.end < need && !self.ended {
            if self.end == self.buffer.len() {
                let size = self.buffer.len().saturating_mul(2);
                self.buffer.resize(size, 0);
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(room)? {
                0 => self.ended = true,
                n => self.end += n.min(room.len()),
            }
        }
        Ok(self.end >= need)
    }

    /// Passes over `length` bytes without keeping them; false where the input ends first.
    pub(super) fn skip(&mut self, length: u64) -> Result<bool, Cause> {
        let mut left = length;
        loop {
            let ahead = self.end - self.start;
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(ahead);
            self.start += step;
            left -= step as u64;
            if left == 0 {
                return Ok(true);
            }
            if !self.fill(1)? {
                return Ok(false);
            }
        }
    }

    /// Ends the reading for good: the next look finds a clean end.
    pub(super) fn fail(&mut self, offset: u64, cause: impl Into<Cause>) -> Fault {
        self.end = self.start;
        self.ended = true;
        let cause = cause.into();
        Fault { offset, cause }
    }

    /// For headers, whose absence makes a file unreadable.
    pub(super) fn fill_header(&mut self, needed: usize) -> Result<(), Fault> {
        match self.fill(needed) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let got = self.ahead().len();
                Err(self.fail(
                    0,
                    match got {
                        0 => Unreadable::Empty,
                        _ => Unreadable::HeaderCutOff { needed, got },
                    },
                ))
            }
            Err(cause) => Err(self.fail(0, cause)),
        }
    }

    /// For the rest of a block that has begun.
    pub(super) fn fill_block(&mut self, needed: usize) -> Result<(), Cause> {
        if self.fill(needed)? {
            return Ok(());
        }
        let got = self.ahead().len() as u64;
        let needed = needed as u64;
        Err(Damage::BlockCutOff { needed, got }.into())
    }

    fn slide(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
    }
}

/// Cold, so that what never happens is a branch beside the way, and not a choice on it.
#[cold]
fn nothing() -> &'static [u8] {
    &[]
}
