//! The outputs that were asked for: checked before counting starts, written when there is a report.

mod capture;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chart;
use crate::cli::{self, Backend};
use crate::clock::Now;
use crate::dashboard;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::report::Report;
use crate::sink::capture::{Capture, Received};
use crate::sink::packets::{Pace, PacketOutputs};
use crate::sink::{self, SinkError};
use crate::source::ladder::Wish;
use crate::source::tap::{PacketRecord, SharedTap};
use crate::status;

const STDOUT: &str = "-";
/// Options, as they are told.
const PACKETS: &str = "--packets";
const CAPTURE: &str = "-w";

pub struct Outputs {
    json: Vec<PathBuf>,
    /// Of a live run they are written meanwhile, by followers.
    jsonl: Vec<PathBuf>,
    live: bool,
    csv: Vec<PathBuf>,
    charts: Vec<PathBuf>,
    chart_options: chart::Options,
    html: Vec<PathBuf>,
    html_rows: usize,
    packets: PacketOutputs,
    capture: Option<Capture>,
    /// Bytes of each packet that `capture` wants.
    snaplen: u32,
    /// Files and streams that outputs go to.
    taken: Vec<PathBuf>,
    /// Kept by a follower, and not written here.
    parquet: bool,
}

impl Outputs {
    /// Refuses what could not be written, or would destroy an input, before any packet is counted.
    pub fn prepare(asked: &cli::Outputs, inputs: &[PathBuf]) -> Result<Self, Failure> {
        Self::opened(asked, inputs, Pace::Output)
    }

    /// The same for a live run, which waits for none of them.
    pub fn prepare_live(
        asked: &cli::Outputs,
        (capture, filter): (&cli::Capture, Option<&Filter>),
    ) -> Result<Self, Failure> {
        let now = Some(Now::read().wall);
        Self::opened(asked, &[], Pace::Source)?.with_capture(capture, filter, &[], now)
    }

    fn opened(asked: &cli::Outputs, inputs: &[PathBuf], pace: Pace) -> Result<Self, Failure> {
        let tables: Vec<PathBuf> = asked
            .csv
            .iter()
            .flat_map(|dir| sink::csv::paths(dir))
            .collect();
        let files = [
            &asked.json,
            &asked.jsonl,
            &asked.html,
            &asked.packets,
            &tables,
        ];
        refuse_twice(&files)?;
        PacketOutputs::check(&asked.packets)?;
        for folder in &asked.csv {
            refuse_stdout("--csv", folder)?;
            prepare_folder(folder)?;
        }
        if let Some(folder) = &asked.parquet.folder {
            refuse_stdout("--parquet", folder)?;
            prepare_folder(folder)?;
        }
        for path in files.into_iter().flatten().filter(|path| !is_stdout(path)) {
            check_file(path, inputs)?;
        }
        let chart_options = chart_options(&asked.charts);
        if let (false, Err(why)) = (asked.charts.folders.is_empty(), chart_options.check()) {
            return Err(Failure::told(Exit::Usage, why));
        }
        for folder in &asked.charts.folders {
            prepare_folder(folder)?;
        }
        Ok(Outputs {
            packets: PacketOutputs::open(&asked.packets, pace)?,
            capture: None,
            snaplen: 0,
            taken: files.into_iter().flatten().cloned().collect(),
            json: asked.json.clone(),
            jsonl: asked.jsonl.clone(),
            live: pace == Pace::Source,
            csv: asked.csv.clone(),
            charts: asked.charts.folders.clone(),
            chart_options,
            html: asked.html.clone(),
            html_rows: asked.html_rows,
            parquet: asked.parquet.folder.is_some(),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.json.is_empty()
            && self.jsonl.is_empty()
            && self.csv.is_empty()
            && self.charts.is_empty()
            && self.html.is_empty()
            && self.packets.is_empty()
            && self.capture.is_none()
            && !self.parquet
    }

    /// Something else than the text report goes to standard output.
    pub fn takes_stdout(&self) -> bool {
        self.taken.iter().any(|path| is_stdout(path))
    }

    /// Rows of the dashboard's lists, if one is asked for; it has a report of its own, with longer lists.
    pub fn dashboard_rows(&self) -> Option<usize> {
        (!self.html.is_empty()).then_some(self.html_rows)
    }

    /// Packets are asked for, one by one.
    pub fn wants_packets(&self) -> bool {
        !self.packets.is_empty() || self.capture.is_some()
    }

    pub fn packet(&self, record: &PacketRecord<'_>) {
        tell(&self.packets, self.capture.as_ref(), record);
    }

    /// The packets of another file come now.
    pub fn next_input(&self) {
        self.capture.iter().for_each(Capture::next_input);
    }

    /// Makes visible what was written by now; captures, of which each flush costs compression, once a second.
    pub fn flush_packets(&self, now: Now) {
        self.packets.flush();
        let captures = self.capture.iter();
        captures.for_each(|capture| capture.flush(now.monotonic));
    }

    /// Options whose outputs have not taken all packets so far; and why, if not because they are slow.
    pub fn behind(&self) -> Vec<(&'static str, Option<String>)> {
        let mut behind = Vec::new();
        if self.packets.unwritten() > 0 {
            behind.push((PACKETS, None));
        }
        if let Some(capture) = &self.capture {
            let failure = capture.failure();
            if failure.is_some() || capture.left_out() > 0 {
                behind.push((CAPTURE, failure));
            }
        }
        behind
    }

    /// No more packets come: by option, how many were not written. `received`: how the interfaces fared.
    pub fn close_packets(&self, received: &[Received]) -> Vec<(&'static str, u64)> {
        let captured = self.capture.as_ref();
        let unwritten = [
            (PACKETS, self.packets.close()),
            (CAPTURE, captured.map_or(0, |one| one.close(received))),
        ];
        unwritten.into_iter().filter(|(_, n)| *n > 0).collect()
    }

    /// For sources that must be able to go to another thread.
    pub fn packet_tap(&self) -> Option<SharedTap> {
        let (packets, capture) = (self.packets.clone(), self.capture.clone());
        self.wants_packets().then(|| -> SharedTap {
            Arc::new(move |record: &PacketRecord<'_>| tell(&packets, capture.as_ref(), record))
        })
    }

    /// Bytes of each packet that are to be kept for them.
    pub fn snaplen(&self) -> u32 {
        self.snaplen
    }

    /// Writes every output, also after one has failed; says which failed.
    pub fn write(
        &self,
        report: &Report,
        dashboard: Option<&dashboard::Data>,
    ) -> Result<(), Failure> {
        let mut failed = None;
        for path in &self.json {
            if let Err(error) = sink::json::write_to(report, path) {
                note_failure(&mut failed, error);
            }
        }
        for path in self.jsonl.iter().filter(|_| !self.live) {
            if let Err(error) = sink::jsonl::write_to(report, path) {
                note_failure(&mut failed, error);
            }
        }
        for folder in &self.csv {
            if let Err(error) = sink::csv::write_to(report, folder) {
                note_failure(&mut failed, error);
            }
        }
        for folder in &self.charts {
            if let Err(error) = chart::write_all(report, folder, &self.chart_options) {
                note_failure(&mut failed, error);
            }
        }
        for (path, data) in self.html.iter().zip(dashboard.into_iter().cycle()) {
            if let Err(error) = dashboard::write_to(data, path) {
                note_failure(&mut failed, error);
            }
        }
        for error in self.packets.finish() {
            note_failure(&mut failed, error);
        }
        if let Err(failure) = self.finish_capture() {
            note_failure(&mut failed, failure.error);
        }
        failed.map_or(Ok(()), Err)
    }
}

fn tell(packets: &PacketOutputs, capture: Option<&Capture>, record: &PacketRecord<'_>) {
    if !packets.is_empty() {
        packets.packet(record);
    }
    if let Some(capture) = capture {
        capture.packet(record);
    }
}

/// The same of outputs that are no views of a report.
pub fn check_files(asked: &[&Vec<PathBuf>], inputs: &[PathBuf]) -> Result<(), Failure> {
    refuse_twice(asked)?;
    let files = asked.iter().copied().flatten();
    for path in files.filter(|path| !is_stdout(path)) {
        check_file(path, inputs)?;
    }
    Ok(())
}

/// Whole packets are seen by packet sockets only: what -w takes, where nobody said by what to count, and says so. For
/// records alone the backend is never changed.
pub fn check_packets(
    asked: &cli::Outputs,
    capture: &cli::Capture,
    wish: Wish,
) -> Result<Wish, Failure> {
    PacketOutputs::check(&asked.packets)?;
    let captures = capture.write.is_some();
    let option = match (captures, asked.packets.is_empty()) {
        (true, _) => CAPTURE,
        (false, false) => PACKETS,
        (false, true) => return Ok(wish),
    };
    match wish.backend {
        Backend::AfPacket | Backend::AfXdp => Ok(wish),
        Backend::Auto if captures && !wish.pins_xdp() => Ok(wish.for_whole_packets()),
        _ => Err(Failure::told(
            Exit::Usage,
            format_args!(
                "{option} needs every packet, and programs in the kernel count without handing them over: add --backend af-packet"
            ),
        )),
    }
}

fn chart_options(asked: &cli::Charts) -> chart::Options {
    let format = |format: &cli::ChartFormat| match format {
        cli::ChartFormat::Png => chart::Format::Png,
        cli::ChartFormat::Svg => chart::Format::Svg,
    };
    chart::Options {
        formats: asked.formats.iter().map(format).collect(),
        themes: match asked.theme {
            cli::ChartTheme::Light => vec![chart::Theme::Light],
            cli::ChartTheme::Dark => vec![chart::Theme::Dark],
            cli::ChartTheme::Both => vec![chart::Theme::Light, chart::Theme::Dark],
        },
        size: asked.size.map(|size| (size.width, size.height)),
        dpi: asked.dpi,
    }
}

/// Makes the folder if it is not there, and tries whether files can be made in it.
pub fn prepare_folder(folder: &Path) -> Result<(), Failure> {
    let refused = |error| {
        Failure::new(
            Exit::Output,
            SinkError::Folder {
                path: folder.to_owned(),
                error,
            },
        )
    };
    if folder.exists() && !folder.is_dir() {
        return Err(refused(io::ErrorKind::NotADirectory.into()));
    }
    fs::create_dir_all(folder).map_err(refused)?;
    tempfile::tempfile_in(folder).map_err(refused)?;
    Ok(())
}

/// Two outputs in one place would overwrite each other, or run into each other on standard output.
fn refuse_twice(outputs: &[&Vec<PathBuf>]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let mut paths = outputs.iter().copied().flatten();
    let Some(twice) = paths.find(|path| !seen.insert(*path)) else {
        return Ok(());
    };
    let what = match is_stdout(twice) {
        true => "standard output (-)".to_owned(),
        false => escape::path(twice),
    };
    Err(Failure::told(
        Exit::Usage,
        format_args!("two outputs go to {what}: name a file of its own for each"),
    ))
}

/// Several files don't fit into one stream.
fn refuse_stdout(option: &str, folder: &Path) -> Result<(), Failure> {
    match is_stdout(folder) {
        false => Ok(()),
        true => Err(Failure::told(
            Exit::Usage,
            format_args!("{option} - : it writes several files, name a folder"),
        )),
    }
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == STDOUT
}

fn check_file(path: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    sink::refuse_special(path).map_err(|error| Failure::new(Exit::Output, error))?;
    if let Some(input) = inputs.iter().find(|input| same_file(input, path)) {
        let (path, input) = (escape::path(path), escape::path(input));
        let message = format!("the output {path} is the input {input}: name another file");
        return Err(Failure::told(Exit::Usage, message));
    }
    let folder = sink::folder_of(path);
    if !folder.is_dir() {
        let (path, folder) = (escape::path(path), escape::path(folder));
        let message = format!("can't write {path}: there is no folder {folder}, make it first");
        return Err(Failure::told(Exit::Output, message));
    }
    tempfile::tempfile_in(folder).map(drop).map_err(|error| {
        let path = path.to_owned();
        Failure::new(Exit::Output, SinkError::Write { path, error })
    })
}

/// Also by way of links.
fn same_file(a: &Path, b: &Path) -> bool {
    let id = |path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((id(a), id(b)), (Ok(a), Ok(b)) if a == b)
}

fn note_failure(failed: &mut Option<Failure>, error: impl Into<anyhow::Error>) {
    if let Some(earlier) = failed.replace(Failure::new(Exit::Output, error)) {
        status::warn(&format!("{:#}", earlier.error));
    }
}
