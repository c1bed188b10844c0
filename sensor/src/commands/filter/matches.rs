//! How many packets of capture files match.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::cli;
use crate::commands::captures::{self, How};
use crate::counters::{Counts, Delta, DeltaConfig};
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::report::{self, FileInfo};
use crate::source::file::matching::FileFilter;
use crate::source::file::parts::Threads;
use crate::{seeds, status};

/// Most flows that are told apart, where the filter asks for flows.
const MAX_FLOWS: usize = 1 << 21;
/// Nobody looks at the buckets.
const INTERVAL: Duration = Duration::from_secs(3600);

#[derive(Serialize)]
pub(super) struct Matches {
    /// In all files; flows are those of all files together.
    pub(super) matched: Counts,
    pub(super) seen: Counts,
    pub(super) files: Vec<InFile>,
}

#[derive(Serialize)]
pub(super) struct InFile {
    #[serde(flatten)]
    pub(super) info: FileInfo,
    pub(super) matched: Counts,
    pub(super) seen: Counts,
    /// Not even its header could be read; said already.
    #[serde(skip)]
    pub(super) refused: bool,
}

/// `None` without files.
pub(super) fn count(
    filter: &Filter,
    paths: &[PathBuf],
) -> Result<(Option<Matches>, Exit), Failure> {
    if paths.is_empty() {
        return Ok((None, Exit::Ok));
    }
    let matching = FileFilter::new(filter).map_err(|error| Failure::new(Exit::Filter, error))?;
    let config = config(filter);
    let how = How {
        filter: Some(&matching),
        mirrored: None,
        threads: Threads::new(0),
    };
    let mut all = Delta::new(config);
    let mut files = Vec::new();
    let mut counted = Vec::new();
    for path in paths {
        let mut delta = Delta::new(config);
        let file = captures::count_file(path, &mut delta, how, None);
        delta.conclude();
        file.complain();
        let (matched, seen) = matched(&matching, &delta);
        all.merge(&delta);
        files.push(InFile {
            info: file.info(),
            matched,
            seen,
            refused: file.refused(),
        });
        counted.push(file);
    }
    let (matched, seen) = matched(&matching, &all);
    let matches = Matches {
        matched,
        seen,
        files,
    };
    Ok((Some(matches), captures::verdict(&counted)))
}

fn config(filter: &Filter) -> DeltaConfig {
    let selects = filter.plan().flow.is_some();
    DeltaConfig {
        interval: super::super::nanoseconds(INTERVAL),
        // Where nothing asks for flows they need no room.
        max_flows: if selects { MAX_FLOWS } else { 1 },
        seeds: seeds::random(),
        trail: selects,
        names: if selects { cli::MAX_NAMES as usize } else { 0 },
    }
}

fn matched(matching: &FileFilter, delta: &Delta) -> (Counts, Counts) {
    let sum = |parts: [Counts; 3]| parts.into_iter().sum::<Counts>();
    let seen = sum(delta.by_direction()) + sum(delta.filtered_by_direction());
    let Some(selected) = matching.select(delta) else {
        return (sum(delta.by_direction()), seen);
    };
    if let Some(note) = report::unjudged_note(&selected) {
        status::note(&note);
    }
    (sum(selected.by_direction()), seen)
}
