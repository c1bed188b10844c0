//! Flows that others announce.

use super::*;

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
