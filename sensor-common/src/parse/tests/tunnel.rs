//! Headers that each segment of a tunnelled super-packet carries.

use super::*;
use crate::parse::Outer;
use crate::parse::tunnel::inner_header_len;

const INNER_TCP: usize = 20 + 32;

fn inner() -> Vec<u8> {
    ipv4(6, &tcp(0x10, 12))
}

#[track_caller]
fn len_of(frame: &[u8]) -> Option<usize> {
    inner_header_len(&SliceView(frame), Outer::of(&parsed(frame))).map(usize::from)
}

fn over_udp(port: u16, payload: &[u8]) -> Option<usize> {
    len_of(&ethernet(0x0800, &ipv4(17, &udp_to(port, payload))))
}

fn over_gre(flags: u8, protocol: u16, optional: usize, payload: &[u8]) -> Option<usize> {
    let [high, low] = protocol.to_be_bytes();
    let gre = [&[flags, 0, high, low], &vec![0; optional][..], payload].concat();
    len_of(&ethernet(0x0800, &ipv4(proto::GRE, &gre)))
}

#[test]
fn vxlan() {
    let payload = [&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(0x0800, &inner())[..]].concat();
    for port in [4789, 8472] {
        assert_eq!(over_udp(port, &payload), Some(14 + 28 + 8 + 14 + INNER_TCP));
    }
    assert_eq!(over_udp(53, &payload), None);
    let tagged = ethernet(0x8100, &tag(0x0800, &inner()));
    let payload = [&[8, 0, 0, 0, 0, 0, 7, 0], &tagged[..]].concat();
    assert_eq!(over_udp(4789, &payload), Some(14 + 28 + 8 + 18 + INNER_TCP));
}

#[test]
fn geneve_with_and_without_options() {
    let geneve = |words: u8, protocol: [u8; 2], rest: &[u8]| {
        let options = vec![0; words as usize * 4];
        let header = [words, 0, protocol[0], protocol[1], 0, 0, 7, 0];
        over_udp(6081, &[&header, &options[..], rest].concat())
    };
    let frame = ethernet(0x0800, &inner());
    assert_eq!(
        geneve(0, [0x65, 0x58], &frame),
        Some(14 + 28 + 8 + 14 + INNER_TCP)
    );
    assert_eq!(
        geneve(3, [0x65, 0x58], &frame),
        Some(14 + 28 + 20 + 14 + INNER_TCP)
    );
    assert_eq!(
        geneve(2, [0x08, 0x00], &inner()),
        Some(14 + 28 + 16 + INNER_TCP)
    );
}

#[test]
fn gre_with_each_optional_field() {
    assert_eq!(over_gre(0, 0x0800, 0, &inner()), Some(34 + 4 + INNER_TCP));
    for (flags, optional) in [(0x20, 4), (0x80, 4), (0x10, 4), (0xb0, 12)] {
        let expected = Some(34 + 4 + optional + INNER_TCP);
        assert_eq!(over_gre(flags, 0x0800, optional, &inner()), expected);
    }
    let bridged = over_gre(0x20, 0x6558, 4, &ethernet(0x0800, &inner()));
    assert_eq!(bridged, Some(34 + 8 + 14 + INNER_TCP));
    let ipv6 = over_gre(0, 0x86dd, 0, &ipv6(17, &udp(b"")));
    assert_eq!(ipv6, Some(34 + 4 + 40 + 8));
}

#[test]
fn ip_in_ip_and_6in4() {
    let ipip = ethernet(0x0800, &ipv4(proto::IPIP, &inner()));
    assert_eq!(len_of(&ipip), Some(34 + INNER_TCP));
    let six_in_four = ethernet(0x0800, &ipv4(proto::IPV6, &ipv6(6, &tcp(0x10, 0))));
    assert_eq!(len_of(&six_in_four), Some(34 + 40 + 20));
    let four_in_six = ethernet(0x86dd, &ipv6(proto::IPIP, &inner()));
    assert_eq!(len_of(&four_in_six), Some(54 + INNER_TCP));
}

#[test]
fn no_tunnel() {
    assert_eq!(len_of(&ethernet(0x0800, &ipv4(6, &tcp(0x10, 0)))), None);
    assert_eq!(len_of(&ethernet(0x0806, &[0; 28])), None);
}

#[test]
fn a_tunnel_cut_off_anywhere() {
    let payload = [&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(0x0800, &inner())[..]].concat();
    let whole = ethernet(0x0800, &ipv4(17, &udp_to(4789, &payload)));
    let full = inner_header_len(&SliceView(&whole), Outer::of(&parsed(&whole)));
    for len in 34..whole.len() {
        let view = SliceView(&whole[..len]);
        let inner = inner_header_len(&view, Outer::of(&parsed(view.0)));
        assert!(inner.is_none() || inner <= full, "{len} bytes: {inner:?}");
    }
}
