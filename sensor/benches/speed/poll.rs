//! What it costs to read the tables: a poll of the product, merged into its own table and ready for a report, beside
//! reading a hash map of the kernel flow by flow and in batches, merged with nothing. And what polls do to packets.

mod maps;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use aya::maps::{MapData, ProgramArray};
use aya::programs::ProgramFd;
use aya::{Ebpf, EbpfLoader};
use maps::HashMap;
use sensor::clock::Now;
use sensor::counters::Delta;
use sensor::source::kernel::Kernel;
use sensor_common::abi::SLOT_TABLE;

use crate::Effort;
use crate::figures::{Cell, Limit, Part, Samples, Table};
use crate::measure::{frame, nanoseconds, program, stay_on, thread_time};
use crate::product::{self, delta};

const UDP: u8 = 17;
/// Packets between two looks at whether it is over.
const CHUNK: u32 = 1 << 16;

pub(crate) fn measure(effort: Effort) -> Part {
    let path = std::env::var("XTASK_BENCH_OBJECT").expect("run it by cargo xtask bench");
    let object = std::fs::read(path).unwrap();
    stay_on(0);
    let mut part = Part::default();
    let mut milliseconds = Table::new(
        "poll",
        "Milliseconds of CPU to read all flows once, as a whole and per flow in ns",
        &["flows", "how", "ms", "ns a flow", "times sensor's"],
    );
    for bits in [16, 20] {
        eprintln!("poll: {} flows", 1u32 << bits);
        let ways = Ways::load(&object, bits).times(effort.pick(5, 3));
        let sensor = ways[0].1.clone();
        for (name, times) in &ways {
            milliseconds.row(vec![
                flows(bits),
                (*name).into(),
                times.scaled(1e-6).into(),
                times.scaled(1.0 / f64::from(1u32 << bits)).into(),
                times.over(&sensor).into(),
            ]);
        }
        if bits == 20 {
            for (name, times) in &ways[1..] {
                if name.ends_with("flow by flow") {
                    let what = format!("poll: 1M flows, {name}, times sensor's CPU");
                    part.demand(what, Limit::AtLeast(10.0), times.over(&sensor).median());
                }
            }
        }
    }
    part.tables.push(milliseconds);
    under_load(&mut part, &object, effort);
    part
}

fn flows(bits: u32) -> Cell {
    match bits {
        16 => "64k".into(),
        _ => "1M".into(),
    }
}

/// The product and two hash maps, filled with the same flows.
struct Ways {
    bits: u32,
    bench: Ebpf,
    target: ProgramArray<MapData>,
    kernel: Kernel,
    shared: HashMap,
    percpu: HashMap,
    targets: [ProgramFd; 3],
}

impl Ways {
    fn load(object: &[u8], bits: u32) -> Self {
        let mut bench = EbpfLoader::new()
            .btf(None)
            .override_global("FLOW_BITS", &bits, true)
            .override_global("SKEWED", &2u32, true)
            .override_global("SLOT_OF", &[0u16; SLOT_TABLE], true)
            .map_max_entries("PERCPU", 2 << bits)
            .map_max_entries("SHARED", 2 << bits)
            .load(object)
            .unwrap();
        let mut kernel = kernel(bits);
        let targets = [
            kernel
                .object
                .xdp(true)
                .unwrap()
                .fd()
                .unwrap()
                .try_clone()
                .unwrap(),
            loaded(&mut bench, "bench_hash"),
            loaded(&mut bench, "bench_percpu_hash"),
        ];
        loaded(&mut bench, "bench_driver");
        Ways {
            bits,
            target: ProgramArray::try_from(bench.take_map("TARGET").unwrap()).unwrap(),
            shared: HashMap::new(bench.take_map("SHARED").unwrap(), 1),
            percpu: HashMap::new(
                bench.take_map("PERCPU").unwrap(),
                aya::util::nr_cpus().unwrap(),
            ),
            bench,
            kernel,
            targets,
        }
    }

    /// Nanoseconds of CPU of each way, the product's first.
    fn times(mut self, rounds: usize) -> Vec<(&'static str, Samples)> {
        let names = [
            "sensor: poll, merged",
            "HASH, in batches",
            "PERCPU_HASH, in batches",
            "HASH, flow by flow",
            "PERCPU_HASH, flow by flow",
        ];
        let mut times = names.map(|name| (name, Samples::default()));
        let all = 1u64 << self.bits;
        for target in 1..self.targets.len() {
            self.fill(target);
        }
        for _ in 0..rounds {
            self.fill(0);
            let mut delta = delta();
            for (number, (_, samples)) in times.iter_mut().enumerate() {
                let before = thread_time();
                let found = match number {
                    0 => {
                        self.kernel.poll(Now::read(), &mut delta).unwrap();
                        delta.flows().len() as u64
                    }
                    1 => self.shared.in_batches(),
                    2 => self.percpu.in_batches(),
                    3 => self.shared.one_by_one(),
                    _ => self.percpu.one_by_one(),
                };
                samples.push((thread_time() - before) as f64);
                assert_eq!(found, all, "{}", names[number]);
            }
        }
        times.to_vec()
    }

    fn fill(&mut self, target: usize) {
        self.target.set(0, &self.targets[target], 0).unwrap();
        let driver = program(&mut self.bench, "bench_driver");
        nanoseconds(driver, &frame(UDP, 9999), 1 << self.bits);
    }
}

/// Packets of 64k flows, one after the other, on one CPU; on another CPU the agent polls as often as it can, or not.
fn under_load(part: &mut Part, object: &[u8], effort: Effort) {
    const BITS: u32 = 16;
    stay_on(1);
    let mut ways = Ways::load(object, BITS);
    let (rounds, polls_each) = effort.pick((5, 200), (3, 40));
    let (mut alone, mut polled, mut polls_a_second) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut delta = delta();
    let (mut given, mut polls) = (0, 0);
    for _ in 0..rounds {
        for (samples, how_many) in [(&mut alone, 0), (&mut polled, polls_each)] {
            let start = Instant::now();
            let (packets, cost) = ways.packets_while_polling(how_many, &mut delta);
            given += packets;
            polls += how_many;
            samples.push(cost);
            if how_many > 0 {
                polls_a_second.push(f64::from(how_many) / start.elapsed().as_secs_f64());
            }
        }
    }
    ways.kernel.poll(Now::read(), &mut delta).unwrap();
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds, "{accounting:?}");
    let each = given >> BITS;
    let wrong = delta
        .flows()
        .iter()
        .filter(|flow| flow.packets != each)
        .count();
    let mut table = Table::new(
        "poll-load",
        "64k flows on one CPU, ns of CPU per packet (driver included), while another CPU polls without pause",
        &[
            "without polls",
            "with polls",
            "with / without",
            "polls a second",
        ],
    );
    table.row(vec![
        alone.clone().into(),
        polled.clone().into(),
        polled.over(&alone).into(),
        polls_a_second.into(),
    ]);
    part.tables.push(table);
    part.demand(
        format!("poll: packets lost or counted twice in {polls} polls under load, of {given}"),
        Limit::AtMost(0.0),
        given.abs_diff(accounting.seen.packets) as f64,
    );
    part.demand(
        format!("poll: flows of 65,536 that miss packets or have too many after {polls} polls"),
        Limit::AtMost(0.0),
        wrong as f64,
    );
}

impl Ways {
    /// Gives how many packets, and nanoseconds of each. Without polls: as long as 64 chunks take.
    fn packets_while_polling(&mut self, polls: u32, delta: &mut Delta) -> (u64, f64) {
        self.target.set(0, &self.targets[0], 0).unwrap();
        let driver = program(&mut self.bench, "bench_driver");
        let kernel = &mut self.kernel;
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                stay_on(0);
                let (mut chunks, mut time) = (0u64, 0.0);
                while chunks < 64 || !over.load(Ordering::Relaxed) {
                    time += nanoseconds(driver, &frame(UDP, 9999), CHUNK);
                    chunks += 1;
                }
                (chunks * u64::from(CHUNK), time / chunks as f64)
            });
            for _ in 0..polls {
                kernel.poll(Now::read(), delta).unwrap();
            }
            over.store(true, Ordering::Relaxed);
            sender.join().unwrap()
        })
    }
}

fn loaded(bench: &mut Ebpf, name: &str) -> ProgramFd {
    let program = program(bench, name);
    program.load().unwrap();
    program.fd().unwrap().try_clone().unwrap()
}

/// Twice the flows: nobody polls while they are all new, as the agent would before the tables are full.
fn kernel(bits: u32) -> Kernel {
    product::kernel(2 << bits, false)
}
