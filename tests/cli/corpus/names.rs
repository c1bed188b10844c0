//! The names that reports show beside flows, against those that tshark found in the same capture.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{corpus, each_report};
use crate::support::report::{list, text};

/// Why tshark and we differ about a file, or (not `*`) about one name of it. One that is not needed fails the test.
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
    ("arkime__80211http.pcap", "qq.com", LINK),
    ("zeek__nflog-http.pcap", "www.example.net", LINK),
    (
        "zeek__communityid-icmp6.pcap",
        "sh1.iijlab.net",
        "quoted by an error of ICMPv6, which asks for nothing",
    ),
    (
        "ndpi__fuzz-2006-06-26-2594.pcap",
        "*",
        "a fuzzer was at it: nothing is kept of a message that does not fit, of which tshark tells the beginning",
    ),
    (
        "tcpdump__ipv4_invalid_total_length.pcap",
        "www.tcpdump.org",
        "the length in the header of IP is wrong, so the message does not fit",
    ),
    (
        "pcpp__clusterfuzz-5188876846235648.pcap",
        "*",
        "tshark's words for damaged names, which we leave out",
    ),
    (
        "gopacket__le-test301.pcapng",
        "www.baidu.com",
        "tshark opens TLS with the keys that the file has",
    ),
    (
        "gopacket__cip.pcap",
        "sinfulcelebs.freesexycomics.com",
        "tshark waits for the end of the body, which is not in the file",
    ),
];
const INNER: &str = "inside a tunnel; the outermost packet is the one that is counted";
const LINK: &str = "a link type that is not decoded";

/// Names of one flow that a report keeps, the latest.
const OF_A_FLOW: usize = 8;

/// In the truth.
const KINDS: [&str; 3] = ["tls_sni", "http_host", "dns_qry"];
type Names = [BTreeSet<String>; 3];

#[test]
fn names_are_those_that_tshark_finds() {
    let Some(corpus) = corpus() else { return };
    let mut same = [0; 3];
    let mut parts = Vec::new();
    let mut wrong = Vec::new();
    let mut used = vec![false; EXCUSES.len()];
    each_report(&corpus, |file, truth, report| {
        let (ours, full) = ours(report);
        for (kind, ours) in ours.iter().enumerate() {
            let (theirs, all_listed) = theirs(&truth["names"], kind);
            same[kind] += ours.intersection(&theirs).count();
            let missing: Vec<_> = theirs.difference(ours).collect();
            let (missing, left_out) = match kind {
                // A flow that asked for more than it can show.
                2 if full => (Vec::new(), missing.len()),
                _ => (missing, 0),
            };
            if left_out > 0 {
                parts.push(format!(
                    "{file}: {left_out} of {} names asked for are older than the {OF_A_FLOW} that a flow shows",
                    theirs.len()
                ));
            }
            let more = ours.difference(&theirs).filter(|_| all_listed);
            let both = missing.into_iter().map(|one| ('-', one));
            for (sign, one) in both.chain(more.map(|one| ('+', one))) {
                let excused = |excuse: &(&str, &str, &str)| {
                    excuse.0 == file && (excuse.1 == "*" || excuse.1 == one)
                };
                match EXCUSES.iter().position(excused) {
                    Some(index) => used[index] = true,
                    None => wrong.push(format!("{file} {}: {sign}{one}", KINDS[kind])),
                }
            }
        }
    });
    let stale = EXCUSES.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(stale.map(|((file, name, _), _)| format!("needs no excuse: {file}: {name}")));
    println!("compared as parts:\n  {}", parts.join("\n  "));
    println!("the same, {KINDS:?}: {same:?}");
    assert!(wrong.is_empty(), "- missing, + more:\n{}", wrong.join("\n"));
    assert!(
        same[0] > 150 && same[1] > 80 && same[2] > 150,
        "too few were compared: {same:?}"
    );
}

/// The names that flows show, and whether one shows as many as it can.
fn ours(report: &Value) -> (Names, bool) {
    let mut names = Names::default();
    let mut full = false;
    for flow in list(&report["flows"]) {
        let of_flow = list(&flow["names"]);
        full |= of_flow.len() >= OF_A_FLOW;
        for name in of_flow {
            let kind = match text(&name["source"]) {
                "sni" => 0,
                "http" => 1,
                "dns" | "mdns" | "llmnr" => 2,
                _ => continue, // tshark has other fields for these
            };
            let name = text(&name["name"]);
            names[kind].insert(match kind {
                2 => as_tshark(name),
                _ => name.to_owned(),
            });
        }
    }
    (names, full)
}

/// The names, and whether they are all that there are: only the most frequent are listed.
fn theirs(names: &Value, kind: usize) -> (BTreeSet<String>, bool) {
    let Some(listed) = names[KINDS[kind]].as_object() else {
        return (BTreeSet::new(), false);
    };
    let all = names[format!("{}_distinct", KINDS[kind])] == listed.len();
    let names = listed.keys().map(|name| match kind {
        1 => without_port(name),
        _ => name,
    });
    // Where HTTP has the host, SSDP writes the group that it is sent to: no name.
    let names = names.filter(|name| !["239.255.255.250", "FF02::C"].contains(name));
    (names.map(String::from).collect(), all)
}

fn without_port(host: &str) -> &str {
    if let Some((addr, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return addr;
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// tshark writes control characters as octal numbers, and one replacement character for each byte that is no UTF-8.
fn as_tshark(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name.chars();
    while let Some(char) = rest.next() {
        match char {
            '\\' if rest.as_str().starts_with('x') => {
                rest.nth(2);
                text.push('\u{fffd}');
            }
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\0'..' ' | '\x7f' => text.push_str(&format!("\\{:03o}", u32::from(char))),
            _ => text.push(char),
        }
    }
    text
}
