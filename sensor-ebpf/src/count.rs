//! One outcome of the parser, counted exactly once.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use sensor_common::abi::{
    CLASS_NOT_IP, CLASSES, Control, Counts, NO_SLOT, SLOT_L3, SLOT_WAYS, TAP_WAYS, Totals, class_of,
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
    fn way<const TAP: bool>(self) -> u32 {
        let slot = self.number() as u32;
        if TAP {
            slot * TAP_WAYS + self.direction as u32
        } else {
            slot * SLOT_WAYS + (self.direction as u32 >> 1)
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
    // SAFETY: no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let origin = if TAP { origin.on_tap(&outcome) } else { origin };
    let index = cpu * maps::slot_ways() + origin.way::<TAP>();
    let Some(control) = maps::CONTROL.get_ptr_mut(index) else {
        return;
    };
    // SAFETY: a live value of the map; the agent writes nothing but the epoch while programs run.
    let (half, totals) = unsafe { half_of(control) };
    if !passes(&outcome, origin) {
        return totals.filtered.add(counts.packets, counts.bytes);
    }
    let packet = match outcome {
        Ok(packet) => packet,
        Err(reason) => {
            return totals.class[class_of(reason) & (CLASSES - 1)]
                .add(counts.packets, counts.bytes);
        }
    };
    let mut key = packet.key;
    key.set_origin(origin.number(), origin.direction);
    if packet.key.is_ip() {
        by_protocol(&mut totals.ip, &packet.key).add(counts.packets, counts.bytes);
    } else {
        totals.class[CLASS_NOT_IP].add(counts.packets, counts.bytes);
    }
    if let Some(record) = flow_table::add(Half { cpu, half }, &key, counts, packet.tcp_flags) {
        if maps::sampling() && sample::is_wanted(&packet) {
            sample::take(record, origin.starts_with_ip(), sample);
        }
        return;
    }
    if packet.key.is_ip() {
        by_protocol(&mut totals.overflow, &packet.key).add(counts.packets, counts.bytes);
    } else {
        totals.overflow_not_ip.add(counts.packets, counts.bytes);
    }
}

#[inline(always)]
fn by_protocol<'a>(counts: &'a mut [Counts; 512], key: &FlowKey) -> &'a mut Counts {
    &mut counts[key.ip_index()]
}

/// # Safety
/// `control` must point to a live value of the map.
#[inline(always)]
unsafe fn half_of<'a>(control: *mut Control) -> (u32, &'a mut Totals) {
    // SAFETY: the caller's promise; the number of the half is masked.
    unsafe {
        let half = (&raw const (*control).epoch).read_volatile() as usize & 1;
        (
            half as u32,
            &mut *(&raw mut (*control).half).cast::<Totals>().add(half),
        )
    }
}
