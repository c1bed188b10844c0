mod files;
mod refused;
mod round_trip;
mod vectors;

use super::lower;
use crate::filter::error::FilterError;
use crate::filter::library::Nothing;
use crate::filter::parser::parse;
use crate::filter::tree::Tree;

fn tree(text: &str) -> Result<Tree, FilterError> {
    lower(&parse(text, &Nothing)?, text, &Nothing)
}

/// Typed text, and what was understood.
fn check(cases: &[(&str, &str)]) {
    for (typed, understood) in cases {
        match tree(typed) {
            Ok(tree) => {
                assert_eq!(tree.to_string(), *understood, "{typed}");
                let again = self::tree(&tree.to_string());
                assert_eq!(again, Ok(tree), "{typed} again");
            }
            Err(error) => panic!("{typed}: {error}"),
        }
    }
}

#[test]
fn addresses_and_networks() {
    check(&[
        ("host 10.0.0.1", "host 10.0.0.1"),
        ("10.0.0.1", "host 10.0.0.1"),
        ("src 10.0.0.1", "src host 10.0.0.1"),
        ("src or dst host 10.0.0.1", "host 10.0.0.1"),
        ("src and dst net 10.0.0.0/8", "src and dst net 10.0.0.0/8"),
        ("ip host 10.0.0.1", "host 10.0.0.1"),
        ("ip6 host fe80::1", "host fe80::1"),
        ("ip6 net fe80::/10", "net fe80::/10"),
        ("dst host ::ffff:10.0.0.1", "dst host ::ffff:10.0.0.1"),
        ("host 10.1", "net 10.1.0.0/16"),
        ("net 10", "net 10.0.0.0/8"),
        ("net 192.168", "net 192.168.0.0/16"),
        ("net 192.168.1", "net 192.168.1.0/24"),
        ("net 192.168.1.7", "host 192.168.1.7"),
        ("net 192.168/16", "net 192.168.0.0/16"),
        ("net 10.0.0.0 mask 255.0.0.0", "net 10.0.0.0/8"),
        ("net 0.0.0.0/0", "net 0.0.0.0/0"),
        ("net ::/0", "net ::/0"),
        ("net ::1", "host ::1"),
        ("not host 10.0.0.1", "not host 10.0.0.1"),
        (
            "host 10.0.0.1 or 10.0.0.2",
            "host 10.0.0.1 or host 10.0.0.2",
        ),
        (
            "ip host 10.0.0.1 and not 10.0.0.2",
            "host 10.0.0.1 and not host 10.0.0.2",
        ),
    ]);
}

#[test]
fn ports() {
    check(&[
        ("port 80", "port 80"),
        ("tcp port 80", "tcp and port 80"),
        ("udp src port 53", "udp and src port 53"),
        ("sctp dst port 36412", "sctp and dst port 36412"),
        ("port 80 or 443", "port 80 or port 443"),
        ("portrange 1-1023", "portrange 1-1023"),
        ("portrange 1023-1", "portrange 1-1023"),
        ("portrange 80", "port 80"),
        ("src and dst port 53", "src and dst port 53"),
        ("port https", "tcp and port in {443, 8443}"),
        ("tcp port https", "tcp and port in {443, 8443}"),
        ("port quic", "udp and port 443"),
        ("port domain", "(tcp or udp) and port 53"),
        ("udp port domain", "udp and port 53"),
        ("port www", "tcp and port in {80, 8000, 8080}"),
        ("dst port tftp", "udp and dst port 69"),
        ("portrange ftp-data-ssh", "portrange 20-22"),
        ("portrange 20-ssh", "portrange 20-22"),
        (
            "port in {80, 443, 8000-8100, 81}",
            "port in {80-81, 443, 8000-8100}",
        ),
        ("port in {80}", "port 80"),
        ("tcp port in {ssh, 80}", "tcp and port in {22, 80}"),
        (
            "port in {80, https}",
            "port 80 or (tcp and port in {443, 8443})",
        ),
    ]);
}

#[test]
fn protocols() {
    check(&[
        ("tcp", "tcp"),
        ("ip", "ip"),
        ("ip6", "ip6"),
        ("ipv4", "ip"),
        ("ipv6", "ip6"),
        ("icmp6", "icmp6"),
        ("icmpv6", "icmp6"),
        ("igrp", "igp"),
        ("carp", "vrrp"),
        ("proto 6", "tcp"),
        ("proto \\tcp", "tcp"),
        ("proto dns", "dns"),
        ("dns", "dns"),
        ("ip proto 47", "ip and gre"),
        ("ip6 proto tcp", "ip6 and tcp"),
        ("ip proto ipv6", "ip and 6in4"),
        ("ip proto \\icmp", "ip and icmp"),
        ("proto 253", "proto 253"),
        ("ip-proto-253", "proto 253"),
        ("ethertype-0x1234", "ether proto 0x1234"),
        ("ether proto 0x1234", "ether proto 0x1234"),
        ("ether proto 0x806", "arp"),
        ("ether proto \\arp", "arp"),
        ("ether proto 0x0800", "ip"),
        ("ether proto 0x86dd", "ip6"),
        ("ether proto 0x88a8", "vlan"),
        ("ether proto 0x8848", "mpls"),
        ("ether proto 0x8864", "pppoes"),
        ("ether proto 0x42", "stp"),
        ("atalk", "appletalk"),
        ("lat", "ether proto 0x6004"),
        ("link proto 0x100", "ether proto 0x0100"),
        ("pppoed", "pppoed"),
        ("ipx", "ipx"),
        ("ipx and tcp", "ipx and tcp"),
        ("not ipx", "not ipx"),
        ("rdp", "rdp"),
        ("rdp or tcp", "rdp or tcp"),
        ("proto 27", "proto 27"),
        ("proto in {tcp, udp, 47}", "tcp or udp or gre"),
        ("proto 6 or 17", "tcp or udp"),
        (
            "port 80 or proto dns or host 10.0.0.1",
            "port 80 or proto dns or host 10.0.0.1",
        ),
        (
            "ether proto 0x1234 or proto dns or http",
            "ether proto 0x1234 or proto dns or http",
        ),
    ]);
}

#[test]
fn link_layer() {
    check(&[
        ("vlan", "vlan"),
        ("vlan 10 and vlan 20", "vlan 10 and vlan 20"),
        ("vlan in {10, 20-22}", "vlan in {10, 20-22}"),
        ("vlan in {10, 20}", "vlan 10 or vlan 20"),
        (
            "not vlan in {7, 1-300} and tcp or mpls in {16-40, 99} or mpls in {3, 4, 5, 6, 9}",
            "(not vlan in {7, 1-6, 8-300} and tcp) or mpls in {16-40, 99, 3-6, 9}",
        ),
        ("mpls 100000 && mpls 1024", "mpls 100000 and mpls 1024"),
        ("pppoes 0x3b", "pppoes 59"),
        ("ether host 0:1:2:a:B:c", "ether host 00:01:02:0a:0b:0c"),
        (
            "ether src aabb.ccdd.eeff",
            "ether src host aa:bb:cc:dd:ee:ff",
        ),
        ("ether broadcast", "broadcast"),
        ("broadcast", "broadcast"),
        ("multicast", "multicast"),
        ("ip broadcast", "dst host 255.255.255.255"),
        ("ip multicast", "dst net 224.0.0.0/3"),
        ("ip6 multicast", "dst net ff00::/8"),
        ("arp host 10.0.0.1", "arp host 10.0.0.1"),
        ("arp src 10.0.0.1", "arp src host 10.0.0.1"),
        ("arp dst net 10.0.0.0/8", "arp dst net 10.0.0.0/8"),
        ("rarp src host 10.0.0.1", "rarp[14:4] = 167772161"),
        (
            "rarp net 10",
            "rarp[14:4] & 0xff000000 = 167772160 or rarp[24:4] & 0xff000000 = 167772160",
        ),
        ("interface eth0", "interface eth0"),
        ("on in {eth0, eth1}", "interface eth0 or interface eth1"),
        ("ifname \"a b\"", "interface \"a b\""),
        ("inbound", "ingress"),
        ("outbound or ingress", "egress or ingress"),
    ]);
}

#[test]
fn relations() {
    check(&[
        ("less 100", "len <= 100"),
        ("greater 60 and less 600", "len >= 60 and len <= 600"),
        ("100 < len", "len > 100"),
        ("len >= 2 * 50", "len >= 100"),
        ("len > 0 - 1", "len > 4294967295"),
        ("tcp[tcpflags] & tcp-syn != 0", "tcp[13] & 2 != 0"),
        (
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
            "tcp[13] & 0x12 = 2",
        ),
        ("not tcp[13] & 1 != 0", "not (tcp[13] & 1 != 0)"),
        ("ip[6:2] & 0x1fff != 0", "ip[6:2] & 0x1fff != 0"),
        ("icmp[icmptype] == icmp-echo", "icmp[0] = 8"),
        ("icmp6[icmp6type] = 128", "icmp6[0] = 128"),
        (
            "ether[0] & 1 = 0 and ip[16] >= 224",
            "ether[0] & 1 = 0 and ip[16] >= 224",
        ),
        ("arp[6:2] = 1", "arp[6:2] = 1"),
        (
            "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
            "tcp and port 80 and ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) != 0",
        ),
        ("udp[udp[4:2] + 1] = 1", "udp[udp[4:2] + 1] = 1"),
        ("ip[0] % 3 % 2 = 1 % 2", "ip[0] % 1 = 1"),
        ("bytes > 10M", "bytes > 10M"),
        ("packets <= 1500", "packets <= 1500"),
        (
            "duration >= 1.5s and not bytes = 0",
            "duration >= 1500ms and not (bytes = 0)",
        ),
    ]);
}

#[test]
fn combinations_are_put_plainly() {
    check(&[
        ("", "len >= 0"),
        ("tcp and (tcp and udp)", "tcp and udp"),
        ("not not tcp", "tcp"),
        ("not (tcp or udp)", "not (tcp or udp)"),
        ("tcp or udp and port 53", "(tcp or udp) and port 53"),
        ("tcp or (udp and port 53)", "tcp or (udp and port 53)"),
        ("1 = 1 and tcp", "tcp"),
        ("1 = 2 and tcp", "len < 0"),
        ("not ip and not ip6", "not ip and not ip6"),
        (
            "tcp port in {80, 443} and (net 10.0.0.0/8 or ip6)",
            "tcp and port in {80, 443} and (net 10.0.0.0/8 or ip6)",
        ),
        ("tcp or tcp", "tcp"),
        (
            "host in {10.0.0.2, 10.0.0.1, fe80::1}",
            "host in {10.0.0.1, 10.0.0.2, fe80::1}",
        ),
        ("net in {10.0.0.0/8, 10.1, 11.0.0.0/8}", "net 10.0.0.0/7"),
    ]);
}
