//! The product's programs and tables, as several parts load them.

use std::sync::OnceLock;

use sensor::clock::Now;
use sensor::counters::{Delta, DeltaConfig};
use sensor::seeds;
use sensor::source::kernel::Kernel;
use sensor::source::kernel::object::{Cpus, TableSize, Task};
use sensor_common::abi::WAYS;
use sensor_common::flow::HashSeeds;

const LOOPBACK: u32 = 1;

/// Binary logarithm of the places of one CPU, in tables with room for so many flows.
pub(crate) fn place_bits(flows: u32) -> u32 {
    let size = TableSize::for_flows(flows, Cpus::read().unwrap(), 1);
    size.set_bits + WAYS.trailing_zeros()
}

/// With room for so many flows, of packets of the loopback interface; with `samples` payloads are copied for names.
pub(crate) fn kernel(flows: u32, samples: bool) -> Kernel {
    let size = TableSize::for_flows(flows, Cpus::read().unwrap(), 1);
    let task = Task {
        seeds: seeds(),
        filter: None,
        samples,
    };
    let mut kernel = Kernel::load(size, task, Now::read()).unwrap();
    kernel.object.assign(LOOPBACK, 0, false).unwrap();
    kernel
}

/// As in a run, where the kernel's tables and the agent's are in the order of the same hash.
fn seeds() -> &'static HashSeeds {
    static SEEDS: OnceLock<HashSeeds> = OnceLock::new();
    SEEDS.get_or_init(seeds::random)
}

pub(crate) fn delta() -> Delta {
    Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 1 << 21,
        seeds: *seeds(),
        trail: false,
        names: 0,
    })
}
