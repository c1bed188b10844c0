//! IPv4, IPv6 and its extension headers.

use super::*;

const ADDRESSES: &str = "10.0.0.1 > 10.0.0.2";
const ADDRESSES6: &str = "2001:db8::1 > 2001:db8::2";
const PORTS6: &str = "2001:db8::1:1000 > 2001:db8::2:53 17";

/// An IPv4 packet in a frame, after a change to its header.
fn changed4(mut packet: Vec<u8>, change: impl Fn(&mut [u8])) -> Vec<u8> {
    change(&mut packet);
    ethernet(0x0800, &packet)
}

fn with_total_len(len: u16) -> Vec<u8> {
    changed4(udp4(), |ip| ip[2..4].copy_from_slice(&len.to_be_bytes()))
}

fn with_payload_len(mut packet: Vec<u8>, len: u16) -> Vec<u8> {
    packet[4..6].copy_from_slice(&len.to_be_bytes());
    ethernet(0x86dd, &packet)
}

fn walk6(next: u8, payload: &[u8]) -> String {
    flow(&parsed(&ethernet(0x86dd, &ipv6(next, payload))))
}

#[test]
fn ipv4_options_move_the_ports() {
    for words in 1..=10 {
        let packet = ipv4_with_options(17, &vec![1; words * 4], &udp(b""));
        let packet = parsed(&ethernet(0x0800, &packet));
        assert_udp4(&packet);
        assert_eq!(packet.header_len as usize, 14 + 20 + words * 4 + 8);
    }
}

#[test]
fn ipv4_header_length_below_five_words() {
    for words in 0..5 {
        let frame = changed4(udp4(), |ip| ip[0] = 0x40 | words);
        assert_eq!(parse(&frame), Err(Reason::Ipv4HeaderLength));
    }
}

#[test]
fn ipv4_total_length_below_the_header() {
    for len in [1, 19] {
        assert_eq!(parse(&with_total_len(len)), Err(Reason::Ipv4TotalLength));
    }
    let options = ipv4_with_options(17, &[1; 8], &udp(b""));
    let frame = changed4(options, |ip| ip[2..4].copy_from_slice(&[0, 27]));
    assert_eq!(parse(&frame), Err(Reason::Ipv4TotalLength));
}

#[test]
fn ipv4_total_length_zero_is_a_super_packet() {
    assert_udp4(&parsed(&with_total_len(0)));
}

#[test]
fn ipv4_total_length_beyond_the_frame() {
    assert_udp4(&parsed(&with_total_len(65535)));
}

#[test]
fn padding_is_not_read_as_ports() {
    for len in 20..24 {
        let packet = parsed(&with_total_len(len));
        assert_eq!(
            flow(&packet),
            format!("{ADDRESSES} 17"),
            "total length {len}"
        );
        assert!(!packet.cut);
        assert_eq!(packet.header_len, ETHERNET_LEN + 20);
    }
    assert_udp4(&parsed(&with_total_len(24)));
}

#[test]
fn ipv4_fragments() {
    let fragment = |field: u16| {
        let frame = changed4(udp4(), |ip| ip[6..8].copy_from_slice(&field.to_be_bytes()));
        flow(&parsed(&frame))
    };
    for first in [0x2000, 0x4000, 0x8000, 0xe000] {
        assert_eq!(
            fragment(first),
            "10.0.0.1:1000 > 10.0.0.2:53 17",
            "{first:#06x}"
        );
    }
    for later in [0x0001, 0x2001, 0x1fff, 0x3fff, 0x0100] {
        assert_eq!(fragment(later), format!("{ADDRESSES} 17"), "{later:#06x}");
    }
}

#[test]
fn the_version_must_be_what_was_announced() {
    assert_eq!(parse(&ethernet(0x0800, &udp6())), Err(Reason::IpVersion));
    assert_eq!(
        parse(&ethernet(0x86dd, &ipv4(17, &[0; 60]))),
        Err(Reason::IpVersion)
    );
    for version in (0..16u8).filter(|version| *version != 4) {
        let frame = changed4(udp4(), |ip| ip[0] = version << 4 | 5);
        assert_eq!(parse(&frame), Err(Reason::IpVersion));
    }
}

#[test]
fn each_extension_header_leads_on() {
    for header in [0, 43, 60] {
        for units in [0, 1, 4] {
            assert_eq!(walk6(header, &extension(17, units, &udp(b""))), PORTS6);
        }
    }
    assert_eq!(walk6(44, &fragment(17, 0, true, &udp(b""))), PORTS6);
    assert_eq!(walk6(44, &fragment(17, 0, false, &udp(b""))), PORTS6);
}

#[test]
fn extension_headers_count_as_headers() {
    let payload = extension(43, 2, &extension(17, 0, &udp(b"")));
    let packet = parsed(&ethernet(0x86dd, &ipv6(0, &payload)));
    assert_eq!(packet.header_len, ETHERNET_LEN + 40 + 24 + 8 + 8);
}

#[test]
fn the_length_byte_of_a_fragment_header_is_reserved() {
    let mut payload = fragment(17, 0, true, &udp(b""));
    payload[1] = 0xff;
    assert_eq!(walk6(44, &payload), PORTS6);
}

#[test]
fn later_ipv6_fragments_have_no_ports() {
    for offset in [1, 0x1fff] {
        let payload = fragment(17, offset, true, &udp(b""));
        assert_eq!(walk6(44, &payload), format!("{ADDRESSES6} 17"));
        // Nor extension headers: these bytes are from the middle of the payload.
        let payload = fragment(60, offset, false, &extension(17, 0, &udp(b"")));
        assert_eq!(walk6(44, &payload), format!("{ADDRESSES6} 60"));
    }
}

#[test]
fn chains_of_eight_and_nine() {
    let chain = |count: usize| {
        let rest = (1..count).fold(extension(17, 0, &udp(b"")), |rest, _| {
            extension(60, 0, &rest)
        });
        walk6(60, &rest)
    };
    for count in 1..=8 {
        assert_eq!(chain(count), PORTS6, "{count}");
    }
    assert_eq!(chain(9), format!("{ADDRESSES6} 60"));
    assert_eq!(chain(30), format!("{ADDRESSES6} 60"));
}

#[test]
fn ah_and_esp_end_the_chain() {
    let ah = [&[17, 4, 0, 0], &[0; 20][..], &udp(b"")].concat();
    assert_eq!(walk6(51, &ah), format!("{ADDRESSES6} 51"));
    assert_eq!(walk6(0, &extension(51, 0, &ah)), format!("{ADDRESSES6} 51"));
    assert_eq!(walk6(50, &[7; 32]), format!("{ADDRESSES6} 50"));
    assert_eq!(walk6(59, &[]), format!("{ADDRESSES6} 59"));
    let frame = ethernet(0x0800, &ipv4(51, &ah));
    assert_eq!(flow(&parsed(&frame)), format!("{ADDRESSES} 51"));
}

#[test]
fn ipv6_payload_length_zero_is_a_jumbogram_or_super_packet() {
    assert_eq!(flow(&parsed(&with_payload_len(udp6(), 0))), PORTS6);
    let hop_by_hop = ipv6(0, &extension(17, 0, &udp(b"")));
    assert_eq!(flow(&parsed(&with_payload_len(hop_by_hop, 0))), PORTS6);
}

#[test]
fn ipv6_payload_too_short_for_ports() {
    for len in 1..4 {
        let packet = parsed(&with_payload_len(udp6(), len));
        assert_eq!(flow(&packet), format!("{ADDRESSES6} 17"));
        assert!(!packet.cut);
    }
    assert_eq!(flow(&parsed(&with_payload_len(udp6(), 4))), PORTS6);
}

#[test]
fn ipv6_payload_that_ends_within_the_extension_headers() {
    let payload = extension(60, 0, &extension(17, 0, &udp(b"")));
    let walk = |len| flow(&parsed(&with_payload_len(ipv6(0, &payload), len)));
    assert_eq!(walk(7), format!("{ADDRESSES6} 0"));
    assert_eq!(walk(8), format!("{ADDRESSES6} 60"));
    assert_eq!(walk(15), format!("{ADDRESSES6} 60"));
    assert_eq!(walk(16), format!("{ADDRESSES6} 17"));
    assert_eq!(walk(20), PORTS6);
    // A header that says it is longer than the payload: nothing is read behind it.
    let long = ipv6(0, &extension(17, 1, &udp(b"")));
    assert_eq!(
        flow(&parsed(&with_payload_len(long, 12))),
        format!("{ADDRESSES6} 17")
    );
}

#[test]
fn an_extension_header_that_leaves_the_window() {
    let payload = extension(60, 255, &extension(17, 0, &udp(b"")));
    let packet = parsed(&ethernet(0x86dd, &ipv6(60, &payload)));
    assert_eq!(flow(&packet), format!("{ADDRESSES6} 60"));
    assert!(packet.cut);
}
