//! The interfaces' own counters beside ours: a second opinion on what was counted.

use std::collections::HashMap;

use crate::link::{self, Counters, LinkCounters};
use crate::report::InterfaceCounters;
use crate::source::Event;
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
        for interface in interfaces.iter().filter(|one| one.alive && !one.shared) {
            let index = interface.link.index;
            let Ok(Some(now)) = link::counters(index) else {
                continue;
            };
            let before = if whole {
                self.start.get(&index).copied()
            } else {
                self.period.insert(index, now)
            };
            let Some(before) = before.filter(|_| alone(interface, interfaces)) else {
                continue;
            };
            if interface.ingress.name.is_some() {
                list.push(entry(&interface.link.name, "ingress", before.rx, now.rx));
            }
            if interface.egress.name.is_some() {
                list.push(entry(&interface.link.name, "egress", before.tx, now.tx));
            }
        }
        list
    }

    /// What happened to an interface.
    pub(super) fn heed(&mut self, event: &Event, interfaces: &[Interface]) {
        match event {
            Event::Back { interface, .. } => self.forget(interface, interfaces),
            Event::New { interface, .. } => self.begin(interface, interfaces),
            _ => {}
        }
    }

    /// A new interface: it is compared from now on.
    fn begin(&mut self, name: &str, interfaces: &[Interface]) {
        for interface in interfaces.iter().filter(|one| one.link.name == name) {
            let index = interface.link.index;
            if let Ok(Some(now)) = link::counters(index) {
                self.start.insert(index, now);
                self.period.insert(index, now);
            }
        }
    }

    /// An interface is there again. What is counted for it began with another one, whose counters are gone: it is left
    /// out of the comparison for the period and for the whole run.
    fn forget(&mut self, name: &str, interfaces: &[Interface]) {
        for interface in interfaces.iter().filter(|one| one.link.name == name) {
            self.start.remove(&interface.link.index);
            self.period.remove(&interface.link.index);
        }
    }
}

/// Reports find what was counted by the name, which may have been that of a deleted interface before.
fn alone(interface: &Interface, interfaces: &[Interface]) -> bool {
    let same = |other: &&Interface| other.link.name == interface.link.name;
    interfaces.iter().filter(same).count() == 1
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
