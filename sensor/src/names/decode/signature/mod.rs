//! Which application a payload belongs to, by its bytes.
//!
//! Signatures stand in families, one file each. There are two kinds: those that prove a protocol with one payload (enough
//! bits that are fixed, or that depend on one another, or fewer on the protocol's own port), and those that need a second
//! message that fits the first; these leave a [`Clue`] in the [`Hints`] of the conversation. What may only open another
//! protocol is there as [`Hints::otherwise`], for when nothing else comes.
//!
//! A protocol of TCP begins with the first payload of a flow and nowhere else: what comes later is content, in which
//! anything may stand.

mod clue;
mod databases;
mod directory;
mod exporters;
mod handshake;
mod industry;
mod infrastructure;
mod mail;
mod message;
mod peers;
mod queues;
mod remote;
mod resolver;
mod text;
mod tunnels;
mod voice;

#[cfg(test)]
mod tests;

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;

use crate::names::Sample;
pub use clue::Hints;
use clue::{Clue, Step};
use message::Message;

/// Proves a protocol with one payload.
type Signature = fn(&Message<'_>) -> Option<Application>;
/// Needs a message more: gets the clues of earlier payloads, this way and the other.
type Pair = fn(&Message<'_>, Clue, Clue) -> Step;

/// The application that the payload proves, alone or together with `hints` of earlier ones, which it may change.
/// Conservative: `None` is better than a guess. TLS, DTLS and QUIC are told by their first bytes and named as such, and so
/// is HTTP: what comes inside, and what a port makes of it (https, dot, coaps), others know.
pub fn identify(sample: &Sample<'_>, hints: &mut Hints) -> Option<Application> {
    let message = Message::new(sample)?;
    let way = usize::from(is_second_way(&sample.key));
    let (own, other) = hints.ways(way);
    let (single, pairs) = if message.udp {
        (UDP, UDP_PAIRS)
    } else if message.first && !other.began() {
        (TCP_FIRST, TCP_PAIRS)
    } else {
        (TCP_LATER, TCP_PAIRS)
    };
    if let Some(found) = single.iter().find_map(|signature| signature(&message)) {
        return Some(found);
    }
    for pair in pairs {
        match pair(&message, own, other) {
            Step::Nothing => {}
            Step::Keep(clue) => {
                hints.set(way, clue);
                return None;
            }
            Step::Likely(found, clue) => {
                hints.set(way, clue);
                hints.set_otherwise(found);
                return None;
            }
            Step::Sure(found) => return Some(found),
        }
    }
    None
}

/// Both ways of a conversation share the hints; which is which is told by their ends.
fn is_second_way(key: &FlowKey) -> bool {
    (key.src_addr(), key.src_port()) > (key.dst_addr(), key.dst_port())
}

/// What may begin a TCP flow, where the other way hasn't begun something else.
const TCP_FIRST: &[Signature] = &[
    handshake::tls,
    handshake::tls_later,
    text::http,
    text::http2,
    text::requests,
    text::ssh,
    text::openings,
    text::xmpp,
    text::irc,
    mail::smtp,
    mail::ftp,
    mail::pop3,
    mail::imap,
    mail::nntp,
    databases::mysql,
    databases::postgresql,
    databases::mongodb,
    databases::mssql,
    databases::redis,
    databases::memcached,
    databases::cassandra,
    databases::zookeeper,
    databases::oracle,
    directory::ldap,
    directory::kerberos,
    remote::smb,
    remote::netbios_session,
    remote::tpkt,
    remote::msrpc,
    remote::rpc,
    remote::telnet,
    remote::socks,
    remote::rtmp,
    remote::pptp,
    remote::x11,
    queues::mqtt,
    queues::amqp,
    queues::kafka,
    infrastructure::bgp,
    infrastructure::syslog,
    infrastructure::tacacs,
    infrastructure::diameter,
    infrastructure::ldp,
    resolver::dns_over_tcp,
    peers::bittorrent,
    tunnels::openvpn_over_tcp,
    voice::stun,
    voice::stun_framed,
    industry::modbus,
    industry::dnp3,
    industry::ethernet_ip,
    industry::opc_ua,
];

/// What is sure enough in the middle of a TCP flow: dialogues on their own ports, and a handshake of TLS.
const TCP_LATER: &[Signature] = &[
    handshake::tls,
    mail::smtp_on_port,
    mail::ftp_on_port,
    mail::pop3_on_port,
    mail::imap_on_port,
    resolver::dns_over_tcp,
    infrastructure::bgp,
    infrastructure::syslog_on_port,
    queues::mqtt_on_port,
    remote::smb,
    remote::rpc,
];

const TCP_PAIRS: &[Pair] = &[
    mail::dialogue,
    queues::kafka_pair,
    databases::memcached_pair,
    remote::socks_pair,
    remote::rpc_pair,
];

/// Datagrams stand for themselves, so each may tell.
const UDP: &[Signature] = &[
    resolver::names,
    handshake::quic,
    handshake::dtls,
    voice::stun,
    text::ssdp,
    text::requests,
    peers::dht,
    peers::utp_start,
    peers::tracker,
    infrastructure::ntp,
    infrastructure::dhcp,
    infrastructure::dhcpv6,
    infrastructure::snmp,
    infrastructure::tftp,
    infrastructure::syslog,
    infrastructure::radius,
    infrastructure::netbios_datagram,
    infrastructure::rip,
    infrastructure::ipmi,
    infrastructure::bfd,
    infrastructure::ldp,
    infrastructure::nat_pmp,
    exporters::netflow,
    exporters::ipfix,
    exporters::sflow,
    directory::kerberos,
    directory::cldap,
    remote::rpc,
    tunnels::ike,
    tunnels::esp,
    tunnels::wireguard,
    tunnels::openvpn,
    tunnels::vxlan,
    tunnels::geneve,
    tunnels::gtp,
    tunnels::l2tp,
    tunnels::teredo,
    queues::coap,
    databases::memcached_datagram,
    voice::iax2,
    industry::bacnet,
];

const UDP_PAIRS: &[Pair] = &[
    resolver::dns_pair,
    voice::stun_pair,
    tunnels::wireguard_pair,
    tunnels::esp_pair,
    remote::rpc_pair,
    peers::utp_pair,
    voice::rtcp_pair,
    voice::rtp_pair,
];
