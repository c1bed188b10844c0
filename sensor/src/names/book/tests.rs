//! The book as its users see it: payloads in, labels and names out.

mod announced;
mod answers;
mod calls;
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
fn half_a_hello_that_has_to_go_tells_what_it_said() {
    let hello = client_hello("victim.example", "h2", 2000);
    let half = |book: &mut Book, client: String, bytes: &[u8]| {
        let mut talk = Talk::new(client.leak(), "10.0.0.8:9999", TCP);
        talk.client(book, bytes);
        talk
    };
    // Of many hosts: the oldest go.
    let mut book = Book::new(1 << 15);
    let victim = half(&mut book, "10.0.0.5:40002".into(), &hello[..900]);
    assert_eq!(book.verdict(&victim.key()), Verdict::Undecided);
    for number in 0..8000 {
        let client = format!("10.6.{}.{}:40002", number >> 8, number & 255);
        half(&mut book, client, &hello[..900]);
    }
    let tls = Verdict::Decided(payload(Application::Tls));
    assert_eq!(book.verdict(&victim.key()), tls);
    assert_eq!(book.put_out().flows, 8001 - 4096);
    // Of one host: its own.
    let mut book = Book::new(1 << 15);
    let victim = half(&mut book, "10.0.0.5:40002".into(), &hello[..900]);
    for number in 0..8000 {
        half(
            &mut book,
            format!("10.6.6.6:{}", 1000 + number),
            &hello[..900],
        );
    }
    assert_eq!(book.verdict(&victim.key()), Verdict::Undecided);
    assert_eq!(book.put_out().flows, 8000 - 256);
    let mut victim = victim;
    let label = victim.client(&mut book, &hello[900..]);
    assert_eq!(
        label.map(|label| label.application),
        Some(Application::Https)
    );
    assert_eq!(flow_names(&book, &victim).len(), 1);
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
fn a_second_connection_adds_its_names_to_the_first_one_s_label() {
    let mut book = Book::new(64);
    let mut unknown = Talk::new(CLIENT, "192.0.2.1:9999", TCP);
    for _ in 0..4 {
        unknown.client(&mut book, &[0xff; 3]);
    }
    let mut ssh = Talk::new(CLIENT, "192.0.2.1:22", TCP);
    ssh.client(&mut book, b"SSH-2.0-OpenSSH_9\r\n");
    for (first, label) in [(unknown, None), (ssh, payload(Application::Ssh))] {
        let mut second = Talk::new(first.client, first.server, TCP);
        let hello = client_hello("example.org", "h2", 1500);
        second.client(&mut book, &hello[..900]);
        assert_eq!(second.client(&mut book, &hello[900..]), label);
        assert_eq!(flow_names(&book, &second).len(), 1);
    }
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
