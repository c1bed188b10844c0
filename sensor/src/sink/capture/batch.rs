//! Packets on their way to whoever writes them: copied once, side by side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sensor_common::flow::Direction;

use super::segments::Cut;
use crate::counters::When;
use crate::source::tap::{PacketRecord, Tag};

/// Enough at once that handing over costs nothing, and a slow disk is soon noticed.
const MOST_BYTES: usize = 1 << 20;
const MOST_PACKETS: usize = 8192;
/// Destination and source of an Ethernet header: a tag stands behind them.
const ADDRESSES: usize = 12;
const TAG: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Batch {
    packets: Vec<Packet>,
    bytes: Vec<u8>,
    /// Packets on the wire.
    count: u64,
    /// What was written by then is to be seen by others.
    pub(super) flush: bool,
}

/// All of a packet but its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) when: When,
    /// In [`Interfaces`].
    pub(super) interface: u32,
    pub(super) direction: Direction,
    /// On the wire; more than 1 of a super-packet.
    pub(super) segments: u64,
    /// How it is cut into them, where that is known.
    pub(super) cut: Option<Cut>,
    /// Before it was cut.
    pub(super) len: u32,
    pub(super) captured: u32,
}

impl Batch {
    /// At most `snaplen` bytes of it. A tag that was taken out is put back.
    pub(super) fn push(&mut self, record: &PacketRecord<'_>, interface: u32, snaplen: usize) {
        let start = self.bytes.len();
        let (data, len) = (record.bytes.data, record.bytes.len);
        let mut cut = Cut::of(record);
        // What is cut later is needed whole.
        let snaplen = if cut.is_some() { usize::MAX } else { snaplen };
        let len = match (record.bytes.tag, data.split_at_checked(ADDRESSES)) {
            (Some(Tag { tpid, tci }), Some((addresses, rest))) => {
                self.bytes.extend_from_slice(addresses);
                self.bytes.extend(tpid.to_be_bytes());
                self.bytes.extend(tci.to_be_bytes());
                self.bytes.extend_from_slice(rest);
                cut = cut.map(|cut| cut.shifted(TAG));
                len.saturating_add(TAG as u32)
            }
            _ => {
                let kept = data.get(..snaplen).unwrap_or(data);
                self.bytes.extend_from_slice(kept);
                len
            }
        };
        self.bytes.truncate(start.saturating_add(snaplen));
        self.count += record.packets;
        self.packets.push(Packet {
            when: record.when,
            interface,
            direction: record.direction,
            segments: record.packets,
            cut,
            len,
            captured: (self.bytes.len() - start) as u32,
        });
    }

    pub(super) fn packets(&self) -> impl Iterator<Item = (&Packet, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.packets.iter().map(move |packet| {
            let (data, behind) = rest.split_at(rest.len().min(packet.captured as usize));
            rest = behind;
            (packet, data)
        })
    }

    /// Packets on the wire.
    pub(super) fn len(&self) -> u64 {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= MOST_BYTES || self.packets.len() >= MOST_PACKETS
    }

    /// Its memory is kept.
    pub(super) fn clear(&mut self) {
        self.packets.clear();
        self.bytes.clear();
        self.count = 0;
        self.flush = false;
    }
}

/// What is known of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: Option<String>,
    pub(super) link_type: u16,
    /// As its source tells it from others.
    pub(super) number: u32,
}

/// Interfaces that packets came from, by number from 0 on. Apart from the packets, which may get lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Interfaces {
    all: Arc<Mutex<Vec<Arc<Interface>>>>,
}

impl Interfaces {
    pub(super) fn get(&self, number: u32) -> Option<Arc<Interface>> {
        self.all().get(number as usize).cloned()
    }

    fn add(&self, interface: Interface) -> u32 {
        let mut all = self.all();
        all.push(Arc::new(interface));
        (all.len() - 1) as u32
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Interface>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the interfaces of packets their numbers.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    pub(super) interfaces: Interfaces,
    known: HashMap<(u32, u16), u32, foldhash::fast::RandomState>,
    /// Nearly always it is the one of the packet before.
    last: Option<((u32, u16), u32)>,
}

impl Numbering {
    pub(super) fn of(&mut self, record: &PacketRecord<'_>) -> u32 {
        let key = (record.origin.number, record.bytes.link_type);
        if let Some((last, number)) = self.last
            && last == key
        {
            return number;
        }
        let interfaces = &self.interfaces;
        let number = *self.known.entry(key).or_insert_with(|| {
            interfaces.add(Interface {
                name: record.origin.name.map(str::to_owned),
                link_type: record.bytes.link_type,
                number: record.origin.number,
            })
        });
        self.last = Some((key, number));
        number
    }

    /// Another file, whose interfaces are others.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.last = None;
    }
}
