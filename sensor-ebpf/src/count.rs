//! One outcome of the parser, counted exactly once.

use sensor_common::abi::{
    CLASSES, Counts, NO_SLOT, SLOT_L3, SLOT_WAYS, TAP_WAYS, Totals, class_of,
};
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{Packet, Reason};

use crate::flow_table::{self, Half};
use crate::home;
use crate::maps;
use crate::sample::{self, Request};

/// Where a packet was seen.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) slot: u16,
    pub(crate) direction: Direction,
}

impl Origin {
    /// `None` for an interface that is not counted.
    #[inline(always)]
    pub(crate) fn of(ifindex: u32, direction: Direction) -> Option<Self> {
        let slot = maps::slot_of(ifindex);
        (slot != NO_SLOT).then_some(Origin { slot, direction })
    }

    /// The interface's packets start with the IP header.
    #[inline(always)]
    pub(crate) fn starts_with_ip(self) -> bool {
        self.slot & SLOT_L3 != 0
    }

    #[inline(always)]
    pub(crate) fn number(self) -> u8 {
        self.slot as u8
    }

    /// The way in a tap is no direction: that is known by addresses, or not at all.
    #[inline(always)]
    fn on_tap(self, outcome: &Result<Packet, Reason>) -> Self {
        let direction = if maps::has_home() {
            home::direction(outcome)
        } else {
            Direction::Unknown
        };
        Origin { direction, ..self }
    }

    /// Place in a CPU's part of `CONTROL`.
    #[inline(always)]
    fn way<const TAP: bool>(self) -> u64 {
        let slot = self.number() as u64;
        if TAP {
            slot * TAP_WAYS as u64 + self.direction as u64
        } else {
            slot * SLOT_WAYS as u64 + (self.direction as u64 >> 1)
        }
    }
}

/// Adds to the totals and to the flow table. Nothing here can fail without being counted, but for a slot that the agent
/// never set up.
#[inline(always)]
pub(crate) fn count<const TAP: bool>(
    outcome: Result<Packet, Reason>,
    origin: Origin,
    counts: Counts,
    passes: impl FnOnce(&Result<Packet, Reason>, Origin) -> bool,
    sample: impl FnOnce(Request) -> u64,
) {
    let cpu = maps::this_cpu();
    let origin = if TAP { origin.on_tap(&outcome) } else { origin };
    let Some(place) = seen(cpu, counts) else {
        return;
    };
    if !passes(&outcome, origin) {
        if let Some(totals) = totals::<TAP>(place, origin) {
            totals.filtered.add(counts.packets, counts.bytes);
        }
        return;
    }
    let packet = match outcome {
        Ok(packet) => packet,
        Err(reason) => {
            if let Some(totals) = totals::<TAP>(place, origin) {
                totals.class[class_of(reason) & (CLASSES - 1)].add(counts.packets, counts.bytes);
            }
            return;
        }
    };
    let mut key = packet.key;
    key.set_origin(origin.number(), origin.direction);
    if let Some(record) = flow_table::add(place, &key, counts, packet.tcp_flags) {
        if maps::sampling() && sample::is_wanted(&packet) {
            sample::take(record, origin.starts_with_ip(), sample);
        }
        return;
    }
    if let Some(totals) = totals::<TAP>(place, origin) {
        overflow(totals, &packet.key).add(counts.packets, counts.bytes);
    }
}

/// Counts the packet before anything can go wrong with it, and gives the half that everything else of it goes to.
#[inline(always)]
fn seen(cpu: u64, counts: Counts) -> Option<Half> {
    let state = maps::cpu(cpu)?;
    // SAFETY: a live value of the map; the agent writes the epoch while programs run.
    let half = unsafe { (&raw const (*state).epoch).read_volatile() } & 1;
    // SAFETY: this CPU's own.
    unsafe { (&mut (*state).seen)[half as usize].add(counts.packets, counts.bytes) };
    Some(Half { cpu, half, state })
}

/// Of what is in no record of the flow table.
#[inline(always)]
fn totals<'a, const TAP: bool>(place: Half, origin: Origin) -> Option<&'a mut Totals> {
    let index = place.cpu * maps::slot_ways() + origin.way::<TAP>();
    let control = maps::CONTROL.get_ptr_mut(index as u32)?;
    // SAFETY: a live value of the map, of which the agent reads the other half only.
    unsafe { Some(&mut (*control).half[place.half as usize & 1]) }
}

#[inline(always)]
fn overflow<'a>(totals: &'a mut Totals, key: &FlowKey) -> &'a mut Counts {
    match key.is_ip() {
        true => &mut totals.overflow[key.ip_index()],
        false => &mut totals.overflow_not_ip,
    }
}
