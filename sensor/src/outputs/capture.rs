//! `-w` among the outputs: checked, opened, and what is said of it in the end.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::{Outputs, check_file, is_stdout, refuse_twice};
use crate::cli;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::report::Written;
use crate::sink::capture::{Asked, Capture, MOST, Plan, Summary};
use crate::sink::packets::Pace;
use crate::{status, units};

impl Outputs {
    /// Opens what -w asks for, if it does. `now`: of a live run, in nanoseconds since the epoch; `inputs` are not written
    /// to.
    pub fn with_capture(
        mut self,
        asked: &cli::Capture,
        filter: Option<&Filter>,
        inputs: &[PathBuf],
        now: Option<i64>,
    ) -> Result<Self, Failure> {
        let Some(path) = &asked.write else {
            return Ok(self);
        };
        let plan = check(asked, path)?;
        self.taken.push(path.clone());
        refuse_twice(&[&self.taken])?;
        if !is_stdout(path) {
            check_file(path, inputs)?;
        }
        let asked = Asked {
            plan,
            snaplen: (asked.snaplen > 0).then_some(asked.snaplen),
            filter: filter.map(|filter| filter.text().to_owned()),
            inputs: inputs.to_vec(),
        };
        self.snaplen = asked.snaplen.unwrap_or(MOST);
        let pace = match now {
            Some(_) => Pace::Source,
            None => Pace::Output,
        };
        let capture = Capture::open(asked, pace, now);
        self.capture = Some(capture.map_err(|error| Failure::new(Exit::Output, error))?);
        Ok(self)
    }

    /// What -w has written so far; nothing where nobody asked for that.
    pub fn written(&self) -> Vec<Written> {
        let written = |capture: &Capture| {
            let summary = capture.summary();
            Written {
                path: escape::path(&summary.path),
                files: summary.files,
                files_replaced: summary.replaced,
                packets: summary.packets,
                bytes: summary.bytes,
                packets_unwritten: summary.lost,
                packets_after_last: summary.beyond,
                error: capture.failure(),
            }
        };
        self.capture.iter().map(written).collect()
    }

    /// Writes what is left, and says how much it was.
    pub(super) fn finish_capture(&self) -> Result<(), Failure> {
        let Some(capture) = &self.capture else {
            return Ok(());
        };
        let (summary, result) = capture.finish();
        status::note(&line(&summary));
        result.map_err(|error| {
            if summary.lost > 0 {
                let lost = units::packets(summary.lost);
                status::warn(&format!("not written by -w: {lost}; they are counted"));
            }
            Failure::new(Exit::Output, error)
        })
    }
}

fn check(asked: &cli::Capture, path: &Path) -> Result<Plan, Failure> {
    let plan = Plan {
        path: path.to_owned(),
        size: asked.rotate_size.map(|size| size.0),
        seconds: asked.rotate_seconds,
        count: asked.rotate_count,
    };
    let usage = |why: String| Failure::told(Exit::Usage, why);
    plan.check().map_err(usage)?;
    if is_stdout(path) && std::io::stdout().is_terminal() {
        let why = "-w - writes bytes that are not for a terminal: pipe them, as in: sensor run -w - | tcpdump -r -";
        return Err(usage(why.to_owned()));
    }
    Ok(plan)
}

fn line(summary: &Summary) -> String {
    let place = match summary.path.to_str() {
        Some("-") => "standard output".to_owned(),
        _ => escape::path(&summary.path),
    };
    let place = match summary.files {
        0 | 1 => place,
        files => format!("{} files, {place}", units::count(files)),
    };
    let mut line = format!(
        "wrote {}, {}, to {place}",
        units::packets(summary.packets),
        units::bytes(summary.bytes)
    );
    if summary.replaced > 0 {
        let replaced = units::count(summary.replaced);
        line += &format!("; {replaced} of them are gone, because the next had the same name");
    }
    if summary.beyond > 0 {
        let beyond = units::packets(summary.beyond);
        line += &format!("; {beyond} came after the last file of -W");
    }
    line
}
