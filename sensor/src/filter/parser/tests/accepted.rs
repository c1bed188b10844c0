//! What a text means to the grammar.

use super::shown;
use crate::filter::ast::{Expr, Id};
use crate::filter::parser::parse;

#[track_caller]
fn table(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(shown(text), *expected, "{text}");
    }
}

#[test]
fn nothing_is_everything() {
    table(&[
        ("", "everything"),
        (" \t\r\n", "everything"),
        ("# tcp", "everything"),
        ("@nothing", "@nothing[everything]"),
    ]);
}

#[test]
fn words_alone() {
    table(&[
        ("tcp", "tcp"),
        ("TCP", "tcp"),
        ("link", "link"),
        ("dns", "dns"),
        ("http-proxy", "http-proxy"),
        ("ingress", "ingress"),
        ("outbound", "egress"),
        ("pppoed", "pppoed"),
        ("ip proto 89 and pppoed", "(ip.Proto=89 & pppoed)"),
        ("vxlan", "vxlan"),
        ("llc and not stp", "(llc & !stp)"),
        ("ip broadcast or multicast", "(ip.Broadcast | Multicast)"),
        ("ether multicast", "ether.Multicast"),
    ]);
}

#[test]
fn primitives() {
    table(&[
        ("10.0.0.1", "Host='10.0.0.1'"),
        ("fe80::1", "Host='fe80::1'"),
        ("10.0.0.0/8", "Net='10.0.0.0/8'"),
        ("10.0.0.0 mask 255.0.0.0", "Net='10.0.0.0'&'255.0.0.0'"),
        ("aa:bb:cc:dd:ee:ff", "ether.Host='aa:bb:cc:dd:ee:ff'"),
        ("host example.com", "Host='example.com'"),
        ("src 10.0.0.1", "src='10.0.0.1'"),
        ("src 10.0.0.0/8", "src.Net='10.0.0.0/8'"),
        ("arp dst 10.0.0.1", "arp.dst='10.0.0.1'"),
        ("net 10", "Net=10"),
        ("net 192.168", "Net='192.168'"),
        ("net 192.168/16", "Net='192.168/16'"),
        ("net fe80::/10", "Net='fe80::/10'"),
        ("net 10.0.0.0 mask 255.0.0.0", "Net='10.0.0.0'&'255.0.0.0'"),
        ("tcp port 80", "tcp.Port=80"),
        ("src or dst port 80", "either.Port=80"),
        ("dst and src port 80", "both.Port=80"),
        ("src and dst net 10", "both.Net=10"),
        ("tcp src port http", "tcp.src.Port='http'"),
        ("port ftp-data", "Port='ftp-data'"),
        ("portrange 1-1023", "PortRange=1..1023"),
        ("portrange 1023-1", "PortRange=1..1023"),
        ("portrange 80", "PortRange=80"),
        ("portrange 6000 - 6008", "PortRange=6000..6008"),
        ("port 0x50", "Port=80"),
        ("port 010", "Port=8"),
        ("port not 80", "!Port=80"),
        ("ip proto \\tcp", "ip.Proto='tcp'"),
        ("ip proto tcp", "ip.Proto='tcp'"),
        ("ip6 proto 6", "ip6.Proto=6"),
        ("proto dns", "Proto='dns'"),
        ("proto ipv6-icmp", "Proto='ipv6-icmp'"),
        ("ether proto 0x88cc", "ether.Proto=35020"),
        (
            "ether host aa-bb-cc-dd-ee-ff",
            "ether.Host='aa-bb-cc-dd-ee-ff'",
        ),
        ("ether src a:b:c:d:e:f", "ether.src='a:b:c:d:e:f'"),
        ("ether dst aabb.ccdd.eeff", "ether.dst='aabb.ccdd.eeff'"),
        ("ether host aabbccddeeff", "ether.Host='aabbccddeeff'"),
        ("vlan", "Vlan"),
        ("vlan 10 and vlan (20)", "(Vlan=10 & Vlan=20)"),
        ("mpls 100", "Mpls=100"),
        ("pppoes 0x3b", "Pppoes=59"),
        ("interface eth0.10:1@x", "Interface='eth0.10:1@x'"),
        ("interface br-lan- and tcp", "(Interface='br-lan-' & tcp)"),
        (
            "on \"my if\" or ifname 'and'",
            "(Interface='my if' | Interface='and')",
        ),
    ]);
}

#[test]
fn qualifiers_are_inherited() {
    table(&[
        ("port 80 or 443", "(Port=80 | Port=443)"),
        (
            "tcp port 80 or 443 and 8080",
            "((tcp.Port=80 | tcp.Port=443) & tcp.Port=8080)",
        ),
        ("port (80 or 443)", "(Port=80 | Port=443)"),
        ("port ((80) or (not 443))", "(Port=80 | !Port=443)"),
        (
            "port 80 or (443 or 8080)",
            "(Port=80 | (Port=443 | Port=8080))",
        ),
        ("port 80 or (443)", "(Port=80 | Port=443)"),
        ("tcp port 80 or not 443", "(tcp.Port=80 | !tcp.Port=443)"),
        (
            "host 10.0.0.1 or 10.0.0.2",
            "(Host='10.0.0.1' | Host='10.0.0.2')",
        ),
        (
            "not host 10.0.0.1 or ::1",
            "(!Host='10.0.0.1' | Host='::1')",
        ),
        (
            "src host 10.0.0.1 and 10.0.0.2",
            "(src.Host='10.0.0.1' & src.Host='10.0.0.2')",
        ),
        (
            "src 10.0.0.1 or dst 10.0.0.2 or 10.0.0.3",
            "(src='10.0.0.1' | dst='10.0.0.2' | dst='10.0.0.3')",
        ),
        (
            "host (10.0.0.1 or 10.0.0.2) and tcp",
            "((Host='10.0.0.1' | Host='10.0.0.2') & tcp)",
        ),
        (
            "src net 10 or 192.168 or 172.16/12",
            "(src.Net=10 | src.Net='192.168' | src.Net='172.16/12')",
        ),
        (
            "portrange 1-2 or 3-4 or 5",
            "(PortRange=1..2 | PortRange=3..4 | PortRange=5)",
        ),
        ("port http or https", "(Port='http' | Port='https')"),
        (
            "ip proto \\tcp or \\udp or 1",
            "(ip.Proto='tcp' | ip.Proto='udp' | ip.Proto=1)",
        ),
        ("ip proto tcp or udp", "(ip.Proto='tcp' | udp)"),
        // Parentheses are transparent, as in libpcap.
        ("port 80 or (tcp) or 443", "(Port=80 | tcp | Port=443)"),
        (
            "port 80 and (tcp or udp) and 443",
            "(Port=80 & (tcp | udp) & Port=443)",
        ),
        // A protocol's name is no host's name.
        ("host 10.0.0.1 and dns", "(Host='10.0.0.1' & dns)"),
        (
            "host 10.0.0.1 and dns or 10.0.0.2",
            "((Host='10.0.0.1' & dns) | Host='10.0.0.2')",
        ),
        (
            "(port 80) or 443",
            "error: the number '443' alone says nothing",
        ),
        (
            "port 80 and tcp or 443",
            "error: the number '443' alone says nothing",
        ),
        (
            "port 80 or @web or 443",
            "error: the number '443' alone says nothing",
        ),
    ]);
}

#[test]
fn and_and_or_bind_equally() {
    table(&[
        ("tcp or udp and icmp", "((tcp | udp) & icmp)"),
        (
            "tcp and udp or icmp and arp",
            "(((tcp & udp) | icmp) & arp)",
        ),
        ("tcp && udp || icmp", "((tcp & udp) | icmp)"),
        ("tcp or udp or icmp", "(tcp | udp | icmp)"),
        ("tcp or (udp or icmp)", "(tcp | (udp | icmp))"),
        ("not tcp and udp", "(!tcp & udp)"),
        ("not (tcp and udp)", "!(tcp & udp)"),
        ("!!tcp", "!!tcp"),
        ("NOT tcp AND NOT udp", "(!tcp & !udp)"),
        ("((tcp))", "tcp"),
        ("tcp # web\nor # mail\nudp", "(tcp | udp)"),
    ]);
}

#[test]
fn relations() {
    table(&[
        ("len > 100", "len Greater 100"),
        ("length<=0x40", "len LessOrEqual 64"),
        ("greater 1000", "len GreaterOrEqual 1000"),
        ("less 64 or tcp", "(len LessOrEqual 64 | tcp)"),
        (
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
            "(tcp[13:1] & (2 | 16)) Equal 2",
        ),
        ("ip[6:2] & 0x1fff != 0", "(ip[6:2] & 8191) NotEqual 0"),
        ("ip[0] & 0xf != 5", "(ip[0:1] & 15) NotEqual 5"),
        (
            "(ip[2:2] - ((ip[0]&0xf)<<2)) != 0",
            "(ip[2:2] - ((ip[0:1] & 15) << 2)) NotEqual 0",
        ),
        (
            "(ip[0] & 15) * 4 = 20 and tcp",
            "(((ip[0:1] & 15) * 4) Equal 20 & tcp)",
        ),
        ("((ip[0])) = 1", "ip[0:1] Equal 1"),
        ("1 + 2 * 3 = 7", "(1 + (2 * 3)) Equal 7"),
        ("1 - 2 - 3 = 0", "((1 - 2) - 3) Equal 0"),
        (
            "1 | 2 & 3 << 4 + 5 = 0",
            "(1 | (2 & (3 << (4 + 5)))) Equal 0",
        ),
        ("-1 + 2 = 1", "((0 - 1) + 2) Equal 1"),
        ("5 > 4 and len > 0", "(5 Greater 4 & len Greater 0)"),
        ("not len > 5", "!len Greater 5"),
        (
            "icmp[icmptype] = icmp-echo or icmp6[icmp6type] == icmp6-echo",
            "(icmp[0:1] Equal 8 | icmp6[0:1] Equal 128)",
        ),
        ("udp[udp[4:2] - 1] = 0", "udp[(udp[4:2] - 1):1] Equal 0"),
        ("link[0:4]=1", "ether[0:4] Equal 1"),
        ("gre[2:2] = 0x800", "gre[2:2] Equal 2048"),
        // As the grammar of libpcap has it: no precedence for '%' and '^'.
        ("ip[0] % 2 + 3 = 1", "(ip[0:1] % (2 + 3)) Equal 1"),
        ("1 + ip[0] % 2 = 1", "(1 + (ip[0:1] % 2)) Equal 1"),
        ("ip[0] & 3 ^ 5 = 1", "(ip[0:1] & (3 ^ 5)) Equal 1"),
    ]);
}

#[test]
fn sets_and_files() {
    table(&[
        ("port in {80, 443, 8000-8100}", "Port={80 443 8000..8100}"),
        ("port in {80 443,http 1 - 5,}", "Port={80 443 'http' 1..5}"),
        ("tcp dst port in {80}", "tcp.dst.Port={80}"),
        ("portrange in {1-2}", "Port={1..2}"),
        (
            "net in {10.0.0.0/8, fe80::/10 10}",
            "Net={'10.0.0.0/8' 'fe80::/10' 10}",
        ),
        ("src host in {10.0.0.1 ::1}", "src.Host={'10.0.0.1' '::1'}"),
        (
            "proto in {tcp, \\udp, 47, 50-51}",
            "Proto={'tcp' 'udp' 47 50..51}",
        ),
        ("vlan in {10, 20-29}", "Vlan={10 20..29}"),
        (
            "interface in {eth0.1, br-lan, a@b}",
            "Interface={'eth0.1' 'br-lan' 'a@b'}",
        ),
        (
            "(net in file /etc/a#b.txt) and tcp",
            "(Net=</etc/a#b.txt> & tcp)",
        ),
        (
            "port in file \"my ports.txt\" or udp",
            "(Port=<my ports.txt> | udp)",
        ),
        ("src net in file 'x)y'", "src.Net=<x)y>"),
        ("not port in {80} and udp", "(!Port={80} & udp)"),
        ("port in {80} or 443", "(Port={80} | Port=443)"),
        (
            "ether host in {aa:bb:cc:dd:ee:ff}",
            "ether.Host={'aa:bb:cc:dd:ee:ff'}",
        ),
    ]);
}

#[test]
fn measures() {
    table(&[
        ("bytes > 10M", "Bytes Greater 10000000"),
        ("bytes >= 1.5Gi", "Bytes GreaterOrEqual 1610612736"),
        ("bytes == 10000000000", "Bytes Equal 10000000000"),
        ("bytes > 10 M and tcp", "(Bytes Greater 10000000 & tcp)"),
        ("packets != 1000", "Packets NotEqual 1000"),
        (
            "duration < 500ms or duration > 2h",
            "(Duration Less 500000000 | Duration Greater 7200000000000)",
        ),
    ]);
}

#[test]
fn named_filters_stand_in_parentheses() {
    table(&[
        ("@web", "@web[Port={80 443}]"),
        ("not @web and tcp", "(!@web[Port={80 443}] & tcp)"),
        (
            "@both",
            "@both[(@web[Port={80 443}] | @mail[(Port=25 | Port=587)])]",
        ),
        ("tcp and (@mail)", "(tcp & @mail[(Port=25 | Port=587)])"),
    ]);
}

#[test]
fn places_are_those_of_the_words() {
    let text = "tcp port 80 or 443 and port in {1, 2-3}";
    let Ok(Expr::And(parts)) = parse(text, &super::Shelf) else {
        panic!("no chain")
    };
    let [Expr::Or(ports), Expr::Primitive(set)] = parts.as_slice() else {
        panic!("no two parts")
    };
    let spans: Vec<&str> = ports
        .iter()
        .map(|port| match port {
            Expr::Primitive(primitive) => &text[primitive.span.clone()],
            _ => panic!("no port"),
        })
        .collect();
    assert_eq!(spans, ["tcp port 80", "443"]);
    let Id::List(members) = &set.id else {
        panic!("no list")
    };
    let members: Vec<&str> = members
        .iter()
        .map(|(_, span)| &text[span.clone()])
        .collect();
    assert_eq!(members, ["1", "2-3"]);
    assert_eq!(&text[set.span.clone()], "port in {1, 2-3}");
}
