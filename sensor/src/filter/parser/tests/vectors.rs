//! The vectors of libpcap's own tests, as far as they are syntax.

use super::Shelf;
use crate::filter::parser::parse;

/// Refused by libpcap for more than syntax, so the grammar lets them through; the meaning may refuse them.
const MEANING: [(&str, &str); 17] = [
    (
        "decnet host 64.120",
        "decnet is a protocol's name to the grammar",
    ),
    (
        "decnet host 1",
        "decnet is a protocol's name to the grammar",
    ),
    (
        "ip host 256.256.256.256",
        "whether four numbers are an address",
    ),
    ("net 192.168/8", "host bits"),
    ("ip net 10.0.0.0/33", "length of a prefix"),
    ("net fe80:1234:5678::/32", "host bits"),
    ("pppoes and vlan", "tags shift nothing here"),
    ("ip broadcast", "needs no netmask here"),
    ("proto 256", "range of the number"),
    ("ip6 proto 256", "range of the number"),
    ("isis proto 32", "isis is a protocol's name to the grammar"),
    ("link proto 65536", "range of the number"),
    ("lldp", "a protocol's name, once reports know it"),
    ("loopback", "a protocol's name"),
    ("slow", "a protocol's name"),
    ("link proto \\stp", "a protocol's name"),
    (
        "rarp host 1.2.3.4",
        "has a meaning only on Ethernet for libpcap",
    ),
];

/// Accepted by libpcap and refused here, on purpose.
const UNSUPPORTED: [&str; 4] = ["protochain", "vxlan 1", "llc ", "gateway"];

#[test]
fn libpcap_accepts_and_refuses_the_same() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/corpus/libpcap_filter_tests.json"
    );
    let Ok(json) = std::fs::read_to_string(path) else {
        println!("skipped: no corpus of libpcap's vectors");
        return;
    };
    let vectors: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expressions = |list: &str| -> Vec<String> {
        let list = vectors[list].as_array().unwrap();
        list.iter()
            .map(|vector| vector["expr"].as_str().unwrap().to_owned())
            .collect()
    };
    for text in expressions("apply") {
        let refused = parse(&text, &Shelf).err().map(|error| error.message);
        let excused = UNSUPPORTED.iter().any(|word| text.contains(word));
        assert_eq!(refused.is_some(), excused, "{text}: {refused:?}");
    }
    for text in expressions("reject") {
        let accepted = parse(&text, &Shelf).is_ok();
        let excused = MEANING.iter().any(|(excused, _)| *excused == text);
        assert_eq!(accepted, excused, "{text}");
    }
}
