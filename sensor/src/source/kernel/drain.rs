//! Turning the epoch and reading the half that stands still.

use std::io;
use std::sync::atomic::{Ordering, fence};

use sensor_common::abi::{
    Control, Counts, Cpu, FLAGS_SHIFT, PACKETS_MASK, Record, SLOT_WAYS, Totals, WAYS,
};
use sensor_common::flow::{Direction, FlowKey, VALID};

use super::clock::TickClock;
use super::object::{Maps, TableSize};
use crate::counters::{Delta, FlowCounts};

/// Waits until every program run that began before has ended (one RCU grace period): 8 to 16 ms, asleep.
pub fn grace_period() -> io::Result<()> {
    membarrier(libc::MEMBARRIER_CMD_GLOBAL).map(drop)
}

/// Whether [`grace_period`] can be had; not with `nohz_full`.
pub fn grace_period_supported() -> io::Result<bool> {
    let commands = membarrier(libc::MEMBARRIER_CMD_QUERY)?;
    Ok(commands & i64::from(libc::MEMBARRIER_CMD_GLOBAL) != 0)
}

fn membarrier(command: libc::c_int) -> io::Result<i64> {
    // SAFETY: the call takes no pointers.
    match unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } {
        result if result < 0 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}

/// A half that no program writes any more.
#[derive(Clone, Copy)]
pub struct Quiet {
    pub half: usize,
    /// Its counting began at this time, nanoseconds since the epoch.
    pub since: i64,
    /// Only the first so many slots were ever counted for.
    pub slots: u32,
}

/// Reads the tables of one loaded object.
pub struct Reader {
    epoch: u64,
    size: TableSize,
    /// Directions of a slot.
    ways: u32,
}

impl Reader {
    /// `ways`: [`SLOT_WAYS`], or of a tap [`sensor_common::abi::TAP_WAYS`].
    pub fn new(size: TableSize, ways: u32) -> Self {
        Reader {
            epoch: 0,
            size,
            ways,
        }
    }

    /// From now on the programs count into the other half; returns the one that falls quiet after a grace period.
    pub fn turn(&mut self, maps: &Maps) -> usize {
        // The half that is next was cleared by plain stores, which must not be seen after the epoch.
        fence(Ordering::Release);
        let quiet = (self.epoch & 1) as usize;
        self.epoch += 1;
        for index in 0..(self.size.cpus * self.size.slots * self.ways) as usize {
            if let Some(control) = maps.control.at(index) {
                // SAFETY: a live value of the mapping; only this thread writes the epoch, one aligned store.
                unsafe { (&raw mut (*control).epoch).write_volatile(self.epoch) };
            }
        }
        quiet
    }

    /// The fullest CPU's share of sets or log that the present half has used, 0 to 100.
    pub fn pressure(&self, maps: &Maps) -> u64 {
        let half = (self.epoch & 1) as usize;
        let records = (WAYS as u64) << self.size.set_bits;
        let cpus = (0..self.size.cpus as usize).filter_map(|cpu| maps.cpu.at(cpu));
        let shares = cpus.map(|cpu| {
            let (spilled, claimed) = cpu_state(cpu, half);
            (claimed * 100 / records).max(spilled * 100 / u64::from(self.size.log))
        });
        shares.max().unwrap_or(0)
    }

    /// Moves everything from the quiet half to the delta.
    pub fn drain(&self, maps: &Maps, quiet: Quiet, clock: &TickClock, delta: &mut Delta) {
        let Quiet { half, since, slots } = quiet;
        let ways = self.ways as usize;
        let of_cpu = self.size.slots as usize * ways;
        for cpu in 0..self.size.cpus as usize {
            for place in 0..slots as usize * ways {
                if let Some(control) = maps.control.at(cpu * of_cpu + place) {
                    let (slot, direction) = (place / ways, self.direction(place % ways));
                    drain_totals(control, half, |totals| {
                        delta.totals(slot as u8, direction, totals, since);
                    });
                }
            }
        }
        for cpu in 0..self.size.cpus as usize {
            self.drain_flows(maps, cpu, half, &mut |record| {
                delta.flow(&flow_counts(record, clock), since);
            });
        }
        delta.flush();
    }

    fn direction(&self, way: usize) -> Direction {
        let ways = [Direction::Unknown, Direction::Ingress, Direction::Egress];
        match self.ways {
            SLOT_WAYS => ways[1 + way % 2],
            _ => ways[way % ways.len()],
        }
    }

    fn drain_flows(&self, maps: &Maps, cpu: usize, quiet: usize, each: &mut impl FnMut(&Record)) {
        let region = cpu * 2 + quiet;
        let words = (1usize << self.size.set_bits) / 64;
        for word in region * words..(region + 1) * words {
            let Some(touched) = maps.touched.at(word) else {
                continue;
            };
            // SAFETY: a live value of the mapping, in a half that no program writes.
            let mut bits = unsafe { touched.read_volatile() };
            if bits == 0 {
                continue;
            }
            // SAFETY: as above.
            unsafe { touched.write_volatile(0) };
            while bits != 0 {
                drain_set(maps, word * 64 + bits.trailing_zeros() as usize, each);
                bits &= bits - 1;
            }
        }
        let Some(state) = maps.cpu.at(cpu) else {
            return;
        };
        let (spilled, _) = cpu_state(state, quiet);
        for number in 0..spilled as usize {
            if let Some(record) = maps.log.at(region * self.size.log as usize + number) {
                // SAFETY: a live value of the mapping, in a half that no program writes.
                let copy = unsafe { record.read_volatile() };
                each(&copy);
            }
        }
        // SAFETY: as above.
        unsafe {
            (&raw mut (*state).spilled[quiet]).write_volatile(0);
            (&raw mut (*state).claimed[quiet]).write_volatile(0);
        }
    }
}

fn drain_set(maps: &Maps, index: usize, each: &mut impl FnMut(&Record)) {
    let Some(set) = maps.sets.at(index) else {
        return;
    };
    for way in 0..WAYS {
        // SAFETY: a live value of the mapping, in a half that no program writes.
        unsafe {
            let record = (&raw mut (*set).ways).cast::<Record>().add(way);
            let copy = record.read_volatile();
            if copy.key[4] & VALID == 0 {
                continue; // a set is filled from a way that the hash chose, so gaps are anywhere
            }
            (&raw mut (*record).key[4]).write_volatile(0);
            each(&copy);
        }
    }
}

fn drain_totals(control: *mut Control, quiet: usize, mut each: impl FnMut(&Totals)) {
    // SAFETY: a live value of the mapping, in a half that no program writes.
    unsafe {
        let totals = (&raw mut (*control).half).cast::<Totals>().add(quiet);
        let copy = totals.read_volatile();
        if copy
            .ip
            .iter()
            .chain(&copy.class)
            .chain([&copy.filtered])
            .all(|counts| *counts == Counts::ZERO)
        {
            return;
        }
        each(&copy);
        totals.write_volatile(Totals::ZERO);
    }
}

fn cpu_state(cpu: *mut Cpu, half: usize) -> (u64, u64) {
    // SAFETY: a live value of the mapping; aligned words that the program writes whole.
    unsafe {
        (
            (&raw const (*cpu).spilled[half]).read_volatile(),
            (&raw const (*cpu).claimed[half]).read_volatile(),
        )
    }
}

fn flow_counts(record: &Record, clock: &TickClock) -> FlowCounts {
    FlowCounts {
        key: FlowKey(record.key),
        counts: Counts {
            packets: record.packets_flags & PACKETS_MASK,
            bytes: record.bytes,
        },
        tcp_flags: (record.packets_flags >> FLAGS_SHIFT) as u8,
        first: clock.wall(record.first),
        last: clock.wall(record.last),
    }
}
