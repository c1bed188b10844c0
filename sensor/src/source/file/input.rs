//! Where the bytes come from: a file, a pipe or standard input, plain or through a decompressor in its own thread.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::decompress::Decompressor;
use super::error::Cause;
use super::format::Compression;

pub(super) enum Input {
    Plain(Source),
    Compressed(Decompressor),
}

impl Input {
    /// Looks at the first bytes and puts a decompressor in front where they ask for one.
    pub(super) fn new(
        reader: Box<dyn Read + Send>,
    ) -> io::Result<(Self, Option<Compression>, RawPosition)> {
        let raw = RawPosition::default();
        let mut source = Source::new(reader, raw.clone());
        source.look_ahead()?;
        let compression = Compression::detect(source.ahead());
        let input = match compression {
            None => Self::Plain(source),
            Some(compression) => Self::Compressed(Decompressor::start(compression, source)?),
        };
        Ok((input, compression, raw))
    }

    /// A file from the byte `at` on, without a look at its first bytes.
    pub(super) fn part(file: Arc<File>, at: u64, raw: RawPosition) -> Self {
        Self::Plain(Source::new(Box::new(FromWithin { file, at }), raw))
    }

    /// Like `Read::read`: 0 is the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Cause> {
        match self {
            Self::Plain(source) => source.read(into).map_err(Cause::Io),
            Self::Compressed(decompressor) => decompressor.read(into),
        }
    }
}

/// Several of them read one open file, each from a place of its own.
struct FromWithin {
    file: Arc<File>,
    at: u64,
}

impl Read for FromWithin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// How many bytes of the file itself have been read, for progress; counted in the thread that reads.
#[derive(Debug, Clone, Default)]
pub(super) struct RawPosition(Arc<AtomicU64>);

impl RawPosition {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The raw bytes, with the first four readable in advance even from a pipe.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    raw: RawPosition,
    ahead: [u8; 4],
    ahead_from: usize,
    ahead_to: usize,
    failure: Option<io::Error>,
}

impl Source {
    fn new(reader: Box<dyn Read + Send>, raw: RawPosition) -> Self {
        Self {
            reader,
            raw,
            ahead: [0; 4],
            ahead_from: 0,
            ahead_to: 0,
            failure: None,
        }
    }

    /// The system's error behind whatever a decompressor made of it: a bad disk is not a damaged file.
    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn look_ahead(&mut self) -> io::Result<()> {
        let mut first = [0; 4];
        while self.ahead_to < first.len() {
            let Some(rest) = first.get_mut(self.ahead_to..) else {
                break;
            };
            match self.read_raw(rest)? {
                0 => break,
                n => self.ahead_to += n,
            }
        }
        self.ahead = first;
        Ok(())
    }

    fn ahead(&self) -> &[u8] {
        self.ahead
            .get(self.ahead_from..self.ahead_to)
            .unwrap_or_default()
    }

    fn read_raw(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(into) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(n) => {
                    // A reader that claims more than it was given room for must not lead us out of the buffer.
                    let n = n.min(into.len());
                    self.raw.0.fetch_add(n as u64, Ordering::Relaxed);
                    return Ok(n);
                }
                Err(e) => {
                    self.failure = Some(match e.raw_os_error() {
                        Some(code) => io::Error::from_raw_os_error(code),
                        None => io::Error::new(e.kind(), e.to_string()),
                    });
                    return Err(e);
                }
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ahead = self.ahead();
        if ahead.is_empty() {
            return self.read_raw(into);
        }
        let n = ahead.len().min(into.len());
        for (to, from) in into.iter_mut().zip(ahead) {
            *to = *from;
        }
        self.ahead_from += n;
        Ok(n)
    }
}
