//! Nanoseconds per packet of the counting program, beside an empty program, the parser alone, and a per-CPU hash map
//! that does the same work. Run by `cargo xtask bench`, as root.
//!
//! Every figure comes from BPF_PROG_TEST_RUN on this thread's CPU time, all programs in turn within each round; medians
//! over the rounds, and ratios of the same run. Absolute figures of a shared machine say little.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people who measure"
)]

mod measure;

use aya::EbpfLoader;
use aya::maps::ProgramArray;
use aya::programs::{ProgramFd, Xdp};
use measure::{frame, median, nanoseconds, program};
use sensor::clock::Now;
use sensor::counters::{Delta, DeltaConfig};
use sensor::seeds;
use sensor::source::kernel::Kernel;
use sensor::source::kernel::object::{Cpus, TableSize, Task};

const ROUNDS: usize = 11;
const REPEAT: u32 = 300_000;
const LOOPBACK: u32 = 1;
/// Of no protocol that is looked at more than others.
const PORT: u16 = 9999;

struct Case {
    name: &'static str,
    bits: u32,
    skewed: u32,
}

const CASES: [Case; 6] = [
    Case {
        name: "1 flow",
        bits: 0,
        skewed: 0,
    },
    Case {
        name: "1k uniform",
        bits: 10,
        skewed: 0,
    },
    Case {
        name: "64k uniform",
        bits: 16,
        skewed: 0,
    },
    Case {
        name: "64k skewed",
        bits: 16,
        skewed: 1,
    },
    Case {
        name: "1M uniform",
        bits: 20,
        skewed: 0,
    },
    Case {
        name: "1M skewed",
        bits: 20,
        skewed: 1,
    },
];

fn main() {
    let path = std::env::var("SENSOR_BENCH_OBJECT").expect("run it by cargo xtask bench");
    let object = std::fs::read(path).unwrap();
    println!(
        "ns per packet above the driver and an empty program; medians of {ROUNDS} rounds of {REPEAT}"
    );
    println!(
        "{:<12} {:>8} {:>8} {:>8} {:>10} {:>14} {:>12} {:>22}",
        "flows",
        "driver",
        "parse",
        "sensor",
        "no names",
        "percpu_hash",
        "over parse",
        "over parse / hash's"
    );
    for case in &CASES {
        measure(case, &object);
    }
}

fn measure(case: &Case, object: &[u8]) {
    let mut bench = EbpfLoader::new()
        .btf(None)
        .override_global("FLOW_BITS", &case.bits, true)
        .override_global("SKEWED", &case.skewed, true)
        .load(object)
        .unwrap();
    let mut with_names = kernel(case, true);
    let mut without = kernel(case, false);
    for name in [
        "bench_empty",
        "bench_parse",
        "bench_percpu_hash",
        "bench_driver",
    ] {
        program(&mut bench, name).load().unwrap();
    }
    let mut target = ProgramArray::try_from(bench.take_map("TARGET").unwrap()).unwrap();
    let mut times = [const { Vec::new() }; 5];
    // The first round is not measured: in it flows are new, and their first payloads are taken.
    for round in 0..=ROUNDS {
        for (number, list) in times.iter_mut().enumerate() {
            let fd = match number {
                0 => fd_of(program(&mut bench, "bench_empty")),
                1 => fd_of(program(&mut bench, "bench_parse")),
                2 => fd_of(with_names.object.xdp(false).unwrap()),
                3 => fd_of(without.object.xdp(false).unwrap()),
                _ => fd_of(program(&mut bench, "bench_percpu_hash")),
            };
            target.set(0, &fd, 0).unwrap();
            let repeat = if round == 0 { warm_up(case) } else { REPEAT };
            let time = nanoseconds(
                program(&mut bench, "bench_driver"),
                &frame(17, PORT),
                repeat,
            );
            if round > 0 {
                list.push(time);
            }
        }
    }
    let [empty, parse, ours, nameless, hash] = times.map(median);
    println!(
        "{:<12} {:>8.1} {:>8.1} {:>8.1} {:>10.1} {:>14.1} {:>12.1} {:>22.2}",
        case.name,
        empty,
        parse - empty,
        ours - empty,
        nameless - empty,
        hash - empty,
        ours - parse,
        (ours - parse) / (hash - parse)
    );
    for kernel in [&mut with_names, &mut without] {
        check(kernel, case);
    }
}

/// Enough for every flow's budget of payloads, but for those that are rare.
fn warm_up(case: &Case) -> u32 {
    REPEAT.max(8 << case.bits)
}

fn fd_of(program: &Xdp) -> ProgramFd {
    program.fd().unwrap().try_clone().unwrap()
}

fn kernel(case: &Case, samples: bool) -> Kernel {
    let seeds = seeds::random();
    let size = TableSize::for_flows(1 << case.bits.max(10), Cpus::read().unwrap(), 1);
    let task = Task {
        seeds: &seeds,
        filter: None,
        samples,
    };
    let mut kernel = Kernel::load(size, task, Now::read()).unwrap();
    kernel.object.assign(LOOPBACK, 0, false).unwrap();
    kernel
}

fn check(kernel: &mut Kernel, case: &Case) {
    let mut delta = Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 1 << 21,
        seeds: seeds::random(),
        trail: false,
        names: 0,
    });
    kernel.poll(Now::read(), &mut delta).unwrap();
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds, "{accounting:?}");
    assert_eq!(
        accounting.seen.packets,
        u64::from(warm_up(case)) + ROUNDS as u64 * u64::from(REPEAT),
        "every packet is counted"
    );
}
