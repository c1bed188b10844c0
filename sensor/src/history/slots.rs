//! Interfaces of several runs and sensors, numbered anew: each run numbers its own from 0 on.

use std::collections::BTreeSet;

use sensor_common::flow::{FlowKey, SLOT_MASK};

use super::meta::Meta;
use crate::report::InterfaceInfo;

/// More interfaces than there are numbers share the last one.
const LAST: u8 = u8::MAX;

#[derive(Default)]
pub(super) struct Slots(Vec<Option<Entry>>);

#[derive(Clone)]
struct Entry {
    sensor: String,
    /// `None`: the sets give it a number only, this one, as those of capture files do.
    info: Option<InterfaceInfo>,
    old: u8,
}

/// The new numbers for those of one set, as far as they came up.
pub(super) struct Numbers {
    sensor: String,
    interfaces: Vec<InterfaceInfo>,
    known: [Option<u8>; 256],
}

impl Numbers {
    /// The set's interfaces get numbers in any case, others when they are asked for.
    pub(super) fn of(sensor: &str, meta: &Meta, slots: &mut Slots) -> Self {
        let mut numbers = Numbers {
            sensor: sensor.to_owned(),
            interfaces: meta.interfaces.clone(),
            known: [None; 256],
        };
        for info in &meta.interfaces {
            numbers.get(info.slot, slots);
        }
        numbers
    }

    pub(super) fn get(&mut self, old: u8, slots: &mut Slots) -> u8 {
        if let Some(known) = self.known[usize::from(old)] {
            return known;
        }
        let info = self.interfaces.iter().find(|one| one.slot == old);
        let number = slots.number(&Entry {
            sensor: self.sensor.clone(),
            info: info.cloned(),
            old,
        });
        self.known[usize::from(old)] = Some(number);
        number
    }
}

impl Entry {
    /// Reasons may be told anew; what it is stays.
    fn is(&self, other: &Entry) -> bool {
        let same = match (&self.info, &other.info) {
            (None, None) => self.old == other.old,
            (Some(a), Some(b)) => {
                (&a.name, a.ifindex, &a.link_type) == (&b.name, b.ifindex, &b.link_type)
            }
            _ => false,
        };
        same && self.sensor == other.sensor
    }
}

impl Slots {
    fn number(&mut self, entry: &Entry) -> u8 {
        let known = |one: &Option<Entry>| one.as_ref().is_some_and(|one| one.is(entry));
        if let Some(place) = self.0.iter().position(known) {
            self.0[place] = Some(entry.clone());
            return place as u8;
        }
        // Its own number where nobody has it: the order of a single run stays as it was.
        let free = |place: &u8| self.0.get(usize::from(*place)).is_none_or(Option::is_none);
        let place = [entry.old].into_iter().chain(0..=LAST).find(free);
        let Some(place) = place else {
            return LAST;
        };
        if self.0.len() <= usize::from(place) {
            self.0.resize(usize::from(place) + 1, None);
        }
        self.0[usize::from(place)] = Some(entry.clone());
        place
    }

    /// All that have a name, with their new numbers. Where there are several sensors the name says which one's it is.
    pub(super) fn interfaces(&self) -> Vec<InterfaceInfo> {
        let entries = || self.0.iter().flatten();
        let sensors: BTreeSet<&str> = entries().map(|one| one.sensor.as_str()).collect();
        let mut list = Vec::new();
        for (entry, place) in self.0.iter().zip(0..=LAST) {
            let Some(entry) = entry else {
                continue;
            };
            if let Some(info) = &entry.info {
                let name = match sensors.len() {
                    1 => info.name.clone(),
                    _ => format!("{}/{}", entry.sensor, info.name),
                };
                list.push(InterfaceInfo {
                    slot: place,
                    name,
                    ..info.clone()
                });
            }
        }
        list
    }
}

/// The same flow on another number.
pub(super) fn move_to(key: &mut FlowKey, slot: u8) {
    let direction = key.direction();
    key.0[4] &= !SLOT_MASK;
    key.set_origin(slot, direction);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::context;

    fn meta(names: &[&str]) -> Meta {
        let info = |(name, slot): (&&str, u8)| InterfaceInfo {
            slot,
            name: (*name).to_owned(),
            ..context().interfaces[0].clone()
        };
        Meta {
            interfaces: names.iter().zip(0..).map(info).collect(),
            ..Meta::default()
        }
    }

    #[test]
    fn a_single_run_keeps_its_numbers() {
        let mut slots = Slots::default();
        let mut numbers = Numbers::of("a", &meta(&["eth0", "eth1"]), &mut slots);
        assert_eq!([0, 1, 7].map(|old| numbers.get(old, &mut slots)), [0, 1, 7]);
        let names: Vec<String> = slots.interfaces().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["eth0", "eth1"]);
    }

    #[test]
    fn the_same_interface_is_one_and_another_sensors_is_another() {
        let mut slots = Slots::default();
        Numbers::of("a", &meta(&["eth0", "eth1"]), &mut slots);
        let mut turned = Numbers::of("a", &meta(&["eth1", "eth0"]), &mut slots);
        assert_eq!([0, 1].map(|old| turned.get(old, &mut slots)), [1, 0]);
        let mut other = Numbers::of("b", &meta(&["eth0"]), &mut slots);
        assert_eq!(other.get(0, &mut slots), 2);
        let names: Vec<String> = slots.interfaces().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["a/eth0", "a/eth1", "b/eth0"]);
    }

    #[test]
    fn more_than_there_are_numbers_share_the_last() {
        let mut slots = Slots::default();
        for sensor in ["a", "b"] {
            let mut numbers = Numbers::of(sensor, &Meta::default(), &mut slots);
            for old in 0..=u8::MAX {
                let expected = if sensor == "a" { old } else { LAST };
                assert_eq!(numbers.get(old, &mut slots), expected);
            }
        }
    }
}
