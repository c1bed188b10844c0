//! Hellos of TLS, DTLS and of the TLS inside of QUIC.

use sensor::names::decode::tls::{self, ClientHello, Hello, Transport};

use super::{cuts, none_or};
use crate::cost::bounded;

const PROTOCOLS: usize = 32;

/// Panics if the decoders do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    every_cut(bytes, 't', tls::records);
    every_cut(bytes, 'd', tls::datagram);
    every_cut(bytes, 't', |bytes| tls::handshake(bytes, Transport::Tcp));
    every_cut(bytes, 'q', |bytes| tls::handshake(bytes, Transport::Quic));
    every_cut(bytes, 'd', |bytes| tls::handshake(bytes, Transport::Dtls));
}

fn every_cut(bytes: &[u8], letter: char, decode: impl Fn(&[u8]) -> Option<Hello>) {
    let whole = read(bytes, letter, &decode);
    for cut in cuts(bytes) {
        let part = read(cut, letter, &decode);
        if let (Some(Hello::Client(part)), Some(Hello::Client(whole))) = (&part, &whole) {
            is_part(part, whole);
        }
    }
}

fn read(bytes: &[u8], letter: char, decode: impl Fn(&[u8]) -> Option<Hello>) -> Option<Hello> {
    let most = (8 << 10) + bytes.len() * 64;
    let hello = bounded(bytes.len(), most, || decode(bytes));
    assert_eq!(hello, decode(bytes));
    match &hello {
        Some(Hello::Client(hello)) => client(hello, letter, bytes.len()),
        Some(Hello::Server(hello)) => assert!(hello.alpn.as_deref().is_none_or(is_protocol)),
        Some(Hello::Other) | None => {}
    }
    hello
}

fn client(hello: &ClientHello, letter: char, len: usize) {
    let ClientHello {
        sni,
        alpn,
        ja4,
        complete,
        ..
    } = hello;
    assert!(
        sni.as_ref()
            .is_none_or(|name| (1..=4 * len).contains(&name.len()))
    );
    assert!(alpn.len() <= PROTOCOLS && alpn.iter().all(|name| is_protocol(name)));
    assert_eq!(ja4.is_some(), *complete, "{hello:?}");
    if let Some(ja4) = ja4 {
        assert!(is_fingerprint(ja4, letter), "{ja4}");
    }
}

/// Of up to 255 bytes, each shown as `\xff`.
fn is_protocol(name: &str) -> bool {
    (1..=255 * 4).contains(&name.len())
}

/// `t13d1516h2_8daaf6152771_e5627efa2ab1`.
fn is_fingerprint(ja4: &str, letter: char) -> bool {
    let hash = |part: &str| part.len() == 12 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let mut parts = ja4.split('_');
    let readable = parts.next().is_some_and(|part| {
        let counts = part.bytes().skip(4).take(4).all(|b| b.is_ascii_digit());
        part.len() == 10 && part.starts_with(letter) && counts && part.is_ascii()
    });
    readable
        && parts.by_ref().take(2).filter(|part| hash(part)).count() == 2
        && parts.next().is_none()
}

/// What stands before the cut is had as it is in the whole.
fn is_part(part: &ClientHello, whole: &ClientHello) {
    let same = none_or(&part.sni, &whole.sni)
        && (part.alpn.is_empty() || part.alpn == whole.alpn)
        && (part.version == 0 || part.version == whole.version)
        && (!part.complete || part == whole);
    assert!(same, "{part:?}\n{whole:?}");
}
