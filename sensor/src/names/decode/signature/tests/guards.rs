//! What only looks alike, or is there by chance, gets no label.

use sensor_common::application::Application;
use sensor_common::protocol::ip;

use super::messages::query;
use super::{Talk, bytes};

const ANY: u16 = 40404;

#[test]
fn tls_is_none_in_datagrams() {
    let hello = bytes(&[&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3], &[7; 194]]);
    assert_eq!(Talk::udp(ANY).ask(&hello), None);
    let record = bytes(&[&[23, 3, 3, 0, 32], &[7; 32]]);
    assert_eq!(Talk::udp(ANY).ask(&record), None);
    // Nor is a length that leads nowhere.
    assert_eq!(
        Talk::tcp(ANY).ask(&bytes(&[&[23, 3, 3, 0, 31], &[7; 32]])),
        None
    );
}

#[test]
fn quic_is_none_in_media_and_short_headers() {
    for first in [0x40, 0x80, 0xc0, 0xff, 0x21] {
        let packet = bytes(&[&[first, 96, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4], &[0; 1200]]);
        assert_eq!(Talk::udp(443).ask(&packet), None, "{first:#x}");
    }
    // Version 1, but ids that are longer than ids are.
    let packet = bytes(&[&[0xc3, 0, 0, 0, 1, 21], &[7; 1200]]);
    assert_eq!(Talk::udp(443).ask(&packet), None);
}

#[test]
fn counters_are_not_wireguard() {
    let mut talk = Talk::udp(ANY);
    for number in 1..=4_u32 {
        for length in [148, 92, 64, 96] {
            let mut packet = vec![7; length];
            packet[..4].copy_from_slice(&number.to_le_bytes());
            assert_eq!(talk.ask(&packet), None, "{number} {length}");
            let mut empty = vec![0; length];
            empty[..4].copy_from_slice(&number.to_le_bytes());
            assert_eq!(talk.answer(&empty), None, "{number} {length}");
        }
    }
}

#[test]
fn length_prefixes_are_not_kafka_or_mysql() {
    let request = b"\0\0\0\x11\0\x12\0\0\0\0\0\x07\0\x07rdkafka";
    let mut talk = Talk::tcp(ANY);
    assert_eq!(talk.ask(request), None);
    assert_eq!(talk.ask(request), None);
    // An echo is no answer.
    assert_eq!(talk.answer(request), None);
    // Number 0, protocol 10, but no version behind it.
    let packet = bytes(&[&[31, 0, 0, 0, 10], &[b'a'; 30]]);
    assert_eq!(Talk::tcp(3306).answer(&packet), None);
}

#[test]
fn a_letter_may_hold_anything() {
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    // A capture that begins in the middle of a letter.
    assert_eq!(Talk::tcp(25).ask(request), None);
    // On any port: where the server has greeted, and behind the first payload.
    let mut greeted = Talk::tcp(ANY);
    assert_eq!(greeted.answer(b"220 hello there\r\n"), None);
    assert_eq!(greeted.ask(request), None);
    let mut later = Talk::tcp(ANY);
    assert_eq!(later.ask(b"hello\r\n"), None);
    assert_eq!(later.ask(request), None);
    assert_eq!(Talk::tcp(ANY).ask(b"GET me out of here\r\n"), None);
    assert_eq!(Talk::tcp(ANY).ask(b"GET / HTTP/1.1"), None);
}

#[test]
fn a_question_alone_is_not_dns() {
    let mut talk = Talk::udp(ANY);
    assert_eq!(talk.ask(&query(false)), None);
    assert_eq!(talk.ask(&query(false)), None);
    // An answer to another question.
    let mut other = query(true);
    other[13] = b'y';
    assert_eq!(talk.answer(&other), None);
    let mut id = query(true);
    id[0] = 0x13;
    assert_eq!(talk.answer(&id), None);
    assert_eq!(talk.answer(&query(true)), Some(Application::Dns));
    // On the port, the head must be one.
    let mut reserved = query(false);
    reserved[3] = 0x40;
    assert_eq!(Talk::udp(53).ask(&reserved), None);
}

#[test]
fn media_need_three_packets_that_follow_one_another() {
    let packet = |sequence: u8, source: u8| {
        bytes(&[
            &[0x80, 0, 1, sequence, 0, 0, 0, 9, source, 2, 3, 4],
            &[0; 160],
        ])
    };
    for run in [
        [(1, 1), (2, 1), (3, 2)],
        [(1, 1), (1, 1), (1, 1)],
        [(9, 1), (8, 1), (7, 1)],
    ] {
        let mut talk = Talk::udp(ANY);
        for (sequence, source) in run {
            assert_eq!(talk.ask(&packet(sequence, source)), None);
        }
    }
}

/// Numbers without end (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
}

/// Four payloads each way of conversations on ports from `lowest` on: how many payloads were looked at, and the labels.
fn chance(
    seed: u64,
    conversations: u32,
    lowest: u64,
    byte: fn(u64) -> u8,
) -> (u32, Vec<Application>) {
    let mut numbers = Numbers(seed);
    let mut buffer = [0_u8; 512];
    let mut labels = Vec::new();
    let mut looked = 0;
    for _ in 0..conversations {
        let protocol = if numbers.below(2) == 0 {
            ip::TCP
        } else {
            ip::UDP
        };
        let mut port = || (lowest + numbers.below(65_536 - lowest)) as u16;
        let mut talk = Talk::new(protocol, port(), port());
        for turn in 0..8 {
            // Short ones more often: most formats are short.
            let most = 1 << (1 + numbers.below(9));
            let length = 1 + numbers.below(most) as usize;
            for place in buffer[..length].chunks_mut(8) {
                let bytes = numbers.next().to_le_bytes().map(|one| byte(one.into()));
                place.copy_from_slice(&bytes[..place.len()]);
            }
            looked += 1;
            if let Some(label) = talk.say(turn % 2 == 1, &buffer[..length]) {
                labels.push(label);
                break;
            }
        }
    }
    (looked, labels)
}

#[test]
fn random_bytes_stay_without_label() {
    // Ten million where the compiler optimizes.
    let conversations = if cfg!(debug_assertions) {
        25_000
    } else {
        1_250_000
    };
    let (looked, labels) = chance(1, conversations, 1024, |byte| byte as u8);
    assert!(looked > conversations * 7);
    assert!(
        labels.len() as u32 * 100_000 < looked,
        "{looked} {labels:?}"
    );
}

/// Zeros, ones and other low numbers are what binary formats are full of; letters and line ends what text is.
#[test]
fn likely_bytes_stay_without_label() {
    let low = |byte: u64| [0, 0, 0, 0, 1, 2, 4, 0xff][byte as usize % 8];
    let text = |byte: u64| b"GETPOST 0123456789\r\n/*+-.:<>"[byte as usize % 28];
    for byte in [low, text] {
        let (looked, labels) = chance(2, 10_000, 20_000, byte);
        assert!(labels.len() as u32 * 2_000 < looked, "{looked} {labels:?}");
    }
}

/// Whatever is cut, wherever, nothing panics: each protocol's ports, random bytes behind plausible ones.
#[test]
fn nothing_panics() {
    let ports = [
        21, 23, 25, 49, 53, 67, 69, 88, 102, 110, 111, 119, 123, 135, 137, 138, 139, 143, 161, 179,
        389, 445, 500, 502, 514, 520, 521, 547, 623, 646, 1080, 1194, 1433, 1521, 1701, 1720, 1723,
        1812, 1883, 1900, 1935, 2049, 2055, 2123, 2152, 2181, 3306, 3389, 3478, 3544, 3784, 3868,
        4500, 4569, 4739, 4789, 5060, 5351, 5353, 5355, 5432, 5683, 6000, 6081, 6343, 6379, 9042,
        9092, 11211, 20000, 27017, 44818, 47808, 51820,
    ];
    let mut numbers = Numbers(3);
    for protocol in [ip::TCP, ip::UDP] {
        for port in ports {
            for _ in 0..200 {
                let mut talk = Talk::new(protocol, 50123, port);
                for turn in 0..8 {
                    let mut payload = vec![0; 1 + numbers.below(80) as usize];
                    let spread = 1 + numbers.below(256);
                    payload.fill_with(|| numbers.below(spread) as u8);
                    talk.say(turn % 2 == 1, &payload);
                }
            }
        }
    }
}
