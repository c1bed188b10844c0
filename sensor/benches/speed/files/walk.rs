//! The limits: every record of a capture found and no more, through a mapping of the file and by the product's reader.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use sensor::source::file::CaptureFile;

pub(super) const MAPPED: &str = "mapped";
pub(super) const READER: &str = "reader";

/// What this program does when it is called with `walk HOW PACKETS FILE`: a process of its own, as the others are.
pub(crate) fn main(arguments: &[String]) {
    let [how, packets, path] = arguments else {
        panic!("walk HOW PACKETS FILE, not {arguments:?}");
    };
    let found = match how.as_str() {
        MAPPED => mapped(Path::new(path)),
        _ => reader(Path::new(path)),
    };
    assert_eq!(found.to_string(), *packets);
}

/// By the product's own reader. Gives the number of packets.
fn reader(path: &Path) -> u64 {
    let mut file = CaptureFile::open(path).unwrap();
    let mut packets = 0;
    while let Some(record) = file.next().unwrap() {
        packets += u64::from(record.wire_len > 0);
    }
    packets
}

/// From length to length through memory. Gives the number of packets.
fn mapped(path: &Path) -> u64 {
    let file = File::open(path).unwrap();
    let len = file.metadata().unwrap().len() as usize;
    // SAFETY: a new mapping of a file that nobody changes while it is measured.
    let bytes = unsafe {
        let address = libc::mmap(
            std::ptr::null_mut(),
            len,
            libc::PROT_READ,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            0,
        );
        assert_ne!(
            address,
            libc::MAP_FAILED,
            "{}",
            std::io::Error::last_os_error()
        );
        std::slice::from_raw_parts(address.cast::<u8>(), len)
    };
    let packets = if bytes.starts_with(&0xa1b2_c3d4u32.to_le_bytes()) {
        pcap(bytes)
    } else {
        pcapng(bytes)
    };
    // SAFETY: the mapping of above, of which nothing is used any more.
    unsafe { libc::munmap(bytes.as_ptr().cast_mut().cast(), len) };
    packets
}

fn pcap(bytes: &[u8]) -> u64 {
    let (mut at, mut packets) = (24, 0);
    while let Some(kept) = word(bytes, at + 8) {
        at += 16 + kept as usize;
        packets += 1;
    }
    packets
}

fn pcapng(bytes: &[u8]) -> u64 {
    let (mut at, mut packets) = (0, 0);
    while let (Some(kind), Some(size)) = (word(bytes, at), word(bytes, at + 4)) {
        at += size as usize;
        packets += u64::from(kind == 6);
    }
    packets
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().unwrap()))
}
