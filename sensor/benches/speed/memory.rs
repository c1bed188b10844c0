//! Memory that the tables in the kernel take, as the kernel says and computed for more CPUs; time to the first count.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::Instant;

use aya::{Ebpf, EbpfLoader};
use sensor::clock::Now;
use sensor::seeds;
use sensor::source::kernel::Kernel;
use sensor::source::kernel::object::{Cpus, TableSize, Task};
use sensor_common::abi::{Control, Cpu, Record, SAMPLE_RING, Set, WAYS};
use sensor_common::sample::Tags;

use crate::Effort;
use crate::figures::{Cell, Limit, Part, Samples, Table};
use crate::namespaces::Pair;
use crate::{child, system};

const MIB: f64 = 1048576.0;
const FLOWS: u32 = 1 << 20;

pub(crate) fn measure(effort: Effort) -> Part {
    let mut part = Part::default();
    // First: what this process has resident counts for the children that it starts later.
    start_up(&mut part, effort.pick(9, 3));
    eprintln!("memory: tables for {FLOWS} flows");
    let here = Cpus::read().unwrap();
    let size = TableSize::for_flows(FLOWS, here, 1);
    let (before, seeds) = (locked(), seeds::random());
    let task = Task {
        seeds: &seeds,
        filter: None,
        samples: true,
    };
    let kernel = Kernel::load(size, task, Now::read()).unwrap();
    let measured = locked() - before;
    drop(kernel);
    let peers = peers();
    let title = format!(
        "kernel memory for {FLOWS} flows an interval, MiB; this machine: {} CPUs",
        here.possible
    );
    let columns = [
        "tables",
        "measured here",
        "computed here",
        "64 CPUs",
        "128 CPUs",
    ];
    let mut table = Table::new("memory", title, &columns);
    let computed = |cpus| {
        of_sensor(
            FLOWS,
            Cpus {
                possible: cpus,
                online: cpus,
            },
        ) / MIB
    };
    table.row(row(
        "sensor, names on",
        measured / MIB,
        here.possible,
        computed,
    ));
    for (name, map, shared) in [
        ("PERCPU_HASH, no room to spare", "PERCPU", false),
        ("LRU_PERCPU_HASH, no room to spare", "LRU_PERCPU", false),
        ("HASH, no room to spare", "SHARED", true),
    ] {
        table.row(row(name, peers[map] / MIB, here.possible, |cpus| {
            of_hash(
                if shared { 1 } else { cpus },
                here.possible,
                peers[map],
                shared,
            ) / MIB
        }));
    }
    part.tables.push(table);
    let off = (measured / of_sensor(FLOWS, here) - 1.0).abs();
    part.demand(
        "memory: computed differs from what the kernel says by, share",
        Limit::AtMost(0.02),
        off,
    );
    part
}

fn row(name: &str, measured: f64, here: u32, computed: impl Fn(u32) -> f64) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![name.into(), measured.round().into()];
    cells.extend([here, 64, 128].map(|cpus| Cell::Number(computed(cpus).round())));
    cells
}

/// Bytes of all maps that grow with flows or CPUs, from the layout.
fn of_sensor(flows: u32, cpus: Cpus) -> f64 {
    let size = TableSize::for_flows(flows, cpus, 1);
    let cpus = f64::from(size.cpus);
    let regions = 2.0 * cpus;
    let sets = f64::from(1u32 << size.set_bits);
    let set_bytes = regions * sets * size_of::<Set>() as f64;
    let occupied = regions * sets * WAYS as f64 / 8.0;
    let tags = cpus * sets * size_of::<Tags>() as f64;
    let log = regions * f64::from(size.log) * size_of::<Record>() as f64;
    let per_cpu = cpus * (2 * size_of::<Control>() + size_of::<Cpu>()) as f64;
    set_bytes + occupied + tags + log + per_cpu + f64::from(SAMPLE_RING)
}

/// The kernel's hash maps, from what the kernel says of one here: a value for each CPU is what grows.
fn of_hash(cpus: u32, here: u32, measured: f64, shared: bool) -> f64 {
    const VALUE: f64 = 40.0;
    if shared {
        return measured;
    }
    measured + f64::from(FLOWS) * VALUE * (f64::from(cpus) - f64::from(here))
}

/// Bytes of each map of the peers with exactly as many entries as flows.
fn peers() -> BTreeMap<&'static str, f64> {
    let path = std::env::var("XTASK_BENCH_OBJECT").expect("run it by cargo xtask bench");
    let object = fs::read(path).unwrap();
    let names = ["PERCPU", "LRU_PERCPU", "SHARED"];
    let sizes = names.map(|name| {
        let before = locked();
        let bench: Ebpf = EbpfLoader::new()
            .btf(None)
            .map_max_entries(name, FLOWS)
            .load(&object)
            .unwrap();
        let with = locked() - before;
        drop(bench);
        (name, with)
    });
    sizes.into()
}

/// Bytes of all maps of this process, as the kernel accounts them.
fn locked() -> f64 {
    let entries = fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
    let maps = entries
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .filter(|text| text.contains("map_type:"));
    maps.filter_map(|text| {
        let line = text.lines().find(|line| line.starts_with("memlock:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    })
    .sum()
}

/// From the start of the process until its hooks count.
fn start_up(part: &mut Part, rounds: usize) {
    let pair = Pair::new();
    let mut table = Table::new(
        "start-up",
        "from the start of the process to counting, ms",
        &["who", "ms", "peak MiB"],
    );
    let mut commands = vec![(
        "sensor run (default)",
        env!("CARGO_BIN_EXE_sensor"),
        "stop with",
    )];
    if child::exists("tcpdump") {
        commands.push(("tcpdump", "tcpdump", "listening on"));
    }
    let mut times: Vec<(Samples, f64)> =
        commands.iter().map(|_| (Samples::default(), 0.0)).collect();
    for _ in 0..rounds {
        for ((_, program, ready), (samples, peak)) in commands.iter().zip(&mut times) {
            let folder = tempfile::tempdir().unwrap();
            let mut command = pair.b.command(program);
            if *program == "tcpdump" {
                command.args(["-n", "-i", "b0", "-w", "/dev/null"]);
            } else {
                command
                    .args(["run", "-i", "b0", "--out"])
                    .arg(folder.path());
            }
            let begin = Instant::now();
            let mut child = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            system::wait_for_line(child.stderr.take().unwrap(), ready);
            samples.push(begin.elapsed().as_secs_f64() * 1e3);
            *peak = child::interrupt(child, begin).peak.max(*peak);
        }
    }
    for ((name, ..), (samples, peak)) in commands.iter().zip(times) {
        table.row(vec![
            (*name).into(),
            samples.into(),
            (peak / MIB).round().into(),
        ]);
    }
    part.tables.push(table);
}
