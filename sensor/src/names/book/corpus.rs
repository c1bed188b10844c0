//! The names that flows of real captures show, against those that tshark found there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sensor_common::flow::Direction;
use sensor_common::parse;
use sensor_common::view::SliceView;
use serde_json::Value;

use super::addresses::NAMES;
use super::learn::host_of;
use crate::counters::{Counts, Delta, DeltaConfig, Seen};
use crate::names::NameSource;
use crate::source::file::CaptureFile;
use crate::source::file::count::walk;
use crate::source::sampling::Sampler;

/// Why tshark and we differ about whole files, or about one name.
const EXCUSES: &[(&str, &str, &str)] = &[
    ("arkime__6-4-gre-ppp-udp-4-dns.pcap", "*", INNER),
    ("arkime__gtp-iphone.pcap", "*", INNER),
    ("libpcap__AH-IPcomp-IPv4.pcap", "*", INNER),
    ("mercury__geneve.pcap", "*", INNER),
    ("ndpi__6in4tunnel.pcap", "*", INNER),
    ("ndpi__vxlan.pcap", "*", INNER),
    ("zeek__erspan.pcap", "*", INNER),
    ("zeek__tunnels-gre-sample.pcap", "*", INNER),
    (
        "zeek__tunnels-gtp-gtp1_gn_normal_incl_fragmentation.pcap",
        "*",
        INNER,
    ),
    ("arkime__80211http.pcap", "*", LINK),
    ("zeek__nflog-http.pcap", "*", LINK),
    (
        "zeek__communityid-icmp6.pcap",
        "*",
        "quoted by an error of ICMPv6",
    ),
    (
        "ndpi__fuzz-2006-06-26-2594.pcap",
        "*",
        "damaged names, which are written differently",
    ),
    (
        "pcpp__clusterfuzz-5188876846235648.pcap",
        "*",
        "no DNS port, and damaged names",
    ),
    (
        "gopacket__le-test301.pcapng",
        "www.baidu.com",
        "tshark opens TLS with the keys that the file has",
    ),
    (
        "gopacket__cip.pcap",
        "sinfulcelebs.freesexycomics.com",
        "tshark waits for the end of the head, which is not in the file",
    ),
    (
        "ndpi__1kxun.pcap",
        "adx-tk.rayjump.com",
        "a head in several segments",
    ),
];
const INNER: &str = "inside a tunnel, of which the outermost layer is looked at";
const LINK: &str = "a link layer that is not decoded";

/// Names in the order of [`KINDS`].
type Names = [BTreeSet<String>; 3];
const KINDS: [&str; 3] = ["tls_sni", "http_host", "dns_qry"];

#[test]
fn flows_show_the_names_that_tshark_found() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: no corpus at ../shared/corpus");
        return;
    }
    let mut same = [0; 3];
    let mut wrong = Vec::new();
    for path in captures(&corpus.join("dev")) {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let truth = corpus.join(format!("truth/{file}.json"));
        let (Ok(truth), Some((ours, some_left_out))) = (fs::read(truth), of_file(&path)) else {
            continue;
        };
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        for (kind, ours) in ours.iter().enumerate() {
            let (theirs, all) = theirs(&truth["names"], kind);
            same[kind] += ours.intersection(&theirs).count();
            let missing = theirs.difference(ours);
            let missing = missing.filter(|_| !(kind == 2 && some_left_out));
            let more = ours.difference(&theirs).filter(|_| all);
            let both = missing.map(|one| ('-', one));
            let both = both.chain(more.map(|one| ('+', one)));
            let both = both.filter(|(_, one)| !excused(&file, one));
            wrong.extend(both.map(|(sign, one)| format!("{file} {}: {sign}{one}", KINDS[kind])));
        }
    }
    println!("the same: {same:?}");
    assert!(wrong.is_empty(), "- missing, + more: {wrong:#?}");
    assert!(
        same[0] > 150 && same[1] > 80 && same[2] > 150,
        "too few were compared: {same:?}"
    );
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|one| one.unwrap().path()).collect()
}

/// What flows of the file show, and whether some asked for more names than are kept.
fn of_file(path: &Path) -> Option<(Names, bool)> {
    let mut file = CaptureFile::open(path).ok()?;
    let mut delta = Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 1 << 20,
        seeds: [7; 10],
        trail: false,
        names: 1 << 16,
    });
    let mut sampler = Sampler::default();
    walk(
        &mut file,
        |record, link_type| {
            let seen = Seen {
                packet: parse::packet(&SliceView(record.data), link_type),
                when: record.when,
                slot: 0,
                direction: Direction::Unknown,
                counts: Counts {
                    packets: 1,
                    bytes: u64::from(record.wire_len),
                },
                captured_bytes: record.data.len() as u64,
            };
            sampler.sample(&seen, record.data, &mut delta);
            delta.packet(&seen);
        },
        |_| (),
    );
    delta.flush();
    let book = delta.book()?;
    let mut names = Names::default();
    let mut some_left_out = false;
    for info in delta.flows().iter().filter_map(|flow| book.flow(&flow.key)) {
        some_left_out |= info.names.len() == NAMES;
        for name in &info.names {
            let kind = match name.source {
                NameSource::Sni => 0,
                NameSource::Http => 1,
                NameSource::Netbios => continue, // another field of tshark's
                _ => 2,
            };
            names[kind].insert(name.text.to_string());
        }
    }
    Some((names, some_left_out))
}

/// The names, and whether they are all that there are.
fn theirs(names: &Value, kind: usize) -> (BTreeSet<String>, bool) {
    let Some(listed) = names[KINDS[kind]].as_object() else {
        return (BTreeSet::new(), false);
    };
    let all = names[format!("{}_distinct", KINDS[kind])] == listed.len();
    let names = listed.keys().map(|name| match kind {
        1 => host_of(name),
        _ => name,
    });
    // SSDP writes the group that it is sent to where HTTP has the host.
    let names = names.filter(|name| !["239.255.255.250", "FF02::C"].contains(name));
    (names.map(String::from).collect(), all)
}

fn excused(file: &str, name: &str) -> bool {
    let mut excuses = EXCUSES.iter();
    excuses.any(|excuse| excuse.0 == file && (excuse.1 == name || excuse.1 == "*"))
}
