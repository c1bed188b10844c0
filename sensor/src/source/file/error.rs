//! What can be wrong with a capture file.
//!
//! A person who reads a damaged file wants to know three things: was this a capture at all, how much of it was counted,
//! and where did it break. Hence the split into "unreadable" (nothing came out) and "damaged" (packets came out first),
//! and the values and limits in every variant.

use std::{fmt, io};

use thiserror::Error;

use super::format::Compression;

/// Why reading stopped. The messages are one line and do not name the file: the caller knows how to print its path.
#[derive(Debug, Error)]
pub enum CaptureError {
    #[error("cannot be opened: {0}")]
    Open(io::Error),
    /// No packet can be had from it: not a capture, or one of a kind that is not supported.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// Everything before the damage was delivered. The offset counts uncompressed bytes.
    #[error("damaged at byte {offset}, after {}: {damage}", Packets(.packets))]
    Damaged {
        offset: u64,
        packets: u64,
        damage: Damage,
    },
    /// The system could not read on; the file itself may be fine.
    #[error("reading failed at byte {offset}, after {}: {error}", Packets(.packets))]
    Io {
        offset: u64,
        packets: u64,
        error: io::Error,
    },
}

impl CaptureError {
    /// So many packets came before, not those that the reader of the last part delivered.
    pub(super) fn comes_after(&mut self, all: u64) {
        match self {
            CaptureError::Damaged { packets, .. } | CaptureError::Io { packets, .. } => {
                *packets = all;
            }
            CaptureError::Open(_) | CaptureError::Unreadable(_) => {}
        }
    }
}

/// Why a file is not a capture that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    #[error("the file is empty")]
    Empty,
    #[error("the file header is cut off: {got} of {needed} bytes")]
    HeaderCutOff { needed: usize, got: usize },
    #[error("not a pcap or pcapng file: starts with {}{}", Hex(.start), Hint(.start))]
    UnknownMagic { start: [u8; 4] },
    #[error("not a pcapng file: the byte-order magic is {}", Hex(.magic))]
    UnknownByteOrder { magic: [u8; 4] },
    #[error("unsupported {format} version {major}.{minor}")]
    Version {
        format: &'static str,
        major: u16,
        minor: u16,
    },
    #[error("its {compression} compression cannot be undone: {reason}")]
    Compressed {
        compression: Compression,
        reason: Box<str>,
    },
}

/// What broke off a capture that had begun well.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damage {
    #[error("packet header is cut off: {got} of {needed} bytes")]
    HeaderCutOff { needed: usize, got: usize },
    #[error("packet data is cut off: {got} of {needed} bytes")]
    DataCutOff { needed: usize, got: usize },
    #[error("captured length {value} is above the limit of {limit}")]
    CapturedLength { value: u32, limit: u32 },
    #[error("block is cut off: {got} of {needed} bytes")]
    BlockCutOff { needed: u64, got: u64 },
    #[error("block length {value} is not a multiple of 4 of at least {least}")]
    BlockLength { value: u32, least: u32 },
    #[error("block length {value} is above the limit of {limit}")]
    BlockTooLong { value: u32, limit: u32 },
    #[error("block length is {first} at its start and {last} at its end")]
    BlockTrailer { first: u32, last: u32 },
    #[error("captured length {value} is more than the {room} bytes of its block")]
    CapturedBeyondBlock { value: u32, room: usize },
    #[error("packet of interface {id}, but interfaces described before it: {count}")]
    UnknownInterface { id: u32, count: usize },
    #[error("more than {limit} interfaces in one section")]
    TooManyInterfaces { limit: usize },
    #[error("option {code} of {length} bytes is longer than its block")]
    OptionBeyondBlock { code: u16, length: u16 },
    #[error("option {code} has {length} bytes instead of {expected}")]
    OptionLength {
        code: u16,
        length: u16,
        expected: u16,
    },
    #[error("time resolution of {base}^-{exponent} s is too fine, the limit is {base}^-{limit}")]
    TimeResolution { base: u8, exponent: u8, limit: u8 },
    #[error("byte-order magic is {}", Hex(.magic))]
    UnknownByteOrder { magic: [u8; 4] },
    #[error("section of unsupported pcapng version {major}.{minor}")]
    SectionVersion { major: u16, minor: u16 },
    #[error("{compression} data: {reason}")]
    Compressed {
        compression: Compression,
        reason: Box<str>,
    },
}

/// A failure below the level that knows how many packets came before it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) offset: u64,
    pub(super) cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    Io(io::Error),
    Damage(Damage),
    /// Only while a file is being opened.
    Unreadable(Unreadable),
}

impl Fault {
    pub(super) fn after(self, packets: u64) -> CaptureError {
        let offset = self.offset;
        match self.cause {
            Cause::Io(error) => CaptureError::Io {
                offset,
                packets,
                error,
            },
            Cause::Damage(damage) => CaptureError::Damaged {
                offset,
                packets,
                damage,
            },
            Cause::Unreadable(what) => CaptureError::Unreadable(what),
        }
    }

    /// The same, said of a file whose header could not even be read.
    pub(super) fn at_open(self) -> CaptureError {
        match self.cause {
            Cause::Damage(Damage::Compressed {
                compression,
                reason,
            }) => CaptureError::Unreadable(Unreadable::Compressed {
                compression,
                reason,
            }),
            Cause::Damage(Damage::SectionVersion { major, minor }) => {
                CaptureError::Unreadable(Unreadable::Version {
                    format: "pcapng",
                    major,
                    minor,
                })
            }
            Cause::Damage(Damage::UnknownByteOrder { magic }) => {
                CaptureError::Unreadable(Unreadable::UnknownByteOrder { magic })
            }
            Cause::Damage(Damage::BlockCutOff { needed, got }) => {
                CaptureError::Unreadable(Unreadable::HeaderCutOff {
                    needed: usize::try_from(needed).unwrap_or(usize::MAX),
                    got: usize::try_from(got).unwrap_or(usize::MAX),
                })
            }
            Cause::Damage(_) | Cause::Io(_) | Cause::Unreadable(_) => self.after(0),
        }
    }
}

impl From<Damage> for Cause {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<Unreadable> for Cause {
    fn from(what: Unreadable) -> Self {
        Self::Unreadable(what)
    }
}

struct Packets<'a>(&'a u64);

impl fmt::Display for Packets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 packet"),
            n => write!(f, "{n} packets"),
        }
    }
}

struct Hex<'a>(&'a [u8; 4]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a:02x} {b:02x} {c:02x} {d:02x}")
    }
}

/// Names what people really pass by mistake, with the way out.
struct Hint<'a>(&'a [u8; 4]);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            b"\xfd7zX" => " (xz: decompress it first)",
            b"BZh1" | b"BZh2" | b"BZh3" | b"BZh4" | b"BZh5" | b"BZh6" | b"BZh7" | b"BZh8"
            | b"BZh9" => " (bzip2: decompress it first)",
            b"\x04\x22\x4d\x18" => " (lz4: decompress it first)",
            b"PK\x03\x04" => " (zip: unpack it first)",
            b"\x1f\x8b\x08\x00" | b"\x28\xb5\x2f\xfd" => " (compressed twice: decompress it once)",
            b"snoo" => " (snoop: convert it to pcap first)",
            _ => "",
        })
    }
}
