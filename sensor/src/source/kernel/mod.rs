//! Counting in the kernel: XDP and TC programs fill tables, the agent reads them.

pub mod attach;
mod clock;
mod constants;
mod cpus;
pub mod drain;
pub mod filter;
mod mapping;
mod maps;
pub mod object;
pub mod probe;
mod role;
mod samples;
mod size;
mod sole;
mod statistics;
mod tables;
mod undisturbed;
mod verdict;

use std::time::Duration;

use attach::{Attached, Program, Refusal};
use clock::TickClock;
use drain::{Quiet, Reader};
use object::{Object, ObjectError, Role, TableSize, Task};
use samples::{BEFORE_A_POLL, BETWEEN_POLLS, Samples};

pub use statistics::{RunTime, Statistics};

use super::SourceError;
use crate::clock::Now;
use crate::counters::Delta;

/// Part of a table (percent) from which on it is read before the interval ends.
const PRESSURE: u64 = 50;

/// See [`Kernel::programs`].
#[derive(Clone, Debug)]
pub struct Programs(Vec<Program>);

impl Programs {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The loaded programs and their tables.
pub struct Kernel {
    pub object: Object,
    reader: Reader,
    clock: TickClock,
    samples: Samples,
    /// Time of the last poll: what is read now was counted since.
    since: i64,
    /// With the index of the interface.
    attached: Vec<(u32, Attached)>,
}

impl Kernel {
    pub fn load(size: TableSize, task: Task<'_>, now: Now) -> Result<Self, ObjectError> {
        Self::load_as(Role::Host, size, task, now)
    }

    pub fn load_as(
        role: Role<'_>,
        size: TableSize,
        task: Task<'_>,
        now: Now,
    ) -> Result<Self, ObjectError> {
        let mut object = Object::load_as(role, size, task)?;
        let samples = object.samples()?;
        let clock = TickClock::new(object.ticks()?, now.wall, clock::tick());
        Ok(Kernel {
            object,
            reader: Reader::new(size, role.ways()),
            clock,
            samples,
            since: now.wall,
            attached: Vec::new(),
        })
    }

    /// Keeps a hook of an interface while it is counted.
    pub fn hold(&mut self, ifindex: u32, attached: Attached) {
        self.attached.push((ifindex, attached));
    }

    /// Has the kernel verify all that `old` has attached, so that [`Self::take_over`] finds it ready.
    pub fn prepare_for(&mut self, old: &Programs) -> Result<(), ObjectError> {
        old.0
            .iter()
            .try_for_each(|program| self.object.prepare(*program))
    }

    /// Which programs are attached somewhere.
    pub fn programs(&self) -> Programs {
        let mut programs: Vec<Program> = Vec::new();
        for (_, attached) in &self.attached {
            if !programs.contains(&attached.program()) {
                programs.push(attached.program());
            }
        }
        Programs(programs)
    }

    /// How long its programs ran, if anybody measures it.
    pub fn run_time(&self) -> RunTime {
        self.object.run_time()
    }

    /// Takes the hooks of `old` over. What could not be taken is detached: the interface's index, and why.
    pub fn take_over(&mut self, old: &mut Kernel) -> Vec<(u32, Refusal)> {
        let mut lost = Vec::new();
        for (ifindex, attached) in old.attached.drain(..) {
            match attached.hand_over(&mut self.object) {
                Ok(attached) => self.hold(ifindex, attached),
                Err(refusal) => lost.push((ifindex, refusal)),
            }
        }
        lost
    }

    /// Detaches from an interface; what was counted stays.
    pub fn let_go(&mut self, slot: u8, ifindex: u32) -> Result<(), ObjectError> {
        self.attached.retain(|(held, _)| *held != ifindex);
        let same_place = |held: &u32| object::place_of(*held) == object::place_of(ifindex);
        if self.attached.iter().any(|(held, _)| same_place(held)) {
            return Ok(()); // of another interface that counts for the same slot
        }
        self.object.release(ifindex, slot)
    }

    /// Names go on from where `old` is, which is not run any more.
    pub fn succeed(&mut self, old: &mut Kernel) {
        self.samples.adopt(&mut old.samples);
    }

    /// What was counted while the hooks were set up belongs to this moment.
    pub fn begin(&mut self, now: Now) {
        self.since = now.wall;
    }

    pub fn needs_poll(&self) -> bool {
        self.reader.pressure(&self.object.maps) >= PRESSURE
    }

    /// Takes in the payloads that have come: the ring has room for a fraction of a second.
    pub fn look(&mut self, delta: &mut Delta) {
        self.take_samples(delta, BETWEEN_POLLS);
    }

    pub fn poll(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError> {
        self.set_clock(now);
        self.read_tables(now, delta, BEFORE_A_POLL)
    }

    /// `now` must have been read just before: what passes in between is by how much all times are wrong.
    fn set_clock(&mut self, now: Now) {
        // A clock that can't be read must not cost counts: times are then taken from where it was last.
        if let Ok(ticks) = self.object.ticks() {
            self.clock.advance(ticks, now.wall);
        }
    }

    fn read_tables(
        &mut self,
        now: Now,
        delta: &mut Delta,
        for_samples: Duration,
    ) -> Result<(), SourceError> {
        let half = self.reader.turn(&self.object.maps);
        drain::grace_period().map_err(SourceError::GracePeriod)?;
        // Before the flows: they are named when they are first counted.
        self.take_samples(delta, for_samples);
        let quiet = Quiet {
            half,
            since: self.since,
            slots: self.object.slots_used(),
        };
        self.reader
            .drain(&self.object.maps, quiet, &self.clock, delta);
        self.since = now.wall;
        Ok(())
    }

    fn take_samples(&mut self, delta: &mut Delta, longest: Duration) {
        self.samples
            .drain(&self.object.maps, &self.clock, delta, longest);
    }

    /// Detaches from everything and reads both halves.
    pub fn finish(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError> {
        let since = self.since;
        self.set_clock(now);
        self.attached.clear();
        let first = self.read_tables(now, delta, Duration::MAX);
        self.since = since;
        first.and(self.read_tables(now, delta, Duration::MAX))
    }
}
