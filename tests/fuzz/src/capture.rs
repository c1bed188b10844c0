//! Capture files: any bytes yield the packets before the damage, in bounded memory, however they arrive; and every packet is
//! counted.

use std::io::{self, Cursor, Read};

use sensor::counters::{Delta, DeltaConfig, When};
use sensor::report::{self, Context};
use sensor::source::file::count::count;
use sensor::source::file::{CaptureError, CaptureFile};

use crate::cost::bounded;

/// All that is asked for: the window that packets are borrowed from doubles as it fills, and the packets are copied here.
const MEMORY: usize = 4 << 20;
/// Uncompressed bytes that are looked at: a few bytes of zstd may stand for more than there is time for.
const MOST_READ: u64 = 1 << 20;

/// Panics if the reader or the counting does something else.
pub fn check(bytes: &[u8]) {
    let whole = bounded(bytes.len(), MEMORY + bytes.len() * 256, || {
        drain(Box::new(Cursor::new(bytes.to_vec())))
    });
    if let Some(error) = &whole.error {
        one_short_line(error);
    }
    if whole.compressed {
        return;
    }
    assert!(whole.bytes() <= bytes.len(), "more than there is");
    let pieces = drain(Box::new(Pieces(Cursor::new(bytes.to_vec()), 0)));
    assert_eq!(pieces, whole, "as it arrives from a pipe");
    for cut in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
        let part = drain(Box::new(Cursor::new(bytes[..cut].to_vec())));
        assert!(whole.packets.starts_with(&part.packets), "the first {cut}");
    }
    counted(bytes, whole.packets.len() as u64);
}

/// What a file yielded, and what it said at last.
#[derive(Debug, Default, PartialEq)]
struct Drained {
    packets: Vec<Packet>,
    error: Option<String>,
    compressed: bool,
}

/// Link type, time, bytes, length on the wire.
type Packet = (u16, When, Vec<u8>, u32);

impl Drained {
    fn bytes(&self) -> usize {
        self.packets.iter().map(|packet| packet.2.len()).sum()
    }
}

fn drain(reader: Box<dyn Read + Send>) -> Drained {
    let mut drained = Drained::default();
    let mut file = match CaptureFile::from_reader(reader) {
        Ok(file) => file,
        Err(error) => {
            drained.error = Some(told(&error));
            return drained;
        }
    };
    drained.compressed = file.format().compression.is_some();
    while file.position() <= MOST_READ {
        match file.next() {
            Ok(Some(record)) => {
                assert!(record.wire_len as usize >= record.data.len());
                let data = record.data.to_vec();
                drained
                    .packets
                    .push((record.link_type, record.when, data, record.wire_len));
            }
            Ok(None) => break,
            Err(error) => {
                drained.error = Some(told(&error));
                assert!(matches!(file.next(), Ok(None)), "the end stays the end");
                break;
            }
        }
    }
    assert_eq!(file.packets(), drained.packets.len() as u64);
    drained
}

fn told(error: &CaptureError) -> String {
    error.to_string()
}

fn one_short_line(said: &str) {
    let plain = !said.contains(|c: char| c.is_control());
    assert!(!said.is_empty() && said.len() < 500 && plain, "{said}");
}

/// Some bytes at a time.
struct Pieces(Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let room = into.len().min(self.1);
        self.0.read(&mut into[..room])
    }
}

/// Each packet is in the report, in flows or in one of the reasons why not.
fn counted(bytes: &[u8], packets: u64) {
    let Ok(mut file) = CaptureFile::from_reader(Box::new(Cursor::new(bytes.to_vec()))) else {
        return;
    };
    let mut delta = Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 8,
        seeds: [0x9e37_79b9_7f4a_7c15; 10],
        trail: false,
        names: 16,
    });
    count(&mut file, &mut delta, None, |_| {});
    delta.conclude();
    let report = report::build(&delta, &Context::default());
    assert_eq!(report.accounting.seen.packets, packets);
    assert!(report.accounting.identity_holds, "{:?}", report.accounting);
}
