//! `sensor read` on made-up captures, beside programs that read captures, `cat`, and bare walks over the records.

mod history;
mod programs;
pub(crate) mod walk;

use std::path::Path;

use programs::Program;

use crate::Effort;
use crate::capture::{self, Capture, Format, Wanted};
use crate::child::Ran;
use crate::figures::{Cell, Limit, Part, Samples, Table};

/// One thing that reads a capture, and what it cost in each round, per packet.
#[derive(Default)]
struct Costs {
    cpu: Samples,
    wall: Samples,
    peak: f64,
}

struct Shape {
    id: &'static str,
    title: &'static str,
    flows: u64,
    whole: bool,
    format: Format,
}

const SHAPES: [Shape; 4] = [
    Shape {
        id: "files-headers",
        title: "first 96 bytes of each packet, 100k flows, pcap",
        flows: 100_000,
        whole: false,
        format: Format::Pcap,
    },
    Shape {
        id: "files-full",
        title: "whole packets, 100k flows, pcap",
        flows: 100_000,
        whole: true,
        format: Format::Pcap,
    },
    Shape {
        id: "files-million",
        title: "first 96 bytes of each packet, 1M flows, pcap",
        flows: 1_000_000,
        whole: false,
        format: Format::Pcap,
    },
    Shape {
        id: "files-pcapng",
        title: "first 96 bytes of each packet, 100k flows, pcapng",
        flows: 100_000,
        whole: false,
        format: Format::Pcapng,
    },
];

pub(crate) fn measure(effort: Effort) -> Part {
    let folder = tempfile::tempdir().unwrap();
    let mut part = Part::default();
    let fast = programs::fast(&mut part);
    let (packets, rounds) = effort.pick((10_000_000, 3), (2_000_000, 3));
    for shape in &SHAPES {
        let path = folder.path().join("capture");
        let capture = capture::make(&path, shape.wanted(packets));
        eprintln!("files: {}, {packets} packets", shape.title);
        let costs = compare(&fast, &capture, rounds);
        part.tables
            .push(table(shape.id, shape.title, &fast, &costs, &capture));
        fast_demands(&mut part, shape, &fast, &costs);
        if shape.whole {
            history::measure(&mut part, shape.title, &capture);
        }
    }
    slow(&mut part, folder.path(), effort);
    compressed(&mut part, folder.path(), effort);
    part
}

impl Shape {
    fn wanted(&self, packets: u64) -> Wanted {
        Wanted {
            packets,
            flows: self.flows,
            whole: self.whole,
            format: self.format,
        }
    }
}

/// All programs in turn within each round; before the first, one that is not measured brings the file into memory.
fn compare(programs: &[Program], capture: &Capture, rounds: usize) -> Vec<Costs> {
    let mut costs: Vec<Costs> = programs.iter().map(|_| Costs::default()).collect();
    programs[0].run(capture);
    for _ in 0..rounds {
        for (program, costs) in programs.iter().zip(&mut costs) {
            let Ran {
                wall,
                cpu,
                peak,
                status,
            } = program.run(capture);
            assert_eq!(status, 0, "{}", program.name);
            costs.cpu.push(cpu / capture.packets as f64);
            costs.wall.push(wall / capture.packets as f64);
            costs.peak = costs.peak.max(peak);
        }
    }
    costs
}

fn table(
    id: &'static str,
    title: &str,
    programs: &[Program],
    costs: &[Costs],
    capture: &Capture,
) -> Table {
    let title = format!(
        "{title}: {} packets, {:.2} GB",
        capture.packets,
        capture.bytes as f64 * 1e-9
    );
    let columns = [
        "what reads",
        "CPU ns a packet",
        "times sensor's",
        "Mpkt/s a core",
        "GB/s a core",
        "wall ns a packet",
        "peak MiB",
    ];
    let mut table = Table::new(id, title, &columns);
    let sensor = programs
        .iter()
        .position(|program| program.name == programs::ONE_CORE);
    for (program, one) in programs.iter().zip(costs) {
        let bytes = capture.bytes as f64 / capture.packets as f64;
        let peak = if one.peak > 0.0 {
            Cell::Number((one.peak / 1048576.0).round())
        } else {
            Cell::Nothing
        };
        table.row(vec![
            program.name.into(),
            one.cpu.clone().into(),
            sensor.map_or(Cell::Nothing, |at| one.cpu.over(&costs[at].cpu).into()),
            Cell::Number(1e3 / one.cpu.median()),
            Cell::Number(bytes / one.cpu.median()),
            one.wall.clone().into(),
            peak,
        ]);
    }
    table
}

fn fast_demands(part: &mut Part, shape: &Shape, programs: &[Program], costs: &[Costs]) {
    let of = |name: &str| {
        let at = programs.iter().position(|program| program.name == name);
        at.map(|at| &costs[at])
    };
    let Some(sensor) = of(programs::ONE_CORE) else {
        return;
    };
    let title = shape.title;
    if let Some(tcpdump) = of(programs::TCPDUMP) {
        let bound = if shape.flows > 100_000 { 1.0 } else { 1.6 };
        let what = format!("files: {title}: tcpdump -w /dev/null, times sensor's CPU");
        part.demand(
            what,
            Limit::AtLeast(bound),
            tcpdump.cpu.over(&sensor.cpu).median(),
        );
    }
    if let Some(toolkit) = of(programs::TOOLKIT) {
        let what = format!("files: {title}: pcap-toolkit, times sensor's CPU");
        part.demand(
            what,
            Limit::AtLeast(4.0),
            toolkit.cpu.over(&sensor.cpu).median(),
        );
    }
    if let (Some(walk), "files-headers") = (of(programs::WALK), shape.id) {
        let what = format!("files: {title}: sensor, times the bare record walk");
        part.demand(
            what,
            Limit::AtMost(2.8),
            sensor.cpu.over(&walk.cpu).median(),
        );
    }
    if let (Some(two), true) = (of(programs::TWO_CORES), shape.format == Format::Pcap) {
        let what = format!("files: {title}: one thread's time, times that of two");
        part.demand(
            what,
            Limit::AtLeast(1.4),
            sensor.wall.over(&two.wall).median(),
        );
    }
    let most = if shape.flows > 100_000 { 256.0 } else { 32.0 };
    let what = format!("files: {title}: peak memory, MiB");
    part.demand(what, Limit::AtMost(most), sensor.peak / 1048576.0);
}

/// Programs that take microseconds for each packet get fewer of them; sensor reads the same file beside them.
fn slow(part: &mut Part, folder: &Path, effort: Effort) {
    let programs = programs::slow(part);
    let shape = &SHAPES[0];
    let packets = effort.pick(500_000, 150_000);
    let path = folder.join("short");
    let capture = capture::make(
        &path,
        Wanted {
            flows: 10_000,
            ..shape.wanted(packets)
        },
    );
    eprintln!("files: slower programs, {packets} packets");
    let costs = compare(&programs, &capture, 3);
    let title = "flow tools and tshark, first 96 bytes of each packet, 10k flows, pcap";
    part.tables
        .push(table("files-slow", title, &programs, &costs, &capture));
    let sensor = &costs[0].cpu;
    for (program, bound) in [(programs::SOFTFLOWD, 10.0), (programs::TSHARK, 150.0)] {
        if let Some(at) = programs.iter().position(|one| one.name == program) {
            let what = format!("files: {program}, times sensor's CPU");
            part.demand(
                what,
                Limit::AtLeast(bound),
                costs[at].cpu.over(sensor).median(),
            );
        }
    }
}

/// Wall time of reading a compressed capture beside decoding it and nothing else.
fn compressed(part: &mut Part, folder: &Path, effort: Effort) {
    let plain = folder.join("plain");
    let packets = effort.pick(2_000_000, 500_000);
    capture::make(&plain, SHAPES[0].wanted(packets));
    let mut table = Table::new(
        "files-compressed",
        format!("compressed, {packets} packets: wall ns a packet"),
        &[
            "compression",
            "decoding alone",
            "sensor",
            "sensor / decoding",
        ],
    );
    for (name, program, decode) in programs::COMPRESSIONS {
        let Some(path) = programs::compress(program, &plain) else {
            part.missing(name, format!("{program} is not installed"));
            continue;
        };
        eprintln!("files: {name}");
        let (mut alone, mut sensor) = (Samples::default(), Samples::default());
        for _ in 0..5 {
            alone.push(decode(&path) / packets as f64);
            sensor.push(programs::sensor_wall(&path) / packets as f64);
        }
        let share = sensor.over(&alone);
        let what = format!("files: {name}: wall time of sensor, times decoding alone");
        part.demand(what, Limit::AtMost(1.15), share.median());
        table.row(vec![name.into(), alone.into(), sensor.into(), share.into()]);
    }
    part.tables.push(table);
}
