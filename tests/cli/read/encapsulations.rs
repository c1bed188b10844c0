//! Whatever stands before the IP header, the packet is the same: one row for each way to wrap it.

use super::network::{report, v4, v6};
use crate::support::capture::ETHERNET;
use crate::support::packets::ethertype::{IPV4, IPV6, MPLS, PPPOE, QINQ, VLAN};
use crate::support::packets::{
    at, ethernet, ethernet_ip, ipv6_options, label, other, pppoe, prefix, tag,
};

/// A packet around [`v4`] or [`v6`].
struct Case {
    name: &'static str,
    link_type: u16,
    packet: Vec<u8>,
    bytes: u64,
    ipv6: bool,
    direction: &'static str,
}

impl Case {
    fn v4(name: &'static str, link_type: u16, bytes: u64, packet: Vec<u8>) -> Self {
        Case {
            name,
            link_type,
            packet,
            bytes,
            ipv6: false,
            direction: "unknown",
        }
    }

    fn v6(name: &'static str, link_type: u16, bytes: u64, packet: Vec<u8>) -> Self {
        Case {
            ipv6: true,
            ..Case::v4(name, link_type, bytes, packet)
        }
    }

    fn check(&self) {
        let name = self.name;
        let report = report(self.link_type, std::slice::from_ref(&self.packet));
        let flow = &report["flows"][0];
        let (network, src, dst) = match self.ipv6 {
            true => ("ipv6", "2001:db8::1", "2001:db8::2"),
            false => ("ipv4", "10.1.0.1", "10.1.0.2"),
        };
        assert_eq!([&flow["src_addr"], &flow["dst_addr"]], [src, dst], "{name}");
        assert_eq!(
            [&flow["src_port"], &flow["dst_port"]],
            [1111, 2222],
            "{name}"
        );
        assert_eq!(
            [&flow["transport"], &flow["direction"]],
            ["udp", self.direction],
            "{name}"
        );
        assert_eq!(
            [&flow["bytes"], &report["totals"]["bytes"]],
            [self.bytes; 2],
            "{name}"
        );
        assert_eq!(report["protocols"]["network"][0]["name"], network, "{name}");
        let way = match self.direction {
            "unknown" => "unknown_direction",
            known => known,
        };
        assert_eq!(report["totals"][way]["packets"], 1, "{name}");
    }
}

#[test]
fn behind_tags_labels_and_sessions() {
    let four = tag(1, VLAN, &tag(2, VLAN, &tag(3, VLAN, &tag(4, IPV4, &v4()))));
    let two_labels = label(16, false, &label(17, true, &v6()));
    let snap = prefix(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &v4());
    let e = ETHERNET;
    let cases = [
        Case::v4("ethernet", e, 52, ethernet_ip(&v4())),
        Case::v6("ethernet with IPv6", e, 72, ethernet_ip(&v6())),
        Case::v4("802.1Q", e, 56, ethernet(VLAN, &tag(7, IPV4, &v4()))),
        Case::v6(
            "priority tag",
            e,
            76,
            ethernet(VLAN, &tag(0xe000, IPV6, &v6())),
        ),
        Case::v6(
            "QinQ",
            e,
            80,
            ethernet(QINQ, &tag(7, VLAN, &tag(8, IPV6, &v6()))),
        ),
        Case::v4(
            "old QinQ",
            e,
            60,
            ethernet(0x9100, &tag(7, VLAN, &tag(8, IPV4, &v4()))),
        ),
        Case::v4("four tags", e, 68, ethernet(VLAN, &four)),
        Case::v4("MPLS", e, 56, ethernet(MPLS, &label(16, true, &v4()))),
        Case::v6("two MPLS labels", e, 80, ethernet(MPLS, &two_labels)),
        Case::v4("PPPoE", e, 60, ethernet(PPPOE, &pppoe(0x21, &v4()))),
        Case::v6(
            "PPPoE with IPv6",
            e,
            80,
            ethernet(PPPOE, &pppoe(0x57, &v6())),
        ),
        Case::v4(
            "PPPoE in a VLAN",
            e,
            64,
            ethernet(VLAN, &tag(5, PPPOE, &pppoe(0x21, &v4()))),
        ),
        Case::v4("802.3 with SNAP", e, 60, ethernet(46, &snap)),
    ];
    cases.iter().for_each(Case::check);
}

#[test]
fn behind_extension_headers() {
    let (from, to) = (at("[2001:db8::1]:0").ip(), at("[2001:db8::2]:0").ip());
    let options = ipv6_options(60, &ipv6_options(17, &v6()[40..]));
    let packet = ethernet_ip(&other(from, to, 0, &options));
    Case::v6("hop-by-hop and destination options", ETHERNET, 88, packet).check();
}

#[test]
fn lengths_in_ip_headers_move_ports_and_never_the_bytes() {
    // Four bytes of options: a header of 24 bytes.
    let mut options = [&v4()[..20], &[1, 1, 1, 0], &v4()[20..]].concat();
    options[0] = 0x46;
    options[3] += 4;
    // Super-packets that were captured before the card cut them have no length.
    let (mut super4, mut super6) = (v4(), v6());
    super4[2..4].fill(0);
    super6[4..6].fill(0);
    let padded = prefix(&ethernet_ip(&v4()), &[0; 8]);
    // Longer than what is there, as if the capture had cut it.
    let mut longer = v4();
    longer[2] = 0xff;
    let e = ETHERNET;
    let cases = [
        Case::v4("IPv4 options", e, 56, ethernet_ip(&options)),
        Case::v4("total length 0", e, 52, ethernet_ip(&super4)),
        Case::v6("payload length 0", e, 72, ethernet_ip(&super6)),
        Case::v4("padding", e, 60, padded),
        Case::v4(
            "total length beyond the packet",
            e,
            52,
            ethernet_ip(&longer),
        ),
    ];
    cases.iter().for_each(Case::check);
}

#[test]
fn behind_the_headers_of_other_link_types() {
    let cases = [
        Case::v4("raw IP", 101, 38, v4()),
        Case::v6("raw IP with IPv6", 101, 58, v6()),
        Case::v4("raw IP of OpenBSD", 14, 38, v4()),
        Case::v6("raw IP as DLT", 12, 58, v6()),
        Case::v4("raw IPv4", 228, 38, v4()),
        Case::v6("raw IPv6", 229, 58, v6()),
        Case::v4("null, little-endian", 0, 42, prefix(&[2, 0, 0, 0], &v4())),
        Case::v6("null, big-endian", 0, 62, prefix(&[0, 0, 0, 30], &v6())),
        Case::v6("loop of OpenBSD", 108, 62, prefix(&[0, 0, 0, 24], &v6())),
        Case::v4("PPP", 9, 42, prefix(&[0xff, 3, 0, 0x21], &v4())),
        Case::v6("PPP without HDLC", 9, 60, prefix(&[0, 0x57], &v6())),
        Case::v4(
            "PPP with a short protocol",
            50,
            41,
            prefix(&[0xff, 3, 0x21], &v4()),
        ),
        Case::v4("Cisco HDLC", 104, 42, prefix(&[0x0f, 0, 8, 0], &v4())),
    ];
    cases.iter().for_each(Case::check);
}

#[test]
fn cooked_captures_tell_the_direction() {
    const ADDRESS: [u8; 8] = [2, 0, 0, 0, 0, 1, 0, 0];
    for (kind, direction) in [
        (0, "ingress"),
        (1, "ingress"),
        (3, "unknown"),
        (4, "egress"),
    ] {
        let sll = [&[0, kind, 0, 1, 0, 6][..], &ADDRESS, &[8, 0], &v4()].concat();
        Case {
            direction,
            ..Case::v4("Linux cooked", 113, 54, sll)
        }
        .check();
        let start = [0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, kind, 6];
        let sll2 = [&start[..], &ADDRESS, &v6()].concat();
        Case {
            direction,
            ..Case::v6("Linux cooked, version 2", 276, 78, sll2)
        }
        .check();
    }
}
