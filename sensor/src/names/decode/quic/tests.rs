use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use aes_gcm::aead::AeadInPlace as _;
use proptest::prelude::*;

use super::header::{DRAFT_29, V1, V2};
use super::keys::Keys;
use super::*;
use crate::names::decode::tls::{self, Hello, Transport};

const DCID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const SERVER_S: [u8; 8] = [1; 8];

/// The CRYPTO frame of RFC 9001 appendix A.2.
const FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868\
    04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578\
    616d706c652e636f6dff01000100000a00080006001d00170018001000070005\
    04616c706e000500050100000000003300260024001d00209370b2c9caa47fba\
    baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400\
    0d0010000e0403050306030203080408050806002d00020101001c0002400100\
    3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000\
    75300901100f088394c8f03e51570806048000ffff";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn hello() -> Vec<u8> {
    bytes(FRAME)[4..].to_vec()
}

/// An Initial packet of the client, protected with the keys of `keyed`.
fn seal(version: u32, keyed: &[u8], dcid: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
    let keys = Keys::client(version, keyed).unwrap();
    let first = if version == V2 { 0xd3 } else { 0xc3 };
    let len = 0x4000 | (frames.len() + 4 + 16) as u16;
    let mut packet = [
        &[first],
        &version.to_be_bytes()[..],
        &[dcid.len() as u8],
        dcid,
    ]
    .concat();
    packet.extend([0, 0]); // no source id, no token
    packet.extend(len.to_be_bytes());
    let at = packet.len();
    packet.extend(number.to_be_bytes());
    let mut nonce = keys.iv;
    for (byte, number) in nonce[8..].iter_mut().zip(number.to_be_bytes()) {
        *byte ^= number;
    }
    let mut sealed = frames.to_vec();
    let tag = aes_gcm::Aes128Gcm::new(&keys.key.into())
        .encrypt_in_place_detached(&nonce.into(), &packet, &mut sealed)
        .unwrap();
    packet.extend(sealed);
    packet.extend(tag);
    let mut mask = aes::Block::clone_from_slice(&packet[at + 4..at + 20]);
    aes::Aes128::new(&keys.hp.into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    for (byte, mask) in packet[at..at + 4].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
    }
    packet
}

fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let varint = |value: usize| (0x4000 | value as u16).to_be_bytes();
    [&[6], &varint(offset)[..], &varint(data.len()), data].concat()
}

fn padded(frames: &[&[u8]]) -> Vec<u8> {
    let mut frames = frames.concat();
    frames.resize(1162, 0);
    frames
}

fn of_rfc(version: u32) -> Vec<u8> {
    seal(version, &DCID, &DCID, 2, &padded(&[&bytes(FRAME)]))
}

/// Appendix A.2 of RFC 9001 and of RFC 9369. The tag covers all of the packet.
#[test]
fn the_rfcs_packets() {
    let vectors = [
        (
            V1,
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
            "e221af44860018ab0856972e194cd934",
        ),
        (
            V2,
            "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
            "a18b2faa745b6fe189cf772a9f84cbfc",
        ),
    ];
    for (version, start, tag) in vectors {
        let packet = of_rfc(version);
        assert_eq!(packet.len(), 1200);
        assert!(packet.starts_with(&bytes(start)) && packet.ends_with(&bytes(tag)));
        let header = long_header(&packet).unwrap();
        assert_eq!(
            (header.version, header.dcid, header.scid),
            (version, &DCID[..], &[][..])
        );
        let mut initials = Initials::default();
        assert!(initials.add(&packet));
        assert_eq!(initials.crypto(), hello());
        let Some(Hello::Client(hello)) = tls::handshake(initials.crypto(), Transport::Quic) else {
            panic!("no hello");
        };
        assert_eq!(hello.sni.as_deref(), Some("example.com"));
        assert_eq!(hello.alpn, ["alpn"]);
        assert_eq!(hello.version, 0x0304);
        assert!(hello.ja4.unwrap().starts_with("q13d0211an_"));
    }
}

#[test]
fn a_packet_that_was_changed_is_none() {
    let mut packet = of_rfc(V1);
    packet[1199] ^= 1;
    let mut initials = Initials::default();
    assert!(!initials.add(&packet));
    assert!(initials.crypto().is_empty());
}

#[test]
fn a_packet_that_is_cut_yields_its_beginning() {
    let packet = of_rfc(V2);
    let mut longest = 0;
    for len in 0..packet.len() {
        let mut initials = Initials::default();
        let used = initials.add(&packet[..len]);
        assert!(hello().starts_with(initials.crypto()));
        assert_eq!(used, len >= 38, "{len}"); // header and sample
        assert!(initials.crypto().len() >= longest);
        longest = initials.crypto().len();
    }
    assert_eq!(longest, hello().len());
}

#[test]
fn a_cut_packet_of_the_server_s_makes_no_sense() {
    let wrong = (0..1000_u32).filter(|number| {
        // Its own keys are not those of the id that it carries.
        let packet = seal(
            V1,
            &SERVER_S,
            &number.to_be_bytes(),
            0,
            &padded(&[&crypto(0, &hello())]),
        );
        let mut initials = Initials::default();
        initials.add(&packet[..600]) && !initials.crypto().is_empty()
    });
    assert_eq!(wrong.count(), 0);
}

/// Random bytes in the place of frames: what a wrong key makes of a packet.
#[test]
fn a_cut_packet_is_not_opened_with_a_wrong_key() {
    let frames = padded(&[&crypto(0, &hello())]);
    let mut opened = 0;
    for wrong in 0..20_000_u32 {
        let id = [&wrong.to_be_bytes()[..], &[7; 4]].concat();
        let packet = seal(V1, &id, &DCID, 0, &frames);
        // Short of frames, the less there is the more of it makes sense by chance.
        for len in [64, 96, 300] {
            opened += u32::from(Initials::default().add(&packet[..len]));
        }
    }
    assert_eq!(opened, 0);
}

/// Of a stream that begins elsewhere nothing can be told.
#[test]
fn a_cut_packet_must_begin_a_hello() {
    let opens = |piece: &[u8]| {
        let packet = seal(V1, &DCID, &DCID, 0, &padded(&[piece]));
        Initials::default().add(&packet[..200])
    };
    assert!(opens(&crypto(0, &hello())));
    assert!(!opens(&crypto(100, &hello()[100..])));
    assert!(!opens(&crypto(0, &[1, 0, 0, 4, 3, 3, 9, 9])));
    let mut other = hello();
    other[4] = 2;
    assert!(!opens(&crypto(0, &other)));
    // In pieces, the first of them behind another.
    let pieces = [crypto(40, &hello()[40..80]), crypto(0, &hello()[..40])];
    assert!(opens(&pieces.concat()));
}

#[test]
fn pieces_in_any_order_in_several_datagrams() {
    let hello = hello();
    let ack = [2, 0x40, 9, 0, 1, 0, 2, 3];
    let ecn = [3, 1, 0, 0, 0, 4, 5, 6];
    let close = [0x1c, 1, 6, 3, b'b', b'y', b'e'];
    let one = padded(&[
        &crypto(200, &hello[200..]),
        &[1],
        &ack,
        &crypto(50, &hello[50..90]),
    ]);
    let two = padded(&[
        &[0, 0, 1],
        &ecn,
        &crypto(80, &hello[80..201]),
        &crypto(0, &hello[..50]),
    ]);
    let three = padded(&[&close, &crypto(0, &hello[..50])]);
    let datagrams: Vec<_> = [one, two, three]
        .iter()
        .zip(0..)
        .map(|(frames, number)| seal(DRAFT_29, &DCID, &DCID, number, frames))
        .collect();
    for order in [[0, 1, 2], [2, 1, 0], [0, 2, 1]] {
        let mut initials = Initials::default();
        for number in order {
            assert!(initials.add(&datagrams[number]));
        }
        assert_eq!(initials.crypto(), hello);
    }
    let mut initials = Initials::default();
    initials.add(&datagrams[0]);
    assert!(initials.crypto().is_empty());
    initials.add(&datagrams[2]);
    assert_eq!(initials.crypto(), &hello[..90]);
}

#[test]
fn the_keys_stay_when_the_server_chooses_an_id() {
    let hello = hello();
    let mut initials = Initials::default();
    assert!(initials.add(&seal(
        V1,
        &DCID,
        &DCID,
        0,
        &padded(&[&crypto(0, &hello[..100])])
    )));
    // In another version, too: the keys are still of the first id.
    let rest = padded(&[&crypto(100, &hello[100..])]);
    assert!(initials.add(&seal(V2, &DCID, &SERVER_S, 1, &rest)));
    assert_eq!(initials.crypto(), hello);
}

#[test]
fn all_begins_anew_after_a_retry() {
    let hello = hello();
    let mut initials = Initials::default();
    assert!(initials.add(&seal(
        V1,
        &DCID,
        &DCID,
        0,
        &padded(&[&crypto(0, b"another one")])
    )));
    let again = seal(V1, &SERVER_S, &SERVER_S, 1, &padded(&[&crypto(0, &hello)]));
    assert!(initials.add(&again));
    assert_eq!(initials.crypto(), hello);
}

#[test]
fn packets_behind_each_other_in_one_datagram() {
    let hello = hello();
    let zero_rtt = [&[0xd0, 0, 0, 0, 1, 0, 0, 20], &[7; 20][..]].concat();
    let first = seal(V1, &DCID, &DCID, 0, &crypto(0, &hello[..100]));
    let second = seal(V1, &DCID, &DCID, 1, &crypto(100, &hello[100..]));
    let mut initials = Initials::default();
    assert!(initials.add(&[zero_rtt.clone(), first, zero_rtt, second, vec![0x40; 30]].concat()));
    assert_eq!(initials.crypto(), hello);
}

#[test]
fn hostile_pieces_are_bounded() {
    let mut initials = Initials::default();
    for number in 0..200 {
        // Every second byte.
        let pieces: Vec<u8> = (0..100)
            .flat_map(|piece| crypto((number * 200 + piece * 2) % 0x3fff, &[1]))
            .collect();
        initials.add(&seal(V1, &DCID, &DCID, number as u32, &pieces));
    }
    let far = [
        &[6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 9][..],
        &[0; 40],
    ]
    .concat();
    assert!(initials.add(&seal(V1, &DCID, &DCID, 999, &far)));
    assert!(initials.crypto().len() <= 16 << 10);
    assert!(format!("{initials:?}").len() < 200_000);
}

#[test]
fn headers_of_other_versions() {
    let negotiation = |versions: &[u32]| {
        let listed = versions.iter().flat_map(|version| version.to_be_bytes());
        let mut packet = vec![0x8a, 0, 0, 0, 0, 2, 5, 6, 1, 7];
        packet.extend(listed);
        long_header(&packet)
            .map(|header| (header.version, header.dcid.to_vec(), header.scid.to_vec()))
    };
    let expected = Some((0, vec![5, 6], vec![7]));
    assert_eq!(negotiation(&[0x1a2a_3a4a, V1, DRAFT_29]), expected);
    assert_eq!(negotiation(&[]), None);
    assert!(negotiation(&[0xface_b002]).is_some());
    assert_eq!(negotiation(&[V1; 33]), None);
    assert_eq!(negotiation(&[0x1234_5678, 0x9abc_def0]), None);

    let q035 = bytes(
        "0d9370e15e7c446d0851303335 01c4c7f61ab7c2b6949c7fc5f0a00100"
            .replace(' ', "")
            .as_str(),
    );
    let header = long_header(&q035).unwrap();
    assert_eq!(&header.version.to_be_bytes(), b"Q035");
    assert_eq!(header.dcid, &q035[1..9]);
    let q046 = bytes("c351303436500123456789abcdef00000001");
    assert_eq!(long_header(&q046).unwrap().dcid, &q046[6..14]);
    for version in [
        *b"Q050",
        *b"T051",
        [0xfa, 0xce, 0xb0, 2],
        [0xff, 0, 0, 0x17],
    ] {
        let id = [8, 1, 2, 3, 4, 5, 6, 7, 8];
        let packet = [&[0xc3], &version[..], &id, &[0], &[7; 17]].concat();
        assert_eq!(long_header(&packet).unwrap().dcid, &id[1..]);
        assert_eq!(long_header(&packet[..31]), None, "no room for a tag");
    }
    let retry = [&[0xf0, 0, 0, 0, 1, 0, 1, 9], &[3; 20][..]].concat();
    assert_eq!(long_header(&retry).unwrap().scid, [9]);
}

#[test]
fn what_only_looks_like_a_header() {
    let none: [&[u8]; 7] = [
        b"",
        &[0xc3, 0, 0, 0, 1],
        &[0x83, 0, 0, 0, 1, 0, 0, 0, 0x40, 0x20, 1, 2], // fixed bit
        &[0xc3, 0, 0, 0, 2, 0, 0, 0, 0x40, 0x20, 1, 2], // version
        &[
            0xc3, 0, 0, 0, 1, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0,
        ],
        &[0xc3, 0, 0, 0, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5], // too short to be sampled
        b"\x09abcdefghT051 and more than enough",
    ];
    for bytes in none {
        assert_eq!(long_header(bytes), None, "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(
        tail in prop::collection::vec(any::<u8>(), 0..200),
        frames in prop::collection::vec(any::<u8>(), 4..200),
        cut in any::<prop::sample::Index>(),
    ) {
        for version in [V1, V2, 0, u32::from_be_bytes(*b"Q046")] {
            let packet = [&[0xc0 | tail.len() as u8], &version.to_be_bytes()[..], &tail].concat();
            let _ = long_header(&packet);
            let _ = Initials::default().add(&packet);
        }
        let mut initials = Initials::default();
        let packet = seal(V1, &DCID, &DCID, 0, &frames);
        prop_assert!(initials.add(&packet));
        initials.add(&packet[..cut.index(packet.len())]);
        prop_assert!(initials.crypto().len() <= 16 << 10);
    }
}
