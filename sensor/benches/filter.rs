//! What a filter costs in the kernel, and what it saves by leaving packets out. Run by `cargo xtask bench`, as root.
//!
//! The counting program without and with filters, in turn within each round, by BPF_PROG_TEST_RUN on this thread's CPU
//! time; medians over the rounds, differences of the same run.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people who measure"
)]

mod measure;

use std::fmt::Write as _;

use aya::maps::ProgramArray;
use aya::programs::Xdp;
use aya::{Ebpf, EbpfLoader};
use measure::{frame, median, nanoseconds, program};
use sensor::clock::Now;
use sensor::counters::{Delta, DeltaConfig};
use sensor::filter::program::Program;
use sensor::filter::{self, Library};
use sensor::seeds;
use sensor::source::kernel::Kernel;
use sensor::source::kernel::filter::KernelFilter;
use sensor::source::kernel::object::{Cpus, TableSize, Task};

const ROUNDS: usize = 9;
const REPEAT: u32 = 200_000;
const LOOPBACK: u32 = 1;

struct Case {
    name: &'static str,
    text: Option<String>,
    /// Destination port of the packets, which are TCP from anywhere to 10.1.2.3.
    port: u16,
    matches: bool,
}

fn main() {
    let path = std::env::var("XTASK_BENCH_OBJECT").expect("run it by cargo xtask bench");
    let object = std::fs::read(path).unwrap();
    println!(
        "a filter in the kernel: ns per packet; medians of {ROUNDS} rounds of {REPEAT}, each beside no filter in the same round"
    );
    for (name, bits) in [("1k flows", 10), ("64k flows", 16)] {
        println!("\n{name:<52} {:>8} {:>10} {:>8}", "ns", "no filter", "adds");
        measure(bits, &object);
    }
}

fn cases() -> Vec<Case> {
    let case = |name, text: &str, port, matches| Case {
        name,
        text: Some(text.to_owned()),
        port,
        matches,
    };
    let pushed = "tcp port 443 and net 10.0.0.0/8";
    vec![
        Case {
            name: "no filter",
            text: None,
            port: 443,
            matches: true,
        },
        case(
            "tcp port 443 and net 10.0.0.0/8, matches",
            pushed,
            443,
            true,
        ),
        case("the same, leaves the packets out", pushed, 80, false),
        case(
            "net 10.0.0.0/8 (one prefix), matches",
            "net 10.0.0.0/8",
            443,
            true,
        ),
        case(
            "net 198.51.100.0/24, leaves out",
            "net 198.51.100.0/24",
            443,
            false,
        ),
        case(
            "net in 10,000 prefixes, matches",
            "net in file ours",
            443,
            true,
        ),
        case(
            "net in 10,000 prefixes, leaves out",
            "net in file others",
            443,
            false,
        ),
        case(
            "tcp[tcpflags] & tcp-syn != 0, matches",
            "tcp[tcpflags] & tcp-syn != 0",
            443,
            true,
        ),
        case("vlan 10, leaves out", "vlan 10", 443, false),
    ]
}

/// The list files of the filters.
struct Lists;

impl Library for Lists {
    fn named(&self, _: &str) -> Option<&str> {
        None
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn list(&self, path: &str) -> Result<String, String> {
        Ok(networks(path == "ours"))
    }
}

/// 10,000 networks of 24 bits: all over the address space from 64.0.0.0 on, and 10.1.2.0/24 or its neighbour.
fn networks(with_ours: bool) -> String {
    let mut text = String::new();
    let mut random = 0x9e37_79b9_u32;
    for _ in 0..9_999 {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let [a, b, c, _] = random.to_be_bytes();
        let c = c | 1; // the packets come from a.b.0.0
        writeln!(text, "{}.{b}.{c}.0/24", 64 + a % 128).unwrap();
    }
    let last = if with_ours {
        "10.1.2.0/24"
    } else {
        "10.1.3.0/24"
    };
    text += last;
    text
}

fn compiled(text: &str) -> Program {
    let tree = filter::lower(&filter::parse(text, &Lists).unwrap(), text, &Lists).unwrap();
    Program::compile(&tree, &|_| Vec::new()).unwrap()
}

fn measure(bits: u32, object: &[u8]) {
    let cases = cases();
    let mut bench = EbpfLoader::new()
        .btf(None)
        .override_global("FLOW_BITS", &bits, true)
        .override_global("SKEWED", &0u32, true)
        .load(object)
        .unwrap();
    let seeds = seeds::random();
    let size = TableSize::for_flows(1 << bits, Cpus::read().unwrap(), 1);
    let mut kernels: Vec<Kernel> = cases
        .iter()
        .map(|case| {
            let filter = case
                .text
                .as_deref()
                .map(|text| KernelFilter::new(compiled(text), 7));
            let mut kernel = Kernel::load(
                size,
                Task {
                    seeds: &seeds,
                    filter: filter.as_ref(),
                    samples: false,
                },
                Now::read(),
            )
            .unwrap();
            kernel.object.assign(LOOPBACK, 0, false).unwrap();
            kernel
        })
        .collect();
    driver(&mut bench).load().unwrap();
    let mut target = ProgramArray::try_from(bench.take_map("TARGET").unwrap()).unwrap();
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for (number, case) in cases.iter().enumerate() {
            let program = kernels[number].object.xdp(true).unwrap();
            let fd = program.fd().unwrap().try_clone().unwrap();
            target.set(0, &fd, 0).unwrap();
            times[number].push(nanoseconds(driver(&mut bench), &syn(case.port), REPEAT));
        }
    }
    for (number, case) in cases.iter().enumerate() {
        let alone = &times[0];
        let adds: Vec<f64> = times[number]
            .iter()
            .zip(alone)
            .map(|(a, b)| a - b)
            .collect();
        println!(
            "{:<52} {:>8.1} {:>10.1} {:>8.1}",
            case.name,
            median(times[number].clone()),
            median(alone.clone()),
            median(adds)
        );
        check(&mut kernels[number], case, seeds);
    }
}

/// A figure of a filter that does not do what it says is worth nothing.
fn check(kernel: &mut Kernel, case: &Case, seeds: sensor_common::flow::HashSeeds) {
    let mut delta = Delta::new(DeltaConfig {
        interval: 1_000_000_000,
        max_flows: 1 << 20,
        seeds,
        trail: false,
        names: 0,
    });
    kernel.poll(Now::read(), &mut delta).unwrap();
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds, "{accounting:?}");
    let all = ROUNDS as u64 * u64::from(REPEAT);
    let filtered = if case.matches { 0 } else { all };
    assert_eq!(
        (accounting.seen.packets, accounting.filtered.packets),
        (all, filtered),
        "{}",
        case.name
    );
}

fn driver(bench: &mut Ebpf) -> &mut Xdp {
    program(bench, "bench_driver")
}

/// A TCP SYN to 10.1.2.3.
fn syn(port: u16) -> Vec<u8> {
    let mut frame = frame(6, port);
    frame[30..34].copy_from_slice(&[10, 1, 2, 3]);
    frame[46..48].copy_from_slice(&[0x50, 2]);
    frame
}
