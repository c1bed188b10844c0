//! Every real capture against what independent tools say of it, where the corpus lies beside the workspace.
//!
//! The truth says by check whether two independent tools agree (`exact`). There, so must we; elsewhere a difference is
//! only printed. What we differ in with reason stands in [`EXCUSED`].

mod agreement;
mod compare;
mod names;
mod tshark;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ran, sensor};
use crate::support::report::{counts, number};
use compare::Difference;

struct Excuse {
    file: &'static str,
    check: &'static str,
    reason: &'static str,
}

/// Where we differ from the truth, and why that is right. An entry without a difference fails the test.
const EXCUSED: &[Excuse] = &[
    Excuse {
        file: "libpcap__ipv6_ext_headers.pcap",
        check: "l4",
        reason: "132 extension headers; the kernel's verifier allows 8, and files are read by the same walk",
    },
    Excuse {
        file: "libpcap__ipv6_ext_headers.pcap",
        check: "ip_proto",
        reason: "the same",
    },
    Excuse {
        file: "libpcap__ipv6_ext_headers.pcap",
        check: "flows",
        reason: "the same: its UDP ports lie behind them",
    },
    Excuse {
        file: "pcpp__pcapng-example.pcapng",
        check: "end",
        reason: "100 packets of the year 586524, which RFC 3339 cannot write: the report has a note instead",
    },
    Excuse {
        file: "pcpp__pcapng-example.pcapng",
        check: "per_second",
        reason: "the same packets, kept out of buckets",
    },
    Excuse {
        file: "trivial__zero_length.pcap",
        check: "exit",
        reason: "tshark takes nothing for an empty capture; whoever names an empty file expected packets",
    },
];

/// The folder of the corpus, if it is there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at ../shared/corpus");
    None
}

#[test]
fn real_captures_agree_with_the_truth() {
    let Some(corpus) = corpus() else { return };
    let files = names(&corpus.join("dev"));
    let mut wrong = Vec::new();
    let mut used = vec![false; EXCUSED.len()];
    for name in &files {
        for difference in differences(&corpus, name) {
            let excused = |excuse: &Excuse| excuse.file == name && excuse.check == difference.check;
            if let Some(index) = EXCUSED.iter().position(excused) {
                used[index] = true;
                println!("excused: {name}: {difference}: {}", EXCUSED[index].reason);
            } else if difference.exact {
                wrong.push(format!("{name}: {difference}"));
            } else {
                println!("tools differ: {name}: {difference}");
            }
        }
    }
    let unused = EXCUSED.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(
        unused.map(|(excuse, _)| format!("needs no excuse: {}: {}", excuse.file, excuse.check)),
    );
    println!("{} captures compared", files.len());
    assert!(!files.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_short_lists_leave_out_is_in_the_others() {
    let Some(corpus) = corpus() else { return };
    for name in names(&corpus.join("dev")) {
        let full = run(&corpus, &name, "0").report();
        let short = run(&corpus, &name, "3").report(); // adds up, or panics
        for list in ["endpoints", "conversations", "flows"] {
            let length = |report: &Value| report[list].as_array().unwrap().len();
            assert_eq!(length(&short), length(&full).min(3), "{name}: {list}");
            assert_eq!(counts(&full["others"][list]).0, 0, "{name}: {list}");
        }
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| name(entry.unwrap()))
        .collect();
    names.sort();
    names
}

/// Hands over each capture's name, what is true of it, and its report with all rows.
fn each_report(corpus: &Path, mut each: impl FnMut(&str, &Value, &Value)) {
    for name in names(&corpus.join("dev")) {
        let truth = truth(corpus, &name);
        each(&name, &truth, &run(corpus, &name, "0").report());
    }
}

fn truth(corpus: &Path, name: &str) -> Value {
    let truth = fs::read(corpus.join("truth").join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&truth).unwrap()
}

fn run(corpus: &Path, name: &str, top: &str) -> Ran {
    let path = corpus.join("dev").join(name);
    sensor([
        "read".as_ref(),
        path.as_os_str(),
        "-n".as_ref(),
        top.as_ref(),
        "--json".as_ref(),
        "-".as_ref(),
    ])
    .run()
}

fn differences(corpus: &Path, name: &str) -> Vec<Difference> {
    let truth = truth(corpus, name);
    let ran = run(corpus, name, "0");
    let report = ran.report();
    let mut differences = compare::all(&truth, &report);
    let expected = exit_codes(&truth, &report);
    if !expected.contains(&ran.code()) {
        differences.push(Difference::new(
            "exit",
            format!("{} instead of {expected:?}", ran.code()),
        ));
    }
    let named = ran
        .stderr
        .lines()
        .any(|line| line.starts_with("sensor: ") && line.contains(name));
    if ran.code() != 0 && !named {
        differences.push(Difference::new(
            "message",
            format!("standard error is {:?}", ran.stderr),
        ));
    }
    let allowed = truth["packets_allowed"].as_array().unwrap();
    if !allowed.contains(&report["totals"]["packets"]) {
        let packets = &report["totals"]["packets"];
        differences.push(Difference::new(
            "packets_allowed",
            format!("{packets}, allowed are {allowed:?}"),
        ));
    }
    differences
}

fn exit_codes(truth: &Value, report: &Value) -> &'static [i32] {
    let packets = number(&report["totals"]["packets"]);
    let undecodable = &report["accounting"]["malformed"]["unsupported_link_type"]["packets"];
    match truth["status"].as_str().unwrap() {
        "ok" | "ok, libpcap refuses" if packets > 0 && *undecodable == packets => &[5],
        "ok" | "ok, libpcap refuses" => &[0],
        "error after packets" | "refused" => &[5],
        "tools differ" => &[0, 5],
        other => panic!("the truth knows a new status: {other}"),
    }
}
