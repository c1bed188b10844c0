//! The book: what it remembers of a sequence of payloads and flows is bounded, consistent, and final where it says so.

use std::net::IpAddr;

use sensor::names::{Book, FlowInfo, Name, PutOut, Verdict};
use sensor_common::flow::FlowKey;

use super::talk::{self, Turn, turned};
use crate::cost::bounded;

/// Names of an address, and of a flow.
const NAMES: usize = 8;
/// Bytes of a text.
const TEXT: usize = 1024;
const PROTOCOLS: usize = 32;
/// More conversations than an input has.
const ROOMY: usize = 256;
const TIGHT: usize = 2;

/// Panics if the book does not do with these bytes what it promises.
pub fn check(bytes: &[u8]) {
    let turns = talk::turns(bytes);
    let mut keys: Vec<FlowKey> = Vec::new();
    for turn in &turns {
        let key = turn.key();
        if !keys
            .iter()
            .any(|one| *one == key || turned(one) == turned(&turned(&key)))
        {
            keys.push(key);
        }
    }
    roomy(&turns, &keys);
    tight(&turns, &keys);
}

/// Where nothing has to go, a verdict is final, and the hash's secret means nothing.
fn roomy(turns: &[Turn<'_>], keys: &[FlowKey]) {
    let (mut book, mut twin) = (Book::new(ROOMY), Book::new(ROOMY));
    let mut verdicts = vec![Verdict::Undecided; keys.len()];
    for turn in turns {
        take(&mut book, turn);
        take(&mut twin, turn);
        for (key, before) in keys.iter().zip(&mut verdicts) {
            let verdict = book.verdict(key);
            let stays = *before == Verdict::Undecided || verdict == *before;
            assert!(stays, "{before:?} became {verdict:?} of {key:?}");
            *before = verdict;
        }
    }
    let copy = book.clone();
    for key in keys {
        assert_eq!(book.verdict(key), twin.verdict(key));
        assert_eq!(book.flow(key), twin.flow(key));
        assert_eq!(book.flow(key), copy.flow(key));
        for addr in [key.src_addr(), key.dst_addr()] {
            assert_eq!(book.of_address(addr), twin.of_address(addr));
        }
    }
    assert_eq!(book.put_out().flows, 0);
    assert_eq!(book.put_out(), twin.put_out());
}

/// What is there when there is room for two.
fn tight(turns: &[Turn<'_>], keys: &[FlowKey]) {
    let mut book = Book::new(TIGHT);
    let mut before = PutOut::default();
    for turn in turns {
        take(&mut book, turn);
        let known =
            |key: &&FlowKey| book.verdict(key) != Verdict::Undecided || book.flow(key).is_some();
        assert!(keys.iter().filter(known).count() <= TIGHT);
        let mut named: Vec<IpAddr> = keys
            .iter()
            .flat_map(|key| [key.src_addr(), key.dst_addr()])
            .filter(|addr| !book.of_address(*addr).is_empty())
            .collect();
        named.sort_unstable();
        named.dedup();
        assert!(named.len() <= TIGHT, "{named:?}");
        let out = book.put_out();
        let grows =
            out.flows >= before.flows && out.names >= before.names && out.answers >= before.answers;
        assert!(grows, "{before:?} {out:?}");
        before = out;
    }
    let samples = turns.iter().filter(|turn| matches!(turn, Turn::Payload(_)));
    assert_eq!(book.samples(), samples.count() as u64);
}

/// One turn, and what must hold right behind it.
fn take(book: &mut Book, turn: &Turn<'_>) {
    let key = turn.key();
    match turn {
        Turn::Payload(sample) => {
            // Decoders of DNS and QUIC are the dearest ones, see there.
            let most = (1 << 20) + sample.payload.len() * 4096;
            bounded(sample.payload.len(), most, || book.observe(sample));
            let ended = !sample.last || book.verdict(&key) != Verdict::Undecided;
            assert!(ended, "nothing more will come of {key:?}");
        }
        Turn::Begin(_, at) => {
            let verdict = book.flow_started(&key, *at);
            assert_eq!(verdict, book.verdict(&key));
            assert_eq!(verdict, book.flow_started(&turned(&key), *at));
        }
    }
    assert_eq!(book.verdict(&key), book.verdict(&turned(&key)));
    assert_eq!(book.flow(&key), book.flow(&turned(&key)));
    if let Some(info) = book.flow(&key) {
        flow_is_bounded(info);
    }
    for addr in [key.src_addr(), key.dst_addr()] {
        let names = book.of_address(addr);
        names_are_right(names);
        assert!(names.is_empty() || !addr.is_multicast(), "{addr} {names:?}");
        let addresses = names
            .iter()
            .filter(|name| name.text.parse::<IpAddr>().is_ok());
        assert_eq!(addresses.count(), 0, "{names:?}");
    }
}

fn flow_is_bounded(info: &FlowInfo) {
    names_are_right(&info.names);
    let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= TEXT);
    if let Some(tls) = &info.tls {
        assert!(tls.alpn.len() <= PROTOCOLS, "{tls:?}");
        assert!(tls.alpn.iter().all(|name| (1..=TEXT).contains(&name.len())));
        assert!(
            tls.ja4.as_ref().is_none_or(|ja4| ja4.len() == 36),
            "{tls:?}"
        );
        assert!(short(&tls.version));
    }
    if let Some(http) = &info.http {
        assert!(
            [&http.method, &http.host, &http.user_agent]
                .into_iter()
                .all(short)
        );
    }
}

/// The surest first, each once.
fn names_are_right(names: &[Name]) {
    assert!(names.len() <= NAMES, "{names:?}");
    assert!(names.is_sorted_by_key(|name| name.source), "{names:?}");
    for (number, name) in names.iter().enumerate() {
        assert!((1..=TEXT).contains(&name.text.len()), "{name:?}");
        let again = names[..number].iter().any(|other| {
            other.source == name.source && other.text.eq_ignore_ascii_case(&name.text)
        });
        assert!(!again, "{names:?}");
    }
}
