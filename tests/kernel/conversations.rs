//! Conversations of hosts that speak real protocols, made here, and what must be found in them.

use std::net::SocketAddr;

use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use aes_gcm::aead::AeadInPlace as _;
use etherparse::PacketBuilder;

/// Frames in the order of the wire.
#[derive(Default)]
pub(crate) struct Wire(pub Vec<Vec<u8>>);

/// Who says what on a connection.
pub(crate) enum Say {
    Client(Vec<u8>),
    Server(Vec<u8>),
}
use Say::{Client as C, Server as S};

/// A conversation by its server's port: protocol, `classified_by` (nothing where nothing is known), and the first name.
pub(crate) type Found = (u16, &'static str, &'static str, Option<&'static str>);

pub(crate) const FOUND: [Found; 21] = [
    (443, "https", "payload", Some("www.example.org")),
    (9444, "https", "handshake", Some("cut.example.org")),
    (8080, "http", "payload", Some("files.example.org")),
    (53, "dns", "payload", Some("asked.example.org")),
    (5555, "tcp", "", Some("asked.example.org")),
    (4433, "quic", "payload", Some("example.com")),
    (67, "dhcp", "payload", None),
    (5353, "mdns", "payload", None),
    (2222, "ssh", "payload", None),
    (2525, "smtp", "payload", None),
    (21, "ftp", "payload", None),
    (50_010, "ftp-data", "expectation", None),
    (5060, "sip", "payload", None),
    (40_500, "rtp", "expectation", None),
    (1884, "mqtt", "payload", None),
    (6379, "redis", "payload", None),
    (7777, "tcp", "", None),
    (7778, "udp", "", None),
    (445, "smb", "port", None),
    (8000, "http", "payload", Some("first.example.org")),
    (9443, "tls", "payload", Some("v6.example.org")),
];

/// One of each.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let mut wire = Wire::default();
    let hello = client_hello("www.example.org", "h2", 0);
    let data = vec![0x17, 3, 3, 0, 40];
    wire.tcp(
        "10.9.0.1:41000",
        "192.0.2.1:443",
        [C(hello), S(server_hello()), C(data.clone()), S(data)],
    );
    let long = client_hello("cut.example.org", "h2", 1500);
    let (start, rest) = long.split_at(1300);
    wire.tcp(
        "10.9.0.1:41001",
        "192.0.2.2:9444",
        [C(start.to_vec()), C(rest.to_vec()), S(server_hello())],
    );
    let get = request("files.example.org");
    wire.tcp("10.9.0.1:41002", "192.0.2.3:8080", [C(get), S(answer())]);
    wire.asked();
    wire.udp("10.9.0.1:41004", "192.0.2.5:4433", &quic_initial());
    wire.dhcp();
    let printer = dns(None, "printer.local", [10, 9, 0, 50]);
    wire.udp("10.9.0.50:5353", "224.0.0.251:5353", &printer);
    wire.lines(
        "10.9.0.1:41005",
        "192.0.2.6:2222",
        &[
            ('S', "SSH-2.0-OpenSSH_9.6\r\n"),
            ('C', "SSH-2.0-OpenSSH_9.7\r\n"),
        ],
    );
    wire.lines(
        "10.9.0.1:41006",
        "192.0.2.6:2525",
        &[
            ('S', "220 mail.example.org ESMTP Postfix\r\n"),
            ('C', "EHLO client.example.org\r\n"),
            ('S', "250-mail.example.org\r\n250 PIPELINING\r\n"),
            ('C', "GET / HTTP/1.1\r\nHost: no.example.org\r\n\r\n"),
        ],
    );
    wire.ftp();
    wire.call();
    let connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04host".to_vec();
    let accepted = b"\x20\x02\x00\x00".to_vec();
    wire.tcp(
        "10.9.0.1:41009",
        "192.0.2.9:1884",
        [C(connect), S(accepted)],
    );
    wire.lines(
        "10.9.0.1:41010",
        "192.0.2.9:6379",
        &[('C', "*1\r\n$4\r\nPING\r\n"), ('S', "+PONG\r\n")],
    );
    wire.unknown();
    // Later than the kernel looks.
    let hosts = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let requests = hosts.map(|host| C(request(&format!("{host}.example.org"))));
    wire.tcp("10.9.0.1:41014", "192.0.2.10:8000", requests);
    let hello = client_hello("v6.example.org", "", 0);
    wire.tcp(
        "[2001:db8::1]:41015",
        "[2001:db8::2]:9443",
        [C(hello), S(server_hello())],
    );
    wire.0
}

impl Wire {
    pub(crate) fn udp(&mut self, src: &str, dst: &str, payload: &[u8]) {
        let (src, dst) = (at(src), at(dst));
        let mut frame = Vec::new();
        let builder = ip(src, dst).udp(src.port(), dst.port());
        builder.write(&mut frame, payload).unwrap();
        self.0.push(frame);
    }

    /// A connection from its SYN on.
    pub(crate) fn tcp(&mut self, client: &str, server: &str, says: impl IntoIterator<Item = Say>) {
        let ends = (at(client), at(server));
        let mut seq = [1000, 90_000];
        self.segment(ends, &mut seq, 'S', &[]);
        self.segment((ends.1, ends.0), &mut swapped(seq), 's', &[]);
        seq = seq.map(|number| number + 1);
        self.segment(ends, &mut seq, 'A', &[]);
        for say in says {
            match say {
                C(payload) => self.segment(ends, &mut seq, 'A', &payload),
                S(payload) => {
                    let mut back = swapped(seq);
                    self.segment((ends.1, ends.0), &mut back, 'A', &payload);
                    seq = swapped(back);
                }
            }
        }
    }

    /// `S`: SYN, `s`: its answer, `A`: all others. `seq`: the sender's next number, and the other's.
    pub(crate) fn segment(
        &mut self,
        (src, dst): (SocketAddr, SocketAddr),
        seq: &mut [u32; 2],
        flag: char,
        payload: &[u8],
    ) {
        let tcp = ip(src, dst).tcp(src.port(), dst.port(), seq[0], 64_000);
        let tcp = match flag {
            'S' => tcp.syn(),
            's' => tcp.syn().ack(seq[1] + 1),
            _ => tcp.ack(seq[1]),
        };
        let mut frame = Vec::new();
        tcp.write(&mut frame, payload).unwrap();
        self.0.push(frame);
        seq[0] += payload.len() as u32;
    }

    fn lines(&mut self, client: &str, server: &str, lines: &[(char, &str)]) {
        let says = lines.iter().map(|(who, line)| match who {
            'C' => C(line.as_bytes().to_vec()),
            _ => S(line.as_bytes().to_vec()),
        });
        self.tcp(client, server, says);
    }

    /// A question, its answer, and what is done with it.
    fn asked(&mut self) {
        let (client, server) = ("10.9.0.1:41003", "10.9.0.53:53");
        let name = "asked.example.org";
        self.udp(client, server, &dns(Some(name), "", [0; 4]));
        self.udp(server, client, &dns(Some(name), name, [192, 0, 2, 4]));
        let noise = C(b"\xf0\x9f\x01\x02 nothing that anybody knows".to_vec());
        self.tcp("10.9.0.1:41016", "192.0.2.4:5555", [noise]);
    }

    fn dhcp(&mut self) {
        let message = |op: u8, kind: u8, given: [u8; 4]| {
            let mut bytes = vec![0; 236];
            bytes[..8].copy_from_slice(&[op, 1, 6, 0, 1, 2, 3, 4]);
            bytes[16..20].copy_from_slice(&given);
            bytes.extend([0x63, 0x82, 0x53, 0x63, 53, 1, kind]);
            if op == 1 {
                bytes.extend(b"\x0c\x06laptop");
            }
            bytes.push(255);
            bytes
        };
        let asks = message(1, 3, [0; 4]);
        self.udp("0.0.0.0:68", "255.255.255.255:67", &asks);
        let gives = message(2, 5, [10, 9, 0, 77]);
        self.udp("10.9.0.254:67", "10.9.0.77:68", &gives);
    }

    fn ftp(&mut self) {
        self.lines(
            "10.9.0.1:41007",
            "192.0.2.7:21",
            &[
                ('S', "220 ProFTPD Server ready\r\n"),
                ('C', "USER anonymous\r\n"),
                ('S', "331 Anonymous login ok\r\n"),
                ('C', "PASS -\r\n"),
                ('S', "230 Logged in\r\n"),
                ('C', "TYPE I\r\n"),
                ('S', "200 Type set to I\r\n"),
                ('C', "PASV\r\n"),
                ('S', "227 Entering Passive Mode (192,0,2,7,195,90).\r\n"),
                ('C', "RETR file\r\n"),
            ],
        );
        let file = S(b"what is in the file, which nobody can tell by its bytes".to_vec());
        self.tcp("10.9.0.1:41008", "192.0.2.7:50010", [file]);
    }

    /// An invitation, its answer, and a word.
    fn call(&mut self) {
        let sdp = |addr: &str, port: u16| {
            format!(
                "v=0\r\no=- 1 1 IN IP4 {addr}\r\ns=-\r\nc=IN IP4 {addr}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
            )
        };
        let message = |start: &str, body: String| {
            format!(
                "{start}\r\nVia: SIP/2.0/UDP 10.9.0.1:5060\r\nFrom: <sip:a@example.org>\r\n\
                 To: <sip:b@example.org>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
                 Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let invite = message("INVITE sip:b@example.org SIP/2.0", sdp("10.9.0.1", 40_400));
        let accept = message("SIP/2.0 200 OK", sdp("192.0.2.8", 40_500));
        self.udp("10.9.0.1:5060", "192.0.2.8:5060", invite.as_bytes());
        self.udp("192.0.2.8:5060", "10.9.0.1:5060", accept.as_bytes());
        for number in 0..9u8 {
            let mut rtp = vec![0x80, 0, 0, number, 0, 0, number, 160, 1, 2, 3, 4];
            rtp.extend([0xd5; 160]);
            self.udp("10.9.0.1:40400", "192.0.2.8:40500", &rtp);
        }
    }

    /// What no bytes tell, with and without a port that does.
    fn unknown(&mut self) {
        let noise: Vec<u8> = (0..200u8)
            .map(|byte| byte.wrapping_mul(167) ^ 0x9d)
            .collect();
        let says = || (0..6).map(|_| C(noise.clone()));
        self.tcp("10.9.0.1:41011", "192.0.2.11:7777", says());
        self.tcp("10.9.0.1:41012", "192.0.2.11:445", says());
        for _ in 0..6 {
            self.udp("10.9.0.1:41013", "192.0.2.11:7778", &noise);
        }
    }
}

pub(crate) fn request(host: &str) -> Vec<u8> {
    format!("GET /path HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test/1.0\r\n\r\n").into_bytes()
}

pub(crate) fn answer() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
}

/// One record. `alpn`: one protocol, or none; `padding`: bytes of the extension that stands first.
pub(crate) fn client_hello(sni: &str, alpn: &str, padding: usize) -> Vec<u8> {
    let mut extensions = extension(21, &vec![0; padding]);
    let name = [&[0][..], &with_len(sni.as_bytes())].concat();
    extensions.extend(extension(0, &with_len(&name)));
    if !alpn.is_empty() {
        let one = [&[alpn.len() as u8][..], alpn.as_bytes()].concat();
        extensions.extend(extension(16, &with_len(&one)));
    }
    extensions.extend(extension(43, &[2, 3, 4]));
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(with_len(&extensions));
    let message = [&[1, 0][..], &with_len(&body)].concat();
    [&[0x16, 3, 1][..], &with_len(&message)].concat()
}

pub(crate) fn server_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([8; 32]);
    body.extend([0, 0x13, 1, 0]);
    body.extend(with_len(&extension(43, &[3, 4])));
    let message = [&[2, 0][..], &with_len(&body)].concat();
    [&[0x16, 3, 3][..], &with_len(&message)].concat()
}

fn with_len(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &with_len(body)].concat()
}

/// A question without an answer if `name` is empty, an answer without a question if there is none.
pub(crate) fn dns(question: Option<&str>, name: &str, addr: [u8; 4]) -> Vec<u8> {
    let labels = |name: &str| {
        let mut bytes: Vec<u8> = name
            .split('.')
            .flat_map(|label| [&[label.len() as u8][..], label.as_bytes()].concat())
            .collect();
        bytes.push(0);
        bytes
    };
    let answers = u8::from(!name.is_empty());
    let flags = if answers == 1 { 0x81 } else { 1 };
    let id = if question.is_some() { 7 } else { 0 };
    let mut bytes = vec![0, id, flags, 0, 0, u8::from(question.is_some()), 0, answers];
    bytes.extend([0; 4]);
    if let Some(question) = question {
        bytes.extend(labels(question));
        bytes.extend([0, 1, 0, 1]);
    }
    if answers == 1 {
        bytes.extend(labels(name));
        bytes.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        bytes.extend(addr);
    }
    bytes
}

/// The client's first datagram of RFC 9001, appendix A.2, protected with the keys of A.1.
fn quic_initial() -> Vec<u8> {
    const FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868\
        04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578\
        616d706c652e636f6dff01000100000a00080006001d00170018001000070005\
        04616c706e000500050100000000003300260024001d00209370b2c9caa47fba\
        baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400\
        0d0010000e0403050306030203080408050806002d00020101001c0002400100\
        3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000\
        75300901100f088394c8f03e51570806048000ffff";
    let mut packet = hex("c300000001088394c8f03e5157080000449e00000002");
    let mut nonce: [u8; 12] = hex("fa044b2f42a3fd3b46fb255c").try_into().unwrap();
    nonce[11] ^= 2;
    let mut frames = hex(FRAME);
    frames.resize(1162, 0);
    let tag = aes_gcm::Aes128Gcm::new_from_slice(&hex("1f369613dd76d5467730efcbe3b1a22d"))
        .unwrap()
        .encrypt_in_place_detached(&nonce.into(), &packet, &mut frames)
        .unwrap();
    packet.extend(frames);
    packet.extend(tag);
    let mut mask = aes::Block::clone_from_slice(&packet[22..38]);
    aes::Aes128::new_from_slice(&hex("9f50449e04a0e810283a1e9933adedd2"))
        .unwrap()
        .encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    for (byte, mask) in packet[18..22].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
    }
    let start = hex("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11");
    assert!(packet.starts_with(&start), "the packet of the RFC");
    packet
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn ip(src: SocketAddr, dst: SocketAddr) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    match (src, dst) {
        (SocketAddr::V4(src), SocketAddr::V4(dst)) => {
            ethernet.ipv4(src.ip().octets(), dst.ip().octets(), 64)
        }
        (SocketAddr::V6(src), SocketAddr::V6(dst)) => {
            ethernet.ipv6(src.ip().octets(), dst.ip().octets(), 64)
        }
        _ => panic!("{src} and {dst} are of two kinds"),
    }
}

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn swapped([a, b]: [u32; 2]) -> [u32; 2] {
    [b, a]
}
