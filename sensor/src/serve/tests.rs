//! The server against raw sockets: clients that ask well, badly, too much, too slowly, and not at all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::board::SEATS;
use super::server::Bound;
use super::{Board, Doors, Server, Show, Shown, Token};
use crate::dashboard::{Counted, Data};
use crate::report::samples::{self, arp};
use crate::report::{Context, build};

const TOKEN: &str = "0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(20);

/// Packets that were counted, and a note of any length.
#[derive(Default)]
struct Fake {
    packets: AtomicU64,
    note: String,
    builds: AtomicU64,
}

impl Show for Fake {
    fn shown(&self) -> Option<Shown> {
        self.builds.fetch_add(1, Ordering::Relaxed);
        let packets = self.packets.load(Ordering::Relaxed);
        if packets == 0 {
            return None;
        }
        let delta = samples::delta_of(&[arp().of(packets, 60 * packets)], 10);
        let context = Context {
            notes: vec![self.note.clone()],
            ..samples::context()
        };
        let report = build(&delta, &context);
        let data = Data::new(report.clone(), Counted::of(&delta), 10);
        Some(Shown { report, data })
    }
}

struct Rig {
    fake: Arc<Fake>,
    board: Arc<Board>,
    server: Server,
}

impl Rig {
    fn new(fake: Fake, token: Option<&str>, patience: Duration) -> Self {
        let fake = Arc::new(fake);
        let show: Arc<dyn Show> = Arc::<Fake>::clone(&fake);
        let board = Arc::new(Board::new(show));
        let doors = Doors {
            board: Some(Arc::clone(&board)),
            patience,
            ..Doors::default()
        };
        let bound = Bound::new("--listen", "127.0.0.1:0".parse().unwrap()).unwrap();
        let token = token.map(|token| Token::new(token).unwrap());
        let server = Server::start(bound, &doors, "web1", token).unwrap();
        Rig {
            fake,
            board,
            server,
        }
    }

    fn plain() -> Self {
        Self::new(Fake::default(), None, PATIENCE)
    }

    fn count(&self, packets: u64) {
        self.fake.packets.store(packets, Ordering::Relaxed);
        self.board.counted();
    }

    fn connect(&self) -> TcpStream {
        connect(self.server.address())
    }

    /// The whole answer to a request of these lines.
    fn ask(&self, lines: &str) -> String {
        let mut stream = self.connect();
        stream
            .write_all(format!("{lines}\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost"))
    }

    /// The packets of each event that comes.
    fn events(&self) -> impl Iterator<Item = String> + use<> {
        let mut stream = self.connect();
        stream
            .write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.filter_map(|line| match line.strip_prefix("data: ") {
            Some("{}") => Some("end".to_owned()),
            Some(data) => {
                let data: Value = serde_json::from_str(data).unwrap();
                Some(data["report"]["totals"]["packets"].to_string())
            }
            None => None,
        })
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn status(answer: &str) -> &str {
    let mut words = answer.split(' ');
    words.nth(1).unwrap_or("nothing")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_page_the_report_and_the_health_are_answered_with_headers_that_protect() {
    let rig = Rig::plain();
    assert_eq!(
        status(&rig.get("/report.json")),
        "503",
        "nothing counted yet"
    );
    rig.count(7);
    let page = rig.get("/");
    let (head, html) = page.split_once("\r\n\r\n").unwrap();
    assert_eq!(status(head), "200");
    assert!(html.starts_with("<!DOCTYPE html>"), "{html:.80}");
    for line in [
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "x-frame-options: DENY",
        "cross-origin-resource-policy: same-origin",
        "frame-ancestors 'none'",
        "connect-src 'self'",
        "connection: close",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    let report: Value = serde_json::from_str(body(&rig.get("/report.json"))).unwrap();
    assert_eq!(report["totals"]["packets"], 7);
    assert_eq!(body(&rig.get("/healthz")), "ok\n");
    let head = rig.ask("HEAD /report.json HTTP/1.1\r\nHost: localhost");
    assert_eq!((status(&head), body(&head)), ("200", ""));
    assert_eq!(
        rig.fake.builds.load(Ordering::Relaxed),
        2,
        "built when it is asked for"
    );
}

#[test]
fn what_is_not_there_or_not_ours_is_refused() {
    let rig = Rig::plain();
    rig.count(1);
    for path in [
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/report.json/",
        "//",
        "/metrics",
        "/?x/../a",
    ] {
        let expected = if path.starts_with("/?") { "200" } else { "404" };
        assert_eq!(status(&rig.get(path)), expected, "{path}");
    }
    for method in [
        "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "BREW",
    ] {
        let answer = rig.ask(&format!(
            "{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"
        ));
        assert_eq!(status(&answer), "405", "{method}");
        assert!(answer.contains("allow: GET, HEAD"), "{answer}");
    }
    for lines in [
        "GET / HTTP/1.1\r\nHost: evil.example",
        "GET / HTTP/1.1",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost",
        "GET /events HTTP/1.1\r\nHost: localhost.evil.example",
    ] {
        assert_eq!(status(&rig.ask(lines)), "421", "{lines}");
    }
    assert_eq!(status(&rig.ask("nonsense")), "400");
}

#[test]
fn floods_of_headers_end_their_own_connection_only() {
    let rig = Rig::plain();
    let many = (0..200).map(|number| format!("\r\nX-{number}: 1"));
    let many: String = many.collect();
    assert_eq!(
        status(&rig.ask(&format!("GET /healthz HTTP/1.1\r\nHost: localhost{many}"))),
        "431"
    );
    let mut stream = rig.connect();
    let long = format!(
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}",
        "a".repeat(1 << 20)
    );
    // It ends while we write or while we read, without an answer.
    let mut answer = Vec::new();
    let _reset = stream.write_all(long.as_bytes());
    let _reset = stream.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    assert_eq!(body(&rig.get("/healthz")), "ok\n");
}

#[test]
fn a_token_is_asked_for_and_never_repeated() {
    let rig = Rig::new(Fake::default(), Some(TOKEN), PATIENCE);
    rig.count(1);
    for path in ["/", "/events", "/report.json", "/nowhere", "/?token=wrong"] {
        assert_eq!(status(&rig.get(path)), "401", "{path}");
    }
    let entered = rig.get(&format!("/?token={TOKEN}"));
    assert_eq!(status(&entered), "303");
    assert!(!entered.contains(TOKEN), "{entered}");
    let cookie = entered
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "));
    let (pair, flags) = cookie.unwrap().split_once(';').unwrap();
    assert!(
        flags.contains("HttpOnly") && flags.contains("SameSite"),
        "{flags}"
    );
    let again = rig.ask(&format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {pair}"
    ));
    assert_eq!(status(&again), "200");
    let scrape =
        format!("GET /report.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}");
    assert_eq!(status(&rig.ask(&scrape)), "200");
    assert_eq!(body(&rig.get("/healthz")), "ok\n");
}

#[test]
fn every_state_reaches_those_who_watch_and_the_end_comes_last() {
    let rig = Rig::plain();
    rig.count(1);
    let mut events = rig.events();
    assert_eq!(events.next().unwrap(), "1");
    for packets in 2..5 {
        rig.count(packets);
        eventually("the newest state", || {
            events.next().unwrap() == packets.to_string()
        });
    }
    rig.fake.packets.store(9, Ordering::Relaxed);
    rig.board.ended();
    let server = rig.server;
    let reader = std::thread::spawn(move || events.collect::<Vec<_>>());
    let started = Instant::now();
    drop(server);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(reader.join().unwrap(), ["9", "end"]);
}

#[test]
fn nothing_is_built_while_nobody_looks() {
    let rig = Rig::plain();
    (1..100).for_each(|packets| rig.count(packets));
    assert_eq!(body(&rig.get("/healthz")), "ok\n");
    assert_eq!(rig.fake.builds.load(Ordering::Relaxed), 0);
}

#[test]
fn one_viewer_too_many_is_told_so_and_gets_in_when_one_goes() {
    let rig = Rig::plain();
    rig.count(1);
    let mut viewers: Vec<_> = (0..SEATS).map(|_| rig.events()).collect();
    for viewer in &mut viewers {
        assert_eq!(viewer.next().unwrap(), "1");
    }
    let refused = rig.get("/events");
    assert_eq!(status(&refused), "503");
    assert!(refused.contains("retry-after: 10"), "{refused}");
    assert_eq!(status(&rig.get("/")), "200", "others are still answered");
    viewers.pop();
    eventually("a seat that is free again", || {
        rig.events().next().is_some()
    });
}

#[test]
fn who_takes_nothing_is_let_go_and_delays_nobody() {
    let fake = Fake {
        note: "n".repeat(24 << 20), // more than the kernel keeps for a socket
        ..Fake::default()
    };
    let rig = Rig::new(fake, None, Duration::from_millis(300));
    rig.count(1);
    let mut slow = rig.connect();
    slow.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    eventually("a seat taken", || rig.board.free_seats() == SEATS - 1);
    assert_eq!(body(&rig.get("/healthz")), "ok\n");
    let mut quick = rig.events();
    assert_eq!(quick.next().unwrap(), "1");
    drop(quick);
    eventually("the slow one let go", || rig.board.free_seats() == SEATS);
}

#[test]
fn who_asks_nothing_is_let_go() {
    let rig = Rig::new(Fake::default(), None, Duration::from_millis(200));
    let mut silent: Vec<_> = (0..100).map(|_| rig.connect()).collect();
    silent[0]
        .write_all(b"GET / HTTP/1.1\r\nHost: local")
        .unwrap();
    // More than there are places: these wait until the silent ones have gone.
    assert_eq!(body(&rig.get("/healthz")), "ok\n");
    for stream in &mut silent {
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"");
    }
}
