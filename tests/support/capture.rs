//! Writes capture files: pcap and pcapng, both byte orders, every resolution, without the reader's own ideas of them.

pub(crate) const ETHERNET: u16 = 1;

/// One packet for a capture file.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Nanoseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) data: Vec<u8>,
    /// On the wire; `data` may be less.
    pub(crate) wire_len: u32,
}

impl Record {
    pub(crate) fn new(at: i64, data: Vec<u8>) -> Self {
        let wire_len = data.len() as u32;
        Record { at, data, wire_len }
    }

    /// Keeps the first bytes only, as a capture with a snaplen does.
    pub(crate) fn cut(mut self, snaplen: usize) -> Self {
        self.data.truncate(snaplen);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

impl Endian {
    fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        }
    }

    fn u64(self, value: u64) -> [u8; 8] {
        match self {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        }
    }
}

/// A classic pcap file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pcap {
    pub(crate) endian: Endian,
    pub(crate) nanoseconds: bool,
    pub(crate) link_type: u16,
    pub(crate) snaplen: u32,
}

impl Default for Pcap {
    fn default() -> Self {
        Pcap {
            endian: Endian::Little,
            nanoseconds: false,
            link_type: ETHERNET,
            snaplen: 262_144,
        }
    }
}

impl Pcap {
    pub(crate) const HEADER_LEN: usize = 24;
    pub(crate) const RECORD_HEADER_LEN: usize = 16;

    pub(crate) fn of(link_type: u16) -> Self {
        Pcap {
            link_type,
            ..Pcap::default()
        }
    }

    pub(crate) fn write(&self, records: &[Record]) -> Vec<u8> {
        let e = self.endian;
        let magic = if self.nanoseconds {
            0xa1b2_3c4d
        } else {
            0xa1b2_c3d4
        };
        let mut file = Vec::new();
        file.extend(e.u32(magic));
        file.extend([e.u16(2), e.u16(4)].concat());
        for word in [0, 0, self.snaplen, u32::from(self.link_type)] {
            file.extend(e.u32(word));
        }
        for record in records {
            let fraction = record.at.rem_euclid(1_000_000_000);
            let fraction = if self.nanoseconds {
                fraction
            } else {
                fraction / 1000
            };
            let seconds = record.at.div_euclid(1_000_000_000);
            for word in [
                seconds as u32,
                fraction as u32,
                record.data.len() as u32,
                record.wire_len,
            ] {
                file.extend(e.u32(word));
            }
            file.extend(&record.data);
        }
        file
    }
}

/// A pcapng file, block by block.
#[derive(Clone, Debug)]
pub(crate) struct PcapNg {
    endian: Endian,
    file: Vec<u8>,
}

impl PcapNg {
    /// Begins with a section header.
    pub(crate) fn new(endian: Endian) -> Self {
        PcapNg {
            endian,
            file: Vec::new(),
        }
        .section(endian)
    }

    /// A new section; interfaces are numbered from 0 again.
    pub(crate) fn section(mut self, endian: Endian) -> Self {
        self.endian = endian;
        let e = endian;
        let mut body = e.u32(0x1a2b_3c4d).to_vec();
        body.extend([e.u16(1), e.u16(0)].concat());
        body.extend(e.u64(u64::MAX)); // its length is not told
        self.block(0x0a0d_0d0a, body)
    }

    /// An interface with the default resolution of microseconds.
    pub(crate) fn interface(self, link_type: u16, snaplen: u32) -> Self {
        self.interface_with(link_type, snaplen, &[])
    }

    /// `options`: code and value.
    pub(crate) fn interface_with(
        self,
        link_type: u16,
        snaplen: u32,
        options: &[(u16, &[u8])],
    ) -> Self {
        let e = self.endian;
        let mut body = [e.u16(link_type), e.u16(0)].concat();
        body.extend(e.u32(snaplen));
        for (code, value) in options {
            body.extend([e.u16(*code), e.u16(value.len() as u16)].concat());
            body.extend(*value);
            pad(&mut body);
        }
        if !options.is_empty() {
            body.extend([0; 4]);
        }
        self.block(1, body)
    }

    /// An enhanced packet block; `units` is the time in the interface's resolution.
    pub(crate) fn packet(self, interface: u32, units: u64, record: &Record) -> Self {
        let e = self.endian;
        let mut body = Vec::new();
        for word in [
            interface,
            (units >> 32) as u32,
            units as u32,
            record.data.len() as u32,
            record.wire_len,
        ] {
            body.extend(e.u32(word));
        }
        body.extend(&record.data);
        self.block(6, body)
    }

    /// A packet of an interface with a resolution of microseconds.
    pub(crate) fn packet_us(self, interface: u32, record: &Record) -> Self {
        self.packet(interface, record.at as u64 / 1000, record)
    }

    /// A simple packet block: of interface 0, without a time.
    pub(crate) fn simple(self, record: &Record) -> Self {
        let mut body = self.endian.u32(record.wire_len).to_vec();
        body.extend(&record.data);
        self.block(3, body)
    }

    pub(crate) fn block(mut self, kind: u32, mut body: Vec<u8>) -> Self {
        pad(&mut body);
        let len = self.endian.u32(body.len() as u32 + 12);
        self.file.extend(self.endian.u32(kind));
        self.file.extend(len);
        self.file.extend(body);
        self.file.extend(len);
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.file.len()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.file
    }
}

/// Blocks and options are aligned to four bytes.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}
