//! One pcap file counted by several threads, with the same result as by one.
//!
//! The file is cut where records seem to begin, which bytes alone can't prove. So it is proven afterwards: a part must end
//! exactly where the next one began, and without damage. Where one does not, or the order of the packets would tell (the flow
//! table is full), nothing of it is used, and the file is counted again from its start by one thread.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::count::{Ledger, Outcome};
use super::divided::Divided;
use super::{CaptureFile, Oddities};
use crate::counters::{Delta, DeltaConfig};

/// Shorter parts than these cost more than they bring: a few milliseconds of counting.
const LEAST_PART: u64 = 8 << 20;
/// Each part costs a jump of the disk.
const MOST_PARTS: u64 = 512;
/// With more threads than these the memory that they count in, and adding it up, outgrow what they bring.
const MOST_THREADS: usize = 4;

/// How many threads count a file, and in parts of what length.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    threads: usize,
    least_part: u64,
}

impl Threads {
    /// So many; with 0 as many as there are processors and bring something.
    pub fn new(wanted: u32) -> Self {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let threads = match wanted {
            0 => processors().min(MOST_THREADS),
            wanted => wanted as usize,
        };
        Threads {
            threads,
            least_part: LEAST_PART,
        }
    }

    pub fn several(self) -> bool {
        self.threads > 1
    }

    pub fn one() -> Self {
        Self::new(1)
    }

    #[cfg(test)]
    pub(super) fn of_parts(threads: usize, least_part: u64) -> Self {
        Threads {
            threads,
            least_part,
        }
    }

    fn part_of(self, size: u64) -> u64 {
        self.least_part.max(size / MOST_PARTS)
    }
}

/// Counts the file by `count`, of which each thread calls its own for each part. `None` where that can't be done, or must
/// not be believed: then nothing was counted, and the file is as it was.
pub fn count<L: Ledger>(
    file: &mut CaptureFile,
    ledger: &mut L,
    threads: Threads,
    count: impl Fn(&mut CaptureFile, &mut Delta) -> Outcome + Sync,
) -> Option<Outcome> {
    let sum = ledger.whole()?;
    let config = sum.divisible()?;
    if threads.threads < 2 {
        return None;
    }
    let divided = Divided::new(file, threads.part_of(file.size()?))?;
    if divided.parts() < 2 {
        return None;
    }
    let work = Work {
        divided,
        config,
        next: AtomicUsize::new(0),
        given_up: AtomicBool::new(false),
    };
    let counted = work.share(threads.threads.min(work.divided.parts()), &count)?;
    let all = counted.into_iter().reduce(Counted::join)?;
    if all.delta.overflowed() || !sum.has_room_for(&all.delta) {
        return None;
    }
    sum.absorb(all.delta);
    let mut outcome = all.outcome;
    if let Some(error) = &mut outcome.error {
        error.comes_after(outcome.packets);
    }
    file.counted_elsewhere(outcome.packets, all.odd);
    Some(outcome)
}

/// The parts, of which each thread takes the next one.
struct Work {
    divided: Divided,
    config: DeltaConfig,
    next: AtomicUsize,
    given_up: AtomicBool,
}

/// What one thread counted.
struct Counted {
    delta: Delta,
    outcome: Outcome,
    odd: Oddities,
}

impl Work {
    fn share<C>(&self, threads: usize, count: &C) -> Option<Vec<Counted>>
    where
        C: Fn(&mut CaptureFile, &mut Delta) -> Outcome + Sync,
    {
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .filter_map(|_| {
                    let thread = thread::Builder::new().name("count".into());
                    // Without it the others do its work.
                    thread.spawn_scoped(scope, || self.run(count)).ok()
                })
                .collect();
            let mut all = vec![self.run(count)];
            all.extend(others.into_iter().map(|other| other.join().ok()?));
            all.into_iter().collect()
        })
    }

    fn run<C>(&self, count: &C) -> Option<Counted>
    where
        C: Fn(&mut CaptureFile, &mut Delta) -> Outcome,
    {
        let mut all = Counted {
            delta: Delta::new(self.config),
            outcome: Outcome::default(),
            odd: Oddities::default(),
        };
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((mut part, end)) = self.divided.part(number) else {
                return Some(all);
            };
            if self.given_up.load(Ordering::Relaxed) {
                return None;
            }
            let outcome = count(&mut part, &mut all.delta);
            // It ended where the next one begins.
            let stitched = end.is_none_or(|end| part.position() == end && outcome.error.is_none());
            if !stitched || all.delta.overflowed() {
                self.given_up.store(true, Ordering::Relaxed);
                return None;
            }
            all.outcome.add(outcome);
            all.odd += part.oddities();
        }
    }
}

impl Counted {
    fn join(mut self, other: Counted) -> Self {
        self.delta.merge(&other.delta);
        drop(other.delta);
        self.outcome.add(other.outcome);
        self.odd += other.odd;
        self
    }
}
