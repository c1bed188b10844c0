//! Which way a packet on a tap goes: told by the networks that are ours.

use sensor_common::flow::{Direction, IPV6};
use sensor_common::parse::{Packet, Reason};
use sensor_common::prefix_set::{self, Line, Lines};

use crate::maps;

/// The map as the look-up wants it.
struct Home;

impl Lines for Home {
    #[inline(always)]
    fn line(&self, index: u32) -> Option<&Line> {
        maps::HOME_LINES.get(index)
    }
}

/// Packets without IP and malformed ones have no addresses that tell.
#[inline(always)]
pub(crate) fn direction(outcome: &Result<Packet, Reason>) -> Direction {
    let Ok(packet) = outcome else {
        return Direction::Unknown;
    };
    let Some(facts) = maps::FACTS.get_ptr_mut(0) else {
        return Direction::Unknown;
    };
    if !packet.key.is_ip() {
        return Direction::Unknown;
    }
    // SAFETY: a live value of the map, this CPU's own.
    unsafe { (*facts).key = packet.key.0 };
    Direction::of_home(sensor_home_contains(0) != 0, sensor_home_contains(1) != 0)
}

/// Whether the source (`dst` 0) or destination address of the packet in `FACTS` is in our networks.
///
/// A function of its own without a pointer among its arguments, so that the verifier goes through it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_home_contains(dst: u64) -> u64 {
    let Some(facts) = maps::FACTS.get_ptr(0) else {
        return 0;
    };
    // SAFETY: a live value of the map, this CPU's own.
    let key = unsafe { &(*facts).key };
    let words = if dst == 0 {
        [key[0], key[1]]
    } else {
        [key[2], key[3]]
    };
    prefix_set::contains(&Home, 0, key[4] & IPV6 != 0, words) as u64
}
