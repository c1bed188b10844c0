//! The file that is being written: its layout, and the interfaces that it knows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sensor_common::flow::Direction;

use super::batch::{Interface, Interfaces, Packet};
use super::format::{self, Layout};
use super::place::Place;
use super::writer::{Received, Style, Tally};
use super::{blocks, classic};
use crate::counters::When;
use crate::sink::SinkError;
use crate::source::file::link_type;

/// Bytes that are gathered for one write; of a compressed file the least that can be read alone.
const CHUNK: usize = 1 << 20;
const ETHERNET: u16 = 1;

/// The file that is being written.
pub(super) struct Current {
    place: Place,
    layout: Layout,
    /// On their way to it.
    buffer: Vec<u8>,
    packets: u64,
    /// Of the file so far, with the buffer and before compression.
    pub(super) size: u64,
    described: Vec<Described>,
    /// By the interface's number.
    ids: HashMap<u32, u32, foldhash::fast::RandomState>,
}

/// An interface of the file.
struct Described {
    interface: Arc<Interface>,
    snaplen: u32,
    packets: u64,
}

impl Current {
    /// `template` decides what kind of file it is: its name may have a number behind the ending.
    pub(super) fn open(path: &Path, template: &Path, style: &Style) -> Result<Self, SinkError> {
        let (layout, compression) = format::of(template);
        let place = match path.as_os_str() == "-" {
            true => Place::stdout()?,
            false => Place::create(path, compression, &style.inputs)?,
        };
        let mut current = Current {
            place,
            layout,
            buffer: Vec::with_capacity(CHUNK + CHUNK / 4),
            packets: 0,
            size: 0,
            described: Vec::new(),
            ids: HashMap::default(),
        };
        if layout == Layout::PcapNg {
            blocks::section(&mut current.buffer, &style.section);
            current.size = current.buffer.len() as u64;
        }
        Ok(current)
    }

    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        data: &[u8],
        interfaces: &Interfaces,
        style: &Style,
    ) -> Result<(), SinkError> {
        let before = self.buffer.len();
        let id = match self.ids.get(&packet.interface) {
            Some(id) => *id,
            None => self.describe(packet.interface, interfaces, style)?,
        };
        let snaplen = self.described.get_mut(id as usize).map_or(0, |described| {
            described.packets += 1;
            described.snaplen
        });
        let len = packet.len.max(data.len() as u32);
        match (self.layout, packet.when) {
            (Layout::Pcap, when) => {
                classic::packet(&mut self.buffer, time(when).0, len, data);
            }
            (Layout::PcapNg, When::Missing) if id == 0 && data.len() as u32 == len.min(snaplen) => {
                blocks::simple(&mut self.buffer, len, data);
            }
            (Layout::PcapNg, when) => self.enhanced(packet, (id, len), time(when), data),
        }
        self.packets += packet.segments;
        self.size += (self.buffer.len() - before) as u64;
        Ok(())
    }

    #[inline]
    fn enhanced(
        &mut self,
        packet: &Packet,
        (id, len): (u32, u32),
        (time, untimed): (u64, Option<&str>),
        data: &[u8],
    ) {
        let merged = (packet.segments > 1).then(|| {
            let packets = packet.segments;
            format!("{packets} packets on the wire, which segmentation offload shows as one")
        });
        let packet = blocks::Packet {
            interface: id,
            time,
            len,
            data,
            way: match packet.direction {
                Direction::Unknown => 0,
                Direction::Ingress => 1,
                Direction::Egress => 2,
            },
            comment: untimed.or(merged.as_deref()),
        };
        blocks::packet(&mut self.buffer, &packet);
    }

    /// The first packet of an interface in this file.
    #[cold]
    fn describe(
        &mut self,
        number: u32,
        interfaces: &Interfaces,
        style: &Style,
    ) -> Result<u32, SinkError> {
        let interface = interfaces.get(number).unwrap_or_else(unknown);
        let id = self.described.len() as u32;
        let first = self.described.first();
        if self.layout == Layout::Pcap
            && let Some(first) = first
        {
            let (had, has) = (first.interface.link_type, interface.link_type);
            if had == has {
                self.ids.insert(number, 0);
                return Ok(0);
            }
            return Err(self.place.link_types(had, has));
        }
        self.add(interface, style);
        self.ids.insert(number, id);
        Ok(id)
    }

    fn add(&mut self, interface: Arc<Interface>, style: &Style) {
        let link_type = registered(interface.link_type);
        let snaplen = style.snaplen;
        let snaplen = snaplen.unwrap_or_else(|| link_type::max_cap_len(link_type));
        match self.layout {
            Layout::Pcap => classic::header(&mut self.buffer, link_type, snaplen),
            Layout::PcapNg => blocks::interface(
                &mut self.buffer,
                &blocks::Interface {
                    link_type,
                    snaplen,
                    name: interface.name.as_deref(),
                    filter: style.filter.as_deref(),
                },
            ),
        }
        self.described.push(Described {
            interface,
            snaplen,
            packets: 0,
        });
    }

    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= CHUNK
    }

    /// Nobody can open a file without an interface.
    pub(super) fn end(&mut self, style: &Style) {
        if self.described.is_empty() {
            self.add(unknown(), style);
        }
    }

    /// What is known of how interfaces fared.
    pub(super) fn statistics(&mut self, now: i64, received: &[Received]) {
        if self.layout == Layout::Pcap {
            return;
        }
        for (interface, described) in (0u32..).zip(&self.described) {
            let number = described.interface.number;
            if let Some(received) = received.iter().find(|one| one.number == number) {
                let statistics = blocks::Statistics {
                    interface,
                    time: now.try_into().unwrap_or_default(),
                    received: received.received,
                    dropped: received.dropped,
                    delivered: described.packets,
                };
                blocks::statistics(&mut self.buffer, &statistics);
            }
        }
    }

    pub(super) fn push(&mut self, tally: &Tally) -> Result<(), SinkError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.place.write(&self.buffer)?;
        let packets = std::mem::take(&mut self.packets);
        tally.packets.fetch_add(packets, Ordering::Relaxed);
        let bytes = self.buffer.len() as u64;
        tally.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.buffer.clear();
        Ok(())
    }
}

fn unknown() -> Arc<Interface> {
    Arc::new(Interface {
        name: None,
        link_type: ETHERNET,
        number: u32::MAX,
    })
}

/// What some systems write for raw IP is not read by all.
fn registered(link_type: u16) -> u16 {
    match link_type {
        12 | 14 => 101,
        other => other,
    }
}

/// Nanoseconds since the epoch, and what to say of a packet for which there is no such number.
#[inline]
fn time(when: When) -> (u64, Option<&'static str>) {
    match when {
        When::At(ns) => match u64::try_from(ns) {
            Ok(ns) => (ns, None),
            Err(_) => (0, Some("its time is before 1970")),
        },
        When::Missing => (0, Some("it has no time")),
        When::OutOfRange => (0, Some("its time is out of range")),
    }
}
