//! Records as bytes: sets of records, and messages of sets (RFC 7011, 3). Pure; who sends them is [`super::session`].

use std::net::IpAddr;

use sensor_common::flow::{Direction, FlowKey};

use super::interfaces::Interfaces;
use super::record::{Record, Subject};
use super::template::{Element, INTERFACE, Options, SAMPLING, STATISTICS, Shape};
use crate::counters::Counts;

const VERSION: u16 = 10;
const HEADER: usize = 16;
const SET_HEADER: usize = 4;
const TEMPLATE_SET: u16 = 2;
const OPTIONS_TEMPLATE_SET: u16 = 3;

/// The smallest limit that any record and template fits in with a lot to spare.
pub const SMALLEST_MESSAGE: u16 = 512;
/// What a datagram may hold.
pub const LARGEST_MESSAGE: u16 = 65_507;

/// A message that lacks what is only known when it is sent, see [`Message::seal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    bytes: Vec<u8>,
    /// Data records, of options too: what sequence numbers count.
    pub(super) records: u32,
    pub(super) flows: Flows,
}

/// Flow records, and what they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flows {
    pub records: u64,
    pub counts: Counts,
}

impl Flows {
    pub(super) fn of(record: &Record) -> Self {
        Flows {
            records: 1,
            counts: record.counts,
        }
    }
}

impl std::ops::AddAssign for Flows {
    fn add_assign(&mut self, more: Flows) {
        self.records += more.records;
        self.counts += more.counts;
    }
}

/// What has become of messages since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    pub(super) messages: u64,
    pub(super) octets: u64,
    pub(super) sent: Flows,
    pub(super) not_sent: Flows,
    /// Packets that the kernel lost before they could be counted.
    pub(super) ignored: u64,
}

impl Message {
    fn new() -> Self {
        Message {
            bytes: vec![0; HEADER],
            records: 0,
            flows: Flows::default(),
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    /// Whether `records` of one set still fit.
    fn has_room(&self, records: &[u8], limit: usize) -> bool {
        self.bytes.len() + SET_HEADER + records.len() <= limit
    }

    fn set(&mut self, id: u16, records: &[u8]) {
        let length = (SET_HEADER + records.len()) as u16;
        self.bytes.extend(id.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(records);
    }

    /// As it is sent: `time` is in seconds since the epoch, `sequence` the number of records sent before it.
    pub(super) fn seal(&self, time: u32, sequence: u32, domain: u32) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let length = bytes.len() as u16;
        bytes[0..2].copy_from_slice(&VERSION.to_be_bytes());
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        for (place, word) in [time, sequence, domain].into_iter().enumerate() {
            let at = 4 + 4 * place;
            bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

/// Gathers records until they fill a message. Records of each shape go to a set of their own.
pub(super) struct Encoder {
    /// Most bytes of a message.
    limit: usize,
    sets: [Set; Shape::ALL.len()],
}

#[derive(Clone, Default)]
struct Set {
    records: Vec<u8>,
    flows: Flows,
}

impl Encoder {
    pub(super) fn new(limit: u16) -> Self {
        Encoder {
            limit: usize::from(limit.max(SMALLEST_MESSAGE)),
            sets: Default::default(),
        }
    }

    /// Takes in a record; gives the message that it did not fit in any more.
    pub(super) fn push(&mut self, record: &Record, interfaces: &Interfaces) -> Option<Message> {
        let shape = record.shape();
        let limit = self.limit;
        let set = &mut self.sets[shape.index()];
        let before = set.records.len();
        put_record(&mut set.records, record, interfaces);
        let mut full = None;
        if HEADER + SET_HEADER + set.records.len() > limit {
            let last = set.records.split_off(before);
            full = Some(set.take(shape.id()));
            set.records = last;
        }
        set.flows += Flows::of(record);
        full
    }

    /// What is left, in as few messages as it fits in.
    pub(super) fn flush(&mut self) -> Vec<Message> {
        let mut packer = Packer::new(self.limit);
        for shape in Shape::ALL {
            let set = std::mem::take(&mut self.sets[shape.index()]);
            packer.add(shape.id(), &set.records, set.flows.records as u32);
            packer.message.flows += set.flows;
        }
        packer.finish()
    }
}

impl Set {
    fn take(&mut self, id: u16) -> Message {
        let set = std::mem::take(self);
        let mut message = Message::new();
        message.set(id, &set.records);
        message.records = set.flows.records as u32;
        message.flows = set.flows;
        message
    }
}

/// Puts sets into messages.
struct Packer {
    limit: usize,
    message: Message,
    full: Vec<Message>,
}

impl Packer {
    fn new(limit: usize) -> Self {
        Packer {
            limit,
            message: Message::new(),
            full: Vec::new(),
        }
    }

    /// `count`: how many data records these are.
    fn add(&mut self, id: u16, records: &[u8], count: u32) {
        if records.is_empty() {
            return;
        }
        if !self.message.has_room(records, self.limit) && !self.message.is_empty() {
            self.full
                .push(std::mem::replace(&mut self.message, Message::new()));
        }
        self.message.set(id, records);
        self.message.records += count;
    }

    fn finish(mut self) -> Vec<Message> {
        if !self.message.is_empty() {
            self.full.push(self.message);
        }
        self.full
    }
}

/// What a collector must know before it can read a record.
pub(super) fn templates(limit: u16) -> Vec<Message> {
    let mut packer = Packer::new(usize::from(limit.max(SMALLEST_MESSAGE)));
    for shape in Shape::ALL {
        packer.add(TEMPLATE_SET, &shape.template(), 0);
    }
    for options in Options::ALL {
        packer.add(OPTIONS_TEMPLATE_SET, &options.template(), 0);
    }
    packer.finish()
}

/// What is true of all records.
pub(super) fn options(
    limit: u16,
    domain: u32,
    interfaces: &Interfaces,
    statistics: &Statistics,
) -> Vec<Message> {
    let mut packer = Packer::new(usize::from(limit.max(SMALLEST_MESSAGE)));
    packer.add(SAMPLING.id, &sampling(domain), 1);
    packer.add(STATISTICS.id, &counted(domain, statistics), 1);
    for (index, name) in interfaces.names() {
        let mut record = index.to_be_bytes().to_vec();
        put_text(&mut record, name);
        packer.add(INTERFACE.id, &record, 1);
    }
    packer.finish()
}

/// The statistics alone, in the end.
pub(super) fn last_word(domain: u32, statistics: &Statistics) -> Message {
    let mut message = Message::new();
    message.set(STATISTICS.id, &counted(domain, statistics));
    message.records = 1;
    message
}

const EVERY_PACKET: [u8; 4] = 1u32.to_be_bytes();

fn sampling(domain: u32) -> Vec<u8> {
    const SYSTEMATIC: u8 = 1;
    let mut record = domain.to_be_bytes().to_vec();
    record.extend(EVERY_PACKET);
    record.push(SYSTEMATIC);
    record.extend(u16::from(SYSTEMATIC).to_be_bytes());
    record.extend(EVERY_PACKET);
    record.extend(0u32.to_be_bytes()); // none is left out between them
    record
}

fn counted(domain: u32, statistics: &Statistics) -> Vec<u8> {
    let Statistics { sent, not_sent, .. } = statistics;
    let counts = [
        statistics.messages,
        sent.records,
        statistics.octets,
        not_sent.records,
        not_sent.counts.packets,
        not_sent.counts.bytes,
        statistics.ignored,
    ];
    let mut record = domain.to_be_bytes().to_vec();
    record.extend(counts.into_iter().flat_map(u64::to_be_bytes));
    record
}

fn put_record(to: &mut Vec<u8>, record: &Record, interfaces: &Interfaces) {
    for element in record.shape().elements() {
        put_element(to, element, record, interfaces);
    }
}

fn put_element(to: &mut Vec<u8>, element: Element, record: &Record, interfaces: &Interfaces) {
    let subject = &record.subject;
    let nothing = FlowKey([0; 5]);
    let key = match subject {
        Subject::Flow(key) => key,
        Subject::Rest(..) => &nothing,
    };
    let index = |of: Direction| match (subject.direction(), of) {
        (Direction::Egress, Direction::Egress)
        | (Direction::Ingress | Direction::Unknown, Direction::Ingress) => {
            interfaces.index(subject.slot())
        }
        _ => 0,
    };
    match element {
        Element::FlowStartMilliseconds => to.extend(record.milliseconds().0.to_be_bytes()),
        Element::FlowEndMilliseconds => to.extend(record.milliseconds().1.to_be_bytes()),
        Element::OctetDeltaCount | Element::Layer2OctetDeltaCount => {
            to.extend(record.counts.bytes.to_be_bytes());
        }
        Element::PacketDeltaCount => to.extend(record.counts.packets.to_be_bytes()),
        Element::IngressInterface => to.extend(index(Direction::Ingress).to_be_bytes()),
        Element::EgressInterface => to.extend(index(Direction::Egress).to_be_bytes()),
        Element::SourceIpv4Address | Element::SourceIpv6Address => put_address(to, key.src_addr()),
        Element::DestinationIpv4Address | Element::DestinationIpv6Address => {
            put_address(to, key.dst_addr());
        }
        Element::SourceTransportPort => to.extend(key.src_port().to_be_bytes()),
        Element::DestinationTransportPort => to.extend(key.dst_port().to_be_bytes()),
        Element::ProtocolIdentifier => to.push(subject.ip().1),
        Element::IpVersion => to.push(subject.ip().0),
        Element::TcpControlBits => to.extend(u16::from(record.tcp_flags).to_be_bytes()),
        Element::EthernetType => to.extend(subject.ethertype().to_be_bytes()),
        Element::SamplingInterval => to.extend(EVERY_PACKET),
        Element::FlowEndReason => to.push(record.end as u8),
        Element::ApplicationName => put_text(to, &record.name()),
        Element::FlowDirection => to.push(u8::from(subject.direction() == Direction::Egress)),
    }
}

fn put_address(to: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => to.extend(address.octets()),
        IpAddr::V6(address) => to.extend(address.octets()),
    }
}

/// With its length in one byte before it, so it is cut where it is longer, between two characters.
fn put_text(to: &mut Vec<u8>, text: &str) {
    const LONGEST: usize = 254;
    let end = text.floor_char_boundary(LONGEST);
    to.push(end as u8);
    to.extend(&text.as_bytes()[..end]);
}
