//! libpcap's own tests of filters on captures: which packets each accepts.

use std::fs;

use sensor_common::parse::LinkType;
use serde_json::Value;

use super::{captures, matcher, matches};
use crate::corpus::corpus;

/// Where we say something else, or nothing, and why. An entry that is not needed fails the test.
const EXCUSED: &[(&str, &str)] = &[
    (
        "vxlan",
        "a label of whole flows here; packets can't be told by it alone",
    ),
    (
        "vxlan_and_icmp_reply",
        "the inner packets are a view of their own here, and no filter's",
    ),
    (
        "vxlan_100",
        "network identifiers are not told apart: refused",
    ),
    ("vxlan_101", "the same"),
    (
        "ip_protochain_17_deepstack",
        "protochain is refused: `proto` looks behind extension headers already",
    ),
    ("ip6_protochain_17_deepstack", "the same"),
    ("ip_protochain_51_tunnel", "the same"),
    ("ip_protochain_4_tunnel", "the same"),
    ("ip_protochain_108_tunnel", "the same"),
    ("ip_protochain_51_transport", "the same"),
    ("ip_protochain_1_transport", "the same"),
    (
        "llc",
        "the reports' name for those of them that have no other",
    ),
    ("llc_i", "the kinds of LLC are not told apart: refused"),
    ("llc_s", "the same"),
    ("llc_rr", "the same"),
    ("llc_rnr", "the same"),
    ("llc_u", "the same"),
    ("llc_ui", "the same"),
    ("llc_sabme", "the same"),
    ("llc_ua", "the same"),
];

#[test]
fn libpcaps_vectors_packet_by_packet() {
    let Some(corpus) = corpus() else { return };
    let text = fs::read_to_string(corpus.join("libpcap_filter_tests.json")).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let vectors = vectors["apply"].as_array().unwrap();
    let mut wrong = Vec::new();
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        let file = fs::read(corpus.join(text("set")).join(text("file"))).unwrap();
        let difference = difference(&file, text("expr"), &vector["accepted"]);
        let excuse = EXCUSED.iter().find(|(name, _)| *name == text("name"));
        match (difference, excuse) {
            (Some(difference), None) => wrong.push(format!("{}: {difference}", text("name"))),
            (None, Some(_)) => wrong.push(format!("{} needs no excuse", text("name"))),
            (Some(_), Some((name, reason))) => println!("excused: {name}: {reason}"),
            (None, None) => {}
        }
    }
    println!("{} vectors", vectors.len());
    assert!(
        vectors.len() > 30 && wrong.is_empty(),
        "{}",
        wrong.join("\n")
    );
}

fn difference(file: &[u8], text: &str, accepted: &Value) -> Option<String> {
    let matcher = match matcher(text) {
        Ok(matcher) => matcher,
        Err(error) => return Some(error),
    };
    let link_type = LinkType::from_number(captures::link_type(file));
    let ours: Vec<u64> = captures::records(file)
        .iter()
        .map(|packet| matches(&matcher, link_type, packet.data, packet.wire_len).into())
        .collect();
    let theirs: Vec<u64> = accepted
        .as_array()
        .unwrap()
        .iter()
        .map(|accepted| accepted.as_u64().unwrap())
        .collect();
    (ours != theirs).then(|| format!("{text}: {ours:?} instead of {theirs:?}"))
}
