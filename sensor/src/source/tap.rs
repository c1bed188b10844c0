//! Packets one by one, for who wants them written out. Sources tell of each packet that they count; where nobody listens
//! it costs a comparison.

use std::sync::Arc;

use sensor_common::flow::Direction;
use sensor_common::parse::{LinkObserver, LinkType, Packet, Reason};
use sensor_common::protocol::{ip, network};

use crate::counters::When;
use crate::names::Book;

/// Hears of each packet that is counted, after it was.
pub type Tap<'a> = &'a mut dyn FnMut(&PacketRecord<'_>);
/// The same for live sources, all of whose interfaces share it.
pub type SharedTap = Arc<dyn Fn(&PacketRecord<'_>) + Send + Sync>;

/// What the source knows of a packet, before it is put into words.
#[derive(Clone, Copy, Debug)]
pub struct PacketRecord<'a> {
    pub when: When,
    /// `None` in files, which may have no names for theirs.
    pub interface: Option<&'a str>,
    pub direction: Direction,
    /// How many packets crossed the wire: more than 1 where segmentation offload shows several as one.
    pub packets: u64,
    /// Of all of them, as counted.
    pub wire_len: u64,
    pub cap_len: u64,
    /// Link-layer headers, as the parser went over them.
    pub links: &'a Links,
    /// With its origin.
    pub parsed: &'a Result<Packet, Reason>,
    /// Six bytes each, where the packet starts with an Ethernet header.
    pub macs: Option<&'a [u8; 12]>,
    /// The TCP header, as far as it was captured (20 bytes), where the packet has one.
    pub tcp: Option<&'a [u8; 20]>,
    /// What payloads said so far, this packet's included.
    pub book: Option<&'a Book>,
}

/// The TCP header of a packet, if it has one and that much of it was captured.
pub fn tcp_header<'a>(parsed: &Result<Packet, Reason>, data: &'a [u8]) -> Option<&'a [u8; 20]> {
    let packet = parsed.as_ref().ok()?;
    let is_tcp = packet.key.is_ip() && packet.key.protocol() == ip::TCP;
    let offset = usize::from(packet.transport_offset);
    data.get(offset..)?
        .first_chunk()
        .filter(|_| is_tcp && offset > 0)
}

/// The link-layer headers of a packet, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Links {
    names: [&'static str; MAX_LINKS],
    count: usize,
}

/// Tags, labels and a session: more than the parser goes over.
const MAX_LINKS: usize = 16;

impl Links {
    pub fn start(link_type: LinkType) -> Self {
        let mut links = Links::default();
        match link_type {
            LinkType::Ethernet => links.push("eth"),
            LinkType::Null => links.push("loopback"),
            LinkType::Sll => links.push("sll"),
            LinkType::Sll2 => links.push("sll2"),
            LinkType::Ppp => links.push("ppp"),
            LinkType::CiscoHdlc => links.push("cisco-hdlc"),
            LinkType::RawIp | LinkType::RawIpv4 | LinkType::RawIpv6 | LinkType::Unsupported => {}
        }
        links
    }

    pub fn names(&self) -> &[&'static str] {
        self.names.get(..self.count).unwrap_or_default()
    }

    fn push(&mut self, name: &'static str) {
        if let Some(place) = self.names.get_mut(self.count) {
            *place = name;
            self.count += 1;
        }
    }
}

impl LinkObserver for Links {
    fn tag(&mut self, ethertype: u16, _: u16) {
        self.push(match ethertype {
            network::VN_TAG => "vn-tag",
            network::E_TAG => "e-tag",
            _ => "vlan",
        });
    }

    fn label(&mut self, _: u32) {
        self.push("mpls");
    }

    fn session(&mut self, _: u16) {
        self.push("pppoes");
    }
}
