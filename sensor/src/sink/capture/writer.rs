//! Packets into files: layout, rotation, and what is left of them when the disk is full.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sensor_common::flow::Direction;

use super::batch::{Batch, Interface, Interfaces, Packet};
use super::format::{self, Layout};
use super::place::Place;
use super::rotation::{Plan, Rotation, Turn};
use super::{blocks, classic};
use crate::counters::When;
use crate::sink::SinkError;
use crate::source::file::link_type;

/// Bytes that are gathered for one write; of a compressed file the least that can be read alone.
const CHUNK: usize = 1 << 20;
const ETHERNET: u16 = 1;

/// What all files have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pub(super) section: blocks::Section,
    /// The expression.
    pub(super) filter: Option<String>,
    /// What -s says; without it what the link type may have.
    pub(super) snaplen: Option<u32>,
    /// Files that are read: device and inode.
    pub(super) inputs: Vec<(u64, u64)>,
}

/// What has been written, for others to see.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) packets: AtomicU64,
    /// Before compression.
    pub(super) bytes: AtomicU64,
    pub(super) files: AtomicU64,
    /// Of those, files that the next took the place of, because it had the same name.
    pub(super) replaced: AtomicU64,
    /// Packets that came after the last file that -W allows.
    pub(super) beyond: AtomicU64,
}

/// How an interface fared, by the number that its source has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub number: u32,
    pub received: u64,
    pub dropped: u64,
}

pub(super) struct Writer {
    style: Style,
    rotation: Rotation,
    interfaces: Interfaces,
    current: Option<Current>,
    /// Of the file that was opened last.
    path: Option<PathBuf>,
    /// The last file that there may be is done.
    ended: bool,
    tally: Arc<Tally>,
}

/// The file that is being written.
struct Current {
    place: Place,
    layout: Layout,
    /// On their way to it.
    buffer: Vec<u8>,
    packets: u64,
    /// Of the file so far, with the buffer and before compression.
    size: u64,
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

impl Writer {
    /// Opens the first file, unless its name depends on a time that is not known yet.
    pub(super) fn open(
        plan: Plan,
        style: Style,
        interfaces: Interfaces,
        now: Option<i64>,
    ) -> Result<Self, SinkError> {
        let waits = plan.seconds.is_some() && now.is_none();
        let mut writer = Writer {
            style,
            rotation: Rotation::new(plan),
            interfaces,
            current: None,
            path: None,
            ended: false,
            tally: Arc::default(),
        };
        if !waits {
            writer.begin(now.unwrap_or_default())?;
        }
        Ok(writer)
    }

    pub(super) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        for (packet, data) in batch.packets() {
            let result = self.packet(packet, data);
            if let (Err(SinkError::LinkTypes { .. }), Some(current)) = (&result, &mut self.current)
            {
                current.push(&self.tally)?; // what came before can be had
            }
            result?;
        }
        match &mut self.current {
            Some(current) if batch.flush => current.push(&self.tally),
            _ => Ok(()),
        }
    }

    /// Writes what is left. A file without packets is one, too.
    pub(super) fn finish(&mut self, now: i64, received: &[Received]) -> Result<(), SinkError> {
        if self.current.is_none() && !self.ended {
            self.begin(now)?;
        }
        match self.current.take() {
            Some(mut current) => {
                current.end(&self.style);
                current.statistics(now, received);
                current.push(&self.tally)
            }
            None => Ok(()),
        }
    }

    fn begin(&mut self, at: i64) -> Result<(), SinkError> {
        self.rotation.begin(at);
        self.next()
    }

    fn next(&mut self) -> Result<(), SinkError> {
        let path = self.rotation.path();
        self.current = Some(Current::open(&path, self.rotation.template(), &self.style)?);
        self.tally.files.fetch_add(1, Ordering::Relaxed);
        let before = self.path.replace(path);
        if before == self.path {
            self.tally.replaced.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, data: &[u8]) -> Result<(), SinkError> {
        if self.ended {
            self.tally.beyond.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let at = match packet.when {
            When::At(ns) => Some(ns),
            _ => None,
        };
        let Some(current) = &mut self.current else {
            self.begin(at.unwrap_or_default())?;
            return self.packet(packet, data);
        };
        match self.rotation.turn(at, current.size) {
            Turn::Stay => current.packet(packet, data, &self.interfaces, &self.style)?,
            turn => {
                current.end(&self.style);
                current.push(&self.tally)?;
                self.current = None;
                self.ended = turn == Turn::End;
                if self.ended {
                    return self.packet(packet, data);
                }
                self.next()?;
                let current = self.current.as_mut();
                current.map_or(Ok(()), |current| {
                    current.packet(packet, data, &self.interfaces, &self.style)
                })?;
            }
        }
        match &mut self.current {
            Some(current) if current.buffer.len() >= CHUNK => current.push(&self.tally),
            _ => Ok(()),
        }
    }
}

impl Current {
    /// `template` decides what kind of file it is: its name may have a number behind the ending.
    fn open(path: &Path, template: &Path, style: &Style) -> Result<Self, SinkError> {
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

    fn packet(
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
        self.packets += 1;
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

    /// Nobody can open a file without an interface.
    fn end(&mut self, style: &Style) {
        if self.described.is_empty() {
            self.add(unknown(), style);
        }
    }

    /// What is known of how interfaces fared.
    fn statistics(&mut self, now: i64, received: &[Received]) {
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

    fn push(&mut self, tally: &Tally) -> Result<(), SinkError> {
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
