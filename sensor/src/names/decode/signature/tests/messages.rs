//! One conversation for each protocol: what must be told, and after how many payloads.

use sensor_common::application::Application::{self, *};

use super::{Talk, bytes};

/// Asserts that the first payload of a client tells.
fn tcp(port: u16, payload: &[u8], expected: Application) {
    assert_eq!(Talk::tcp(port).ask(payload), Some(expected), "{expected}");
}

fn udp(port: u16, payload: &[u8], expected: Application) {
    assert_eq!(Talk::udp(port).ask(payload), Some(expected), "{expected}");
}

/// The same for the server's first payload.
fn tcp_answer(port: u16, payload: &[u8], expected: Application) {
    let found = Talk::tcp(port).answer(payload);
    assert_eq!(found, Some(expected), "{expected}");
}

const ANY: u16 = 40404;

#[test]
fn lines_of_text() {
    tcp(ANY, b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", Http);
    tcp(ANY, b"CONNECT x.org:443 HTTP/1.1\r\n\r\n", HttpProxy);
    tcp(ANY, b"GET http://x.org/ HTTP/1.1\r\n\r\n", HttpProxy);
    tcp(80, b"GET http://x.org/ HTTP/1.1\r\n\r\n", Http);
    tcp_answer(ANY, b"HTTP/1.1 200 OK\r\n\r\n", Http);
    // A line that goes on in the next segment.
    tcp(ANY, format!("GET /{}", "a".repeat(600)).as_bytes(), Http);
    tcp(ANY, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04", Http2);
    tcp_answer(ANY, &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100], Http2);
    tcp_answer(ANY, b"SSH-2.0-OpenSSH_9.6\r\n", Ssh);
    tcp_answer(ANY, b"RFB 003.008\n", Vnc);
    tcp_answer(ANY, b"@RSYNCD: 31.0\n", Rsync);
    tcp(
        ANY,
        b"0033git-upload-pack /project.git\0host=myserver.com\0",
        Git,
    );
    tcp_answer(ANY, b"( success ( 2 2 ( ) ( edit-pipeline ) ) ) ", Svn);
    tcp(ANY, b"OPTIONS rtsp://x/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n", Rtsp);
    tcp(
        ANY,
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'>",
        Xmpp,
    );
    tcp(ANY, b"NICK joe\r\nUSER joe 0 * :Joe\r\n", Irc);
    tcp(6667, b"NICK joe\r\n", Irc);
    tcp_answer(
        ANY,
        b"INFO {\"server_id\":\"N\",\"version\":\"2\"} \r\n",
        Nats,
    );
    tcp(ANY, b"CONNECT\naccept-version:1.2\nhost:x\n\n\0", Stomp);
    for transport in [tcp, udp] {
        transport(ANY, b"INVITE sip:bob@x.org SIP/2.0\r\nVia: x\r\n\r\n", Sip);
        transport(ANY, b"SIP/2.0 180 Ringing\r\n\r\n", Sip);
    }
    udp(1900, b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n", Ssdp);
    udp(
        ANY,
        b"<34>1 2003-10-11T22:14:15.003Z host app - - - hi",
        Syslog,
    );
    udp(ANY, b"<13>Oct  1 22:14:15 host app: hi", Syslog);
    udp(514, b"<13>hi", Syslog);
    tcp(514, b"20 <13>1 - - - - - - hello", Syslog);
}

#[test]
fn dialogues() {
    let mut mail = Talk::tcp(ANY);
    assert_eq!(mail.answer(b"220 hello there\r\n"), None);
    assert_eq!(mail.ask(b"EHLO me.org\r\n"), Some(Smtp));
    let mut files = Talk::tcp(ANY);
    assert_eq!(files.answer(b"220 hello there\r\n"), None);
    assert_eq!(files.ask(b"USER joe\r\n"), Some(Ftp));
    let mut letters = Talk::tcp(ANY);
    assert_eq!(letters.answer(b"+OK hello there\r\n"), None);
    assert_eq!(letters.ask(b"USER joe\r\n"), Some(Pop3));
    let mut folders = Talk::tcp(ANY);
    assert_eq!(folders.answer(b"* OK hello there\r\n"), None);
    assert_eq!(folders.ask(b"a1 LOGIN joe secret\r\n"), Some(Imap));
    // The greeting may be taken after the answer to it.
    let mut turned = Talk::tcp(ANY);
    assert_eq!(turned.ask(b"USER joe\r\n"), None);
    assert_eq!(turned.answer(b"220 hello there\r\n"), Some(Ftp));
    tcp_answer(25, b"220 mx.org ready\r\n", Smtp);
    tcp_answer(ANY, b"220 mx.org ESMTP\r\n", Smtp);
    tcp_answer(21, b"220 ready\r\n", Ftp);
    tcp_answer(110, b"+OK ready\r\n", Pop3);
    tcp_answer(143, b"* OK ready\r\n", Imap);
    tcp_answer(119, b"200 news ready\r\n", Nntp);
}

#[test]
fn databases() {
    let version = b"8.0.30\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xc7\x15\0\0\0\0\0\0\0\0\0\0";
    let length = (version.len() + 1) as u8;
    tcp_answer(ANY, &bytes(&[&[length, 0, 0, 0, 10], version]), Mysql);
    tcp(ANY, b"\0\0\0\x14\0\x03\0\0user\0joe\0\0\0\0", Postgresql);
    tcp(ANY, b"\0\0\0\x08\x04\xd2\x16\x2f", Postgresql);
    tcp(ANY, b"*1\r\n$4\r\nPING\r\n", Redis);
    tcp_answer(6379, b"+OK\r\n", Redis);
    let mut query = vec![0; 40];
    query[0] = 40;
    query[12..14].copy_from_slice(&[0xd4, 7]);
    query[20..30].copy_from_slice(b"admin.$cmd");
    tcp(ANY, &query, Mongodb);
    let prelogin = [
        &[0x12, 1, 0, 0x14, 0, 0, 0, 0][..],
        &[0, 0, 6, 0, 6, 0xff],
        &[0; 6],
    ];
    tcp(ANY, &bytes(&prelogin), Mssql);
    let startup = b"\x04\0\0\0\x01\0\0\0\x0f\0\x01\0\x0bCQL_VERSION";
    let mut startup = startup.to_vec();
    startup[8] = (startup.len() - 9) as u8;
    tcp(ANY, &startup, Cassandra);
    tcp(9042, &[4, 0, 0, 0, 5, 0, 0, 0, 0], Cassandra);
    tcp(2181, b"ruok", Zookeeper);
    tcp(11211, b"get key\r\n", Memcached);
    udp(11211, b"\0\x01\0\0\0\x01\0\0stats\r\n", Memcached);
    let mut cache = Talk::tcp(ANY);
    assert_eq!(cache.ask(b"get key\r\n"), None);
    assert_eq!(
        cache.answer(b"VALUE key 0 1\r\n1\r\nEND\r\n"),
        Some(Memcached)
    );
}

#[test]
fn queues() {
    tcp(ANY, b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0", Mqtt);
    tcp(1883, &[0xc0, 0], Mqtt);
    tcp(ANY, b"AMQP\0\0\x09\x01", Amqp);
    udp(5683, &[0x40, 1, 0, 1, 0xb4, b't', b'e', b's', b't'], Coap);
    let request = b"\0\0\0\x11\0\x12\0\0\0\0\0\x07\0\x07rdkafka";
    tcp(9092, request, Kafka);
    let mut kafka = Talk::tcp(ANY);
    assert_eq!(kafka.ask(request), None);
    assert_eq!(kafka.answer(b"\0\0\0\x06\0\0\0\x07\0\0"), Some(Kafka));
    let mut other = Talk::tcp(ANY);
    assert_eq!(other.ask(request), None);
    assert_eq!(other.answer(b"\0\0\0\x06\0\0\0\x08\0\0"), None);
}

#[test]
fn directories_and_remote_access() {
    let bind = [0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0];
    tcp(ANY, &bind, Ldap);
    udp(389, &bind, Cldap);
    let request = [0x6a, 9, 0x30, 7, 0xa1, 3, 2, 1, 5, 0xa2, 0];
    udp(ANY, &request, Kerberos);
    tcp(ANY, &bytes(&[&[0, 0, 0, 11], &request]), Kerberos);
    tcp(ANY, b"\0\0\0\x44\xfeSMB\x40\0\0\0", Smb);
    tcp(139, &bytes(&[&[0x81, 0, 0, 68], &[0x20; 68]]), NetbiosSsn);
    let cookie = b"\x03\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=joe\r\n\x01\0\x08\0\x03\0\0\0";
    let mut cookie = cookie.to_vec();
    (cookie[3], cookie[4]) = (cookie.len() as u8, cookie.len() as u8 - 5);
    tcp(ANY, &cookie, Rdp);
    let mut rpc = [5, 0, 11, 3, 0x10, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0].to_vec();
    rpc.extend([0; 8]);
    tcp(ANY, &rpc, Msrpc);
    tcp_answer(ANY, &[0xff, 0xfd, 0x18, 0xff, 0xfb, 1], Telnet);
    tcp(1080, &[5, 1, 0], Socks);
    let mut socks = Talk::tcp(ANY);
    assert_eq!(socks.ask(&[5, 1, 0]), None);
    assert_eq!(socks.answer(&[5, 0]), Some(Socks));
    let mut start = vec![0; 1537];
    start[0] = 3;
    tcp(ANY, &start, Rtmp);
    for (program, label) in [(100_000, Rpcbind), (100_003, Nfs), (100_005, Rpc)] {
        let words = [7, 0, 2, program, 3, 0, 0, 0, 0, 0_u32];
        let call: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        udp(ANY, &call, label);
        tcp(ANY, &bytes(&[&[0x80, 0, 0, 40], &call]), label);
    }
}

#[test]
fn infrastructure() {
    let mut time = [0; 48];
    time[0] = 0x23;
    udp(123, &time, Ntp);
    let mut lease = vec![0; 244];
    lease[..4].copy_from_slice(&[1, 1, 6, 0]);
    lease[236..240].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    udp(67, &lease, Dhcp);
    udp(547, &[1, 1, 2, 3, 0, 8, 0, 2, 0, 0], Dhcpv6);
    let community = b"\x30\x0d\x02\x01\x01\x04\x06public\xa0\0";
    udp(ANY, community, Snmp);
    udp(69, b"\0\x01file\0octet\0", Tftp);
    tcp(ANY, &bytes(&[&[0xff; 16], &[0, 19, 4]]), Bgp);
    let mut radius = vec![1, 1, 0, 25];
    radius.extend([7; 16]);
    radius.extend([1, 5, b'j', b'o', b'e']);
    udp(1812, &radius, Radius);
    udp(138, &[0x11, 2, 0, 1, 10, 0, 0, 1, 0, 138], NetbiosDgm);
    let mut flows = vec![0; 72];
    flows[..4].copy_from_slice(&[0, 5, 0, 1]);
    flows[8..12].copy_from_slice(&1_700_000_000_u32.to_be_bytes());
    udp(ANY, &flows, Netflow);
    let mut export = vec![0, 10, 0, 24];
    export.extend(1_700_000_000_u32.to_be_bytes());
    export.extend([0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 8, 1, 2, 3, 4]);
    udp(ANY, &export, Ipfix);
    let words = [5, 1, 0x0a00_0001, 0, 1, 1000, 1, 1_u32];
    let samples: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    udp(6343, &samples, Sflow);
}

/// A query for x.org, and its answer.
pub(super) fn query(answers: bool) -> Vec<u8> {
    let flags = if answers { 0x81 } else { 1 };
    let head = [0x12, 0x34, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    bytes(&[&head, b"\x01x\x03org\0\0\x01\0\x01"])
}

#[test]
fn names() {
    for (port, label) in [(53, Dns), (5353, Mdns), (5355, Llmnr)] {
        udp(port, &query(false), label);
    }
    tcp(53, &bytes(&[&[0, 23], &query(false)]), Dns);
    let mut elsewhere = Talk::udp(ANY);
    assert_eq!(elsewhere.ask(&query(false)), None);
    assert_eq!(elsewhere.answer(&query(true)), Some(Dns));
    let name = [
        &query(false)[..12],
        b"\x20",
        &[b'C'; 32],
        &[0, 0, 0x20, 0, 1],
    ];
    udp(137, &bytes(&name), NetbiosNs);
}

#[test]
fn voice() {
    let stun = bytes(&[&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], &[7; 12]]);
    for port in [3478, 5349, 19302] {
        udp(port, &stun, Stun);
    }
    tcp(ANY, &bytes(&[&[0, 20], &stun]), Stun);
    let classic = bytes(&[&[0, 1, 0, 0], &[7; 16]]);
    udp(3478, &classic, Stun);
    let mut call = Talk::udp(ANY);
    assert_eq!(call.ask(&classic), None);
    let answer = bytes(&[
        &[1, 1, 0, 12],
        &[7; 16],
        &[0, 1, 0, 8, 0, 1, 1, 2, 3, 4, 5, 6],
    ]);
    assert_eq!(call.answer(&answer), None);
    assert_eq!(call.hints.otherwise(), Some(Stun));
    let mut sound = Talk::udp(ANY);
    let packet = |sequence: u8| {
        bytes(&[
            &[0x80, 0, 1, sequence],
            &[0, 0, 0, 9, 1, 2, 3, 4],
            &[0; 160],
        ])
    };
    assert_eq!(sound.ask(&packet(1)), None);
    assert_eq!(sound.ask(&packet(2)), None);
    assert_eq!(sound.ask(&packet(3)), Some(Rtp));
    let report = [
        0x80, 201, 0, 1, 1, 2, 3, 4, 0x81, 202, 0, 2, 1, 2, 3, 4, 1, 0, 0, 0,
    ];
    udp(ANY, &report, Rtcp);
}

/// RFC 7983: what STUN opens comes on the same ports, and is what the conversation is.
#[test]
fn stun_between_peers_opens_something_else() {
    let stun = bytes(&[&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], &[7; 12]]);
    let media = |sequence: u8| {
        let head = [0x80, 96, 0, sequence, 0, 0, 0, 9, 1, 2, 3, 4];
        bytes(&[&head, &[0x55; 100]])
    };
    let mut call = Talk::udp(ANY);
    assert_eq!(call.hints.otherwise(), None);
    for said in [call.ask(&stun), call.answer(&stun), call.ask(&stun)] {
        assert_eq!(said, None);
    }
    assert_eq!(call.hints.otherwise(), Some(Stun));
    assert_eq!(call.ask(&media(1)), None);
    assert_eq!(call.ask(&stun), None, "checked again");
    assert_eq!(call.ask(&media(2)), Some(Rtp));

    let mut keyed = Talk::udp(ANY);
    assert_eq!(keyed.ask(&stun), None);
    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52];
    record.extend([1, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40]);
    record.extend([7; 40]);
    assert_eq!(keyed.answer(&record), Some(Dtls));

    // Reports beside the media that are to come.
    let mut reports = Talk::udp(ANY);
    let report = [
        0x80, 201, 0, 1, 1, 2, 3, 4, 0x81, 202, 0, 2, 1, 2, 3, 4, 1, 0, 0, 0,
    ];
    assert_eq!(reports.ask(&stun), None);
    assert_eq!(reports.ask(&report), None);
    assert_eq!(reports.hints.otherwise(), Some(Rtcp));
}

#[test]
fn tunnels() {
    let mut start = vec![7; 148];
    start[..4].copy_from_slice(&[1, 0, 0, 0]);
    start[132..].fill(0);
    udp(ANY, &start, Wireguard);
    udp(ANY, &bytes(&[&[0x38], &[7; 8], &[0; 5]]), Openvpn);
    tcp(ANY, &bytes(&[&[0, 14, 0x38], &[7; 8], &[0; 5]]), Openvpn);
    let mut key = vec![7; 8];
    key.extend([0; 8]);
    key.extend([33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28]);
    udp(500, &key, Ike);
    udp(4500, &bytes(&[&[0; 4], &key]), Ike);
    udp(4500, &bytes(&[&[1, 2, 3, 4, 0, 0, 0, 1], &[7; 32]]), EspUdp);
    udp(4789, &bytes(&[&[8, 0, 0, 0, 0, 0, 9, 0], &[7; 20]]), Vxlan);
    udp(
        6081,
        &bytes(&[&[0, 0, 0x65, 0x58, 0, 0, 9, 0], &[7; 20]]),
        Geneve,
    );
    udp(2152, &[0x30, 255, 0, 4, 0, 0, 0, 1, 0x45, 0, 0, 0], GtpU);
    udp(2123, &[0x48, 32, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0], GtpC);
    udp(1701, &[0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0], L2tp);
    let mut inner = vec![0x60, 0, 0, 0, 0, 0, 59, 64, 0x20, 1, 0, 0];
    inner.extend([0; 28]);
    udp(ANY, &inner, Teredo);
}

#[test]
fn handshakes_and_peers() {
    let hello = bytes(&[&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3], &[7; 194]]);
    tcp(ANY, &hello, Tls);
    tcp(ANY, &bytes(&[&[23, 3, 3, 0, 32], &[7; 32]]), Tls);
    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52];
    record.extend([1, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40]);
    record.extend([7; 40]);
    udp(ANY, &record, Dtls);
    let initial = bytes(&[
        &[0xc3, 0, 0, 0, 1, 8],
        &[7; 8],
        &[0, 0, 0x44, 0xd0],
        &[7; 1182],
    ]);
    udp(ANY, &initial, Quic);
    tcp(
        ANY,
        &bytes(&[b"\x13BitTorrent protocol", &[0; 48]]),
        Bittorrent,
    );
    udp(
        ANY,
        b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
        Bittorrent,
    );
    let syn = [
        0x41, 0, 1, 2, 9, 9, 9, 9, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0,
    ];
    udp(ANY, &syn, Bittorrent);
    let mut later = Talk::udp(ANY);
    let data = |id: u8, sequence: u8, acknowledged: u8| {
        bytes(&[
            &[
                1,
                0,
                5,
                id,
                9,
                9,
                9,
                9,
                1,
                1,
                1,
                1,
                0,
                4,
                0,
                0,
                0,
                sequence,
                0,
                acknowledged,
            ],
            &[7; 9],
        ])
    };
    assert_eq!(later.ask(&data(8, 3, 60)), None);
    assert_eq!(later.answer(&data(7, 61, 3)), Some(Bittorrent));
}
