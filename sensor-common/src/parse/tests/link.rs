//! What lies before the network header.

use super::*;
use crate::flow::Direction;
use crate::protocol::network;

/// `count` 802.1Q tags before an IPv4 packet.
fn tagged(count: usize) -> Vec<u8> {
    let inner = (1..count).fold(tag(0x0800, &udp4()), |rest, _| tag(0x8100, &rest));
    ethernet(0x8100, &inner)
}

fn llc(payload: &[u8]) -> Vec<u8> {
    ethernet(payload.len() as u16, payload)
}

#[track_caller]
fn typed(link_type: LinkType, bytes: &[&[u8]]) -> Result<Packet, Reason> {
    packet(&SliceView(&bytes.concat()), link_type)
}

#[test]
fn ethernet_ii() {
    let packet = parsed(&ethernet(0x0800, &udp4()));
    assert_udp4(&packet);
    assert_eq!(packet.header_len, ETHERNET_LEN + 20 + 8);
    assert_eq!((packet.cut, packet.direction), (false, Direction::Unknown));
    assert_eq!(
        flow(&parsed(&ethernet(0x86dd, &udp6()))),
        "2001:db8::1:1000 > 2001:db8::2:53 17"
    );
}

#[test]
fn what_is_not_ip_keeps_its_ethertype() {
    for ethertype in [network::ARP, 0x88cc, 0x88e5, 0x0600, 0xffff] {
        assert_network(&ethernet(ethertype, &[0; 46]), ethertype);
    }
    assert_eq!(parsed(&ethernet(0x0806, &[])).header_len, ETHERNET_LEN);
}

#[test]
fn up_to_four_tags() {
    for count in 1..=4 {
        let packet = parsed(&tagged(count));
        assert_udp4(&packet);
        assert_eq!(packet.header_len as usize, 14 + 4 * count + 28);
    }
    assert_eq!(parse(&tagged(5)), Err(Reason::TooDeep));
    assert_eq!(parse(&tagged(40)), Err(Reason::TooDeep));
}

#[test]
fn every_ethertype_of_a_service_tag() {
    for outer in [0x88a8, 0x9100, 0x9200, 0x8100] {
        assert_udp4(&parsed(&ethernet(
            outer,
            &tag(0x8100, &tag(0x0800, &udp4())),
        )));
    }
}

#[test]
fn vn_tag_and_e_tag_are_longer() {
    let vn_tag = [&[0, 1, 0, 2], &[8, 0][..], &udp4()].concat();
    let packet = parsed(&ethernet(network::VN_TAG, &vn_tag));
    assert_udp4(&packet);
    assert_eq!(packet.header_len, ETHERNET_LEN + 6 + 28);
    let e_tag = [&[0, 1, 0, 2, 0, 0], &[0x81, 0][..], &tag(0x0800, &udp4())].concat();
    let packet = parsed(&ethernet(network::E_TAG, &e_tag));
    assert_udp4(&packet);
    assert_eq!(packet.header_len, ETHERNET_LEN + 8 + 4 + 28);
}

#[test]
fn provider_backbone() {
    let customer = |inner: Vec<u8>| [&[0, 0, 0, 1], &inner[..]].concat();
    let plain = customer(ethernet(0x0800, &udp4()));
    assert_udp4(&parsed(&ethernet(network::PBB, &plain)));
    // A backbone tag before it, two customer tags within.
    let tags = tag(0x8100, &tag(0x0800, &udp4()));
    let tagged = tag(network::PBB, &customer(ethernet(0x88a8, &tags)));
    let packet = parsed(&ethernet(0x88a8, &tagged));
    assert_udp4(&packet);
    assert_eq!(packet.header_len, ETHERNET_LEN + 4 + 18 + 8 + 28);
    let arp = customer(ethernet(network::ARP, &[0; 28]));
    assert_network(&ethernet(network::PBB, &arp), network::ARP);
    // A backbone within a backbone is not walked over.
    let nested = customer(ethernet(network::PBB, &plain));
    assert_network(&ethernet(network::PBB, &nested), network::PBB);
}

#[test]
fn llc_service_access_points() {
    assert_network(&llc(&[0x42, 0x42, 3, 0, 0]), 0x42);
    assert_network(&llc(&[0xfe, 0xfe, 3, 0x83]), 0xfe);
    assert_network(&llc(&[0xff, 0xff, 0, 0]), 0xff); // Novell's raw 802.3
    assert_udp4(&parsed(&llc(&[&[6, 6, 3], &udp4()[..]].concat())));
    assert_eq!(parse(&llc(&[0x42, 0x42])), Err(Reason::TruncatedLink));
    // Below a tag too.
    let stp = tag(5, &[0x42, 0x42, 3, 0, 0]);
    assert_network(&ethernet(0x8100, &stp), 0x42);
}

#[test]
fn lengths_end_where_ethertypes_start() {
    assert_network(&ethernet(0x05ff, &[0x42, 0x42, 3]), 0x42);
    assert_network(&ethernet(0x0600, &[0x42, 0x42, 3]), 0x0600);
}

#[test]
fn snap_with_an_ethertype_and_with_an_organisation() {
    let snap = |oui: [u8; 3], id: u16, rest: &[u8]| {
        llc(&[&[0xaa, 0xaa, 3], &oui[..], &id.to_be_bytes(), rest].concat())
    };
    assert_udp4(&parsed(&snap([0; 3], 0x0800, &udp4())));
    assert_udp4(&parsed(&snap([0, 0, 0xf8], 0x0800, &udp4())));
    assert_network(&snap([0; 3], 0x809b, &[0; 8]), 0x809b);
    assert_network(&snap([0, 0, 0x0c], 0x2000, &[0; 8]), network::LLC_SNAP);
    assert_udp4(&parsed(&snap([0; 3], 0x8847, &mpls(1, &udp4()))));
}

#[test]
fn mpls_up_to_eight_labels() {
    for labels in [1, 2, 8] {
        for ethertype in [network::MPLS, network::MPLS_MULTICAST] {
            let packet = parsed(&ethernet(ethertype, &mpls(labels, &udp4())));
            assert_udp4(&packet);
            assert_eq!(packet.header_len as usize, 14 + 4 * labels + 28);
        }
    }
    let too_many = ethernet(network::MPLS, &mpls(9, &udp4()));
    assert_eq!(parse(&too_many), Err(Reason::TooDeep));
    assert!(parsed(&ethernet(0x8847, &mpls(2, &udp6()))).key.is_ipv6());
}

#[test]
fn mpls_with_a_pseudowire_or_nothing_behind_it() {
    let pseudowire = [&[0, 0, 0, 1], &ethernet(0x0800, &udp4())[..]].concat();
    assert_network(&ethernet(0x8847, &mpls(1, &pseudowire)), network::MPLS);
    let multicast = ethernet(0x8848, &mpls(1, &pseudowire));
    assert_network(&multicast, network::MPLS_MULTICAST);
    // Without two bytes behind the last label nothing says what follows it.
    for rest in [&[][..], &[0x45]] {
        let cut = ethernet(0x8847, &mpls(1, rest));
        assert_eq!(parse(&cut), Err(Reason::TruncatedLink));
    }
}

#[test]
fn pppoe_session() {
    let session = |rest: &[u8]| ethernet(network::PPPOE_SESSION, &pppoe(rest));
    let packet = parsed(&session(&ppp(0x0021, &udp4())));
    assert_udp4(&packet);
    assert_eq!(packet.header_len, ETHERNET_LEN + 8 + 28);
    let compressed = parsed(&session(&[&[0x21], &udp4()[..]].concat()));
    assert_udp4(&compressed);
    assert_eq!(compressed.header_len, ETHERNET_LEN + 7 + 28);
    assert!(parsed(&session(&ppp(0x0057, &udp6()))).key.is_ipv6());
    assert_udp4(&parsed(&session(&ppp(0x0281, &mpls(2, &udp4())))));
    for control in [0xc021, 0x8021, 0xc223] {
        assert_network(
            &session(&ppp(control, &[1, 1, 0, 4])),
            network::PPPOE_SESSION,
        );
    }
    let tagged = tag(0x8864, &pppoe(&ppp(0x0021, &udp4())));
    assert_udp4(&parsed(&ethernet(0x8100, &tagged)));
}

#[test]
fn raw_ip_goes_by_the_version() {
    for (bytes, ipv6) in [(udp4(), false), (udp6(), true)] {
        let live = on_interface(&SliceView(&bytes), true);
        assert_eq!(live, typed(LinkType::RawIp, &[&bytes]));
        assert_eq!(live.map(|packet| packet.key.is_ipv6()), Ok(ipv6));
    }
    assert_eq!(
        typed(LinkType::RawIp, &[&[0x50; 40]]),
        Err(Reason::IpVersion)
    );
    assert_eq!(typed(LinkType::RawIpv4, &[&udp6()]), Err(Reason::IpVersion));
    assert_eq!(
        typed(LinkType::RawIpv6, &[&udp4(), &[0; 40]]),
        Err(Reason::IpVersion)
    );
    assert_udp4(&typed(LinkType::RawIpv4, &[&udp4()]).unwrap());
    assert!(typed(LinkType::RawIpv6, &[&udp6()]).unwrap().key.is_ipv6());
}

#[test]
fn bsd_loopback_in_either_byte_order() {
    for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
        assert_udp4(&typed(LinkType::Null, &[&family, &udp4()]).unwrap());
    }
    for family in [10, 24, 28, 30] {
        for header in [[family, 0, 0, 0], [0, 0, 0, family]] {
            let packet = typed(LinkType::Null, &[&header, &udp6()]).unwrap();
            assert!(packet.key.is_ipv6());
        }
    }
    let other = typed(LinkType::Null, &[&[7, 0, 0, 0], &udp4()]).unwrap();
    assert_eq!(other.key.network(), network::UNKNOWN);
    assert_eq!(
        typed(LinkType::Null, &[&[2, 0]]),
        Err(Reason::TruncatedLink)
    );
}

/// Header of a Linux cooked capture.
fn sll(packet_type: u8, arphrd: u16, protocol: u16) -> Vec<u8> {
    let [high, low] = arphrd.to_be_bytes();
    let head = [0, packet_type, high, low, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    [&head, &protocol.to_be_bytes()[..]].concat()
}

fn sll2(packet_type: u8, arphrd: u16, protocol: u16) -> Vec<u8> {
    let [high, low] = arphrd.to_be_bytes();
    let tail = [
        0,
        0,
        0,
        0,
        0,
        3,
        high,
        low,
        packet_type,
        6,
        2,
        0,
        0,
        0,
        0,
        1,
        0,
        0,
    ];
    [&protocol.to_be_bytes(), &tail[..]].concat()
}

#[test]
fn linux_cooked() {
    type Header = fn(u8, u16, u16) -> Vec<u8>;
    let versions: [(LinkType, Header); 2] = [(LinkType::Sll, sll), (LinkType::Sll2, sll2)];
    for (link_type, header) in versions {
        let frame = |protocol: u16, rest: &[u8]| {
            typed(link_type, &[&header(0, 1, protocol), rest]).unwrap()
        };
        assert_udp4(&frame(0x0800, &udp4()));
        assert!(frame(0x86dd, &udp6()).key.is_ipv6());
        assert_udp4(&frame(0x8100, &tag(0x0800, &udp4())));
        assert_eq!(frame(0x0806, &[0; 28]).key.network(), network::ARP);
        assert_eq!(frame(0x0004, &[0x42, 0x42, 3]).key.network(), 0x42);
        assert_eq!(frame(0x0001, &udp4()).key.network(), network::UNKNOWN);
        // The protocol of a netlink message is its family, which may look like an EtherType.
        let netlink = typed(link_type, &[&header(0, 824, 0x0800), &udp4()]).unwrap();
        assert_eq!(netlink.key.network(), network::UNKNOWN);
        for (packet_type, direction) in [
            (0, Direction::Ingress),
            (1, Direction::Ingress),
            (2, Direction::Ingress),
            (3, Direction::Unknown),
            (4, Direction::Egress),
            (5, Direction::Unknown),
        ] {
            let packet = typed(link_type, &[&header(packet_type, 1, 0x0800), &udp4()]).unwrap();
            assert_eq!(packet.direction, direction, "type {packet_type}");
            assert_eq!(packet.key.direction(), Direction::Unknown);
        }
        let short = &header(0, 1, 0x0800)[..15];
        assert_eq!(typed(link_type, &[short]), Err(Reason::TruncatedLink));
    }
}

#[test]
fn ppp_with_and_without_address_and_control() {
    for framing in [&[][..], &[0xff, 3], &[0x0f, 0], &[0x8f, 0]] {
        for protocol in [&[0, 0x21][..], &[0x21]] {
            let packet = typed(LinkType::Ppp, &[framing, protocol, &udp4()]).unwrap();
            assert_udp4(&packet);
            assert_eq!(
                packet.header_len as usize,
                framing.len() + protocol.len() + 28
            );
        }
    }
    let lcp = typed(LinkType::Ppp, &[&[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4]]).unwrap();
    assert_eq!(lcp.key.network(), network::PPP);
}

#[test]
fn cisco_hdlc() {
    assert_udp4(&typed(LinkType::CiscoHdlc, &[&[0x0f, 0, 8, 0], &udp4()]).unwrap());
    let keepalive = typed(LinkType::CiscoHdlc, &[&[0x8f, 0, 0x80, 0x35, 0, 0, 0, 2]]).unwrap();
    assert_eq!(keepalive.key.network(), 0x8035);
}

#[test]
fn link_types_by_number() {
    for (number, link_type) in [
        (0, LinkType::Null),
        (1, LinkType::Ethernet),
        (9, LinkType::Ppp),
        (12, LinkType::RawIp),
        (14, LinkType::RawIp),
        (50, LinkType::Ppp),
        (101, LinkType::RawIp),
        (104, LinkType::CiscoHdlc),
        (108, LinkType::Null),
        (113, LinkType::Sll),
        (228, LinkType::RawIpv4),
        (229, LinkType::RawIpv6),
        (276, LinkType::Sll2),
        (105, LinkType::Unsupported),
    ] {
        assert_eq!(LinkType::from_number(number), link_type, "{number}");
    }
    let unsupported = typed(LinkType::Unsupported, &[&udp4()]);
    assert_eq!(unsupported, Err(Reason::UnsupportedLinkType));
}
