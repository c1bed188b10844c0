//! The programs of one case, loaded and filled, and run in turn.

use aya::maps::{MapData, ProgramArray};
use aya::programs::ProgramFd;
use aya::{Ebpf, EbpfLoader};
use sensor::clock::Now;
use sensor::source::kernel::Kernel;
use sensor_common::abi::SLOT_TABLE;

use crate::figures::Samples;
use crate::measure::{Instructions, classifier, frame, frame6, nanoseconds, program};
use crate::product::{self, delta};

/// Empty, parser, the product with and without names, one line for each flow, and four peers.
pub(super) const SUBJECTS: usize = 9;
const UDP: u8 = 17;
/// Of no protocol that is looked at more than others.
const PORT: u16 = 9999;
/// What pktstat-bpf has room for; peers get at least that, and twice the flows.
const LEAST_ENTRIES: u32 = 131_072;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Hook {
    Xdp,
    Tcx,
}

impl Hook {
    pub(super) fn name(self) -> &'static str {
        match self {
            Hook::Xdp => "XDP",
            Hook::Tcx => "TCX",
        }
    }

    /// Of the bench object, in the order of the subjects.
    fn programs(self) -> [&'static str; SUBJECTS - 2] {
        match self {
            Hook::Xdp => [
                "bench_empty",
                "bench_parse",
                "bench_line",
                "bench_percpu_hash",
                "bench_lru_percpu",
                "bench_hash",
                "bench_pktstat",
            ],
            Hook::Tcx => [
                "bench_tc_empty",
                "bench_tc_parse",
                "bench_tc_line",
                "bench_tc_percpu_hash",
                "bench_tc_lru_percpu",
                "bench_tc_hash",
                "bench_tc_pktstat",
            ],
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub(super) fn name(self) -> &'static str {
        match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        }
    }

    fn frame(self) -> Vec<u8> {
        match self {
            Family::Ipv4 => frame(UDP, PORT),
            Family::Ipv6 => frame6(UDP, PORT),
        }
    }

    /// Where the driver writes into the source address, and whether eight bytes or four.
    fn source(self) -> (u32, u32) {
        match self {
            Family::Ipv4 => (26, 0),
            Family::Ipv6 => (30, 1),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Spread {
    Uniform,
    /// Flow k as often as 1/k.
    Zipf,
}

pub(super) struct Case {
    pub hook: Hook,
    pub family: Family,
    /// Binary logarithm of the number of flows.
    pub bits: u32,
    pub spread: Spread,
}

impl Case {
    pub(super) fn name(&self) -> String {
        format!(
            "{} {} {}",
            self.hook.name(),
            self.family.name(),
            self.flows()
        )
    }

    pub(super) fn flows(&self) -> String {
        match (self.bits, self.spread) {
            (0, _) => count(0),
            (bits, Spread::Uniform) => format!("{}, uniform", count(bits)),
            (bits, Spread::Zipf) => format!("{}, Zipf", count(bits)),
        }
    }

    fn flows_at_once(&self) -> u32 {
        1 << self.bits.max(10)
    }

    fn entries(&self) -> u32 {
        LEAST_ENTRIES.max(2 << self.bits)
    }
}

pub(super) fn count(bits: u32) -> String {
    match bits {
        0 => "1 flow".to_owned(),
        10 => "1k flows".to_owned(),
        16 => "64k flows".to_owned(),
        _ => format!("{}M flows", 1u32 << (bits - 20)),
    }
}

/// Of each subject, per packet.
#[derive(Default)]
pub(super) struct Costs {
    /// Nanoseconds.
    pub times: [Samples; SUBJECTS],
    /// Instructions in the kernel; nothing where they can't be counted.
    pub instructions: [Samples; SUBJECTS],
}

/// All that is measured in one case.
pub(super) struct Subjects<'a> {
    case: &'a Case,
    bench: Ebpf,
    target: ProgramArray<MapData>,
    named: Kernel,
    nameless: Kernel,
    /// What the driver calls, in the order of the subjects.
    targets: Vec<ProgramFd>,
    /// Packets that each of the two kernels was given.
    given: [u64; SUBJECTS],
}

impl<'a> Subjects<'a> {
    pub(super) fn load(case: &'a Case, object: &[u8]) -> Self {
        let (source, wide) = case.family.source();
        let line_bits = product::place_bits(case.flows_at_once());
        let mut bench = EbpfLoader::new()
            .btf(None)
            .override_global("FLOW_BITS", &case.bits, true)
            .override_global("SKEWED", &u32::from(case.spread == Spread::Zipf), true)
            .override_global("SOURCE", &source, true)
            .override_global("WIDE", &wide, true)
            .override_global("LINE_BITS", &line_bits, true)
            .override_global("SLOT_OF", &[0u16; SLOT_TABLE], true)
            .map_max_entries("LINES", 1 << line_bits)
            .map_max_entries("PERCPU", case.entries())
            .map_max_entries("LRU_PERCPU", case.entries())
            .map_max_entries("SHARED", case.entries())
            .map_max_entries("PKTSTAT", case.entries())
            .load(object)
            .unwrap();
        let mut named = kernel(case, true);
        let mut nameless = kernel(case, false);
        let mut targets: Vec<_> = case
            .hook
            .programs()
            .into_iter()
            .map(|name| loaded(&mut bench, case.hook, name))
            .collect();
        targets.insert(2, of_product(&mut named, case.hook));
        targets.insert(3, of_product(&mut nameless, case.hook));
        let map = match case.hook {
            Hook::Xdp => "TARGET",
            Hook::Tcx => "TARGET_TC",
        };
        let driver = match case.hook {
            Hook::Xdp => "bench_driver",
            Hook::Tcx => "bench_tc_driver",
        };
        loaded(&mut bench, case.hook, driver);
        Subjects {
            case,
            target: ProgramArray::try_from(bench.take_map(map).unwrap()).unwrap(),
            bench,
            named,
            nameless,
            targets,
            given: [0; SUBJECTS],
        }
    }

    /// What each costs, in turn within each round; then checks that the product counted every packet.
    pub(super) fn costs(mut self, rounds: usize, repeat: u32) -> Costs {
        let mut costs = Costs::default();
        self.fill(repeat);
        for _ in 0..rounds {
            for (subject, samples) in costs.times.iter_mut().enumerate() {
                samples.push(self.run(subject, repeat));
            }
            self.look();
        }
        if let Some(counter) = Instructions::open() {
            for (subject, samples) in costs.instructions.iter_mut().enumerate() {
                let before = counter.read();
                self.run(subject, repeat);
                samples.push((counter.read() - before) as f64 / f64::from(repeat));
            }
        }
        check(&mut self.named, self.given[2]);
        check(&mut self.nameless, self.given[3]);
        costs
    }

    /// Not measured: flows are new, and their first payloads are taken. The agent takes them in as it would.
    fn fill(&mut self, repeat: u32) {
        const BETWEEN_LOOKS: u32 = 1 << 14;
        for subject in 0..SUBJECTS {
            let fill = if subject == 2 { 8 } else { 3 };
            let mut left = repeat.max(fill << self.case.bits);
            while left > 0 {
                let now = left.min(BETWEEN_LOOKS);
                self.run(subject, now);
                left -= now;
                if subject == 2 {
                    self.look();
                }
            }
        }
    }

    fn look(&mut self) {
        self.named.look(&mut delta());
    }

    fn run(&mut self, subject: usize, repeat: u32) -> f64 {
        self.target.set(0, &self.targets[subject], 0).unwrap();
        self.given[subject] += u64::from(repeat);
        let frame = self.case.family.frame();
        match self.case.hook {
            Hook::Xdp => nanoseconds(program(&mut self.bench, "bench_driver"), &frame, repeat),
            Hook::Tcx => nanoseconds(
                classifier(&mut self.bench, "bench_tc_driver"),
                &frame,
                repeat,
            ),
        }
    }
}

fn loaded(bench: &mut Ebpf, hook: Hook, name: &str) -> ProgramFd {
    match hook {
        Hook::Xdp => {
            let program = program(bench, name);
            program.load().unwrap();
            program.fd().unwrap().try_clone().unwrap()
        }
        Hook::Tcx => {
            let program = classifier(bench, name);
            program.load().unwrap();
            program.fd().unwrap().try_clone().unwrap()
        }
    }
}

fn of_product(kernel: &mut Kernel, hook: Hook) -> ProgramFd {
    match hook {
        Hook::Xdp => kernel.object.xdp(true).unwrap().fd(),
        Hook::Tcx => kernel.object.tc(false).unwrap().fd(),
    }
    .unwrap()
    .try_clone()
    .unwrap()
}

fn kernel(case: &Case, samples: bool) -> Kernel {
    product::kernel(case.flows_at_once(), samples)
}

fn check(kernel: &mut Kernel, given: u64) {
    let mut delta = delta();
    kernel.poll(Now::read(), &mut delta).unwrap();
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds, "{accounting:?}");
    assert_eq!(accounting.seen.packets, given, "every packet is counted");
}
