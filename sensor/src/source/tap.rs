//! Packets one by one, for who wants them written out. Sources tell of each packet that they count; where nobody listens
//! it costs a comparison.

use std::sync::Arc;

use sensor_common::flow::Direction;
use sensor_common::parse::{self, LinkObserver, LinkType, Packet, Reason};
use sensor_common::protocol::{ip, network};
use sensor_common::view::SliceView;

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
    pub bytes: Bytes<'a>,
    pub origin: Origin<'a>,
    /// With its origin.
    pub parsed: &'a Result<Packet, Reason>,
    /// What payloads said so far, this packet's included.
    pub book: Option<&'a Book>,
}

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    pub data: &'a [u8],
    /// LINKTYPE_ number of what `data` begins with.
    pub link_type: u16,
    /// The outermost VLAN tag, where it was taken out from behind the addresses.
    pub tag: Option<Tag>,
    /// Before it was cut to `data`, without that tag.
    pub len: u32,
    /// Segmentation offload shows several packets as this one.
    pub super_packet: Option<SuperPacket>,
}

/// How a super-packet is cut, by the kernel or the card, or was before it was put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuperPacket {
    /// Bytes of headers that each packet carries.
    pub header_len: u32,
    /// Bytes of payload in each but the last.
    pub size: u16,
}

/// A VLAN tag that does not stand in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    pub tpid: u16,
    pub tci: u16,
}

/// The interface that a packet was captured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Tells the interfaces of a source apart: an ifindex, or their order in the file.
    pub number: u32,
    pub name: Option<&'a str>,
}

impl<'a> PacketRecord<'a> {
    /// The link layer is walked over once more for its headers, which nobody else wants to know.
    pub fn links(&self) -> Links {
        let link_type = LinkType::from_number(self.bytes.link_type);
        let mut links = Links::start(link_type);
        if let Some(Tag { tpid, tci }) = self.bytes.tag {
            links.tag(tpid, tci);
        }
        // The outcome is known already.
        let _ = parse::packet_observed(&SliceView(self.bytes.data), link_type, &mut links);
        links
    }

    /// Destination and source, six bytes each, where the packet starts with an Ethernet header.
    pub fn macs(&self) -> Option<&'a [u8; 12]> {
        let ethernet = LinkType::from_number(self.bytes.link_type) == LinkType::Ethernet;
        self.bytes.data.first_chunk().filter(|_| ethernet)
    }

    /// The TCP header of a packet (20 bytes), if it has one and that much of it was captured.
    pub fn tcp(&self) -> Option<&'a [u8; 20]> {
        let packet = self.parsed.as_ref().ok()?;
        let is_tcp = packet.key.is_ip() && packet.key.protocol() == ip::TCP;
        let offset = usize::from(packet.transport_offset);
        let header = self.bytes.data.get(offset..)?.first_chunk();
        header.filter(|_| is_tcp && offset > 0)
    }
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
