//! `cargo xtask bench`: how fast, beside what. Programs, not tests: a figure of a busy machine fails nothing.
//!
//! Each part is a run of the program `speed` (sensor/benches/speed), which gives its figures as JSON; here they become
//! one file, tables on the screen, and on demand docs/performance.md.

mod document;
mod machine;
mod peers;
mod render;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{build_ebpf, cmd};

const SCHEMA: &str = "sensor.bench/1";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fewer rounds, packets and cases: about 5 minutes instead of 18
    #[arg(long)]
    quick: bool,
    /// Measure these parts only
    #[arg(long, num_args = 1.., value_enum)]
    only: Vec<Part>,
    /// Write docs/performance.json and docs/performance.md from this run
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    write_docs: bool,
    /// Measure nothing: take the figures of an earlier run from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only"])]
    from: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// ns per packet of the programs, beside the kernel's hash maps
    Kernel,
    /// Reading the tables, and what that does to packets
    Poll,
    /// iperf3 and small packets over veth, with and without somebody counting
    System,
    /// A mirror port: XDP that drops, AF_XDP, AF_PACKET and tcpdump under one sender
    Tap,
    /// `sensor read` beside programs that read captures
    Files,
    /// Memory of the tables, and time to the first count
    Memory,
    /// What a filter costs in the kernel (text only)
    Filter,
    /// What names cost in files (text only)
    Names,
}

impl Part {
    const MEASURED: [Part; 6] = [
        Part::Kernel,
        Part::Poll,
        Part::System,
        Part::Tap,
        Part::Files,
        Part::Memory,
    ];

    fn name(self) -> &'static str {
        match self {
            Part::Kernel => "kernel",
            Part::Poll => "poll",
            Part::System => "system",
            Part::Tap => "tap",
            Part::Files => "files",
            Part::Memory => "memory",
            Part::Filter => "filter",
            Part::Names => "names",
        }
    }
}

pub(crate) fn main(args: &Args) -> Result<()> {
    let run = match &args.from {
        Some(path) => read(path)?,
        None => measure(args)?,
    };
    print!("{}", render::screen(&run));
    if args.write_docs {
        document::write(&run)?;
    }
    Ok(())
}

fn measure(args: &Args) -> Result<Value> {
    if !cmd::is_root() {
        bail!("measuring in the kernel needs root: sudo cargo xtask bench");
    }
    let folder = cmd::target_dir().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let parts: Vec<Part> = match args.only.is_empty() {
        true => Part::MEASURED.to_vec(),
        false => args.only.clone(),
    };
    let object = build_ebpf::build_bench()?;
    let missing = peers::install();
    for part in &parts {
        cmd::run(cargo_bench(*part).arg("--no-run"))?;
    }
    let before = machine::describe();
    let mut figures = serde_json::Map::new();
    for part in parts {
        let out = folder.join(format!("{}.json", part.name()));
        let mut command = command(part, args.quick, &object, &out);
        cmd::run(&mut command)?;
        if Part::MEASURED.contains(&part) {
            figures.insert(part.name().to_owned(), read(&out)?);
        }
    }
    let run = json!({
        "schema": SCHEMA,
        "quick": args.quick,
        "machine": before,
        "load_after": machine::load(),
        "missing": missing,
        "parts": figures,
    });
    let path = folder.join("latest.json");
    fs::write(&path, serde_json::to_string_pretty(&run)? + "\n")
        .with_context(|| format!("could not write {}", path.display()))?;
    println!("figures: {}", path.display());
    Ok(run)
}

fn command(part: Part, quick: bool, object: &Path, out: &Path) -> std::process::Command {
    let mut cargo = cargo_bench(part);
    cargo.args(["--", part.name()]);
    if quick {
        cargo.arg("--quick");
    }
    cargo
        .env("XTASK_BENCH_OBJECT", object)
        .env("XTASK_BENCH_OUT", out)
        .env("XTASK_BENCH_TOOLS", peers::folder());
    cargo
}

/// The one program of the part: without a name all would be built, the tests too.
fn cargo_bench(part: Part) -> std::process::Command {
    let program = match part {
        Part::Filter | Part::Names => part.name(),
        _ => "speed",
    };
    let mut cargo = cmd::cargo();
    cargo.args(["bench", "--quiet", "--package", "sensor", "--locked"]);
    cargo.args(["--bench", program]);
    cargo
}

fn read(path: &Path) -> Result<Value> {
    let text =
        fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}
