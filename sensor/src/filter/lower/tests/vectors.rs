//! libpcap's own tests, and every expression of the captures' truth: what libpcap takes and refuses, so do we, but for
//! what stands here with its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::filter::library::Nothing;
use crate::filter::lower::lower;
use crate::filter::parser::parse;

/// Taken by libpcap, not here.
const EXCUSED: &[(&str, &str)] = &[
    (
        "protochain",
        "'proto' looks behind extension headers already",
    ),
    ("llc ", "types of LLC are not told apart"),
    (
        "vxlan 10",
        "inner packets are a view of their own, never a filter's",
    ),
];

/// Refused by libpcap, with a meaning here.
const ALLOWED: &[(&str, &str)] = &[
    ("pppoes and vlan", "tags shift nothing here"),
    (
        "ip broadcast",
        "the address of every network needs no netmask",
    ),
    ("lldp", "a name of our reports"),
    ("loopback", "a name of our reports"),
    ("slow", "a name of our reports"),
    ("link proto \\stp", "one meaning for every link type"),
    ("rarp host 1.2.3.4", "one meaning for every link type"),
];

fn accepted(text: &str) -> bool {
    parse(text, &Nothing).is_ok_and(|expr| lower(&expr, text, &Nothing).is_ok())
}

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at ../shared/corpus");
    None
}

fn vectors(corpus: &std::path::Path, kind: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(corpus.join("libpcap_filter_tests.json")).unwrap();
    let tests: Value = serde_json::from_str(&text).unwrap();
    let tests = tests[kind].as_array().unwrap();
    tests
        .iter()
        .map(|test| test["expr"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_libpcap_takes() {
    let Some(corpus) = corpus() else { return };
    for text in vectors(&corpus, "apply") {
        let excused = EXCUSED.iter().any(|(part, _)| text.contains(part));
        assert_eq!(accepted(&text), !excused, "{text}");
    }
}

#[test]
fn what_libpcap_refuses() {
    let Some(corpus) = corpus() else { return };
    for text in vectors(&corpus, "reject") {
        let allowed = ALLOWED.iter().any(|(whole, _)| text == *whole);
        assert_eq!(accepted(&text), allowed, "{text}");
    }
}

#[test]
fn every_filter_of_the_truth() {
    let Some(corpus) = corpus() else { return };
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(corpus.join("truth")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let truth: Value = serde_json::from_str(&text).unwrap();
        if let Some(filters) = truth["filters"].as_object() {
            texts.extend(filters.keys().cloned());
        }
    }
    assert!(texts.len() > 100);
    for text in texts {
        assert!(accepted(&text), "{text}");
    }
}
