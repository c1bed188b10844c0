//! No label that payloads gave, in any capture, may be another than tshark's: a wrong label is worse than none.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{corpus, each_report};
use crate::support::labels;
use crate::support::report::{list, text};

/// tshark's names and what we call the same; names that are equal stand for themselves.
const SAME: &[(&str, &[&str])] = &[
    ("bt-dht", &["bittorrent"]),
    ("bvlc", &["bacnet"]),
    ("classicstun", &["stun"]),
    ("enip", &["ethernet-ip"]),
    ("gquic", &["quic"]),
    ("gtp", &["gtp-u", "gtp-c"]),
    ("http", &["websocket", "http-proxy"]),
    ("isakmp", &["ike"]),
    ("nbdgm", &["netbios-dgm"]),
    ("nbns", &["netbios-ns"]),
    ("nbss", &["netbios-ssn", "smb"]),
    ("pgsql", &["postgresql"]),
    ("pop", &["pop3"]),
    ("quic", &["http3", "doq"]),
    ("rpc", &["nfs", "rpcbind"]),
    ("tls", &["https", "dot", "imaps", "pop3s", "smtps", "ldaps"]),
    ("udpencap", &["ike", "esp-udp"]),
    ("wg", &["wireguard"]),
];

/// Where tshark says something else, or (`-`) nothing: file, tshark's, ours, why ours is right. One that is not needed
/// fails the test.
const EXCUSES: &[(&str, &str, &str, &str)] = &[
    ("ndpi__stun.pcap", "dtls", "stun", "opens with STUN"),
    (
        "ndpi__stun.pcap",
        "stun",
        "dtls",
        "opens with STUN and goes on with DTLS soon: tshark's is the protocol of the first packet",
    ),
    ("ndpi__mysql.pcapng", "tls", "mysql", UPGRADED),
    ("pcpp__pcapng-example.pcapng", "tls", "mysql", UPGRADED),
    (
        "ndpi__openvpn.pcap",
        "tls",
        "openvpn",
        "port 443 misleads tshark; nDPI says OpenVPN, too",
    ),
    ("ndpi__openvpn.pcap", "-", "openvpn", PORTS),
    (
        "ndpi__bittorrent_utp.pcap",
        "-",
        "bittorrent",
        "uTP; nDPI says BitTorrent",
    ),
    (
        "gopacket__cip.pcap",
        "-",
        "http",
        "a POST whose body is not in the file to its end: tshark waits for it",
    ),
    ("ndpi__http2.pcapng", "-", "http2", PORTS),
    ("ndpi__ssh.pcap", "-", "ssh", PORTS),
    ("zeek__ssh-ssh.pcap", "-", "ssh", PORTS),
    ("ndpi__syslog.pcap", "-", "syslog", PORTS),
    ("ndpi__KakaoTalk_talk.pcap", "-", "tls", PORTS),
    ("ndpi__KakaoTalk_talk.pcap", "-", "rtp", CALL),
    ("ndpi__KakaoTalk_talk.pcap", "-", "rtcp", CALL),
    (
        "pcpp__ip4_fragments.pcap",
        "-",
        "nfs",
        "the first of several fragments: tshark waits for the others",
    ),
    ("mercury__capture2.pcap", "-", "teredo", DIRECT),
    ("zeek__tunnels-Teredo.pcap", "-", "teredo", DIRECT),
];
const UPGRADED: &str = "greets as MySQL, and goes on with TLS";
const PORTS: &str = "ports that mean nothing to tshark, which goes by them; the bytes are plain";
const CALL: &str = "tshark wants to have seen the call's SIP; nDPI says RTP";
const DIRECT: &str = "between two clients, without the port: addresses of Teredo are inside";

#[test]
fn no_label_of_payloads_contradicts_tshark() {
    let Some(corpus) = corpus() else { return };
    let mut wrong = Vec::new();
    let mut used = vec![false; EXCUSES.len()];
    let mut seen = BTreeMap::<(String, String), u64>::new();
    each_report(&corpus, |file, truth, report| {
        let (ours, split) = labels::of_conversations(report);
        wrong.extend(split.into_iter().map(|one| format!("{file}: {one}")));
        for flow in list(&truth["flows"]) {
            let ends = [&flow["a"], &flow["b"]];
            let ports = [&flow["a_port"], &flow["b_port"]];
            let id = labels::id(text(&flow["l4"]), ends, ports);
            let Some((label, how)) = ours.get(&id) else {
                continue; // files that tools read in different ways
            };
            if !matches!(how.as_str(), "payload" | "handshake") {
                continue;
            }
            let theirs = name(&flow["l7"]);
            *seen.entry((theirs.to_owned(), label.clone())).or_default() += 1;
            if means(theirs, label) {
                continue;
            }
            let mut excuses = EXCUSES.iter();
            match excuses.position(|one| (one.0, one.1, one.2) == (file, theirs, label)) {
                Some(index) => used[index] = true,
                None => wrong.push(format!("{file}: {theirs} is {label} here: {id:?}")),
            }
        }
    });
    println!("tshark's and ours: {seen:?}");
    let stale = EXCUSES.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(stale.map(|(one, _)| format!("needs no excuse: {}: {}", one.0, one.2)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.values().sum::<u64>() > 1000, "too few");
}

fn name(theirs: &Value) -> &str {
    theirs.as_str().unwrap_or("-")
}

fn means(theirs: &str, label: &str) -> bool {
    let same = SAME.iter().find(|(name, _)| *name == theirs);
    theirs == label || same.is_some_and(|(_, same)| same.contains(&label))
}
