//! Hosts in real captures, against tshark's `http.host`, which has those of SSDP too.

use crate::names::decode::corpus::{Excuse, same_names};
use crate::names::decode::http::request;
use crate::names::text;

const INNER: &str = "inside a tunnel; the outer packet is the one that is counted";
const LINK: &str = "a link type without a decoder here";
const SEVERAL: &str = "the head is in several packets, of which each is read for itself";
const EXCUSES: &[Excuse] = &[
    ("arkime__80211http.pcap", "qq.com", LINK),
    ("zeek__nflog-http.pcap", "www.example.net", LINK),
    ("libpcap__AH-IPcomp-IPv4.pcap", "150.0.1.1", INNER),
    ("ndpi__6in4tunnel.pcap", "mail.tomasu.net", INNER),
    ("zeek__erspan.pcap", "192.168.69.2", INNER),
    (
        "zeek__tunnels-gtp-gtp1_gn_normal_incl_fragmentation.pcap",
        "*",
        INNER,
    ),
    (
        "gopacket__le-test301.pcapng",
        "www.baidu.com",
        "tshark opens TLS with the keys that the file has",
    ),
    ("ndpi__1kxun.pcap", "adx-tk.rayjump.com", SEVERAL),
    (
        "gopacket__cip.pcap",
        "sinfulcelebs.freesexycomics.com",
        "tshark waits for the end of the head, which is not in the file",
    ),
];

#[test]
fn hosts_are_those_that_tshark_finds() {
    same_names("http_host", EXCUSES, |_, payload, names| {
        names.extend(request(payload).and_then(|one| one.host).map(text::shown));
    });
}
