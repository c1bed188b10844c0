//! What the measurements of files share: a capture to fill, the bare walk over its records, and the whole of `sensor read`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sensor::counters::{Delta, DeltaConfig};
use sensor::report::{self, Context, Report};
use sensor::seeds;
use sensor::sink;
use sensor::source::file::{CaptureFile, count};

/// A pcap file of Ethernet with its header and nothing else.
pub(crate) fn pcap(path: &Path) -> BufWriter<File> {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1] {
        to.write_all(&word.to_le_bytes()).unwrap();
    }
    to
}

/// Gives the number of packets.
pub(crate) fn walk(path: &Path) -> u64 {
    let mut file = CaptureFile::open(path).unwrap();
    let mut packets = 0;
    while let Some(record) = file.next().unwrap() {
        packets += u64::from(record.wire_len > 0);
    }
    packets
}

/// All statistics and the JSON report; `names`: as `--max-names`. Gives the number of packets too.
pub(crate) fn analyse(path: &Path, names: usize) -> (u64, Report) {
    let config = DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 1 << 21,
        seeds: seeds::random(),
        trail: false,
        names,
    };
    let mut delta = Delta::new(config);
    let mut file = CaptureFile::open(path).unwrap();
    let outcome = count::count(&mut file, &mut delta, None, |_| ());
    delta.settle();
    let context = Context {
        top_n: 10,
        interval: config.interval,
        ..Context::default()
    };
    let report = report::build(&delta, &context);
    sink::json::write(&report, std::io::sink()).unwrap();
    assert!(report.accounting.identity_holds);
    (outcome.packets, report)
}
