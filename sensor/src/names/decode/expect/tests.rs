use proptest::prelude::*;
use sensor_common::flow::FlowKey;

use super::*;

const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [198, 51, 100, 2];

fn key(from: [u8; 4], to: [u8; 4], protocol: u8) -> FlowKey {
    FlowKey::ipv4(u32::from_ne_bytes(from), u32::from_ne_bytes(to), protocol)
}

fn told(key: FlowKey, application: Application, payload: &[u8]) -> Vec<String> {
    let sample = Sample {
        key,
        at: None,
        payload,
        payload_len: payload.len() as u32,
        tcp_seq: None,
        number: 0,
        last: false,
    };
    let mut all = Vec::new();
    announced(&sample, application, &mut |one| {
        let transport = if one.protocol == ip::TCP {
            "tcp"
        } else {
            "udp"
        };
        all.push(format!(
            "{} {transport} {} {}",
            one.application, one.addr, one.port
        ));
    });
    all
}

/// From the server.
fn ftp(payload: &str) -> Vec<String> {
    told(
        key(SERVER, CLIENT, ip::TCP),
        Application::Ftp,
        payload.as_bytes(),
    )
}

#[test]
fn ftp_servers_announce_a_port() {
    let here = ["ftp-data tcp 198.51.100.2 1025"];
    assert_eq!(
        ftp("227 Entering Passive Mode (198,51,100,2,4,1).\r\n"),
        here
    );
    assert_eq!(ftp("227 Entering Passive Mode. 198,51,100,2,4,1\r\n"), here);
    assert_eq!(ftp("227 =198,51,100,2,4,1,\r\n"), here);
    assert_eq!(ftp("229 Extended Passive (|||1025|)\r\n"), here);
    // The address of a server behind a translator: both are waited for.
    assert_eq!(
        ftp("227 Passive (10,0,0,2,4,1)\r\n"),
        ["ftp-data tcp 10.0.0.2 1025", here[0]]
    );
    assert_eq!(ftp("227 Passive (0,0,0,0,4,1)\r\n"), here);
}

#[test]
fn ftp_clients_announce_a_port() {
    let here = ["ftp-data tcp 192.0.2.1 1025"];
    assert_eq!(ftp("PORT 192,0,2,1,4,1\r\n"), here);
    assert_eq!(ftp("port 192,0,2,1,4,1\r\n"), here);
    assert_eq!(ftp("EPRT |1|192.0.2.1|1025|\r\n"), here);
    assert_eq!(
        ftp("EPRT !2!2001:db8::1!1025!\r\n"),
        ["ftp-data tcp 2001:db8::1 1025"]
    );
}

#[test]
fn half_and_wrong_announcements_are_none() {
    for line in [
        "227 Entering Passive Mode (198,51,100,2,4,1", // no end of line
        "227 Passive (198,51,100,2,4)\r\n",
        "227 Passive (198,51,100,2,4,1,7)\r\n",
        "227 Passive (198,51,100,256,4,1)\r\n",
        "227 Passive (198,51,100,2,0,0)\r\n",
        "227-Passive (198,51,100,2,4,1)\r\n",
        "220 (198,51,100,2,4,1)\r\n",
        "229 Extended (|||70000|)\r\n",
        "229 Extended (||1025|)\r\n",
        "229 Extended (|||1025\r\n",
        "PORT 192,0,2,1,4\r\n",
        "EPRT |1|2001:db8::1|1025|\r\n",
        "EPRT |2|192.0.2.1|1025|\r\n",
        "EPRT |3|192.0.2.1|1025|\r\n",
    ] {
        assert_eq!(ftp(line), [""; 0], "{line}");
    }
}

/// From the client, by UDP.
fn sip(body: &str) -> Vec<String> {
    let head =
        "INVITE sip:a@example.com SIP/2.0\r\nc: application/sdp\r\nm=audio 1 RTP/AVP 0\r\n\r\n";
    let text = format!("{head}{body}");
    told(
        key(CLIENT, SERVER, ip::UDP),
        Application::Sip,
        text.as_bytes(),
    )
}

#[test]
fn sdp_announces_sound_and_picture() {
    let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0 8\r\na=rtcp:4007\r\n\
        m=image 4100 udptl t38\r\nc=IN IP4 192.0.2.9\r\n\
        m=video 5000/2 RTP/SAVPF 96\r\nc=IN IP6 2001:db8::5\r\n\
        m=audio 0 RTP/AVP 0\r\n\
        m=audio 6000 TCP/RTP/AVP 0";
    assert_eq!(
        sip(body),
        [
            "rtp udp 192.0.2.1 4000",
            "rtcp udp 192.0.2.1 4007",
            "rtp udp 2001:db8::5 5000",
            "rtcp udp 2001:db8::5 5001",
            "rtp udp 2001:db8::5 5002",
            "rtcp udp 2001:db8::5 5003",
        ]
    );
}

#[test]
fn sdp_without_an_address_announces_nothing() {
    assert_eq!(sip("v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), [""; 0]);
    assert_eq!(
        sip("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n"),
        [""; 0]
    );
    assert_eq!(
        sip("v=0\r\nc=IN IP4 example.com\r\nm=audio 4000 RTP/AVP 0\r\n"),
        [""; 0]
    );
    assert_eq!(
        sip("v=0\r\nc=IN IP6 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"),
        [""; 0]
    );
}

#[test]
fn one_payload_announces_so_much_and_no_more() {
    let body =
        "v=0\r\nc=IN IP4 224.2.1.1/127\r\n".to_owned() + &"m=audio 4000 RTP/AVP 0\r\n".repeat(100);
    let all = sip(&body);
    assert_eq!(
        (all.len(), all[0].as_str()),
        (MOST, "rtp udp 224.2.1.1 4000")
    );
}

fn rtsp(from: [u8; 4], to: [u8; 4], payload: &str) -> Vec<String> {
    told(
        key(from, to, ip::TCP),
        Application::Rtsp,
        payload.as_bytes(),
    )
}

#[test]
fn rtsp_agrees_on_ports() {
    let client = ["rtp udp 192.0.2.1 4588", "rtcp udp 192.0.2.1 4589"];
    let asked =
        "SETUP rtsp://a/b RTSP/1.0\r\ntransport: RTP/AVP;unicast;client_port=4588-4589\r\n\r\n";
    assert_eq!(rtsp(CLIENT, SERVER, asked), client);
    let agreed = "RTSP/1.0 200 OK\r\nTransport: RTP/AVP/UDP;unicast;client_port=4588-4589;server_port=6256-6257;source=198.51.100.7\r\n\r\n";
    let both = [
        client[0],
        client[1],
        "rtp udp 198.51.100.7 6256",
        "rtcp udp 198.51.100.7 6257",
    ];
    assert_eq!(rtsp(SERVER, CLIENT, agreed), both);
    let group = "RTSP/1.0 200 OK\r\nTransport: RTP/AVP;multicast;destination=224.2.0.1;port=3456;ttl=16\r\n\r\n";
    assert_eq!(
        rtsp(SERVER, CLIENT, group),
        ["rtp udp 224.2.0.1 3456", "rtcp udp 224.2.0.1 3457"]
    );
    let inside = "SETUP rtsp://a/b RTSP/1.0\r\nTransport: RTP/AVP/TCP;interleaved=0-1,RAW/RAW/UDP;client_port=1-2\r\n\r\n";
    assert_eq!(rtsp(CLIENT, SERVER, inside), [""; 0]);
}

#[test]
fn other_channels_announce_nothing() {
    let payload = b"227 Entering Passive Mode (198,51,100,2,4,1).\r\n";
    assert!(told(key(SERVER, CLIENT, ip::TCP), Application::Smtp, payload).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..300), which in 0usize..8) {
        let begin = ["227 (", "229 (|||", "PORT ", "EPRT |", "v=0\nm=", "v=0\nc=IN IP4 ", "v=0\nm=audio 5 RTP/AVP\na=rtcp:", "Transport: RTP/AVP;"];
        let payload = [begin[which].as_bytes(), &bytes, b"\n"].concat();
        for application in [Application::Ftp, Application::Sip, Application::Rtsp] {
            for payload in [&bytes, &payload] {
                prop_assert!(told(key(SERVER, CLIENT, ip::UDP), application, payload).len() <= MOST);
            }
        }
    }

    #[test]
    fn numbers_of_any_size_pass(a: u64, b: u64, c: u32) {
        for line in [
            format!("v=0\r\nc=IN IP4 192.0.2.1/{c}\r\nm=audio {a}/{b} RTP/AVP 0\r\na=rtcp:{c}\r\n"),
            format!("Transport: RTP/AVP;client_port={a}-{b};server_port={c}\r\n"),
            format!("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 65535/{b} RTP/AVP 0\r\n"),
        ] {
            told(key(SERVER, CLIENT, ip::TCP), Application::Rtsp, line.as_bytes());
        }
    }
}
