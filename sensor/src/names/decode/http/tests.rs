use proptest::prelude::*;

use super::*;

mod corpus;

const HEAD: &[u8] = b"GET /a?b HTTP/1.1\r\nHost:  example.com \r\nuser-agent: curl/8\r\nUPGRADE: websocket\r\n\r\nHost: no";

#[test]
fn a_request_is_read() {
    let read = request(HEAD).unwrap();
    assert_eq!((read.method, read.target), (&b"GET"[..], &b"/a?b"[..]));
    assert_eq!(read.host, Some(&b"example.com"[..]));
    assert_eq!(read.user_agent, Some(&b"curl/8"[..]));
    assert_eq!(read.upgrade, Some(&b"websocket"[..]));
}

#[test]
fn lines_may_end_with_a_line_feed_alone() {
    let read = request(b"OPTIONS * HTTP/1.0\nHost: a\n\nHost: b\n").unwrap();
    assert_eq!(read.host, Some(&b"a"[..]));
}

#[test]
fn a_head_ends_with_an_empty_line() {
    assert!(ends(HEAD));
    assert!(ends(b"GET / HTTP/1.0\nA: b\n\n"));
    for head in [&HEAD[..70], b"GET / HTTP/1.1\r\nA: b\r\n", b"\r", b""] {
        assert!(!ends(head), "{:?}", head.escape_ascii().to_string());
    }
}

#[test]
fn every_kind_of_target_counts() {
    for head in [
        &b"CONNECT example.com:443 HTTP/1.1\r\n"[..],
        b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n",
        b"GET http://example.com/ HTTP/1.1\r\n",
        b"GET HTTPS://example.com/ HTTP/1.1\r\n",
        b"GET /with a space HTTP/1.1\r\n",
        b"M-SEARCH * HTTP/1.1\r\n",
        b"PROPFIND /dav HTTP/1.1\r\n",
        b"GET /old\r\n",
    ] {
        assert!(
            request(head).is_some(),
            "{:?}",
            head.escape_ascii().to_string()
        );
    }
}

#[test]
fn what_only_looks_like_a_request_is_none() {
    for head in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"GET /a HTTP/2.0\r\n",
        b"OPTIONS * RTSP/1.0\r\n",
        b"OPTIONS * RTSP",
        b"SUBSCRIBE sip:a@example.com SIP/2.0\r\n",
        b"GET key\r\n",
        b"get /a HTTP/1.1\r\n",
        b"GETS /a HTTP/1.1\r\n",
        b"GET  HTTP/1.1\r\n",
        b" GET /a HTTP/1.1\r\n",
        b"GET /a\x01 HTTP/1.1\r\n",
        b"POST /old\r\n",
        b"GET /old\r\nmore",
        b"CONNECT a/b HTTP/1.1\r\n",
        b"GET ",
        b"GET",
        b"",
    ] {
        assert_eq!(request(head), None, "{:?}", head.escape_ascii().to_string());
    }
}

#[test]
fn a_cut_head_has_no_half_values() {
    for len in 5..HEAD.len() {
        let read = request(&HEAD[..len]).unwrap();
        assert!(b"/a?b".starts_with(read.target), "{len}");
        assert!(read.host.is_none_or(|host| host == b"example.com"));
        assert!(read.user_agent.is_none_or(|agent| agent == b"curl/8"));
    }
}

#[test]
fn odd_headers_are_left_out() {
    let read = request(b"GET / HTTP/1.1\r\nX: 1\r\n Host: folded\r\nHost : space\r\nnonsense\r\nhOST: a\r\nHost: b\r\n\r\n");
    assert_eq!(read.unwrap().host, Some(&b"a"[..]));
    let many = [
        &b"GET / HTTP/1.1\r\n"[..],
        &b"X: 1\r\n".repeat(64),
        b"Host: a\r\n",
    ]
    .concat();
    assert_eq!(request(&many).unwrap().host, None);
}

#[test]
fn an_answer_is_read() {
    let read =
        response(b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nUpgrade: h2c\r\n\r\n").unwrap();
    assert_eq!((read.status, read.server), (404, Some(&b"nginx"[..])));
    assert_eq!(read.upgrade, Some(&b"h2c"[..]));
    for head in [
        &b"HTTP/1.0 200"[..],
        b"HTTP/1.0 200\r\n",
        b"HTTP/1.1 200 \n",
    ] {
        assert_eq!(response(head).unwrap().status, 200);
    }
    for head in [
        &b"HTTP/1.1 20"[..],
        b"HTTP/1.1 2000",
        b"HTTP/1.1 099 ",
        b"HTTP/1.x 200 OK",
        b"HTTP/2 200",
        b"http/1.1 200",
        b"ICY 200 OK",
    ] {
        assert_eq!(
            response(head),
            None,
            "{:?}",
            head.escape_ascii().to_string()
        );
    }
}

#[test]
fn the_methods_are_told_apart_by_what_is_read() {
    let lengths = METHODS.iter().map(|method| method.len());
    assert_eq!(lengths.max(), Some(LONGEST_METHOD));
    let distinct: std::collections::BTreeSet<_> = METHODS.iter().collect();
    assert_eq!(distinct.len(), METHODS.len());
    for method in METHODS {
        let target = if method == b"CONNECT" {
            &b"a:1"[..]
        } else {
            b"/"
        };
        let line = [method, b" ", target, b" HTTP/1.1\r\n"].concat();
        assert_eq!(request(&line).map(|one| one.method), Some(method));
    }
}

#[test]
fn schemes_have_no_case() {
    for target in ["http://a/", "HTTP://a/", "https://a", "hTTpS://"] {
        assert!(is_absolute(target.as_bytes()), "{target}");
    }
    for target in ["/http://a/", "http:/a", "ftp://a", "*", ""] {
        assert!(!is_absolute(target.as_bytes()), "{target}");
    }
    assert!(is_for_proxy(b"CONNECT", b"a:443", 80));
    assert!(is_for_proxy(b"GET", b"HTTPS://a/", 8080));
    assert!(!is_for_proxy(b"GET", b"http://a/", 80));
    assert!(!is_for_proxy(b"GET", b"/http://a/", 8080));
}

proptest! {
    #[test]
    fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..300), method in 0..METHODS.len()) {
        request(&bytes);
        response(&bytes);
        request(&[METHODS[method], b" /", &bytes].concat());
        response(&[b"HTTP/1.1 200", &bytes[..]].concat());
    }

    #[test]
    fn damaged_heads_pass(at in 0..HEAD.len(), byte: u8, len in 0..HEAD.len()) {
        let mut bytes = HEAD.to_vec();
        bytes[at] = byte;
        let whole = request(&bytes);
        // What the beginning says, all of it says too.
        if let (Some(whole), Some(part)) = (whole, request(&bytes[..len])) {
            prop_assert!(part.host.is_none() || part.host == whole.host);
        }
    }
}
