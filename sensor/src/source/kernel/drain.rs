//! Turning the epoch and reading the half that stands still.

use std::io;
use std::sync::atomic::{Ordering, fence};

use sensor_common::abi::{
    CLASS_NOT_IP, Control, Counts, Cpu, FLAGS_SHIFT, PACKETS_MASK, Record, SLOT_WAYS, Totals, WAYS,
};
use sensor_common::flow::{Direction, FlowKey};

use super::clock::TickClock;
use super::maps::Maps;
use super::object::TableSize;
use crate::counters::{Delta, FlowCounts};
use crate::memory;

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
    /// By slot and direction; all zero between two polls.
    sums: Vec<Totals>,
}

impl Reader {
    /// `ways`: [`SLOT_WAYS`], or of a tap [`sensor_common::abi::TAP_WAYS`].
    pub fn new(size: TableSize, ways: u32) -> Self {
        Reader {
            epoch: 0,
            size,
            ways,
            sums: Vec::new(),
        }
    }

    /// From now on the programs count into the other half; returns the one that falls quiet after a grace period.
    pub fn turn(&mut self, maps: &Maps) -> usize {
        // The half that is next was cleared by plain stores, which must not be seen after the epoch.
        fence(Ordering::Release);
        let quiet = (self.epoch & 1) as usize;
        self.epoch += 1;
        for cpu in (0..self.size.cpus as usize).filter_map(|cpu| maps.cpu.at(cpu)) {
            // SAFETY: a live value of the mapping; only this thread writes the epoch, one aligned store.
            unsafe { (&raw mut (*cpu).epoch).write_volatile(self.epoch) };
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
    pub fn drain(&mut self, maps: &Maps, quiet: Quiet, clock: &TickClock, delta: &mut Delta) {
        let Quiet { half, since, slots } = quiet;
        let cpus = 0..self.size.cpus as usize;
        let mut sums = std::mem::take(&mut self.sums);
        sums.resize((slots * self.ways) as usize, Totals::ZERO);
        for cpu in cpus.clone() {
            self.drain_totals(maps, cpu, half, &mut sums);
        }
        delta.expect_flows(self.most_claimed(maps, half));
        for cpu in cpus.clone() {
            self.drain_flows(maps, cpu, half, &mut |record| {
                let flow = flow_counts(record, clock);
                if let Some(totals) = sums.get_mut(self.place_of(&flow.key)) {
                    *totals.of_flow(&flow.key) += flow.counts;
                }
                delta.flow(&flow, since);
            });
        }
        delta.flush();
        let mut missing: Counts = cpus.filter_map(|cpu| take_seen(maps, cpu, half)).sum();
        for (place, totals) in sums.iter_mut().enumerate() {
            let counted = in_all(totals);
            if counted != Counts::ZERO {
                missing.packets = missing.packets.wrapping_sub(counted.packets);
                missing.bytes = missing.bytes.wrapping_sub(counted.bytes);
                let (slot, direction) = self.origin_of(place);
                delta.totals(slot, direction, totals, since);
                *totals = Totals::ZERO;
            }
        }
        delta.unexplained(missing);
        self.sums = sums;
    }

    /// Slot and direction of one of the totals.
    fn origin_of(&self, place: usize) -> (u8, Direction) {
        let ways = self.ways as usize;
        ((place / ways) as u8, self.direction(place % ways))
    }

    /// The reverse, of a flow.
    fn place_of(&self, key: &FlowKey) -> usize {
        let direction = key.direction() as usize;
        let way = match self.ways {
            SLOT_WAYS => direction >> 1,
            _ => direction,
        };
        usize::from(key.slot()) * self.ways as usize + way
    }

    fn drain_totals(&self, maps: &Maps, cpu: usize, half: usize, sums: &mut [Totals]) {
        let first = cpu * (self.size.slots * self.ways) as usize;
        for (place, sum) in sums.iter_mut().enumerate() {
            if let Some(control) = maps.control.at(first + place) {
                take_totals(control, half, sum);
            }
        }
    }

    /// As many flows at the least will come: those in the sets of one CPU differ from each other.
    fn most_claimed(&self, maps: &Maps, half: usize) -> usize {
        let cpus = (0..self.size.cpus as usize).filter_map(|cpu| maps.cpu.at(cpu));
        let claimed = cpus.map(|cpu| cpu_state(cpu, half).1 as usize);
        claimed.max().unwrap_or(0)
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
        let words = (WAYS << self.size.set_bits) / 64;
        let (first, behind) = (region * words, (region + 1) * words);
        let mut next = occupied(maps, first);
        for word in first..behind {
            let these = next;
            if word + 1 < behind {
                // On their way from memory while these are counted.
                next = occupied(maps, word + 1);
                ones(next).for_each(|bit| prefetch_record(maps, (word + 1) * 64 + bit));
            }
            ones(these).for_each(|bit| drain_record(maps, word * 64 + bit, each));
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

/// Takes 64 bits, each of a record of the sets.
fn occupied(maps: &Maps, word: usize) -> u64 {
    let Some(occupied) = maps.occupied.at(word) else {
        return 0;
    };
    // SAFETY: a live value of the mapping, in a half that no program writes.
    unsafe {
        let bits = occupied.read_volatile();
        if bits != 0 {
            occupied.write_volatile(0);
        }
        bits
    }
}

fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        bit
    })
}

fn record_at(maps: &Maps, number: usize) -> Option<*mut Record> {
    let set = maps.sets.at(number / WAYS)?;
    // SAFETY: the way is one of the set's, a live value of the mapping.
    Some(unsafe { (&raw mut (*set).ways).cast::<Record>().add(number % WAYS) })
}

fn prefetch_record(maps: &Maps, number: usize) {
    if let Some(record) = record_at(maps, number) {
        memory::prefetch_line(record);
    }
}

fn drain_record(maps: &Maps, number: usize, each: &mut impl FnMut(&Record)) {
    let Some(record) = record_at(maps, number) else {
        return;
    };
    // SAFETY: a live value of the mapping, in a half that no program writes.
    unsafe {
        let copy = record.read_volatile();
        (&raw mut (*record).key[4]).write_volatile(0);
        each(&copy);
    }
}

/// Adds what is in no record. Of overflow that is a part of what matched, as [`Totals`] has it.
fn take_totals(control: *mut Control, quiet: usize, sum: &mut Totals) {
    // SAFETY: a live value of the mapping, in a half that no program writes.
    unsafe {
        let totals = (&raw mut (*control).half).cast::<Totals>().add(quiet);
        let mut copy = totals.read_volatile();
        let overflow: Counts = copy.overflow.iter().copied().sum();
        if in_all(&copy) + overflow + copy.overflow_not_ip == Counts::ZERO {
            return;
        }
        totals.write_volatile(Totals::ZERO);
        copy.ip = copy.overflow;
        copy.class[CLASS_NOT_IP] += copy.overflow_not_ip;
        *sum += &copy;
    }
}

/// Every packet once.
fn in_all(totals: &Totals) -> Counts {
    totals.matched() + totals.filtered
}

/// How many packets the programs say they were given.
fn take_seen(maps: &Maps, cpu: usize, half: usize) -> Option<Counts> {
    let cpu = maps.cpu.at(cpu)?;
    // SAFETY: a live value of the mapping, in a half that no program writes.
    unsafe {
        let seen = (&raw mut (*cpu).seen).cast::<Counts>().add(half);
        let copy = seen.read_volatile();
        seen.write_volatile(Counts::ZERO);
        Some(copy)
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
