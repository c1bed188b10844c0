use proptest::prelude::*;

use super::*;

/// An extension.
fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &long(data)].concat()
}

fn short(data: &[u8]) -> Vec<u8> {
    [&[data.len() as u8], data].concat()
}

fn long(data: &[u8]) -> Vec<u8> {
    [&(data.len() as u16).to_be_bytes(), data].concat()
}

fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &long(&[&[0], &long(name)[..]].concat()))
}

fn alpn(names: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = names
        .iter()
        .flat_map(|name| short(name.as_bytes()))
        .collect();
    extension(16, &long(&list))
}

/// Behind the version: random, session id, `between`, extensions.
fn body(version: u16, between: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let start = [&version.to_be_bytes()[..], &[7; 32], &short(&[9; 32])].concat();
    [start, between.to_vec(), long(&extensions.concat())].concat()
}

const CIPHERS: &[u8] = &[0, 6, 0x3a, 0x3a, 0x13, 0x01, 0xc0, 0x2f, 1, 0];

fn extensions() -> Vec<Vec<u8>> {
    vec![
        extension(0x4a4a, &[]),
        server_name(b"www.example.org"),
        alpn(&["h2", "http/1.1"]),
        extension(13, &long(&[4, 3, 8, 4])),
        extension(43, &short(&[0x6a, 0x6a, 3, 4, 3, 3])),
        extension(51, &long(&[0; 36])),
    ]
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, len @ ..] = (body.len() as u32).to_be_bytes();
    [&[kind], &len[..], body].concat()
}

fn client_hello() -> Vec<u8> {
    message(1, &body(0x0303, CIPHERS, &extensions()))
}

fn in_records(kind: u8, bytes: &[u8], size: usize) -> Vec<u8> {
    let records = bytes.chunks(size);
    records
        .flat_map(|chunk| [vec![kind, 3, 1], long(chunk)].concat())
        .collect()
}

fn client(hello: Option<Hello>) -> ClientHello {
    match hello {
        Some(Hello::Client(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

fn expected() -> ClientHello {
    ClientHello {
        sni: Some("www.example.org".to_owned()),
        alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
        version: 0x0304,
        // sha256 of "1301,c02f" and of "000d,002b,0033_0403,0804"
        ja4: Some("t13d0205h2_c1929292aa6b_7a92526c31dc".to_owned()),
        complete: true,
    }
}

#[test]
fn a_client_hello_in_records_of_any_size() {
    let hello = client_hello();
    for size in [1, 2, 3, 4, 5, 50, hello.len()] {
        let records = in_records(22, &hello, size);
        assert_eq!(client(super::records(&records)), expected(), "{size}");
    }
}

#[test]
fn over_quic_only_the_letter_differs() {
    let hello = client(handshake(&client_hello(), Transport::Quic));
    assert_eq!(
        hello.ja4,
        expected().ja4.map(|ja4| ja4.replacen('t', "q", 1))
    );
}

/// Nothing is told that the whole message would not tell.
fn is_beginning_of(cut: &ClientHello, whole: &ClientHello) -> bool {
    (cut.sni.is_none() || cut.sni == whole.sni)
        && (cut.alpn.is_empty() || cut.alpn == whole.alpn)
        && (cut.version == 0 || cut.version == whole.version)
        && cut.ja4.is_none()
        && !cut.complete
}

#[test]
fn a_cut_hello_tells_what_came_before() {
    for size in [20, 1000] {
        let records = in_records(22, &client_hello(), size);
        for len in 10..records.len() {
            let cut = client(super::records(&records[..len]));
            assert!(is_beginning_of(&cut, &expected()), "{len}: {cut:?}");
        }
    }
    let hello = client_hello();
    let cut = client(handshake(&hello[..hello.len() - 1], Transport::Quic));
    assert_eq!((cut.sni, cut.version), (expected().sni, 0x0304));
    assert_eq!(records(&[22, 3, 1, 0]), None);
}

#[test]
fn a_hello_without_extensions() {
    let mut body = body(0x0301, CIPHERS, &[]);
    body.truncate(body.len() - 2);
    let hello = client(handshake(&message(1, &body), Transport::Tcp));
    assert_eq!(hello.version, 0x0301);
    assert!(hello.complete);
    assert_eq!(
        hello.ja4.as_deref(),
        Some("t10i020000_c1929292aa6b_000000000000")
    );
}

#[test]
fn names_that_are_no_text() {
    let hello = body(0x0303, CIPHERS, &[server_name(b"a\xff\n")]);
    let hello = client(handshake(&message(1, &hello), Transport::Tcp));
    assert_eq!(hello.sni.as_deref(), Some("a\\xff\n"));
}

#[test]
fn only_so_much_of_a_hello_is_kept() {
    let list: Vec<u8> = short(&[0x80; 255]).repeat(60);
    let extensions = [server_name(&[0xff; 9000]), extension(16, &long(&list))];
    let hello = message(1, &body(0x0303, CIPHERS, &extensions));
    let hello = client(handshake(&hello, Transport::Tcp));
    assert!(hello.complete);
    assert!(hello.sni.unwrap().len() <= 255);
    let lengths: Vec<usize> = hello.alpn.iter().map(String::len).collect();
    assert_eq!(lengths, [32; 8]);
}

#[test]
fn it_is_begun_until_its_end_is_there() {
    let hello = client_hello();
    for size in [50, hello.len()] {
        let records = in_records(22, &hello, size);
        for cut in 9..records.len() {
            assert!(is_begun(&records[..cut]), "{cut}");
        }
        assert!(!is_begun(&records));
    }
    let other = in_records(22, &message(2, &[0; 50]), 40);
    assert!(!is_begun(&other[..30]));
    assert!(!is_begun(b"\x17\x03\x03\x00\x30\x01\x00\x00\x40"));
}

#[test]
fn what_the_server_chose() {
    let between = &[0x13, 0x01, 0];
    let hello = |extensions: &[Vec<u8>]| {
        let message = message(2, &body(0x0303, between, extensions));
        records(&in_records(22, &message, 4000))
    };
    let server = |version, alpn: Option<&str>| {
        Some(Hello::Server(ServerHello {
            version,
            alpn: alpn.map(str::to_owned),
        }))
    };
    assert_eq!(hello(&[extension(43, &[3, 4])]), server(0x0304, None));
    assert_eq!(hello(&[alpn(&["h2"])]), server(0x0303, Some("h2")));
    assert_eq!(hello(&[]), server(0x0303, None));
}

#[test]
fn small_records_before_a_hello() {
    let hello = in_records(22, &client_hello(), 4000);
    let alert = in_records(21, &[1, 112], 2);
    let change = in_records(20, &[1], 1);
    for before in [alert, change] {
        let records = [before, hello.clone()].concat();
        assert_eq!(client(super::records(&records)), expected());
    }
}

#[test]
fn later_records_are_known_by_their_headers() {
    let data = in_records(23, &[0xaa; 100], 60);
    assert_eq!(records(&data), Some(Hello::Other));
    assert_eq!(records(&data[..30]), Some(Hello::Other));
    let certificate = in_records(22, &message(11, &[1; 5000]), 4000);
    assert_eq!(records(&certificate), Some(Hello::Other));
    let encrypted = in_records(22, &[0xd7; 40], 40);
    assert_eq!(records(&encrypted), Some(Hello::Other));

    let mut followed = data.clone();
    followed[65] = 0x41; // where the second record begins
    assert_eq!(records(&followed), None);
    let no_tls: [&[u8]; 6] = [
        b"",
        b"GET / HTTP/1.1",
        &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1], // SSLv2
        &[23, 3, 3, 0xff, 0xff, 1],
        &[23, 3, 3, 0, 0, 23],
        &[20, 3, 3, 0, 2, 1, 1],
    ];
    for bytes in no_tls {
        assert_eq!(records(bytes), None, "{bytes:02x?}");
    }
}

#[test]
fn a_hello_that_would_be_too_long_is_cut() {
    let mut hello = client_hello();
    hello[1..4].copy_from_slice(&[0, 0xff, 0xff]);
    hello.resize(40_000, 0);
    let hello = client(records(&in_records(22, &hello, 16_000)));
    assert_eq!(hello.sni, expected().sni);
    assert!(!hello.complete);
}

/// A DTLS handshake message from `from` to `to`.
fn fragment(message: &[u8], from: usize, to: usize) -> Vec<u8> {
    let u24 = |value: usize| (value as u32).to_be_bytes()[1..].to_vec();
    let body = &message[4..];
    let head = [&message[..4], &[0, 0], &u24(from), &u24(to - from)].concat();
    dtls_record(22, &[&head, &body[from..to]].concat())
}

fn dtls_record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 5], &long(body)[..]].concat()
}

fn dtls_hello(version: u16) -> Vec<u8> {
    let between = [&short(&[3; 20]), CIPHERS].concat();
    let extensions = [server_name(b"relay.example"), alpn(&["webrtc"])];
    message(1, &body(version, &between, &extensions))
}

#[test]
fn dtls_hellos() {
    let hello = dtls_hello(0xfefd);
    let len = hello.len() - 4;
    let whole = client(datagram(&fragment(&hello, 0, len)));
    assert_eq!(whole.sni.as_deref(), Some("relay.example"));
    assert_eq!(whole.alpn, ["webrtc"]);
    assert_eq!(whole.version, 0xfefd);
    assert!(whole.ja4.as_deref().unwrap().starts_with("dd2d0202wc_"));
    let cut = client(datagram(&fragment(&hello, 0, len - 5)));
    assert_eq!(cut.sni, whole.sni);
    assert!(is_beginning_of(&cut, &whole));
    assert_eq!(datagram(&fragment(&hello, 60, len)), Some(Hello::Other));
    // Of TLS over TCP, or with a length that can't be.
    assert_eq!(datagram(&fragment(&client_hello(), 0, 100)), None);
    assert_eq!(datagram(&in_records(22, &client_hello(), 4000)), None);
    for version in [0xfeff, 0xfefc] {
        let hello = message(2, &body(version, &[0xc0, 0x2f, 0], &[]));
        let expected = Hello::Server(ServerHello {
            version,
            alpn: None,
        });
        assert_eq!(
            datagram(&fragment(&hello, 0, hello.len() - 4)),
            Some(expected)
        );
    }
}

#[test]
fn dtls_s_other_records() {
    let data = dtls_record(23, &[1; 50]);
    assert_eq!(datagram(&data), Some(Hello::Other));
    assert_eq!(datagram(&data[..30]), Some(Hello::Other));
    assert_eq!(datagram(&[&data[..], b"rubbish"].concat()), None);
    assert_eq!(
        datagram(&[data.clone(), data.clone()].concat()),
        Some(Hello::Other)
    );
    let with_id = [
        &[25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 5, 0xa, 0xb, 0xc],
        &long(&[1; 40])[..],
    ];
    let with_id = with_id.concat();
    assert_eq!(datagram(&with_id), Some(Hello::Other));
    assert_eq!(datagram(&with_id[..50]), None);
    // DTLS 1.3's short header could be anything's.
    assert_eq!(datagram(&[0x2f; 60]), None);
    assert_eq!(datagram(&data[..12]), None);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 20u8..26) {
        let _ = records(&bytes);
        let _ = datagram(&bytes);
        let _ = handshake(&bytes, Transport::Quic);
        let _ = records(&in_records(kind, &bytes, 7));
        let _ = datagram(&dtls_record(kind, &bytes));
        let _ = records(&in_records(22, &message(1 + kind % 2, &bytes), 100));
    }

    #[test]
    fn broken_hellos_panic_nowhere(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        dtls in any::<bool>(),
    ) {
        let mut bytes = if dtls {
            let hello = dtls_hello(0xfefd);
            fragment(&hello, 0, hello.len() - 4)
        } else {
            in_records(22, &client_hello(), 70)
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let bytes = &bytes[..cut.index(bytes.len() + 1)];
        let _ = (records(bytes), datagram(bytes));
    }
}
