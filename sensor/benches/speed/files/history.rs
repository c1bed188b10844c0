//! What keeping history costs: `sensor read` with `--parquet`, beside the same without.

use std::fs::{self, File};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::programs::{self, Program};
use super::{Costs, compare};
use crate::capture::Capture;
use crate::figures::{Cell, Limit, Part, Table};

/// Rounds differ by more than what is asked for.
const ROUNDS: usize = 7;

/// What lies on the disk.
#[derive(Default)]
struct Kept {
    bytes: u64,
    /// Rows of flows.
    rows: i64,
}

pub(super) fn measure(part: &mut Part, title: &str, capture: &Capture) {
    let programs = programs::with_history();
    eprintln!("files: history of {title}");
    let costs = compare(&programs, capture, ROUNDS);
    let mut table = Table::new(
        "files-history",
        format!("with and without history: {title}"),
        &[
            "what reads",
            "CPU ns a packet",
            "times without",
            "peak MiB",
            "rows of flows",
            "bytes a row",
        ],
    );
    for (programs, costs) in programs.chunks(2).zip(costs.chunks(2)) {
        let ([plain, kept], [without, with]) = (programs, costs) else {
            continue;
        };
        table.row(row(
            plain,
            without,
            [Cell::Nothing, Cell::Nothing, Cell::Nothing],
        ));
        let times = with.cpu.over(&without.cpu);
        let what = format!("files: {title}: {}, times the CPU without", kept.name);
        part.demand(what, Limit::AtMost(1.05), times.median());
        let Kept { bytes, rows } = kept_by(kept, capture);
        let each = bytes as f64 / rows as f64;
        table.row(row(
            kept,
            with,
            [times.into(), Cell::Number(rows as f64), Cell::Number(each)],
        ));
    }
    part.tables.push(table);
}

fn row(program: &Program, costs: &Costs, [times, rows, each]: [Cell; 3]) -> Vec<Cell> {
    let peak = (costs.peak / 1048576.0).round();
    let cpu = costs.cpu.clone().into();
    vec![
        program.name.into(),
        cpu,
        times,
        Cell::Number(peak),
        rows,
        each,
    ]
}

fn kept_by(program: &Program, capture: &Capture) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    program.run_in(folder.path(), capture);
    let mut kept = Kept::default();
    add(folder.path(), false, &mut kept);
    kept
}

fn add(folder: &Path, of_flows: bool, kept: &mut Kept) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add(&path, of_flows || path.ends_with("flows"), kept);
        } else if path.extension().is_some_and(|ending| ending == "parquet") {
            kept.bytes += path.metadata().unwrap().len();
            if of_flows {
                let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
                kept.rows += file.metadata().file_metadata().num_rows();
            }
        }
    }
}
