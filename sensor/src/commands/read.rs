//! `sensor read`: the report of capture files.

use std::collections::HashSet;
use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli;
use crate::counters::Delta;
use crate::failure::{Exit, Failure};
use crate::outputs::Outputs;
use crate::report::{self, Context, FileInfo, Report};
use crate::source::file::count::{self, Outcome};
use crate::source::file::{CaptureError, CaptureFile, link_type};
use crate::{escape, seeds, status, units};

/// Smaller files are read before a progress bar could be seen.
const PROGRESS_FROM: u64 = 64 << 20;

pub fn run(args: &cli::Read) -> Result<Exit, Failure> {
    check_inputs(&args.files)?;
    if args.filter.text()?.is_some() {
        return Err(Failure::told(Exit::Filter, "filters are not built yet"));
    }
    let outputs = Outputs::prepare(&args.outputs, &args.files)?;
    let config = super::delta_config(&args.counting, seeds::random());
    let mut delta = Delta::new(config);
    let files: Vec<Counted> = args
        .files
        .iter()
        .map(|path| count_file(path, &mut delta))
        .collect();
    let context = Context {
        hostname: super::hostname(),
        backend: "file".to_owned(),
        files: files.iter().map(Counted::info).collect(),
        top_n: args.counting.top,
        interval: config.interval,
        notes: notes(&files),
        ..Context::default()
    };
    let report = report::build(&delta, &context);
    for file in &files {
        file.complain();
    }
    show(&report, &files, &outputs)?;
    Ok(verdict(&report, &files))
}

/// One file of the command line, after counting.
struct Counted {
    path: PathBuf,
    format: String,
    outcome: Outcome,
    time_carried: u64,
    cap_exceeds_wire: u64,
}

fn count_file(path: &Path, delta: &mut Delta) -> Counted {
    let opened = if path.as_os_str() == "-" {
        CaptureFile::from_stdin()
    } else {
        CaptureFile::open(path)
    };
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => {
            let outcome = Outcome {
                error: Some(error),
                ..Outcome::default()
            };
            return Counted {
                path: path.to_owned(),
                format: "unknown".to_owned(),
                outcome,
                time_carried: 0,
                cap_exceeds_wire: 0,
            };
        }
    };
    let bar = progress_bar(&file);
    let outcome = count::count(&mut file, delta, |file| {
        bar.set_position(file.raw_position())
    });
    bar.finish_and_clear();
    let oddities = file.oddities();
    Counted {
        path: path.to_owned(),
        format: file.format().to_string(),
        outcome,
        time_carried: oddities.time_carried,
        cap_exceeds_wire: oddities.cap_exceeds_wire,
    }
}

fn progress_bar(file: &CaptureFile) -> ProgressBar {
    match file.size() {
        Some(size) if size >= PROGRESS_FROM && status::on_terminal() => {
            let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(size).with_style(style)
        }
        _ => ProgressBar::hidden(),
    }
}

impl Counted {
    fn name(&self) -> String {
        escape::path(&self.path)
    }

    /// For sentences.
    fn told(&self) -> String {
        match self.path.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => self.name(),
        }
    }

    fn info(&self) -> FileInfo {
        FileInfo {
            path: self.name(),
            format: self.format.clone(),
            link_types: self
                .outcome
                .link_types
                .keys()
                .map(|number| link_type_name(*number))
                .collect(),
            packets: self.outcome.packets,
            complete: self.outcome.error.is_none(),
            error: self.outcome.error.as_ref().map(ToString::to_string),
        }
    }

    /// Not even its header could be read.
    fn refused(&self) -> bool {
        matches!(
            self.outcome.error,
            Some(CaptureError::Open(_) | CaptureError::Unreadable(_))
        )
    }

    /// Packets came out, but not one of a link type that can be decoded.
    fn undecodable(&self) -> bool {
        self.outcome.packets > 0 && self.outcome.decodable == 0
    }

    fn complain(&self) {
        if let Some(error) = &self.outcome.error {
            status::warn(&format!("{}: {error}", self.told()));
        }
        for (number, packets) in &self.outcome.link_types {
            if sensor_common::parse::LinkType::from_number(*number)
                == sensor_common::parse::LinkType::Unsupported
            {
                status::warn(&format!(
                    "{}: no decoder for link type {}: {} counted as unsupported_link_type",
                    self.told(),
                    link_type_name(*number),
                    units::packets(*packets),
                ));
            }
        }
    }
}

fn link_type_name(number: u16) -> String {
    match link_type::name(number) {
        Some(name) => format!("{name} ({number})"),
        None => format!("unknown ({number})"),
    }
}

/// The same file twice would be counted twice; a terminal has no packets.
fn check_inputs(paths: &[PathBuf]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for path in paths {
        if path.as_os_str() == "-" {
            if std::io::stdin().is_terminal() {
                let message = "standard input is a terminal: pipe a capture into it, as in: tcpdump -w - | sensor read -";
                return Err(Failure::told(Exit::Usage, message));
            }
            if !seen.insert((0, 0)) {
                return Err(Failure::told(
                    Exit::Usage,
                    "standard input (-) is given twice",
                ));
            }
        } else if let Ok(metadata) = fs::metadata(path)
            && !seen.insert((metadata.dev(), metadata.ino()))
        {
            let name = escape::path(path);
            return Err(Failure::told(
                Exit::Usage,
                format_args!("{name} is given twice; its packets would count twice"),
            ));
        }
    }
    Ok(())
}

fn notes(files: &[Counted]) -> Vec<String> {
    let mut notes = Vec::new();
    for file in files {
        let mut note = |count: u64, what: &str, done: &str| {
            if count > 0 {
                notes.push(format!("{}: {what}: {count}; {done}", file.name()));
            }
        };
        note(
            file.time_carried,
            "packets whose time has a fraction of one second or more",
            "it was carried over",
        );
        note(
            file.cap_exceeds_wire,
            "packets captured longer than they claim to be",
            "the captured length counts",
        );
    }
    notes
}

fn show(report: &Report, files: &[Counted], outputs: &Outputs) -> Result<(), Failure> {
    if !outputs.is_empty() {
        return outputs.write(report);
    }
    if files.iter().all(Counted::refused) {
        return Ok(()); // a page of zeros would hide what was just said
    }
    super::text::print(report)
}

fn verdict(report: &Report, files: &[Counted]) -> Exit {
    if !report.accounting.identity_holds {
        status::warn(
            "the accounting identity is violated: please report this, with the capture if you can",
        );
        return Exit::Accounting;
    }
    let io_failed = |file: &Counted| matches!(file.outcome.error, Some(CaptureError::Io { .. }));
    if files.iter().any(io_failed) {
        return Exit::Failed;
    }
    let broken = files.iter().any(|file| file.outcome.error.is_some());
    if broken || files.iter().all(Counted::undecodable) {
        return Exit::BadFile;
    }
    Exit::Ok
}
