//! Which kind of capture a file is, told by its first bytes and never by its name: names of captures often lie.

use std::fmt;

/// Container and compression of a file; displayed as `pcap`, `pcap-ns`, `pcapng (gzip)` ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    pub container: Container,
    pub compression: Option<Compression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Microseconds.
    Pcap,
    /// Nanoseconds.
    PcapNs,
    /// Microseconds and eight more bytes in each record header, as old patched libpcaps wrote it.
    PcapModified,
    PcapNg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// Goes by the first four bytes.
    pub(super) fn detect(start: &[u8]) -> Option<Self> {
        match *start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A skippable frame: parallel compressors begin with one.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.container)?;
        match self.compression {
            Some(compression) => write!(f, " ({compression})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcap => "pcap",
            Self::PcapNs => "pcap-ns",
            Self::PcapModified => "pcap-modified",
            Self::PcapNg => "pcapng",
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}
