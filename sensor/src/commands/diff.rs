//! `sensor diff`: what changed between two reports, or two times of one history.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::opened::{self, Asked, Opened};
use crate::cli;
use crate::clock::Now;
use crate::dashboard;
use crate::diff::{self, Diff};
use crate::failure::{Exit, Failure};
use crate::filter::{Filter, Library};
use crate::moment;
use crate::outputs;
use crate::sink::{self, text};
use crate::{escape, status};

pub fn run(args: &cli::Diff, library: &dyn Library, verbose: bool) -> Result<Exit, Failure> {
    let b = args.b.as_ref().unwrap_or(&args.a);
    let now = Now::read().wall;
    let filter = args.filter.compile(library)?;
    let inputs = [args.a.clone(), b.clone()];
    outputs::check_files(&[&args.json, &args.html], &inputs)?;
    if args.a == Path::new("-") && b == Path::new("-") {
        let message = "standard input (-) is given twice";
        return Err(Failure::told(Exit::Usage, message));
    }
    let span = |name, text: &Option<String>| {
        let span = text.as_ref().map(|text| moment::parse_span(text, now));
        let span = span.transpose().map(Option::unwrap_or_default);
        span.map_err(|why| Failure::told(Exit::Usage, format_args!("{name}: {why}")))
    };
    let (before, after) = (
        span("--before", &args.before)?,
        span("--after", &args.after)?,
    );
    let before = open(args, &args.a, before, filter.clone(), verbose)?;
    let after = open(args, b, after, filter, verbose)?;
    show(args, &|top_n| {
        diff::diff(&before.report, &after.report, top_n)
    })?;
    Ok(worse(before.exit(), after.exit()))
}

fn open(
    args: &cli::Diff,
    path: &PathBuf,
    (from, to): (Option<i64>, Option<i64>),
    filter: Option<Filter>,
    verbose: bool,
) -> Result<Opened, Failure> {
    let opened = opened::open(&Asked {
        paths: std::slice::from_ref(path),
        from,
        to,
        filter,
        top: None,
        history_rows: 0,
        history: &args.history,
        trail: false,
        verbose,
    })?;
    if opened.report.accounting.seen.packets == 0 {
        let path = escape::path(path);
        status::note(&format!(
            "{path} has no packets in the time that is compared"
        ));
    }
    Ok(opened)
}

/// Rows of a page's lists: it can sort and search them.
const PAGE_ROWS: usize = 10_000;

fn show(args: &cli::Diff, diff: &dyn Fn(usize) -> Diff) -> Result<(), Failure> {
    let failed = |error| Failure::new(Exit::Output, error);
    if args.json.is_empty() && args.html.is_empty() {
        let defaults = text::Options::default();
        let options = text::Options {
            width: status::columns().unwrap_or(defaults.width),
            colour: std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let written = sink::write_stdout(|to| text::write_diff(&diff(args.top), &options, to));
        return written.map_err(failed);
    }
    for path in &args.json {
        sink::json::write_value_to(&diff(args.top), path).map_err(failed)?;
    }
    for path in &args.html {
        dashboard::write_diff_to(&diff(PAGE_ROWS), path).map_err(failed)?;
    }
    Ok(())
}

/// That of the side that is worse off.
fn worse(a: Exit, b: Exit) -> Exit {
    a.max(b)
}
