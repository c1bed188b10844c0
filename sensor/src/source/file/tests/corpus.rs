//! Real captures against what other tools say of them, where the corpus lies beside the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

pub(super) fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at ../shared/corpus");
    None
}

#[derive(Default, Debug)]
struct Sums {
    packets: u64,
    on_wire: u64,
    captured: u64,
    first: Option<i64>,
    last: Option<i64>,
    out_of_range: bool,
}

fn sums(packets: &[Packet]) -> Sums {
    let mut sums = Sums::default();
    for packet in packets {
        sums.packets += 1;
        sums.on_wire += u64::from(packet.wire_len);
        sums.captured += packet.data.len() as u64;
        match packet.when {
            When::At(ns) => {
                sums.first = Some(sums.first.map_or(ns, |first| first.min(ns)));
                sums.last = Some(sums.last.map_or(ns, |last| last.max(ns)));
            }
            When::OutOfRange => sums.out_of_range = true,
            When::Missing => {}
        }
    }
    sums
}

/// `seconds.nanoseconds`, as the truth writes it; one file has a time that is out of range.
fn when(time: &Value) -> When {
    match time.as_str().and_then(|time| time.split_once('.')) {
        None => When::Missing,
        Some((seconds, fraction)) => format!("{seconds}{fraction:0<9}")
            .parse()
            .map_or(When::OutOfRange, When::At),
    }
}

fn compare(truth: &Value, sums: &Sums, error: Option<&CaptureError>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, ours: Option<i64>, theirs: Option<i64>| {
        if ours != theirs {
            wrong.push(format!("{what} {ours:?}, truth {theirs:?}"));
        }
    };
    let number = |name: &str| truth[name].as_i64();
    let exact = |name: &str| truth["exact"][name] == true;
    let ours = |value: u64| i64::try_from(value).ok();
    if exact("packets") {
        check("packets", ours(sums.packets), number("packets"));
        check("captured", ours(sums.captured), number("bytes_captured"));
    }
    if exact("bytes") {
        check("bytes", ours(sums.on_wire), number("bytes_on_wire"));
    }
    if exact("seconds") {
        for (what, ours, theirs) in [
            ("first", sums.first, "first_ts"),
            ("last", sums.last, "last_ts"),
        ] {
            match when(&truth[theirs]) {
                When::At(ns) => check(what, ours, Some(ns)),
                When::Missing => check(what, ours, None),
                When::OutOfRange => check(what, Some(sums.out_of_range.into()), Some(1)),
            }
        }
    }
    let allowed = truth["packets_allowed"].as_array().unwrap();
    if !allowed.contains(&sums.packets.into()) {
        wrong.push(format!("{} packets, allowed {allowed:?}", sums.packets));
    }
    let status = truth["status"].as_str().unwrap();
    let broken = match status {
        "error after packets" => matches!(error, Some(CaptureError::Damaged { .. })),
        "refused" => error.is_some(),
        "tools differ" => true,
        // An empty file is no capture, even if one of the tools takes it for one.
        _ => matches!(
            error,
            None | Some(CaptureError::Unreadable(Unreadable::Empty))
        ),
    };
    if !broken {
        wrong.push(format!("{status}, but ended with {error:?}"));
    }
    wrong
}

#[test]
fn real_captures_agree_with_the_truth() {
    let Some(corpus) = corpus() else { return };
    let (mut files, mut failures) = (0, Vec::new());
    for entry in fs::read_dir(corpus.join("dev")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(truth) = fs::read(corpus.join("truth").join(format!("{name}.json"))) else {
            continue;
        };
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        let (packets, error) = drain(CaptureFile::open(&path));
        files += 1;
        for wrong in compare(&truth, &sums(&packets), error.as_ref()) {
            failures.push(format!("{name}: {wrong}"));
        }
    }
    println!("{files} captures compared");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(files > 0);
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Clean,
    Damaged,
    Unreadable,
}

/// Packets and end of each hostile file. Where tcpdump and tshark agree on the packets, so do we. They differ on 02 and 18
/// (tshark reads both as something), 08 (tshark takes it for another format), 13 (neither reads the link type), 22 (gzip,
/// which tcpdump does not read), 37 and 38 (tshark gives the time 0), 44 and 50 (tshark refuses them), 46 (tcpdump reads no
/// second byte order).
const HOSTILE: &[(&str, usize, End)] = &[
    ("01_empty.pcap", 0, End::Unreadable),
    ("02_3bytes.pcap", 0, End::Unreadable),
    ("03_header_only.pcap", 0, End::Clean),
    ("04_hdr_trunc.pcap", 0, End::Unreadable),
    ("05_text.pcap", 0, End::Unreadable),
    ("06_trunc_rec_hdr.pcap", 1, End::Damaged),
    ("07_trunc_body.pcap", 1, End::Damaged),
    ("08_caplen_4g.pcap", 1, End::Damaged),
    ("09_caplen_gt_snap.pcap", 1, End::Clean),
    ("10_caplen_gt_orig.pcap", 2, End::Clean),
    ("11_snap0.pcap", 1, End::Clean),
    ("12_snap_max.pcap", 1, End::Clean),
    ("13_linktype_unknown.pcap", 1, End::Clean),
    ("14_bigendian.pcap", 1, End::Clean),
    ("15_nsec.pcap", 1, End::Clean),
    ("16_usec_invalid.pcap", 2, End::Clean),
    ("17_caplen0.pcap", 2, End::Clean),
    ("18_version_9.pcap", 0, End::Unreadable),
    ("19_orig_gt_cap.pcap", 1, End::Clean),
    ("20_orig_4g.pcap", 2, End::Clean),
    ("21_ts_back.pcap", 4, End::Clean),
    ("22_gz.pcap", 1, End::Clean),
    ("23_1rec_262145.pcap", 0, End::Damaged),
    ("24_caplen_100m_short.pcap", 0, End::Damaged),
    ("30_ng_ok.pcapng", 2, End::Clean),
    ("31_ng_no_idb.pcapng", 0, End::Damaged),
    ("32_ng_bad_ifid.pcapng", 0, End::Damaged),
    ("33_ng_len0.pcapng", 0, End::Damaged),
    ("34_ng_len_odd.pcapng", 0, End::Damaged),
    ("35_ng_len_4g.pcapng", 0, End::Damaged),
    ("36_ng_len_mismatch.pcapng", 0, End::Damaged),
    ("37_ng_tsresol_127.pcapng", 0, End::Damaged),
    ("38_ng_tsresol_255.pcapng", 0, End::Damaged),
    ("39_ng_opt_len.pcapng", 0, End::Damaged),
    ("40_ng_caplen.pcapng", 0, End::Damaged),
    ("41_ng_shb_bad_bom.pcapng", 0, End::Unreadable),
    ("42_ng_shb_only.pcapng", 0, End::Clean),
    ("43_ng_trunc.pcapng", 1, End::Damaged),
    ("44_ng_spb.pcapng", 1, End::Clean),
    ("45_ng_unknown_block.pcapng", 1, End::Clean),
    ("46_ng_two_sections_endian.pcapng", 2, End::Clean),
    ("47_ng_tsoffset_min.pcapng", 1, End::Clean),
    ("50_ng_nrb_dsb.pcapng", 1, End::Clean),
    ("51_ng_comment_escape.pcapng", 1, End::Clean),
];

#[test]
fn hostile_captures_end_as_they_should() {
    let Some(corpus) = corpus() else { return };
    for (name, count, end) in HOSTILE {
        let (packets, error) = drain(CaptureFile::open(&corpus.join("hostile").join(name)));
        let ended = match &error {
            None => End::Clean,
            Some(CaptureError::Damaged { .. }) => End::Damaged,
            Some(CaptureError::Unreadable(_)) => End::Unreadable,
            Some(CaptureError::Open(_) | CaptureError::Io { .. }) => panic!("{name}: {error:?}"),
        };
        assert_eq!((packets.len(), &ended), (*count, end), "{name}: {error:?}");
    }
}

#[test]
fn a_time_out_of_range_is_said_to_be() {
    let Some(corpus) = corpus() else { return };
    let path = corpus.join("hostile/47_ng_tsoffset_min.pcapng");
    let (packets, _) = drain(CaptureFile::open(&path));
    assert_eq!(packets[0].when, When::OutOfRange);
}
