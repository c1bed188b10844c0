//! The committed conversations reach what they are meant to: where nothing is found, nothing is tested.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use sensor::names::{Book, Verdict};

use super::talk::{self, Turn};
use crate::replay::corpus::inputs;

/// Named by an answer of the conversations, not one of their hosts.
const ANSWERED: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

#[test]
fn conversations_are_understood() {
    let (mut labels, mut ways, mut sources) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for input in inputs("names-book") {
        let mut book = Book::new(64);
        for turn in talk::turns(&input) {
            match turn {
                Turn::Payload(sample) => book.observe(&sample),
                Turn::Begin(key, at) => {
                    book.flow_started(&key, at);
                }
            }
            let key = turn.key();
            if let Verdict::Decided(Some(label)) = book.verdict(&key) {
                labels.insert(label.application.name());
                ways.insert(label.how.name());
            }
            let of_flow = book.flow(&key).map_or(&[][..], |flow| &flow.names);
            let names = of_flow.iter().chain(book.of_address(ANSWERED));
            sources.extend(names.map(|name| name.source.name()));
        }
    }
    assert!(labels.len() >= 20, "{labels:?}");
    assert_eq!(
        Vec::from_iter(ways),
        ["expectation", "handshake", "payload"]
    );
    let all = ["dhcp", "dns", "http", "llmnr", "mdns", "netbios", "sni"];
    assert_eq!(Vec::from_iter(sources), all, "{labels:?}");
}
