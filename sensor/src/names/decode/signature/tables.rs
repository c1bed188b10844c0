//! All signatures, in the order in which they are asked, each with what its messages must begin with or the ports that it
//! speaks on.

use super::clue::{Clue, Step};
use super::gate::{ANY, CAPITAL, TEXT, Table, WORD, on_any_port as rule, on_ports};
use super::message::Message;
use super::{
    databases, directory, exporters, handshake, industry, infrastructure, mail, peers, queues,
    remote, resolver, text, tunnels, voice,
};
use sensor_common::application::Application;

/// Proves a protocol with one payload.
pub(super) type Signature = fn(&Message<'_>) -> Option<Application>;
/// Needs a message more: gets the clues of earlier payloads, this way and the other.
pub(super) type Pair = fn(&Message<'_>, Clue, Clue) -> Step;

/// What may begin a TCP flow, where the other way hasn't begun something else.
pub(super) static TCP_FIRST: Table<Signature> = Table::new(&[
    rule(handshake::tls, HELLO),
    rule(handshake::tls_later, &[(20, 23)]),
    rule(text::http, CAPITAL),
    rule(text::http2, &[(0, 0), (b'P', b'P')]),
    rule(text::requests, TEXT),
    rule(text::ssh, &[(b'S', b'S')]),
    rule(text::openings, OPENINGS),
    rule(text::xmpp, &[(b'<', b'<')]),
    rule(text::irc, TEXT),
    rule(mail::smtp, WORD),
    rule(mail::ftp, WORD),
    rule(mail::pop3, POP3),
    rule(mail::imap, IMAP),
    on_ports(mail::nntp, &[119]),
    rule(databases::mysql, ANY),
    rule(databases::postgresql, ANY),
    rule(databases::mongodb, ANY),
    rule(databases::mssql, &[(1, 4), (0x10, 0x12)]),
    rule(databases::redis, REDIS),
    on_ports(databases::memcached, databases::MEMCACHED),
    rule(databases::cassandra, &[(3, 6), (0x83, 0x86)]),
    on_ports(databases::zookeeper, &[2181]),
    rule(databases::oracle, ANY),
    rule(directory::ldap, SEQUENCE),
    // Its length comes first, which has three bytes.
    rule(directory::kerberos, &[(0, 1)]),
    rule(remote::smb, &[(0, 0)]),
    on_ports(remote::netbios_session, &[139]),
    rule(remote::tpkt, &[(3, 3)]),
    rule(remote::msrpc, &[(5, 5)]),
    rule(remote::rpc, LAST_FRAGMENT),
    rule(remote::telnet, &[(0xff, 0xff)]),
    on_ports(remote::socks, &[1080]),
    rule(remote::rtmp, &[(3, 3)]),
    rule(remote::pptp, ANY),
    rule(remote::x11, &[(b'B', b'B'), (b'l', b'l')]),
    rule(queues::mqtt, &[(0x10, 0x10)]),
    on_ports(queues::mqtt_on_port, queues::MQTT),
    rule(queues::amqp, &[(1, 1), (b'A', b'A')]),
    on_ports(queues::kafka, &[9092]),
    rule(infrastructure::bgp, &[(0xff, 0xff)]),
    rule(infrastructure::syslog, &[(b'0', b'9'), (b'<', b'<')]),
    on_ports(infrastructure::tacacs, &[49]),
    on_ports(infrastructure::diameter, &[3868]),
    on_ports(infrastructure::ldp, &[646]),
    on_ports(resolver::dns_over_tcp, &[53]),
    rule(peers::bittorrent, &[(0x13, 0x13)]),
    rule(tunnels::openvpn_over_tcp, ANY),
    rule(voice::stun, STUN),
    rule(voice::stun_framed, ANY),
    on_ports(industry::modbus, &[502]),
    on_ports(industry::dnp3, &[20000]),
    on_ports(industry::ethernet_ip, &[44818]),
    rule(industry::opc_ua, CAPITAL),
]);

/// What is sure enough in the middle of a TCP flow: dialogues on their own ports, and a handshake of TLS.
pub(super) static TCP_LATER: Table<Signature> = Table::new(&[
    rule(handshake::tls, HELLO),
    on_ports(mail::smtp_on_port, mail::SMTP),
    on_ports(mail::ftp_on_port, mail::FTP),
    on_ports(mail::pop3_on_port, mail::POP3),
    on_ports(mail::imap_on_port, mail::IMAP),
    on_ports(resolver::dns_over_tcp, &[53]),
    rule(infrastructure::bgp, &[(0xff, 0xff)]),
    on_ports(infrastructure::syslog_on_port, infrastructure::SYSLOG),
    on_ports(queues::mqtt_on_port, queues::MQTT),
    rule(remote::smb, &[(0, 0)]),
    rule(remote::rpc, LAST_FRAGMENT),
]);

pub(super) static TCP_PAIRS: Table<Pair> = Table::new(&[
    rule(mail::dialogue as Pair, IMAP),
    rule(queues::kafka_pair, ANY),
    rule(databases::memcached_pair, MEMCACHED),
    rule(remote::socks_pair, &[(0, 0), (4, 5)]),
    rule(remote::rpc_pair, LAST_FRAGMENT),
]);

/// Datagrams stand for themselves, so each may tell.
pub(super) static UDP: Table<Signature> = Table::new(&[
    on_ports(resolver::names, &[53, 137, 5353, 5355]),
    // Google's first versions have other flags.
    rule(handshake::quic, &[(0x09, 0x3d), (0x80, 0xff)]),
    rule(handshake::dtls, &[(20, 24)]),
    on_ports(voice::stun, voice::STUN_PORTS),
    rule(text::ssdp, &[(b'<', b'<'), (b'H', b'H'), (b'M', b'N')]),
    rule(text::requests, TEXT),
    rule(peers::dht, &[(b'B', b'B'), (b'd', b'd')]),
    rule(peers::utp_start, &[(0x41, 0x41)]),
    rule(peers::tracker, &[(0, 0)]),
    on_ports(infrastructure::ntp, &[123]),
    rule(infrastructure::dhcp, &[(1, 2)]),
    on_ports(infrastructure::dhcpv6, &[546, 547]),
    rule(infrastructure::snmp, SEQUENCE),
    rule(infrastructure::tftp, &[(0, 0)]),
    rule(infrastructure::syslog, &[(b'<', b'<')]),
    on_ports(infrastructure::radius, infrastructure::RADIUS),
    on_ports(infrastructure::netbios_datagram, &[138]),
    on_ports(infrastructure::rip, &[520, 521]),
    on_ports(infrastructure::ipmi, &[623]),
    on_ports(infrastructure::bfd, &[3784, 4784]),
    on_ports(infrastructure::ldp, &[646]),
    on_ports(infrastructure::nat_pmp, &[5350, 5351]),
    rule(exporters::netflow, &[(0, 0)]),
    rule(exporters::ipfix, &[(0, 0)]),
    on_ports(exporters::sflow, &[6343]),
    rule(directory::kerberos, &[(0x6a, 0x6f), (0x74, 0x7e)]),
    on_ports(directory::cldap, &[389]),
    rule(remote::rpc, ANY),
    rule(tunnels::ike, ANY),
    on_ports(tunnels::esp, tunnels::ESP_PORT),
    rule(tunnels::wireguard, &[(1, 4)]),
    // Operation and key.
    rule(tunnels::openvpn, &[(0x08, 0x5f)]),
    on_ports(tunnels::vxlan, &[4789, 8472]),
    on_ports(tunnels::geneve, &[6081]),
    on_ports(tunnels::gtp, &[2123, 2152]),
    on_ports(tunnels::l2tp, &[1701]),
    rule(tunnels::teredo, &[(0, 0), (0x60, 0x6f)]),
    on_ports(queues::coap, &[5683]),
    on_ports(databases::memcached_datagram, databases::MEMCACHED),
    on_ports(voice::iax2, &[4569]),
    on_ports(industry::bacnet, &[47808]),
]);

pub(super) static UDP_PAIRS: Table<Pair> = Table::new(&[
    rule(resolver::dns_pair as Pair, ANY),
    rule(voice::stun_pair, STUN),
    rule(tunnels::wireguard_pair, &[(1, 4)]),
    on_ports(tunnels::esp_pair, tunnels::ESP_PORT),
    rule(remote::rpc_pair, ANY),
    rule(peers::utp_pair, &[(0x01, 0x41)]),
    rule(voice::rtcp_pair, VERSION_2),
    rule(voice::rtp_pair, VERSION_2),
]);

/// A TLS record, or SSLv2's form of one.
const HELLO: &[(u8, u8)] = &[(22, 22), (0x80, 0xff)];
/// Of ONC RPC over TCP.
const LAST_FRAGMENT: &[(u8, u8)] = &[(0x80, 0xff)];
/// ASN.1's.
const SEQUENCE: &[(u8, u8)] = &[(0x30, 0x30)];
/// Its first two bits are zero.
const STUN: &[(u8, u8)] = &[(0, 0x3f)];
/// RTP's first two bits.
const VERSION_2: &[(u8, u8)] = &[(0x80, 0xbf)];

/// Numbers in hexadecimal are git's, with a sign too.
const OPENINGS: &[(u8, u8)] = &[
    (b'(', b'('),
    (b'+', b'+'),
    (b'0', b'9'),
    (b'@', b'F'),
    (b'I', b'I'),
    (b'R', b'S'),
    (b'Z', b'Z'),
    (b'a', b'f'),
];
const POP3: &[(u8, u8)] = &[(b'+', b'+'), (b'-', b'-'), (b'A', b'Z'), (b'a', b'z')];
/// Tags may be of any letters.
const IMAP: &[(u8, u8)] = &[
    (b'$', b'$'),
    (b'*', b'+'),
    (b'.', b'.'),
    (b'0', b'9'),
    (b'A', b'Z'),
    (b'a', b'z'),
];
const REDIS: &[(u8, u8)] = &[
    (b'$', b'$'),
    (b'*', b'+'),
    (b'-', b'-'),
    (b':', b':'),
    (b'I', b'I'),
    (b'P', b'P'),
    (b'i', b'i'),
    (b'p', b'p'),
];
/// Of its text and binary protocols.
const MEMCACHED: &[(u8, u8)] = &[(b'A', b'Z'), (b'a', b'z'), (0x80, 0x81)];
