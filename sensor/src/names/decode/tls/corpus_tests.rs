//! The server names of real captures, against tshark's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sensor_common::flow::FlowKey;
use sensor_common::parse;
use sensor_common::protocol::ip;
use sensor_common::view::SliceView;

use super::{ClientHello, Hello, Transport};
use crate::names::decode::quic;
use crate::source::file::CaptureFile;
use crate::source::file::count::walk;

/// Files whose names tshark finds inside a tunnel, and we none, as flows are those of the outermost header.
const INSIDE_TUNNELS: &[&str] = &[
    "mercury__geneve.pcap",
    "ndpi__6in4tunnel.pcap",
    "ndpi__vxlan.pcap",
];

/// Of JA4's Python implementation.
const FINGERPRINTS: &[(&str, &[&str])] = &[
    (
        "ndpi__instagram.pcap",
        &[
            "t00d0307h1_55b375c5d22e_1472448224a5",
            "t00d0309h1_55b375c5d22e_2d3f7b9fe3d5",
            "t10d350400_1f24bcc5f17d_a875e5012fde",
        ],
    ),
    (
        "ndpi__zoom.pcap",
        &[
            "t10d0909h2_61c4dbd01224_cc731f12afbb",
            "t12d800700_64d9932cae36_4446390ac224",
            "t12d8008h1_9cedc1f1428b_046e095b7c4a",
            "t12d930700_72a4e8475a2e_4446390ac224",
        ],
    ),
    (
        "ndpi__signal.pcap",
        &[
            "t12d220700_0d4ca5d4ec72_3304d8368043",
            "t13d1713h2_0633f72d41ca_845d286b0d67",
            "t13d2613h2_2802a3db6c62_845d286b0d67",
        ],
    ),
    (
        "pcpp__tls2.pcap",
        &[
            "t12d190800_d83cc789557e_7af1ed941c26",
            "t12d210600_893976a58eef_7cbcca1da025",
            "t13d1509h1_8daaf6152771_3a1aba1cf808",
            "t13d151400_8daaf6152771_de4a06bb82e3",
            "t13d1514h2_8daaf6152771_bc9a4605e104",
            "t13d1515h2_8daaf6152771_0ece2fe8a3fb",
            "t13d1515h2_8daaf6152771_de4a06bb82e3",
            "t13d1615h2_46e7e9700bed_45f260be83e2",
            "t13d1809h1_e8a523a41297_e967ce4ae740",
            "t13d1812h2_e8a523a41297_b2c23852c975",
            "t13d1814h2_e8a523a41297_d267a5f792d4",
            "t13d431000_97f8c77001aa_5ac7197df9d2",
        ],
    ),
    (
        "mercury__capture2.pcap",
        &[
            "t10i110100_3609b414f052_bc98f8e001b5",
            "t12d230800_d3642cc0373c_e9d697636097",
            "t12d230900_d3642cc0373c_13185a49606d",
        ],
    ),
    (
        "ndpi__tls_long_cert.pcap",
        &["t13d1615h2_46e7e9700bed_45f260be83e2"],
    ),
    // Published for Chrome over QUIC.
    (
        "zeek__quic-chromium-115.0.5790.110-google-de-fragmented.pcap",
        &["q13d0310h3_55b375c5d22e_cd85d2d88918"],
    ),
];

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at ../shared/corpus");
    None
}

/// What one way of a flow has said so far.
#[derive(Default)]
struct Stream {
    tcp: Vec<u8>,
    initials: quic::Initials,
}

/// Every ClientHello of a capture; those that come in several packets once, and then whole.
fn hellos(path: &Path) -> Vec<ClientHello> {
    let mut streams: BTreeMap<[u64; 5], Stream> = BTreeMap::new();
    let mut found = Vec::new();
    payloads(path, |key, payload| {
        let stream = streams.entry(key.0).or_default();
        found.extend(hello(key, stream, payload));
    });
    found
}

fn payloads(path: &Path, mut each: impl FnMut(&FlowKey, &[u8])) {
    let Ok(mut file) = CaptureFile::open(path) else {
        return;
    };
    walk(
        &mut file,
        |record, link_type| {
            let Ok(packet) = parse::packet(&SliceView(record.data), link_type) else {
                return;
            };
            let header_len = usize::from(packet.header_len);
            let payload = record.data.get(header_len..).unwrap_or_default();
            let len = payload.len().min(packet.payload_len as usize);
            if len > 0 {
                each(&packet.key, &payload[..len]);
            }
        },
        |_| {},
    );
}

fn hello(key: &FlowKey, stream: &mut Stream, payload: &[u8]) -> Option<ClientHello> {
    let hello = if key.protocol() == ip::TCP {
        // What continues a hello that was cut, else a new one.
        if !stream.tcp.is_empty() {
            stream.tcp.extend_from_slice(payload);
        }
        let together = super::records(&stream.tcp);
        if matches!(&together, Some(Hello::Client(hello)) if hello.complete) {
            stream.tcp.clear();
            together
        } else {
            let alone = super::records(payload);
            if matches!(&alone, Some(Hello::Client(hello)) if !hello.complete) {
                stream.tcp = payload.to_vec();
            }
            alone
        }
    } else {
        if quic::long_header(payload).is_some() && stream.initials.add(payload) {
            super::handshake(stream.initials.crypto(), Transport::Quic)
        } else {
            super::datagram(payload)
        }
    };
    match hello {
        Some(Hello::Client(hello)) => Some(hello),
        _ => None,
    }
}

fn truth(path: &Path) -> Option<BTreeSet<String>> {
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let names = truth["names"]["tls_sni"].as_object()?;
    Some(names.keys().cloned().collect())
}

#[test]
fn the_names_that_tshark_finds() {
    let Some(corpus) = corpus() else { return };
    let mut wrong = Vec::new();
    let mut compared = 0;
    for entry in std::fs::read_dir(corpus.join("dev")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(theirs) = truth(&corpus.join(format!("truth/{file}.json"))) else {
            continue;
        };
        let ours = hellos(&path).into_iter().filter_map(|hello| hello.sni);
        let ours: BTreeSet<String> = ours.collect();
        if INSIDE_TUNNELS.contains(&file.as_str()) {
            assert!(
                ours.is_empty() && !theirs.is_empty(),
                "stale excuse: {file}"
            );
            continue;
        }
        compared += theirs.len();
        let more = ours.difference(&theirs).map(|name| format!("+{name}"));
        let fewer = theirs.difference(&ours).map(|name| format!("-{name}"));
        let differ: Vec<String> = more.chain(fewer).collect();
        if !differ.is_empty() {
            wrong.push(format!("{file}: {differ:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 200, "{compared} names");
}

#[test]
fn fingerprints_of_other_implementations() {
    let Some(corpus) = corpus() else { return };
    for (file, theirs) in FINGERPRINTS {
        let hellos = hellos(&corpus.join("dev").join(file));
        let ours: BTreeSet<String> = hellos.into_iter().filter_map(|hello| hello.ja4).collect();
        let theirs: BTreeSet<String> = theirs.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(ours, theirs, "{file}");
    }
}

/// Whatever is broken, and wherever it is cut.
#[test]
fn real_hellos_broken_and_cut() {
    let Some(corpus) = corpus() else { return };
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    let mut seen = 0;
    for file in [
        "ndpi__instagram.pcap",
        "ndpi__zoom.pcap",
        "ndpi__dtls2.pcap",
        "ndpi__doq.pcapng",
    ] {
        payloads(&corpus.join("dev").join(file), |_, payload| {
            if !matches!(payload.first(), Some(0x16 | 0xc0..)) || seen > 200 {
                return;
            }
            seen += 1;
            let mut broken = payload.to_vec();
            for _ in 0..20 {
                let at = next() % broken.len();
                broken[at] = next() as u8;
                let cut = &broken[..next() % (broken.len() + 1)];
                let _ = (
                    super::records(cut),
                    super::datagram(cut),
                    quic::long_header(cut),
                );
                let _ = super::handshake(cut, Transport::Quic);
                let mut initials = quic::Initials::default();
                initials.add(cut);
                assert!(initials.crypto().len() <= cut.len());
            }
        });
    }
    assert!(seen > 50, "{seen} payloads");
}
