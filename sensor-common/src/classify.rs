//! From ports to the name of an application protocol.
//!
//! A port is an expectation, not a proof; reports say `classified_by: port`.

use crate::protocol::ip;

/// The application protocol that is registered for the flow's lower known port, or `None`.
pub fn by_port(protocol: u8, src_port: u16, dst_port: u16) -> Option<&'static str> {
    let (low, high) = if src_port < dst_port {
        (src_port, dst_port)
    } else {
        (dst_port, src_port)
    };
    match protocol {
        ip::TCP => tcp(low).or_else(|| tcp(high)),
        ip::UDP => udp(low).or_else(|| udp(high)),
        ip::SCTP => sctp(low).or_else(|| sctp(high)),
        _ => None,
    }
}

fn tcp(port: u16) -> Option<&'static str> {
    Some(match port {
        20 => "ftp-data",
        21 => "ftp",
        22 => "ssh",
        23 => "telnet",
        25 | 587 => "smtp",
        43 => "whois",
        49 => "tacacs",
        53 => "dns",
        80 | 8080 | 8000 => "http",
        88 => "kerberos",
        110 => "pop3",
        111 => "rpcbind",
        119 => "nntp",
        123 => "ntp",
        135 => "msrpc",
        139 => "netbios-ssn",
        143 => "imap",
        179 => "bgp",
        194 | 6667 => "irc",
        389 | 3268 => "ldap",
        443 | 8443 => "https",
        445 => "smb",
        465 => "smtps",
        500 => "ike",
        502 => "modbus",
        514 => "shell",
        515 => "printer",
        554 => "rtsp",
        631 => "ipp",
        636 | 3269 => "ldaps",
        646 => "ldp",
        853 => "dot",
        873 => "rsync",
        989 => "ftps-data",
        990 => "ftps",
        993 => "imaps",
        995 => "pop3s",
        1080 => "socks",
        1194 => "openvpn",
        1433 => "mssql",
        1521 => "oracle",
        1723 => "pptp",
        1883 => "mqtt",
        2049 => "nfs",
        2181 => "zookeeper",
        2375 | 2376 => "docker",
        2379 | 2380 => "etcd",
        3128 => "http-proxy",
        3260 => "iscsi",
        3306 => "mysql",
        3389 => "rdp",
        3478 => "stun",
        3868 => "diameter",
        4222 => "nats",
        5060 => "sip",
        5061 => "sips",
        5201 => "iperf3",
        5222 => "xmpp",
        5432 => "postgresql",
        5671 | 5672 => "amqp",
        5900 => "vnc",
        5985 | 5986 => "winrm",
        6379 => "redis",
        6443 => "kubernetes",
        6881..=6889 => "bittorrent",
        8883 => "mqtts",
        9042 => "cassandra",
        9092 => "kafka",
        9200 => "elasticsearch",
        11211 => "memcached",
        20000 => "dnp3",
        27017 => "mongodb",
        44818 => "ethernet-ip",
        _ => return None,
    })
}

fn udp(port: u16) -> Option<&'static str> {
    Some(match port {
        53 => "dns",
        67 | 68 => "dhcp",
        69 => "tftp",
        88 => "kerberos",
        111 => "rpcbind",
        123 => "ntp",
        137 => "netbios-ns",
        138 => "netbios-dgm",
        161 | 162 => "snmp",
        177 => "xdmcp",
        319 | 320 => "ptp",
        389 => "cldap",
        443 => "quic",
        500 | 4500 => "ike",
        514 => "syslog",
        520 => "rip",
        521 => "ripng",
        546 | 547 => "dhcpv6",
        623 => "ipmi",
        646 => "ldp",
        853 => "doq",
        1194 => "openvpn",
        1701 => "l2tp",
        1812 | 1813 => "radius",
        1900 => "ssdp",
        2049 => "nfs",
        2055 => "netflow",
        2123 => "gtp-c",
        2152 => "gtp-u",
        3389 => "rdp",
        3478 => "stun",
        3702 => "ws-discovery",
        3784 | 4784 => "bfd",
        4739 => "ipfix",
        4789 | 8472 => "vxlan",
        5060 => "sip",
        5201 => "iperf3",
        5353 => "mdns",
        5355 => "llmnr",
        5683 => "coap",
        5684 => "coaps",
        6081 => "geneve",
        6343 => "sflow",
        6881..=6889 => "bittorrent",
        11211 => "memcached",
        47808 => "bacnet",
        51820 => "wireguard",
        _ => return None,
    })
}

fn sctp(port: u16) -> Option<&'static str> {
    Some(match port {
        2905 => "m3ua",
        3868 => "diameter",
        36412 => "s1ap",
        36422 => "x2ap",
        38412 => "ngap",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_a_conversation_get_the_same_name() {
        assert_eq!(by_port(ip::TCP, 443, 50000), Some("https"));
        assert_eq!(by_port(ip::TCP, 50000, 443), Some("https"));
        assert_eq!(by_port(ip::UDP, 443, 50000), Some("quic"));
        // Both ports are known: the lower one decides, whichever side it is on.
        assert_eq!(by_port(ip::TCP, 6379, 80), by_port(ip::TCP, 80, 6379));
    }

    #[test]
    fn an_unknown_port_has_no_name() {
        assert_eq!(by_port(ip::TCP, 40000, 50000), None);
        assert_eq!(by_port(ip::ICMP, 53, 53), None);
    }

    #[test]
    fn each_port_means_the_same_whichever_side_it_is_on() {
        for protocol in [ip::TCP, ip::UDP, ip::SCTP] {
            for port in 0..=u16::MAX {
                for other in [0, 53, 443, 5060, 40000, u16::MAX] {
                    let name = by_port(protocol, port, other);
                    assert_eq!(name, by_port(protocol, other, port), "{port} {other}");
                }
            }
        }
    }

    #[test]
    fn the_higher_port_decides_where_the_lower_has_no_name() {
        assert_eq!(by_port(ip::TCP, 1024, 5432), Some("postgresql"));
        assert_eq!(by_port(ip::UDP, 51820, 1), Some("wireguard"));
        assert_eq!(by_port(ip::SCTP, 36412, 1), Some("s1ap"));
        assert_eq!(by_port(ip::TCP, 6880, 6890), None);
        assert_eq!(by_port(ip::TCP, 6881, 50000), by_port(ip::UDP, 50000, 6889));
    }

    #[test]
    fn ports_of_other_protocols_have_no_name() {
        for protocol in (0..=255).filter(|number| ![ip::TCP, ip::UDP, ip::SCTP].contains(number)) {
            assert_eq!(by_port(protocol, 443, 53), None);
        }
    }
}
