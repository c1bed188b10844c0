//! `--ipfix`: what a collector has in the end is what the report says, to the packet and byte.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Ran, file_in, sensor};
use crate::support::capture::{ETHERNET, Pcap, Record};
use crate::support::collector::{Listener, Nfcapd, free_port, missing};
use crate::support::packets::{at, ethernet, ethernet_ip, tcp, udp};
use crate::support::report::{Counts, counts, list, number, text};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_700_000_000 * SECOND;

macro_rules! need_nfcapd {
    () => {
        if let Some(reason) = missing() {
            println!("skipped: {reason}");
            return;
        }
    };
}

fn nfcapd() -> Nfcapd {
    Nfcapd::start(|program| Command::new(program), free_port)
}

fn sockets() -> String {
    fs::read_to_string("/proc/net/udp").unwrap()
}

/// Long and short flows of both families over two minutes, with what is in no flow.
fn mixed() -> Vec<Record> {
    let mut records = Vec::new();
    let mut add = |second: i64, frame: Vec<u8>| {
        records.push(Record::new(START + second * SECOND, frame));
    };
    for second in 0..120 {
        add(
            second,
            ethernet_ip(&udp(at("10.0.0.1:5000"), at("10.0.0.2:53"), 100)),
        );
        if second % 40 == 0 {
            let (from, to) = (at("[2001:db8::1]:40000"), at("[2001:db8::2]:443"));
            for (from, to, flags) in [(from, to, "S"), (to, from, "SA"), (from, to, "FA")] {
                add(second, ethernet_ip(&tcp(from, to, flags, 0)));
            }
            add(second, ethernet(0x0806, &[0; 46]));
            add(second, ethernet(0x88cc, &[0; 60]));
            add(second, vec![1, 2, 3]);
        }
    }
    records
}

fn capture(folder: &Path, records: &[Record]) -> PathBuf {
    file_in(folder, "capture.pcap", &Pcap::of(ETHERNET).write(records))
}

fn read(capture: &Path, url: &str, more: &[&str]) -> Ran {
    let arguments = ["read", capture.to_str().unwrap(), "--ipfix", url];
    let always = ["--json", "-"];
    sensor([&arguments[..], &always, more].concat()).run()
}

#[test]
fn nfcapd_has_every_packet_and_byte_of_a_file() {
    need_nfcapd!();
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), &mixed());
    for (more, flows) in [
        // UDP in two parts of a minute; TCP both ways, ARP, LLDP and what is malformed every 40 s.
        (&[][..], 2 + 6 + 9),
        (&["--ipfix-active", "12s"], 10 + 6 + 9),
        (&["--ipfix-message-size", "512", "--ipfix-rate", "0"], 17),
        // Whatever finds no room in the flow table has a record without addresses.
        (&["--max-flows", "1"], 0),
        (&["-f", "udp or arp"], 2 + 3),
    ] {
        let collector = nfcapd();
        let more = [more, &["-n", "0"]].concat();
        let report = read(&capture, &collector.url(), &more).ended(0).report();
        let collected = collector.stop(sockets);
        assert_eq!(collected.total, counts(&report["totals"]), "{more:?}");
        if flows > 0 {
            assert_eq!(collected.flows, flows, "{more:?}");
        }
        if flows == 0 {
            continue;
        }
        for flow in list(&report["flows"]) {
            let key = format!(
                "{} {} {} {} {}",
                text(&flow["src_addr"]),
                text(&flow["dst_addr"]),
                number(&flow["src_port"]),
                number(&flow["dst_port"]),
                if flow["transport"] == "tcp" { 6 } else { 17 },
            );
            assert_eq!(collected.by_flow.get(&key), Some(&counts(flow)), "{key}");
        }
    }
}

#[test]
fn a_hundred_thousand_flows_arrive_at_nfcapd() {
    need_nfcapd!();
    let folder = tempfile::tempdir().unwrap();
    let flow = |number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        let from = at(&format!("10.{a}.{b}.{c}:{}", 1024 + number % 50_000));
        let frame = ethernet_ip(&udp(from, at("192.0.2.1:53"), 20));
        Record::new(START + i64::from(number) * 1_000, frame)
    };
    let records: Vec<_> = (0..100_000).map(flow).collect();
    let capture = capture(folder.path(), &records);
    let collector = nfcapd();
    let report = read(&capture, &collector.url(), &[]).ended(0).report();
    let collected = collector.stop(sockets);
    assert_eq!(collected.flows, 100_000);
    assert_eq!(collected.total, counts(&report["totals"]));
}

#[test]
fn a_connection_carries_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), &mixed());
    let collector = Listener(TcpListener::bind("127.0.0.1:0").unwrap());
    let url = collector.url();
    let heard = std::thread::spawn(move || collector.collect());
    let ran = read(&capture, &url, &[]).ended(0).says(&["17 flows sent"]);
    let (flows, total) = heard.join().unwrap();
    assert_eq!((flows, total), (17, counts(&ran.report()["totals"])));
}

#[test]
fn a_collector_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), &mixed());
    let udp = format!("udp://127.0.0.1:{}", free_port());
    let ran = read(&capture, &udp, &[]).ended(7);
    assert!(ran.stderr.contains("nothing listens"), "{}", ran.stderr);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = Listener(listener).url(); // closed by now
    let ran = read(&capture, &tcp, &[]).ended(7);
    let Counts(packets, _) = counts(&ran.report()["totals"]);
    // Nothing was sent, so each flow waited in one record.
    let lost = format!("6 flows were not sent, with {packets} packets");
    ran.says(&["Connection refused", &lost]);
}

#[test]
fn addresses_that_are_none_are_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), &[]);
    read(&capture, "192.0.2.1:4739", &[])
        .ended(2)
        .says(&["udp://HOST:PORT"]);
    read(
        &capture,
        "udp://192.0.2.1",
        &["--ipfix", "udp://192.0.2.1:4739/"],
    )
    .ended(2)
    .says(&["given twice"]);
    read(&capture, "udp://no-such-host.invalid", &[])
        .ended(7)
        .says(&["no address for udp://no-such-host.invalid:4739"]);
}
