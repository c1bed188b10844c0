//! Packets into files, one after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::batch::{Batch, Interfaces, Packet};
use super::blocks;
use super::current::Current;
use super::rotation::{Plan, Rotation, Turn};
use super::segments::Cut;
use crate::counters::When;
use crate::sink::SinkError;

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
    /// One packet of a super-packet.
    segment: Vec<u8>,
    /// Of the file that was opened last.
    path: Option<PathBuf>,
    /// The last file that there may be is done.
    ended: bool,
    tally: Arc<Tally>,
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
            segment: Vec::new(),
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
            let result = match packet.cut {
                None => self.packet(packet, data),
                Some(cut) => self.segments(cut, packet, data),
            };
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

    /// What crossed the wire of a super-packet.
    fn segments(&mut self, cut: Cut, packet: &Packet, data: &[u8]) -> Result<(), SinkError> {
        let snaplen = self
            .style
            .snaplen
            .map_or(usize::MAX, |bytes| bytes as usize);
        let mut buffer = std::mem::take(&mut self.segment);
        let result = cut.each((data, packet.len), &mut buffer, |data, len| {
            let packet = Packet {
                len,
                segments: 1,
                ..*packet
            };
            self.packet(&packet, data.get(..snaplen).unwrap_or(data))
        });
        self.segment = buffer;
        result
    }

    fn packet(&mut self, packet: &Packet, data: &[u8]) -> Result<(), SinkError> {
        if self.ended {
            let beyond = &self.tally.beyond;
            beyond.fetch_add(packet.segments, Ordering::Relaxed);
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
            Some(current) if current.is_full() => current.push(&self.tally),
            _ => Ok(()),
        }
    }
}
