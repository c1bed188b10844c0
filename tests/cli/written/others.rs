//! The same by tcpdump and tshark.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{Place, START, captures, records, write};
use crate::corpus::{corpus, names};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, udp};

/// Time in nanoseconds, length on the wire, bytes.
type Packet = (u64, u32, Vec<u8>);

/// Captures of the corpus that tcpdump reads as something else, and why that is no mistake of ours.
const EXCUSED: [(&str, &str); 3] = [
    (
        "pcpp__clusterfuzz-5188876846235648.pcap",
        "a fraction of more than a second is carried over",
    ),
    (
        "pcpp__clusterfuzz-min-6604968558198784.pcap",
        "a fraction of more than a second is carried over",
    ),
    (
        "pcapngtest__le-test005.pcapng",
        "tcpdump stops at an interface with another snaplen",
    ),
];

/// `None` where there is no such program.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(_) => {
            println!("skipped: no {program}");
            None
        }
    }
}

/// What `tcpdump -r input -w output` leaves; as root it would give up the right to write there.
fn tcpdump(input: &Path, output: &Path, more: &[&str]) -> Option<Output> {
    // SAFETY: no preconditions.
    let root = unsafe { libc::geteuid() } == 0;
    let user: &[&str] = if root { &["-Z", "root"] } else { &[] };
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let fixed = ["--nano", "-r", input, "-w", output];
    run("tcpdump", &[user, &fixed, more].concat())
}

/// A pcap file of nanoseconds: the link type, and the packets.
fn pcap(path: &Path) -> (u32, Vec<Packet>) {
    let bytes = fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0xa1b2_3c4d, "{}", path.display());
    let mut packets = Vec::new();
    let mut at = 24;
    while at < bytes.len() {
        let [seconds, fraction, captured, len] = [0, 4, 8, 12].map(|offset| word(at + offset));
        let time = u64::from(seconds) * 1_000_000_000 + u64::from(fraction);
        let data = bytes[at + 16..at + 16 + captured as usize].to_vec();
        packets.push((time, len, data));
        at += 16 + captured as usize;
    }
    (word(20) & 0xffff, packets) // above: the length of the FCS
}

#[test]
fn tcpdump_writes_the_same_packets() {
    let place = Place::new();
    let (ours, theirs) = (place.at("ours.pcap"), place.at("theirs.pcap"));
    for (name, bytes) in captures() {
        let input = place.input(name, &bytes);
        for filter in [
            "",
            "arp or ip6",
            "greater 100",
            "ether[12:2] = 0x800 and udp",
        ] {
            let filter: &[&str] = if filter.is_empty() { &[] } else { &[filter] };
            let Some(output) = tcpdump(&input, &theirs, filter) else {
                return;
            };
            assert!(output.status.success(), "{output:?}");
            let option: &[&str] = if filter.is_empty() { &[] } else { &["-f"] };
            write(&input, &ours, &[option, filter].concat()).ended(0);
            assert_eq!(pcap(&ours), pcap(&theirs), "{name} {filter:?}");
        }
    }
}

#[test]
fn tcpdump_writes_the_same_packets_of_real_captures() {
    let Some(corpus) = corpus() else { return };
    let place = Place::new();
    let (ours, theirs) = (place.at("ours.pcap"), place.at("theirs.pcap"));
    let mut compared = 0;
    for name in names(&corpus.join("dev")) {
        if EXCUSED.iter().any(|(excused, _)| *excused == name) {
            continue;
        }
        let input = corpus.join("dev").join(&name);
        for (option, filter) in [(&[][..], &[][..]), (&["-f"], &["greater 200"])] {
            let _ = fs::remove_file(&theirs);
            let Some(output) = tcpdump(&input, &theirs, filter) else {
                return;
            };
            write(&input, &ours, &[option, filter].concat());
            if !theirs.exists() {
                continue; // it can't read a packet
            }
            let (ours, mut theirs) = (pcap(&ours), pcap(&theirs));
            if !output.status.success() {
                // It stops at what is no damage for us: its packets are the first of ours.
                theirs.1.truncate(ours.1.len());
                assert_eq!(ours.1[..theirs.1.len()], theirs.1, "{name} {filter:?}");
            } else if !ours.1.is_empty() || !theirs.1.is_empty() {
                assert_eq!(ours, theirs, "{name} {filter:?}");
            }
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn files_turn_where_tcpdump_turns_them() {
    let place = Place::new();
    let packet = ethernet_ip(&udp(at("10.0.0.1:1111"), at("10.0.0.2:53"), 1400));
    let records: Vec<Record> = (0..2500)
        .map(|number| Record::new(START + number, packet.clone()))
        .collect();
    let input = place.input("capture.pcap", &Pcap::default().write(&records));
    for more in [
        &["-C", "1"][..],
        &["-C", "1", "-W", "2"],
        &["-C", "1", "-W", "1"],
        &["-C", "2", "-W", "11"],
    ] {
        for old in [place.named("ours"), place.named("theirs")].concat() {
            fs::remove_file(place.at(&old)).unwrap();
        }
        let Some(output) = tcpdump(&input, &place.at("theirs.pcap"), more) else {
            return;
        };
        assert!(output.status.success(), "{output:?}");
        write(&input, &place.at("ours.pcap"), more).ended(0);
        let ours = place.named("ours");
        let theirs = place.named("theirs");
        let renamed: Vec<String> = ours
            .iter()
            .map(|one| one.replace("ours", "theirs"))
            .collect();
        assert_eq!(renamed, theirs, "{more:?}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let (ours, theirs) = (place.at(ours), place.at(theirs));
            assert_eq!(pcap(&ours), pcap(&theirs), "{more:?}");
        }
    }
}

#[test]
fn tcpdump_and_tshark_read_it_again() {
    let place = Place::new();
    let count = records().len();
    for (name, bytes) in captures() {
        let input = place.input(name, &bytes);
        for output in ["out.pcapng", "out.pcap", "none.pcapng", "none.pcap"] {
            let (filter, count): (&[&str], _) = match output.starts_with("none") {
                true => (&["-f", "port 9"], 0),
                false => (&[], count),
            };
            let output = place.at(output);
            write(&input, &output, filter).ended(0);
            let path = output.to_str().unwrap();
            for (program, arguments) in [
                ("tcpdump", &["-n", "-t", "-r", path][..]),
                (
                    "tshark",
                    &["-n", "-T", "fields", "-e", "frame.number", "-r", path],
                ),
            ] {
                let Some(output) = run(program, arguments) else {
                    continue;
                };
                assert!(output.status.success(), "{name} {program} {output:?}");
                let text = String::from_utf8_lossy(&output.stdout);
                assert_eq!(text.lines().count(), count, "{name} {program} {text}");
            }
        }
    }
}

#[test]
fn tshark_sees_interfaces_lengths_and_times() {
    let place = Place::new();
    let [.., (_, bytes)] = &captures()[..] else {
        panic!("no captures");
    };
    let input = place.input("several.pcapng", bytes);
    let output = place.at("out.pcapng.gz");
    write(&input, &output, &["-s", "50"]).ended(0);
    let fields = [
        "frame.interface_name",
        "frame.len",
        "frame.cap_len",
        "frame.time_epoch",
    ];
    let fields: Vec<&str> = fields.iter().flat_map(|field| ["-e", field]).collect();
    let fixed = ["-n", "-r", output.to_str().unwrap(), "-T", "fields"];
    let Some(ran) = run("tshark", &[&fixed, &fields[..]].concat()) else {
        return;
    };
    let text = String::from_utf8_lossy(&ran.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "eth0\t52\t50\t1700000000.123456000");
    assert_eq!(lines[1], "wg0\t74\t50\t1700000001.123456789");
    assert_eq!(lines.len(), 6);
}
