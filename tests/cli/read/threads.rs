//! How many threads count a file is nobody's business but the clock's.

use std::path::Path;

use super::{MILLISECOND, START};
use crate::harness::{file_in, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, tcp, udp};

/// Long enough for three parts: 24 MB.
fn capture() -> Vec<u8> {
    let record = |number: i64| {
        let client = at(&format!("10.0.{}.{}:40000", number % 7, number % 200));
        let server = at("10.9.0.2:443");
        let frame = match number % 5 {
            0 => ethernet_ip(&udp(client, server, 1200)),
            _ => ethernet_ip(&tcp(server, client, "PA", 1400)),
        };
        Record::new(START + number * MILLISECOND, frame)
    };
    let records: Vec<Record> = (0..17_000).map(record).collect();
    Pcap::default().write(&records)
}

fn told(path: &Path, more: &[&str], code: i32) -> (Vec<u8>, String) {
    let fixed = ["read", "--max-names", "0", "-n", "0", "--json", "-"];
    let mut arguments = vec![path.to_str().unwrap()];
    arguments.splice(0..0, fixed);
    arguments.extend(more);
    let ran = sensor(arguments).run().ended(code);
    (ran.stdout, ran.stderr)
}

#[test]
fn the_report_does_not_depend_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let whole = capture();
    let sound = file_in(folder.path(), "sound.pcap", &whole);
    let cut = file_in(folder.path(), "cut.pcap", &whole[..whole.len() - 3]);
    let mut broken = whole.clone();
    broken[12_000_000..12_003_000].fill(0xff);
    let broken = file_in(folder.path(), "broken.pcap", &broken);
    let cases: [(&Path, &[&str], i32); 5] = [
        (&sound, &[], 0),
        (&sound, &["-f", "udp or src port 443 and len > 1000"], 0),
        (&sound, &["--max-flows", "100"], 0),
        (&cut, &[], 5),
        (&broken, &[], 5),
    ];
    for (path, more, code) in cases {
        let with = |threads: &str| told(path, &[more, &["--threads", threads]].concat(), code);
        let one = with("1");
        for threads in ["0", "2", "4"] {
            assert!(with(threads) == one, "{path:?} {more:?} {threads} threads");
        }
    }
}
