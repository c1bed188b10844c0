//! What the IP header and what stands in its place say: tunnels, fragments, names, and reasons for none.

use serde_json::Value;

use super::START;
use crate::harness::read_bytes;
use crate::support::capture::{ETHERNET, Pcap, Record};
use crate::support::packets::{
    at, echo, ethernet, ethernet_ip, ethertype, fragment, ipv6_fragment, other, prefix, tag, udp,
};
use crate::support::report::protocols;

/// UDP with 10 bytes: 38 bytes from the IPv4 header on.
pub(super) fn v4() -> Vec<u8> {
    udp(at("10.1.0.1:1111"), at("10.1.0.2:2222"), 10)
}

/// The same from the IPv6 header on: 58 bytes.
pub(super) fn v6() -> Vec<u8> {
    udp(at("[2001:db8::1]:1111"), at("[2001:db8::2]:2222"), 10)
}

pub(super) fn report(link_type: u16, packets: &[Vec<u8>]) -> Value {
    let records: Vec<Record> = packets
        .iter()
        .map(|packet| Record::new(START, packet.clone()))
        .collect();
    read_bytes(&Pcap::of(link_type).write(&records), &[], 0)
}

#[test]
fn tunnels_are_named_and_their_outermost_addresses_count() {
    let (a, b) = (at("192.0.2.1:0").ip(), at("192.0.2.2:0").ip());
    let (a6, b6) = (at("[2001:db8:f::1]:0").ip(), at("[2001:db8:f::2]:0").ip());
    let vxlan = || {
        let mut packet = udp(at("192.0.2.1:50000"), at("192.0.2.2:4789"), 60);
        packet[36..].copy_from_slice(&ethernet_ip(&prefix(&[8, 0, 0, 0, 0, 0, 9, 0], &v4()))[..52]);
        packet
    };
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("gre", "gre", other(a, b, 47, &prefix(&[0, 0, 8, 0], &v4()))),
        ("ipip", "ipip", other(a, b, 4, &v4())),
        ("6in4", "6in4", other(a, b, 41, &v6())),
        ("ipip", "ipip", other(a6, b6, 4, &v4())),
        ("udp", "vxlan", vxlan()),
        ("esp", "esp", other(a, b, 50, &[1; 40])),
        ("ah", "ah", other(a6, b6, 51, &[17, 4, 0, 0, 0, 0, 0, 1])),
        ("icmp", "icmp", echo(a, b, 56)),
        ("icmpv6", "icmpv6", echo(a6, b6, 56)),
        ("ospf", "ospf", other(a, b, 89, &[2; 44])),
        ("ip-proto-253", "ip-proto-253", other(a, b, 253, &[0; 8])),
    ];
    for (transport, application, packet) in cases {
        let from = if packet[0] >> 4 == 6 {
            "2001:db8:f::1"
        } else {
            "192.0.2.1"
        };
        let report = report(ETHERNET, &[ethernet_ip(&packet)]);
        assert_eq!(report["protocols"]["transport"][0]["name"], transport);
        assert_eq!(report["protocols"]["application"][0]["name"], application);
        assert_eq!(report["flows"][0]["src_addr"], from, "{application}");
        assert_eq!(report["endpoints_total"], 2, "{application}");
    }
}

#[test]
fn later_fragments_count_without_ports() {
    let v4 = fragments_of_v4();
    let v6 = {
        let (a, b) = (at("[2001:db8::1]:0").ip(), at("[2001:db8::2]:0").ip());
        let udp = &v6()[40..];
        let first = other(a, b, 44, &ipv6_fragment(17, 0, true, udp));
        let second = other(a, b, 44, &ipv6_fragment(17, 24, false, &[0xab; 50]));
        [first, second]
    };
    for (name, [first, second], bytes) in [("IPv4", v4, [52, 84]), ("IPv6", v6, [80, 112])] {
        let report = report(ETHERNET, &[ethernet_ip(&first), ethernet_ip(&second)]);
        // Ranked by bytes: the second is the larger.
        let flow = |index: usize| &report["flows"][index];
        assert_eq!(
            [
                &flow(0)["src_port"],
                &flow(0)["dst_port"],
                &flow(0)["bytes"]
            ],
            [0, 0, bytes[1]],
            "{name}"
        );
        assert_eq!(
            [
                &flow(1)["src_port"],
                &flow(1)["dst_port"],
                &flow(1)["bytes"]
            ],
            [1111, 2222, bytes[0]],
            "{name}"
        );
        assert_eq!(report["protocols"]["transport"][0]["packets"], 2, "{name}");
        assert_eq!(report["conversations"][0]["a_to_b"]["packets"], 2, "{name}");
    }
}

fn fragments_of_v4() -> [Vec<u8>; 2] {
    let second = other(
        at("10.1.0.1:0").ip(),
        at("10.1.0.2:0").ip(),
        17,
        &[0xab; 50],
    );
    [fragment(&v4(), 0, true), fragment(&second, 24, false)]
}

#[test]
fn what_is_not_ip_has_a_name() {
    // An 802.3 length, and a service access point for spanning tree.
    let stp = ethernet(38, &prefix(&[0x42, 0x42, 3], &[0; 35]));
    let mut frames = vec![stp];
    let types = [0x0806_u16, 0x88cc, 0x8809, 0x8863, 0x888e, 0x88f7, 0x4242];
    frames.extend(types.iter().map(|ethertype| ethernet(*ethertype, &[0; 46])));
    let report = report(ETHERNET, &frames);
    let names: Vec<String> = protocols(&report, "network").into_keys().collect();
    assert_eq!(
        names,
        [
            "arp",
            "eapol",
            "ethertype-0x4242",
            "lldp",
            "pppoed",
            "ptp",
            "slow",
            "stp"
        ]
    );
    assert_eq!(report["accounting"]["not_ip"]["packets"], 8);
    assert_eq!(report["flows_total"], 0);
}

#[test]
fn what_cannot_be_read_has_a_reason() {
    let mut short_ihl = v4();
    short_ihl[0] = 0x44;
    let mut version_five = v4();
    version_five[0] = 0x55;
    let mut short_total = v4();
    short_total[2..4].copy_from_slice(&[0, 19]);
    let five_tags = (0..5).fold(v4(), |inner, n| {
        tag(
            n,
            if n == 0 {
                ethertype::IPV4
            } else {
                ethertype::VLAN
            },
            &inner,
        )
    });
    let frames = [
        vec![2; 13],
        ethernet(ethertype::VLAN, &[0, 7]),
        ethernet(ethertype::IPV4, &v4()[..19]),
        ethernet(ethertype::IPV6, &v6()[..39]),
        ethernet(ethertype::IPV4, &short_ihl),
        ethernet(ethertype::IPV4, &version_five),
        ethernet(ethertype::IPV6, &v4()), // cut off before its version is looked at
        ethernet(ethertype::IPV4, &short_total),
        ethernet(ethertype::VLAN, &five_tags),
    ];
    let report = report(ETHERNET, &frames);
    let malformed = report["accounting"]["malformed"].as_object().unwrap();
    let packets: Vec<(&str, u64)> = malformed
        .iter()
        .map(|(name, counts)| (name.as_str(), counts["packets"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("ip_version", 1),
        ("ipv4_header_length", 1),
        ("ipv4_total_length", 1),
        ("too_deep", 1),
        ("truncated_link", 2),
        ("truncated_network", 3),
    ];
    assert_eq!(packets, expected);
    assert_eq!(report["protocols"]["network"][0]["name"], "other");
    assert_eq!(report["protocols"]["network"][0]["packets"], 9);
}
