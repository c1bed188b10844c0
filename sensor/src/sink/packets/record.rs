//! A packet put into words.

use std::fmt::{self, Write as _};

use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::Packet;
use sensor_common::protocol::{ip, network_name, transport_name};

use crate::counters::{When, application};
use crate::names::{Book, How, Label, Name};
use crate::source::tap::PacketRecord;

/// The words of one record; the buffers are kept from packet to packet.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) time: String,
    pub(super) layers: String,
    pub(super) transport: String,
    pub(super) protocol: String,
    pub(super) classified_by: Option<&'static str>,
    pub(super) tcp_flags: String,
    /// As they stand in the header, without an initial number taken off.
    pub(super) tcp_seq: Option<u32>,
    pub(super) tcp_ack: Option<u32>,
    pub(super) payload_len: Option<u32>,
    pub(super) outcome: String,
    pub(super) addrs: Option<(std::net::IpAddr, std::net::IpAddr)>,
    pub(super) ports: Option<(u16, u16)>,
    pub(super) macs: Option<([u8; 6], [u8; 6])>,
}

impl Words {
    pub(super) fn of(&mut self, record: &PacketRecord<'_>) {
        self.clear();
        if let When::At(ns) = record.when {
            put(&mut self.time, crate::report::Time(ns));
        }
        self.macs = record.macs().and_then(|macs| {
            let (dst, src) = (macs.first_chunk::<6>()?, macs.last_chunk::<6>()?);
            Some((*src, *dst))
        });
        for name in record.links().names() {
            self.layer(name);
        }
        match record.parsed {
            Ok(packet) if packet.key.is_ip() => {
                self.of_flow(packet, record.book);
                self.of_transport(packet, record.tcp());
            }
            Ok(packet) => self.of_network(packet.key.network()),
            Err(reason) => {
                for word in [&mut self.transport, &mut self.protocol] {
                    word.push_str("other");
                }
                put(
                    &mut self.outcome,
                    format_args!("malformed:{}", reason.name()),
                );
            }
        }
    }

    fn clear(&mut self) {
        let words = [
            &mut self.time,
            &mut self.layers,
            &mut self.transport,
            &mut self.protocol,
            &mut self.tcp_flags,
            &mut self.outcome,
        ];
        words.into_iter().for_each(String::clear);
        self.classified_by = None;
        self.addrs = None;
        self.ports = None;
        self.macs = None;
        (self.tcp_seq, self.tcp_ack, self.payload_len) = (None, None, None);
    }

    fn layer(&mut self, name: &str) {
        if !self.layers.is_empty() {
            self.layers.push(':');
        }
        self.layers.push_str(name);
    }

    fn of_network(&mut self, id: u16) {
        match network_name(id) {
            Some(name) => self.protocol.push_str(name),
            None => put(&mut self.protocol, format_args!("ethertype-0x{id:04x}")),
        }
        // MPLS and PPPoE have said their names as tags do.
        if self.layers.rsplit(':').next() != Some(self.protocol.as_str()) {
            let name = self.protocol.clone();
            self.layer(&name);
        }
        self.transport.push_str("non-ip");
        self.outcome.push_str("not_ip");
    }

    fn of_flow(&mut self, packet: &Packet, book: Option<&Book>) {
        let key = &packet.key;
        self.layer(if key.is_ipv6() { "ipv6" } else { "ipv4" });
        match transport_name(key.protocol()) {
            Some(name) => self.transport.push_str(name),
            None => put(
                &mut self.transport,
                format_args!("ip-proto-{}", key.protocol()),
            ),
        }
        let transport = std::mem::take(&mut self.transport);
        self.layer(&transport);
        match label(key, book) {
            Some(label) => {
                self.protocol.push_str(label.application.name());
                self.classified_by = Some(label.how.name());
                self.layer(label.application.name());
            }
            None => self.protocol.push_str(&transport),
        }
        self.transport = transport;
        self.addrs = Some((key.src_addr(), key.dst_addr()));
        self.ports = key.has_ports().then(|| (key.src_port(), key.dst_port()));
        tcp_flags(&mut self.tcp_flags, packet.tcp_flags);
        self.outcome.push_str("flow");
    }
}

impl Words {
    fn of_transport(&mut self, packet: &Packet, tcp: Option<&[u8; 20]>) {
        let number = |[a, b, c, d]: [u8; 4]| u32::from_be_bytes([a, b, c, d]);
        if let Some([_, _, _, _, s0, s1, s2, s3, a0, a1, a2, a3, ..]) = tcp.copied() {
            self.tcp_seq = Some(number([s0, s1, s2, s3]));
            let acknowledges = packet.tcp_flags & ACK != 0;
            self.tcp_ack = acknowledges.then(|| number([a0, a1, a2, a3]));
        }
        let has_header = packet.transport_offset > 0;
        let transport = packet.key.protocol();
        let is_told = has_header && matches!(transport, ip::TCP | ip::UDP);
        self.payload_len = Some(packet.payload_len).filter(|len| is_told && *len < UNKNOWN_LEN);
    }
}

const ACK: u8 = 16;
/// From here on the IP header leaves the length open.
const UNKNOWN_LEN: u32 = 1 << 31;

fn put(to: &mut String, what: impl fmt::Display) {
    // Writing to a string can't fail.
    let _ = write!(to, "{what}");
}

/// What is known of the flow by now, else what its ports say.
fn label(key: &FlowKey, book: Option<&Book>) -> Option<Label> {
    book.and_then(|book| book.label(key)).or_else(|| {
        application(key).map(|application| Label {
            application,
            how: How::Port,
        })
    })
}

/// The flow's first name so far.
pub(super) fn name<'a>(record: &PacketRecord<'a>) -> Option<&'a Name> {
    let packet = record.parsed.as_ref().ok()?;
    record.book?.flow(&packet.key)?.names.first()
}

/// `syn,ack`.
fn tcp_flags(to: &mut String, flags: u8) {
    const NAMES: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
    for (bit, name) in NAMES.iter().enumerate() {
        if flags >> bit & 1 == 1 {
            if !to.is_empty() {
                to.push(',');
            }
            to.push_str(name);
        }
    }
}

pub(super) fn mac([a, b, c, d, e, f]: [u8; 6]) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Unknown => "unknown",
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}
