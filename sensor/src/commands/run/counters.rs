//! The interfaces' own counters beside ours: a second opinion on what was counted.

use std::collections::HashMap;

use crate::link::{self, Counters, LinkCounters};
use crate::report::InterfaceCounters;
use crate::source::live::Interface;

pub(super) struct InterfaceWatch {
    start: HashMap<u32, Counters>,
    period: HashMap<u32, Counters>,
}

impl InterfaceWatch {
    /// Reads them as they are now that counting has begun.
    pub(super) fn start(interfaces: &[Interface]) -> Self {
        let read = |interface: &Interface| {
            let index = interface.link.index;
            Some((index, link::counters(index).ok()??))
        };
        let start: HashMap<_, _> = interfaces.iter().filter_map(read).collect();
        InterfaceWatch {
            period: start.clone(),
            start,
        }
    }

    /// Since the last period, or since the start. What was counted is filled in with the report.
    pub(super) fn read(&mut self, interfaces: &[Interface], whole: bool) -> Vec<InterfaceCounters> {
        let mut list = Vec::new();
        for interface in interfaces.iter().filter(|interface| interface.alive) {
            let Ok(Some(now)) = link::counters(interface.link.index) else {
                continue;
            };
            let from = if whole { &self.start } else { &self.period };
            let Some(before) = from.get(&interface.link.index).copied() else {
                continue;
            };
            if interface.ingress.name.is_some() {
                list.push(entry(&interface.link.name, "ingress", before.rx, now.rx));
            }
            if interface.egress.name.is_some() {
                list.push(entry(&interface.link.name, "egress", before.tx, now.tx));
            }
            if !whole {
                self.period.insert(interface.link.index, now);
            }
        }
        list
    }
}

fn entry(
    interface: &str,
    direction: &str,
    before: LinkCounters,
    now: LinkCounters,
) -> InterfaceCounters {
    InterfaceCounters {
        interface: interface.to_owned(),
        direction: direction.to_owned(),
        packets: now.packets.saturating_sub(before.packets),
        bytes: now.bytes.saturating_sub(before.bytes),
        ..InterfaceCounters::default()
    }
}
