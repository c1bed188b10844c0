//! The book as its users see it: payloads in, labels and names out.

mod web;
mod wire;

use sensor_common::protocol::ip::{TCP, UDP};

use self::wire::{Rr, client_hello, dns, server_hello};
use super::ends::tests::flow;
use super::*;
use crate::names::{How, Label, NameSource};

const SECOND: i64 = 1_000_000_000;
const CLIENT: &str = "10.0.0.1:40000";
const SERVER: &str = "192.0.2.1:443";

/// A conversation of a test: each payload follows the one before.
struct Talk {
    client: &'static str,
    server: &'static str,
    protocol: u8,
    at: i64,
    /// Next sequence numbers of both, and how many payloads each had.
    seq: [u32; 2],
    number: [u8; 2],
}

impl Talk {
    fn new(client: &'static str, server: &'static str, protocol: u8) -> Self {
        Talk {
            client,
            server,
            protocol,
            at: 100 * SECOND,
            seq: [u32::MAX - 100, 7],
            number: [0; 2],
        }
    }

    fn key(&self) -> FlowKey {
        flow(self.client, self.server, self.protocol)
    }

    fn client(&mut self, book: &mut Book, payload: &[u8]) -> Option<Label> {
        self.say(book, 0, payload)
    }

    fn server(&mut self, book: &mut Book, payload: &[u8]) -> Option<Label> {
        self.say(book, 1, payload)
    }

    fn say(&mut self, book: &mut Book, side: usize, payload: &[u8]) -> Option<Label> {
        let (src, dst) = match side {
            0 => (self.client, self.server),
            _ => (self.server, self.client),
        };
        let number = self.number[side];
        book.observe(&Sample {
            key: flow(src, dst, self.protocol),
            at: Some(self.at),
            payload,
            payload_len: payload.len() as u32,
            tcp_seq: (self.protocol == TCP).then_some(self.seq[side]),
            number,
            last: number == 3,
        });
        self.seq[side] = self.seq[side].wrapping_add(payload.len() as u32);
        self.number[side] += 1;
        match book.verdict(&self.key()) {
            Verdict::Decided(label) => label,
            Verdict::Undecided => None,
        }
    }
}

fn names(names: &[Name]) -> Vec<(&str, NameSource)> {
    names
        .iter()
        .map(|name| (&*name.text, name.source))
        .collect()
}

fn flow_names(book: &Book, talk: &Talk) -> Vec<(String, NameSource)> {
    let info = book.flow(&talk.key());
    let names = info.map_or(&[][..], |info| &info.names);
    names
        .iter()
        .map(|name| (name.text.to_string(), name.source))
        .collect()
}

fn payload(application: Application) -> Option<Label> {
    let how = How::Payload;
    Some(Label { application, how })
}

#[test]
fn an_answer_names_the_flow_that_follows() {
    let mut book = Book::new(64);
    let mut dns_talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    let chain = [
        ("www.example.org", 60, Rr::Cname("cdn.example.net")),
        ("cdn.example.net", 20, Rr::A([192, 0, 2, 1])),
        ("ns.example.net", 20, Rr::A([192, 0, 2, 53])),
    ];
    dns_talk.client(&mut book, &dns(false, Some("www.example.org"), &[]));
    dns_talk.server(&mut book, &dns(true, Some("www.example.org"), &chain));
    let asked = ("www.example.org".to_string(), NameSource::Dns);
    assert_eq!(flow_names(&book, &dns_talk), std::slice::from_ref(&asked));
    let server = book.of_address([192, 0, 2, 1].into());
    assert_eq!(names(server), [("www.example.org", NameSource::Dns)]);
    let glue = book.of_address([192, 0, 2, 53].into());
    assert_eq!(names(glue), [("ns.example.net", NameSource::Dns)]);

    let talk = Talk::new("10.0.0.1:50000", SERVER, TCP);
    let late = book.flow_started(&talk.key(), Some(121 * SECOND));
    assert_eq!(
        (late, flow_names(&book, &talk)),
        (Verdict::Undecided, vec![])
    );
    book.flow_started(&talk.key(), Some(101 * SECOND));
    book.flow_started(&talk.key(), Some(900 * SECOND));
    assert_eq!(flow_names(&book, &talk), std::slice::from_ref(&asked));
    let ping = FlowKey::ipv4(
        u32::from_ne_bytes([10, 0, 0, 1]),
        u32::from_ne_bytes([192, 0, 2, 1]),
        1,
    );
    assert_eq!(
        book.flow_started(&ping, Some(101 * SECOND)),
        Verdict::Decided(None)
    );
    assert_eq!(book.flow(&ping).map(|info| info.names.len()), Some(1));
    assert_eq!(book.samples(), 2);
}

/// STUN between peers opens what the conversation is; if nothing comes, STUN it was.
#[test]
fn what_opens_a_path_waits_for_what_comes_on_it() {
    let mut book = Book::new(64);
    let check = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[1; 12]].concat();
    let media = |sequence: u8| {
        let head = [0x80, 96, 0, sequence, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
        [&head[..], &[0x55; 100]].concat()
    };
    let mut call = Talk::new("10.0.0.1:50000", "10.0.0.2:50002", UDP);
    assert_eq!(call.client(&mut book, &check), None);
    assert_eq!(book.verdict(&call.key()), Verdict::Undecided);
    assert_eq!(book.label(&call.key()), payload(Application::Stun));
    assert_eq!(call.client(&mut book, &media(1)), None);
    let rtp = payload(Application::Rtp);
    assert_eq!(call.client(&mut book, &media(2)), rtp);
    assert_eq!(book.label(&call.key()), rtp);

    let stun = payload(Application::Stun);
    let mut checks = Talk::new("10.0.0.1:50004", "10.0.0.2:50006", UDP);
    for _ in 0..3 {
        assert_eq!(checks.client(&mut book, &check), None);
    }
    assert_eq!(checks.client(&mut book, &check), stun);
    let mut server = Talk::new("10.0.0.1:50008", "10.0.0.2:3478", UDP);
    assert_eq!(server.client(&mut book, &check), stun);
}

#[test]
fn multicast_dns_and_pointers_name_addresses() {
    let mut book = Book::new(64);
    let mut talk = Talk::new("10.0.0.9:5353", "224.0.0.251:5353", UDP);
    let answer = [("printer.local", 120, Rr::A([10, 0, 0, 9]))];
    talk.client(&mut book, &dns(true, None, &answer));
    let printer = names(book.of_address([10, 0, 0, 9].into()));
    assert_eq!(printer, [("printer.local", NameSource::Mdns)]);
    let scan = flow("10.0.0.3:1", "10.0.0.9:631", TCP);
    book.flow_started(&scan, Some(101 * SECOND));
    assert_eq!(book.flow(&scan).map(|info| info.names.len()), Some(1));

    let mut talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    let reverse = "7.2.0.192.in-addr.arpa";
    let pointer = [(reverse, 9, Rr::Ptr("host.example.org"))];
    talk.server(&mut book, &dns(true, Some(reverse), &pointer));
    let host = names(book.of_address([192, 0, 2, 7].into()));
    assert_eq!(host, [("host.example.org", NameSource::Dns)]);
}

#[test]
fn a_client_hello_tells_label_and_name() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, SERVER, TCP);
    let label = talk.client(&mut book, &client_hello("example.org", "h2", 0));
    assert_eq!(label, payload(Application::Https));
    talk.server(&mut book, &server_hello());
    let name = ("example.org", NameSource::Sni);
    assert_eq!(flow_names(&book, &talk), [(name.0.to_string(), name.1)]);
    assert_eq!(names(book.of_address([192, 0, 2, 1].into())), [name]);
    let tls = book.flow(&talk.key()).unwrap().tls.clone().unwrap();
    assert_eq!(tls.version.as_deref(), Some("1.2")); // the server's choice
    assert_eq!(tls.alpn, ["h2"]);
    assert!(tls.ja4.is_some());
}

#[test]
fn a_client_hello_in_several_segments_is_waited_for() {
    let hello = client_hello("example.org", "h2", 2000);
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:9999", TCP);
    assert_eq!(talk.client(&mut book, &hello[..900]), None);
    assert_eq!(talk.client(&mut book, &hello[900..1800]), None);
    let label = talk.client(&mut book, &hello[1800..]);
    let handshake = Label {
        application: Application::Https,
        how: How::Handshake,
    };
    assert_eq!(label, Some(handshake));
    assert_eq!(flow_names(&book, &talk).len(), 1);

    // The rest is not seen, and the server answers.
    let mut talk = Talk::new("10.0.0.1:40001", SERVER, TCP);
    assert_eq!(talk.client(&mut book, &hello[..900]), None);
    assert_eq!(
        talk.server(&mut book, &server_hello()),
        payload(Application::Https)
    );
    // The budget is used up.
    let mut talk = Talk::new("10.0.0.1:40002", "192.0.2.1:9999", TCP);
    talk.client(&mut book, &hello[..900]);
    for _ in 0..2 {
        talk.seq[0] -= 1; // never what comes next
        assert_eq!(talk.client(&mut book, b"x"), None);
    }
    assert_eq!(talk.client(&mut book, b"x"), payload(Application::Tls));
}

#[test]
fn tls_seen_from_its_middle_goes_by_the_port() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:993", TCP);
    assert_eq!(
        talk.server(&mut book, &server_hello()),
        payload(Application::Imaps)
    );
    let mut talk = Talk::new(CLIENT, "192.0.2.1:9999", TCP);
    assert_eq!(
        talk.server(&mut book, &server_hello()),
        payload(Application::Tls)
    );
}

#[test]
fn what_ftp_announces_is_its_data() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:21", TCP);
    talk.server(
        &mut book,
        b"227 Entering Passive Mode (192,0,2,1,200,1)\r\n",
    );
    let expected = Verdict::Decided(Some(Label {
        application: Application::FtpData,
        how: How::Expectation,
    }));
    let mut data = Talk::new("10.0.0.1:40009", "192.0.2.1:51201", TCP);
    let started = book.flow_started(&data.key(), Some(101 * SECOND));
    assert_eq!(started, Verdict::Undecided);
    data.server(&mut book, b"-rw-r--r-- 1 a b 7 Jan  1 00:00 c\r\n");
    let back = flow("192.0.2.1:51201", "10.0.0.1:40009", TCP);
    assert_eq!(book.verdict(&back), expected);
}

#[test]
fn no_announcement_beats_what_bytes_prove() {
    let mut book = Book::new(64);
    let mut control = Talk::new("10.0.0.8:41000", "10.0.0.5:21", TCP);
    control.client(&mut book, b"PORT 10,0,0,5,0,22\r\n");
    let mut ssh = Talk::new("10.0.0.8:41001", "10.0.0.5:22", TCP);
    book.flow_started(&ssh.key(), Some(101 * SECOND));
    let label = ssh.client(&mut book, b"SSH-2.0-OpenSSH_9\r\n");
    assert_eq!(label, payload(Application::Ssh));

    // Of other hosts.
    let mut control = Talk::new("198.51.100.6:40000", "10.0.0.9:21", TCP);
    control.client(&mut book, b"PORT 10,0,0,5,200,1\r\n");
    let mut other = Talk::new("10.0.0.8:41002", "10.0.0.5:51201", TCP);
    assert_eq!(other.client(&mut book, b"anything"), None);
}

#[test]
fn announced_media_must_look_like_them() {
    let invite = b"INVITE sip:a@b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n\
        v=0\r\nc=IN IP4 10.0.0.5\r\nm=audio 50000 RTP/AVP 0\r\n";
    let mut book = Book::new(64);
    let announce = |book: &mut Book| {
        Talk::new("198.51.100.6:5060", "10.0.0.9:5060", UDP).client(book, invite);
    };
    let expected = |application| {
        let how = How::Expectation;
        Some(Label { application, how })
    };
    announce(&mut book);
    let mut wireguard = Talk::new("10.0.0.5:50000", "10.0.0.7:51820", UDP);
    let first = [&[1, 0, 0, 0][..], &[0x11; 128], &[0; 16]].concat();
    let second = [&[2, 0, 0, 0][..], &[0x22; 72], &[0; 16]].concat();
    assert_ne!(
        wireguard.client(&mut book, &first),
        expected(Application::Rtp)
    );
    wireguard.server(&mut book, &second);
    assert_ne!(
        wireguard.client(&mut book, &[0; 32]),
        expected(Application::Rtp)
    );

    announce(&mut book);
    let mut rtp = Talk::new("10.0.0.5:50000", "10.0.0.7:4000", UDP);
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[1; 12]].concat();
    assert_eq!(rtp.client(&mut book, &stun), None, "the way is free");
    let media = [&[0x80, 96, 0, 1][..], &[5; 160]].concat();
    assert_eq!(rtp.client(&mut book, &media), expected(Application::Rtp));

    announce(&mut book);
    let mut never = Talk::new("10.0.0.5:50000", "10.0.0.7:4001", UDP);
    for _ in 0..3 {
        assert_eq!(never.client(&mut book, &stun), None);
    }
    assert_eq!(
        never.client(&mut book, &stun),
        payload(Application::Stun),
        "nothing else came"
    );
}

#[test]
fn who_says_nothing_is_given_up() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:9999", TCP);
    for _ in 0..3 {
        talk.client(&mut book, &[]);
        assert_eq!(book.verdict(&talk.key()), Verdict::Undecided);
    }
    talk.client(&mut book, &[0xff; 3]);
    assert_eq!(book.verdict(&talk.key()), Verdict::Decided(None));
    assert_eq!((book.samples(), book.put_out()), (4, PutOut::default()));
}

#[test]
fn caches_are_bounded_and_say_what_they_put_out() {
    let mut book = Book::new(4);
    for number in 0..10 {
        let mut talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
        let name = format!("n{number}.example.org");
        let answer = [(name.as_str(), 9999, Rr::A([192, 0, 2, number + 1]))];
        talk.server(&mut book, &dns(true, Some(&name), &answer));
        let key = flow("10.0.0.1:50000", &format!("192.0.2.{}:80", number + 1), TCP);
        book.flow_started(&key, Some(101 * SECOND));
    }
    let expected = PutOut {
        flows: 7, // ten and the one of DNS, of which four are left
        names: 6,
        answers: 6,
    };
    assert_eq!(book.put_out(), expected);
    assert_eq!(book.of_address([192, 0, 2, 1].into()), &[]);
    assert_eq!(book.of_address([192, 0, 2, 10].into()).len(), 1);
}

#[test]
fn any_bytes_will_do() {
    let mut book = Book::new(16);
    let mut random = 1_u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 8
    };
    let starts: [&[u8]; 8] = [
        b"\x16\x03\x01",
        b"\xc3\0\0\0\x01\x08",
        b"GET / HTTP/1.1\r\nHost: ",
        b"",
        b"\0\x07\x81\x80\0\x01\0\x01\0\0\0\0",
        b"\x16\xfe\xfd",
        b"HTTP/1.1 101 ",
        b"\x01\x01\x06\0",
    ];
    for _ in 0..20_000 {
        let mut payload = starts[next() as usize % 8].to_vec();
        payload.extend((0..next() % 80).map(|_| next() as u8));
        let ports = [53, 67, 443, 21, 5353, 80, 137, 9999];
        let server = format!("192.0.2.1:{}", ports[next() as usize % 8]);
        let client = format!("10.0.0.{}:40000", next() % 32);
        let protocol = if next() % 2 == 0 { TCP } else { UDP };
        let (src, dst) = if next() % 2 == 0 {
            (&client, &server)
        } else {
            (&server, &client)
        };
        let key = flow(src, dst, protocol);
        book.observe(&Sample {
            key,
            at: (next() % 9 != 0).then_some(i64::from(next()) * SECOND),
            payload: &payload,
            payload_len: payload.len() as u32 + next() % 2,
            tcp_seq: (protocol == TCP).then_some(next() % 100),
            number: 0,
            last: next() % 16 == 0,
        });
        book.flow_started(&key, None);
    }
}
