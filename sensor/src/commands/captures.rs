//! Capture files of the command line: checked, counted with a progress bar, and what is said of them.

use std::collections::HashSet;
use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Exit, Failure};
use crate::report::FileInfo;
use crate::source::file::count::{self, Ledger, Outcome};
use crate::source::file::matching::{self, FileFilter};
use crate::source::file::mirrored::{self, Mirrored};
use crate::source::file::parts::{self, Threads};
use crate::source::file::{CaptureError, CaptureFile, link_type};
use crate::source::tap::Tap;
use crate::{escape, status, units};

/// Smaller files are read before a progress bar could be seen.
const PROGRESS_FROM: u64 = 64 << 20;

/// One file of the command line, after counting.
pub(super) struct Counted {
    path: PathBuf,
    format: String,
    pub(super) outcome: Outcome,
    time_carried: u64,
    cap_exceeds_wire: u64,
    /// Interfaces that the filter names and the file has not, as a sentence.
    interfaces: Option<String>,
}

/// The same file twice would be counted twice; a terminal has no packets.
pub(super) fn check(paths: &[PathBuf]) -> Result<(), Failure> {
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

/// How files are counted.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) filter: Option<&'a FileFilter>,
    pub(super) mirrored: Option<&'a Mirrored>,
    pub(super) threads: Threads,
}

pub(super) fn count_file(
    path: &Path,
    ledger: &mut impl Ledger,
    how: How<'_>,
    tap: Option<Tap<'_>>,
) -> Counted {
    let mut counted = Counted {
        path: path.to_owned(),
        format: "unknown".to_owned(),
        outcome: Outcome::default(),
        time_carried: 0,
        cap_exceeds_wire: 0,
        interfaces: None,
    };
    let opened = if path.as_os_str() == "-" {
        CaptureFile::from_stdin()
    } else {
        CaptureFile::open(path)
    };
    match opened {
        Ok(file) => counted.count(file, ledger, how, tap),
        Err(error) => counted.outcome.error = Some(error),
    }
    counted
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
    fn count(
        &mut self,
        mut file: CaptureFile,
        ledger: &mut impl Ledger,
        how: How<'_>,
        tap: Option<Tap<'_>>,
    ) {
        let How {
            filter,
            mirrored,
            threads,
        } = how;
        if tap.is_some() {
            file.describe_interfaces();
        }
        let bar = progress_bar(&file);
        let progress = |file: &CaptureFile| bar.set_position(file.raw_position());
        // Said before a long file is read in vain, where that is known already.
        if let Some(filter) = filter
            && file.interfaces().is_none()
        {
            self.miss_interfaces(filter, &file);
        }
        let in_parts = match (&tap, mirrored) {
            (Some(_), _) | (_, Some(_)) => None, // which get packets in their order
            (None, None) => parts::count(&mut file, ledger, threads, |part, delta| match filter {
                None => count::count(part, delta, None, progress),
                Some(filter) => matching::count(part, delta, filter, None, progress),
            }),
        };
        self.outcome = match (in_parts, mirrored, filter) {
            (Some(outcome), _, _) => outcome,
            (None, Some(port), _) => {
                mirrored::count(&mut file, ledger, (port, filter), tap, progress)
            }
            (None, None, None) => count::count(&mut file, ledger, tap, progress),
            (None, None, Some(filter)) => matching::count(&mut file, ledger, filter, tap, progress),
        };
        bar.finish_and_clear();
        if let (Some(filter), Some(_)) = (filter, file.interfaces()) {
            self.miss_interfaces(filter, &file);
        }
        let oddities = file.oddities();
        self.format = file.format().to_string();
        self.time_carried = oddities.time_carried;
        self.cap_exceeds_wire = oddities.cap_exceeds_wire;
    }

    fn miss_interfaces(&mut self, filter: &FileFilter, file: &CaptureFile) {
        self.interfaces = filter.missing_interfaces(file);
        if let Some(missing) = &self.interfaces {
            status::note(&format!("{}: {missing}", self.told()));
        }
    }

    pub(super) fn name(&self) -> String {
        escape::path(&self.path)
    }

    /// For sentences.
    pub(super) fn told(&self) -> String {
        match self.path.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => self.name(),
        }
    }

    pub(super) fn info(&self) -> FileInfo {
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
    pub(super) fn refused(&self) -> bool {
        matches!(
            self.outcome.error,
            Some(CaptureError::Open(_) | CaptureError::Unreadable(_))
        )
    }

    /// Packets came out, but not one of a link type that can be decoded.
    fn undecodable(&self) -> bool {
        self.outcome.packets > 0 && self.outcome.decodable == 0
    }

    pub(super) fn complain(&self) {
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

    /// What a report should say of it.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: u64, what: &str, done: &str| {
            if count > 0 {
                notes.push(format!("{}: {what}: {count}; {done}", self.name()));
            }
        };
        note(
            self.time_carried,
            "packets whose time has a fraction of one second or more",
            "it was carried over",
        );
        note(
            self.cap_exceeds_wire,
            "packets captured longer than they claim to be",
            "the captured length counts",
        );
        let interfaces = self.interfaces.iter();
        notes.extend(interfaces.map(|missing| format!("{}: {missing}", self.name())));
        notes
    }
}

/// The exit code that the files give.
pub(super) fn verdict(files: &[Counted]) -> Exit {
    let io_failed = |file: &Counted| matches!(file.outcome.error, Some(CaptureError::Io { .. }));
    if files.iter().any(io_failed) {
        return Exit::Failed;
    }
    let broken = files.iter().any(|file| file.outcome.error.is_some());
    let undecodable = !files.is_empty() && files.iter().all(Counted::undecodable);
    if broken || undecodable {
        return Exit::BadFile;
    }
    Exit::Ok
}

fn link_type_name(number: u16) -> String {
    match link_type::name(number) {
        Some(name) => format!("{name} ({number})"),
        None => format!("unknown ({number})"),
    }
}
