//! From ports to the name of an application protocol.
//!
//! A port is an expectation, not a proof; reports say `classified_by: port`.

use crate::application::Application::{self, *};
use crate::protocol::ip;

/// The application protocol that is registered for the flow's lower known port, or `None`.
pub fn by_port(protocol: u8, src_port: u16, dst_port: u16) -> Option<Application> {
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

fn tcp(port: u16) -> Option<Application> {
    if port < 1024 {
        tcp_system(port)
    } else {
        tcp_registered(port)
    }
}

/// System ports (RFC 6335, 6): those of the oldest protocols.
fn tcp_system(port: u16) -> Option<Application> {
    Some(match port {
        20 => FtpData,
        21 => Ftp,
        22 => Ssh,
        23 => Telnet,
        25 | 587 => Smtp,
        43 => Whois,
        49 => Tacacs,
        53 => Dns,
        70 => Gopher,
        79 => Finger,
        80 => Http,
        88 => Kerberos,
        102 => S7comm,
        110 => Pop3,
        111 => Rpcbind,
        119 => Nntp,
        123 => Ntp,
        135 => Msrpc,
        139 => NetbiosSsn,
        143 => Imap,
        179 => Bgp,
        194 => Irc,
        389 => Ldap,
        443 => Https,
        445 => Smb,
        465 => Smtps,
        500 => Ike,
        502 => Modbus,
        514 => Shell,
        515 => Printer,
        554 => Rtsp,
        631 => Ipp,
        636 => Ldaps,
        646 => Ldp,
        853 => Dot,
        873 => Rsync,
        989 => FtpsData,
        990 => Ftps,
        993 => Imaps,
        995 => Pop3s,
        _ => return None,
    })
}

fn tcp_registered(port: u16) -> Option<Application> {
    Some(match port {
        1080 => Socks,
        1194 => Openvpn,
        1433 => Mssql,
        1521 => Oracle,
        1720 => H323,
        1723 => Pptp,
        1883 => Mqtt,
        1935 => Rtmp,
        2049 => Nfs,
        2181 => Zookeeper,
        2375 | 2376 => Docker,
        2379 | 2380 => Etcd,
        2775 => Smpp,
        3128 => HttpProxy,
        3260 => Iscsi,
        3268 => Ldap,
        3269 => Ldaps,
        3300 | 6789 => Ceph,
        3306 | 33060 => Mysql,
        3389 => Rdp,
        3478 => Stun,
        3690 => Svn,
        3868 => Diameter,
        4222 => Nats,
        4840 => OpcUa,
        5060 => Sip,
        5061 => Sips,
        5201 => Iperf3,
        5222 => Xmpp,
        5223 | 5269 => Xmpp,
        5349 => Stun,
        5432 => Postgresql,
        5671 | 5672 => Amqp,
        5900 => Vnc,
        5985 | 5986 => Winrm,
        6000 => X11,
        6379 => Redis,
        6443 => Kubernetes,
        6514 => Syslog,
        6667 => Irc,
        6881..=6889 => Bittorrent,
        8080 | 8000 => Http,
        8125 => Statsd,
        8300..=8302 | 8500 => Consul,
        8443 => Https,
        8883 => Mqtts,
        9042 => Cassandra,
        9090 => Prometheus,
        9092 => Kafka,
        9200 | 9300 => Elasticsearch,
        9418 => Git,
        10050 | 10051 => Zabbix,
        10250 => Kubernetes,
        11211 => Memcached,
        20000 => Dnp3,
        27017 => Mongodb,
        44818 => EthernetIp,
        61613 => Stomp,
        _ => return None,
    })
}

fn udp(port: u16) -> Option<Application> {
    Some(match port {
        53 => Dns,
        67 | 68 => Dhcp,
        69 => Tftp,
        88 => Kerberos,
        111 => Rpcbind,
        123 => Ntp,
        137 => NetbiosNs,
        138 => NetbiosDgm,
        161 | 162 => Snmp,
        177 => Xdmcp,
        319 | 320 => Ptp,
        389 => Cldap,
        443 => Quic,
        500 | 4500 => Ike,
        514 => Syslog,
        520 => Rip,
        521 => Ripng,
        546 | 547 => Dhcpv6,
        623 => Ipmi,
        646 => Ldp,
        853 => Doq,
        1194 => Openvpn,
        1701 => L2tp,
        1812 | 1813 => Radius,
        1900 => Ssdp,
        2049 => Nfs,
        2055 => Netflow,
        2123 => GtpC,
        2152 => GtpU,
        3389 => Rdp,
        3478 => Stun,
        3544 => Teredo,
        4341 | 4342 => Lisp,
        4569 => Iax2,
        4791 => Rocev2,
        5350 | 5351 => NatPmp,
        5349 | 19302 => Stun,
        8125 => Statsd,
        9993 => Zerotier,
        27015 => Steam,
        41641 => Tailscale,
        2427 | 2727 => Mgcp,
        8301 | 8302 => Consul,
        3702 => WsDiscovery,
        3784 | 4784 => Bfd,
        4739 => Ipfix,
        4789 | 8472 => Vxlan,
        5060 => Sip,
        5201 => Iperf3,
        5353 => Mdns,
        5355 => Llmnr,
        5683 => Coap,
        5684 => Coaps,
        6081 => Geneve,
        6343 => Sflow,
        6881..=6889 => Bittorrent,
        11211 => Memcached,
        47808 => Bacnet,
        51820 => Wireguard,
        _ => return None,
    })
}

fn sctp(port: u16) -> Option<Application> {
    Some(match port {
        2905 => M3ua,
        3868 => Diameter,
        36412 => S1ap,
        36422 => X2ap,
        38412 => Ngap,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_a_conversation_get_the_same_name() {
        assert_eq!(by_port(ip::TCP, 443, 50000), Some(Https));
        assert_eq!(by_port(ip::TCP, 50000, 443), Some(Https));
        assert_eq!(by_port(ip::UDP, 443, 50000), Some(Quic));
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
        assert_eq!(by_port(ip::TCP, 1024, 5432), Some(Postgresql));
        assert_eq!(by_port(ip::UDP, 51820, 1), Some(Wireguard));
        assert_eq!(by_port(ip::SCTP, 36412, 1), Some(S1ap));
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
