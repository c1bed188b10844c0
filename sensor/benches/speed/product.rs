//! The product's programs and tables, as several parts load them.

use sensor::clock::Now;
use sensor::counters::{Delta, DeltaConfig};
use sensor::seeds;
use sensor::source::kernel::Kernel;
use sensor::source::kernel::object::{Cpus, TableSize, Task};

const LOOPBACK: u32 = 1;

/// With room for so many flows, of packets of the loopback interface; with `samples` payloads are copied for names.
pub(crate) fn kernel(flows: u32, samples: bool) -> Kernel {
    let seeds = seeds::random();
    let size = TableSize::for_flows(flows, Cpus::read().unwrap(), 1);
    let task = Task {
        seeds: &seeds,
        filter: None,
        samples,
    };
    let mut kernel = Kernel::load(size, task, Now::read()).unwrap();
    kernel.object.assign(LOOPBACK, 0, false).unwrap();
    kernel
}

pub(crate) fn delta() -> Delta {
    Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 1 << 21,
        seeds: seeds::random(),
        trail: false,
        names: 0,
    })
}
