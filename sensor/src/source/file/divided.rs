//! A pcap file on a disk, divided into parts that can be read at the same time.
//!
//! Where in the middle of a file a record begins is a guess, and whoever uses it has to prove it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::input::{Input, RawPosition};
use super::pcap::Pcap;
use super::window::Window;
use super::{CaptureFile, Walk};

/// Bytes in which the beginning of a record is looked for.
const LOOK: usize = 256 * 1024;
/// As many records in a row must look like records.
const CHAIN: usize = 5;
/// Seconds before and after the file's first packet in which others are expected.
const BEFORE: u32 = 86_400;
const AFTER: u32 = 366 * 86_400;

pub(super) struct Divided {
    file: Arc<File>,
    pcap: Pcap,
    raw: RawPosition,
    size: u64,
    /// Where the parts begin.
    starts: Vec<u64>,
}

impl Divided {
    /// Into parts of about this length: the first begins with the first packet, the others where a record seems to begin.
    /// `None` where the file can't be read so.
    pub(super) fn new(file: &CaptureFile, length: u64) -> Option<Self> {
        let (Walk::Pcap(pcap), None) = (&file.walk, file.compression) else {
            return None;
        };
        let first = pcap.seconds(file.window.ahead())?;
        let mut this = Divided {
            file: Arc::clone(file.file.as_ref()?),
            pcap: pcap.again(),
            raw: file.raw.clone(),
            size: file.size?,
            starts: vec![file.position()],
        };
        this.look_for_starts(length.max(1), first);
        Some(this)
    }

    fn look_for_starts(&mut self, length: u64, first: u32) {
        let mut bytes = vec![0; LOOK];
        let mut at = self.starts.first().copied().unwrap_or(0);
        loop {
            at = at.saturating_add(length);
            if at >= self.size {
                return;
            }
            // What can't be read will be noticed by who reads it.
            let read = self.file.read_at(&mut bytes, at).unwrap_or(0);
            let found = find(&self.pcap, bytes.get(..read).unwrap_or_default(), first);
            let found = found.map(|found| at + found as u64);
            let last = self.starts.last().copied();
            self.starts
                .extend(found.filter(|found| Some(*found) > last));
        }
    }

    pub(super) fn parts(&self) -> usize {
        self.starts.len()
    }

    /// A reader of the packets that begin in this part, and where the next part begins.
    pub(super) fn part(&self, number: usize) -> Option<(CaptureFile, Option<u64>)> {
        let start = *self.starts.get(number)?;
        let end = self.starts.get(number + 1).copied();
        let input = Input::part(Arc::clone(&self.file), start, self.raw.clone());
        let reader = CaptureFile {
            window: Window::at(start, input),
            until: end.unwrap_or(u64::MAX),
            file: None,
            walk: Walk::Pcap(self.pcap),
            compression: None,
            packets: 0,
            raw: self.raw.clone(),
            size: Some(self.size),
        };
        Some((reader, end))
    }
}

/// The first place from which on records seem to follow each other; `first` is the time of the file's first one in seconds.
fn find(pcap: &Pcap, bytes: &[u8], first: u32) -> Option<usize> {
    let seconds = first.saturating_sub(BEFORE)..=first.saturating_add(AFTER);
    let chains = |at: &usize| {
        let mut rest = bytes.get(*at..).unwrap_or_default();
        (0..CHAIN).all(|_| match pcap.plausible(rest, &seconds) {
            Some(next) => {
                rest = next;
                true
            }
            None => false,
        })
    };
    (0..bytes.len()).find(chains)
}
