//! Reads packets from capture files: pcap and pcapng, plain or compressed by gzip or zstd, from disk or from a pipe.
//!
//! Why not libpcap: it needs a C library, refuses much of what Wireshark writes (several link types in one file, sections
//! of different byte order, compression) and costs three times as much per packet. What a damaged file yields is the same
//! as there: every packet before the damage, and never the one that is cut off.
//!
//! Records are borrowed from a sliding window, nothing is allocated per packet, and no length field is believed before it
//! is checked.

mod alone;
mod batch;
pub mod count;
mod decompress;
mod divided;
mod error;
mod format;
mod input;
mod interface;
pub mod link_type;
pub mod matching;
pub mod mirrored;
pub mod parts;
mod pcap;
mod pcapng;
mod tell;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

pub use crate::counters::When;
pub use batch::{Batch, Marks, Plain};
pub use error::{CaptureError, Damage, Unreadable};
pub use format::{Compression, Container, Format};
use input::{Input, RawPosition};
pub use interface::Described;
use interface::Names;
use pcap::Pcap;
use pcapng::PcapNg;
use window::Window;

/// One packet, borrowed until the next is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub link_type: u16,
    /// Which of the interfaces that [`CaptureFile::want_interfaces`] named, from 1 on; 0 = another, or not known.
    pub interface: u8,
    /// Where [`CaptureFile::describe_interfaces`] asked for it, and the format describes any.
    pub described: Option<&'a Described>,
    pub when: When,
    /// What was captured of it.
    pub data: &'a [u8],
    /// Its length on the link; never less than what was captured.
    pub wire_len: u32,
    pub way: Way,
}

/// Which way a packet went, where the file says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Unknown,
    Ingress,
    Egress,
}

/// Records that were counted although they contradict themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// The fraction of the time was a second or more; the excess was carried into the seconds.
    pub time_carried: u64,
    /// More was captured than was on the link; what was captured is taken for the wire length.
    pub cap_exceeds_wire: u64,
}

impl AddAssign for Oddities {
    fn add_assign(&mut self, other: Self) {
        self.time_carried += other.time_carried;
        self.cap_exceeds_wire += other.cap_exceeds_wire;
    }
}

/// An open capture.
pub struct CaptureFile {
    window: Window,
    /// Where nothing more is delivered, if that is not the end of the file.
    until: u64,
    /// On a disk, where other parts of it can be read at the same time.
    file: Option<Arc<File>>,
    walk: Walk,
    compression: Option<Compression>,
    packets: u64,
    raw: RawPosition,
    size: Option<u64>,
}

enum Walk {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl CaptureFile {
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::from_file(File::open(path).map_err(CaptureError::Open)?)
    }

    /// Standard input, past the standard library's buffer.
    pub fn from_stdin() -> Result<Self, CaptureError> {
        let stdin = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(CaptureError::Open)?;
        Self::from_file(stdin.into())
    }

    pub fn from_reader(reader: Box<dyn Read + Send>) -> Result<Self, CaptureError> {
        let (input, compression, raw) = Input::new(reader).map_err(|error| CaptureError::Io {
            offset: 0,
            packets: 0,
            error,
        })?;
        let mut window = Window::new(input);
        let walk = Walk::open(&mut window)?;
        Ok(Self {
            window,
            until: u64::MAX,
            file: None,
            walk,
            compression,
            packets: 0,
            raw,
            size: None,
        })
    }

    fn from_file(file: File) -> Result<Self, CaptureError> {
        let metadata = file.metadata().map_err(CaptureError::Open)?;
        if metadata.is_dir() {
            return Err(CaptureError::Open(io::ErrorKind::IsADirectory.into()));
        }
        let size = metadata.is_file().then_some(metadata.len());
        let file = Arc::new(file);
        let mut this = Self::from_reader(Box::new(Arc::clone(&file)))?;
        this.size = size;
        this.file = size.map(|_| file);
        Ok(this)
    }

    /// Names interfaces, at most 255, that records shall be told apart by. To be called before the first record is read.
    pub fn want_interfaces(&mut self, names: &[String]) {
        if let Walk::PcapNg(pcapng) = &mut self.walk {
            pcapng.names = Names::wanting(names);
        }
    }

    /// Lets records say which interface they are of. To be called before the first record is read.
    pub fn describe_interfaces(&mut self) {
        if let Walk::PcapNg(pcapng) = &mut self.walk {
            pcapng.describes = true;
        }
    }

    /// Names of the interfaces described so far (not more than can be listed, all that were wanted among them); `None`
    /// where the format has no names.
    pub fn interfaces(&self) -> Option<&BTreeSet<String>> {
        match &self.walk {
            Walk::Pcap(_) => None,
            Walk::PcapNg(pcapng) => Some(&pcapng.names.seen),
        }
    }

    /// The next packet; `None` at the end. After an error the file is at its end, and all before it was delivered.
    #[inline(always)]
    #[expect(
        clippy::should_implement_trait,
        reason = "an Iterator cannot lend from itself"
    )]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        if self.window.offset() >= self.until {
            return Ok(None);
        }
        let next = match &mut self.walk {
            Walk::Pcap(pcap) => pcap.next(&mut self.window),
            // Taken apart and put together, so that what comes from the other arm need not lie in memory.
            Walk::PcapNg(pcapng) => match pcapng.next(&mut self.window) {
                Ok(Some(record)) => Ok(Some(Record { ..record })),
                other => other,
            },
        };
        match next {
            Ok(record) => {
                self.packets += u64::from(record.is_some());
                Ok(record)
            }
            Err(fault) => Err(fault.after(self.packets)),
        }
    }

    /// The next packets, as far as they are at hand and there is nothing unusual about any of them; `None` where
    /// [`Self::next`] has to say what comes.
    #[inline(always)]
    pub fn batch<'a>(&'a mut self, marks: &'a mut Marks) -> Option<Batch<'a>> {
        let until = self.until.saturating_sub(self.window.offset());
        let until = usize::try_from(until).unwrap_or(usize::MAX);
        let ahead = self.window.ahead();
        let (marked, length, link_type) = match &self.walk {
            Walk::Pcap(pcap) => {
                let (marked, length) = pcap.mark(ahead, until, marks);
                (marked, length, pcap.link_type)
            }
            Walk::PcapNg(pcapng) => pcapng.mark(ahead, until, marks),
        };
        if marked == 0 {
            return None;
        }
        self.packets += marked as u64;
        Some(Batch {
            link_type,
            bytes: self.window.take(length),
            marks: marks.0.get(..marked)?,
        })
    }

    /// Its packets were delivered by the parts that it was [`Divided`] into.
    fn counted_elsewhere(&mut self, packets: u64, odd: Oddities) {
        self.packets += packets;
        if let Walk::Pcap(pcap) = &mut self.walk {
            pcap.odd += odd;
        }
    }

    pub fn format(&self) -> Format {
        Format {
            container: match &self.walk {
                Walk::Pcap(pcap) => pcap.container,
                Walk::PcapNg(_) => Container::PcapNg,
            },
            compression: self.compression,
        }
    }

    /// Packets delivered.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    pub fn oddities(&self) -> Oddities {
        match &self.walk {
            Walk::Pcap(pcap) => pcap.odd,
            Walk::PcapNg(pcapng) => pcapng.odd,
        }
    }

    /// Offset behind the last packet, in uncompressed bytes.
    pub fn position(&self) -> u64 {
        self.window.offset()
    }

    /// Bytes of the file itself that have been read, compressed or not: for progress against `size`.
    pub fn raw_position(&self) -> u64 {
        self.raw.get()
    }

    /// Size of the file itself; a pipe has none.
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}

impl Walk {
    fn open(window: &mut Window) -> Result<Self, CaptureError> {
        const MAGIC: usize = 4;
        window.fill_header(MAGIC).map_err(error::Fault::at_open)?;
        if let Some(pcap) = Pcap::open(window).map_err(error::Fault::at_open)? {
            return Ok(Self::Pcap(pcap));
        }
        if let Some(pcapng) = PcapNg::open(window).map_err(error::Fault::at_open)? {
            return Ok(Self::PcapNg(pcapng));
        }
        let start = window.ahead().first_chunk().copied().unwrap_or_default();
        Err(CaptureError::Unreadable(Unreadable::UnknownMagic { start }))
    }
}
