//! Captures are built here byte by byte, so that every field can be wrong.

mod compressed;
mod corpus;
mod cut;
mod parts;
mod pcap;
mod pcapng;
mod properties;
mod speed;

use std::io::{self, Read};

use super::{CaptureError, CaptureFile, Damage, Record, Unreadable, Way, When};

/// A record that outlives its window.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Packet {
    link_type: u16,
    when: When,
    data: Vec<u8>,
    wire_len: u32,
    way: Way,
}

impl From<Record<'_>> for Packet {
    fn from(record: Record<'_>) -> Self {
        Self {
            link_type: record.link_type,
            when: record.when,
            data: record.data.to_vec(),
            wire_len: record.wire_len,
            way: record.way,
        }
    }
}

fn open(bytes: &[u8]) -> Result<CaptureFile, CaptureError> {
    CaptureFile::from_reader(Box::new(io::Cursor::new(bytes.to_vec())))
}

/// Everything the file yields, and what stopped it.
fn drain(file: Result<CaptureFile, CaptureError>) -> (Vec<Packet>, Option<CaptureError>) {
    let mut packets = Vec::new();
    let mut file = match file {
        Ok(file) => file,
        Err(error) => return (packets, Some(error)),
    };
    let error = loop {
        match file.next() {
            Ok(Some(record)) => packets.push(record.into()),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert_eq!(file.packets(), packets.len() as u64);
    assert!(file.next().unwrap().is_none(), "the end stays the end");
    (packets, error)
}

fn read_all(bytes: &[u8]) -> (Vec<Packet>, Option<CaptureError>) {
    drain(open(bytes))
}

/// All packets of a file that must be in order.
fn read_clean(bytes: &[u8]) -> Vec<Packet> {
    let (packets, error) = read_all(bytes);
    assert!(error.is_none(), "{error:?}");
    packets
}

/// Packets delivered, where it broke and how.
fn read_damaged(bytes: &[u8]) -> (usize, u64, Damage) {
    let (packets, error) = read_all(bytes);
    match error {
        Some(CaptureError::Damaged {
            offset,
            packets: told,
            damage,
        }) => {
            assert_eq!(told, packets.len() as u64);
            (packets.len(), offset, damage)
        }
        other => panic!("expected damage, got {other:?}"),
    }
}

fn read_unreadable(bytes: &[u8]) -> Unreadable {
    match read_all(bytes) {
        (_, Some(CaptureError::Unreadable(what))) => what,
        other => panic!("expected an unreadable file, got {other:?}"),
    }
}

/// Gives at most `step` bytes at a time, as pipes do.
struct Dribble {
    bytes: io::Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Dribble {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let step = self.step.min(into.len());
        self.bytes.read(&mut into[..step])
    }
}

fn dribble(bytes: &[u8], step: usize) -> Result<CaptureFile, CaptureError> {
    CaptureFile::from_reader(Box::new(Dribble {
        bytes: io::Cursor::new(bytes.to_vec()),
        step,
    }))
}

/// A disk that fails after the given bytes.
struct FailingDisk(io::Cursor<Vec<u8>>);

impl Read for FailingDisk {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::from_raw_os_error(libc::EIO)),
            n => Ok(n),
        }
    }
}

fn failing(bytes: &[u8]) -> Result<CaptureFile, CaptureError> {
    CaptureFile::from_reader(Box::new(FailingDisk(io::Cursor::new(bytes.to_vec()))))
}

/// Writes captures in either byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    const BOTH: [Self; 2] = [Self::Little, Self::Big];

    fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn u64(self, value: u64) -> [u8; 8] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|v| self.u32(*v)).collect()
    }

    fn pcap_header(self, magic: u32, version: (u16, u16), link_type: u32) -> Vec<u8> {
        let mut out = self.u32(magic).to_vec();
        out.extend(self.u16(version.0));
        out.extend(self.u16(version.1));
        out.extend(self.words(&[0, 0, 65535, link_type]));
        out
    }

    fn record(self, (seconds, fraction): (u32, u32), lengths: (u32, u32), data: &[u8]) -> Vec<u8> {
        let mut out = self.words(&[seconds, fraction, lengths.0, lengths.1]);
        out.extend(data);
        out
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = body.len() as u32 + 12;
        let mut out = self.words(&[kind, length]);
        out.extend(body);
        out.extend(self.u32(length));
        out
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut out = self.u16(code).to_vec();
        out.extend(self.u16(value.len() as u16));
        out.extend(value);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn section(self, version: (u16, u16)) -> Vec<u8> {
        let mut body = self.u32(0x1a2b_3c4d).to_vec();
        body.extend(self.u16(version.0));
        body.extend(self.u16(version.1));
        body.extend(self.u64(u64::MAX));
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link_type: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        let mut body = self.u16(link_type).to_vec();
        body.extend(self.u16(0));
        body.extend(self.u32(snaplen));
        body.extend(options);
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, ticks: u64, data: &[u8], options: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        let (high, low) = ((ticks >> 32) as u32, ticks as u32);
        let mut body = self.words(&[interface, high, low, length, length]);
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(options);
        self.block(6, &body)
    }
}

#[test]
fn what_is_no_capture_is_named() {
    assert_eq!(read_unreadable(b""), Unreadable::Empty);
    let cut = Unreadable::HeaderCutOff { needed: 4, got: 3 };
    assert_eq!(read_unreadable(b"\xd4\xc3\xb2"), cut);
    let text = read_unreadable(b"this is not a capture");
    assert_eq!(
        text.to_string(),
        "not a pcap or pcapng file: starts with 74 68 69 73"
    );
    let xz = read_unreadable(b"\xfd7zXZ\0\0");
    assert!(
        xz.to_string().ends_with("(xz: decompress it first)"),
        "{xz}"
    );
}

#[test]
fn a_missing_file_and_a_folder_are_errors_of_the_system() {
    let folder = std::env::temp_dir();
    let missing = CaptureFile::open(&folder.join("no such capture.pcap"));
    assert!(matches!(missing, Err(CaptureError::Open(_))));
    let opened = CaptureFile::open(&folder);
    assert!(matches!(opened, Err(CaptureError::Open(_))));
}
