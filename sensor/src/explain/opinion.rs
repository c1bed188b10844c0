//! What etherparse makes of a packet, beside what is counted: where the two differ, a person should know.

use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use sensor_common::flow::FlowKey;
use sensor_common::parse::{LinkType, Packet, Reason};

use crate::counters::transport_name;

/// A sentence if etherparse sees another packet than the parser that counts; `None` where both agree, or etherparse has
/// no decoder for the link type.
pub fn differs(
    data: &[u8],
    link_type: LinkType,
    counted: &Result<Packet, Reason>,
) -> Option<String> {
    let sliced = match link_type {
        LinkType::Ethernet => {
            LaxSlicedPacket::from_ethernet(data).map_err(|error| error.to_string())
        }
        LinkType::RawIp | LinkType::RawIpv4 | LinkType::RawIpv6 => {
            LaxSlicedPacket::from_ip(data).map_err(|error| error.to_string())
        }
        _ => return None,
    };
    let theirs = match &sliced {
        Ok(sliced) => Seen::of(sliced),
        Err(_) => None,
    };
    let ours = counted
        .as_ref()
        .ok()
        .and_then(|packet| Seen::counted(&packet.key));
    if theirs == ours {
        return None;
    }
    let why = match &sliced {
        Err(error) => Some(error.clone()),
        Ok(sliced) => sliced.stop_err.as_ref().map(|(error, _)| error.to_string()),
    };
    let they = match (theirs, why) {
        (Some(seen), Some(why)) => format!("{seen}, then: {why}"),
        (Some(seen), None) => seen.to_string(),
        (None, Some(why)) => why,
        (None, None) => "nothing behind the link layer".to_owned(),
    };
    Some(format!("etherparse: {they}; counted as: {}", told(counted)))
}

fn told(counted: &Result<Packet, Reason>) -> String {
    match counted {
        Err(reason) => format!("malformed: {}", reason.name()),
        Ok(packet) => match Seen::counted(&packet.key) {
            Some(seen) => seen.to_string(),
            None => format!("not IP (network id 0x{:04x})", packet.key.network()),
        },
    }
}

#[derive(PartialEq, Eq)]
struct Seen {
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    ports: Option<(u16, u16)>,
}

impl Seen {
    fn counted(key: &FlowKey) -> Option<Seen> {
        let ported = matches!(key.protocol(), 6 | 17) && key.has_ports();
        key.is_ip().then(|| Seen {
            src: key.src_addr(),
            dst: key.dst_addr(),
            protocol: key.protocol(),
            ports: ported.then(|| (key.src_port(), key.dst_port())),
        })
    }

    fn of(sliced: &LaxSlicedPacket<'_>) -> Option<Seen> {
        let (src, dst, protocol) = match sliced.net.as_ref()? {
            LaxNetSlice::Ipv4(ip) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
                // AH is a transport here: the header's own word, not what is behind.
                ip.header().protocol().0,
            ),
            LaxNetSlice::Ipv6(ip) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
                first_transport(ip.header().next_header().0, ip.extensions().slice()),
            ),
            LaxNetSlice::Arp(_) => return None,
        };
        let ports = match sliced.transport.as_ref() {
            Some(TransportSlice::Tcp(tcp)) if protocol == 6 => {
                Some((tcp.source_port(), tcp.destination_port()))
            }
            Some(TransportSlice::Udp(udp)) if protocol == 17 => {
                Some((udp.source_port(), udp.destination_port()))
            }
            _ => None,
        };
        Some(Seen {
            src,
            dst,
            protocol,
            ports,
        })
    }
}

/// Behind the extension headers that etherparse found, the first that is none for us.
fn first_transport(first: u8, mut extensions: &[u8]) -> u8 {
    const FRAGMENT: u8 = 44;
    let mut protocol = first;
    while sensor_common::parse::is_ipv6_extension(protocol) {
        let Some([next, units]) = extensions.first_chunk::<2>().copied() else {
            break;
        };
        let fragment = protocol == FRAGMENT;
        let len = if fragment {
            8
        } else {
            (usize::from(units) + 1) * 8
        };
        let later = fragment
            && extensions.get(2..4).is_some_and(|field| match field {
                [a, b] => u16::from_be_bytes([*a, *b]) >> 3 != 0,
                _ => false,
            });
        protocol = next;
        extensions = extensions.get(len..).unwrap_or_default();
        if later {
            break;
        }
    }
    protocol
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let transport = transport_name(self.protocol);
        match self.ports {
            Some((src, dst)) => {
                write!(
                    f,
                    "{transport} {} port {src} > {} port {dst}",
                    self.src, self.dst
                )
            }
            None => write!(f, "{transport} {} > {}", self.src, self.dst),
        }
    }
}
