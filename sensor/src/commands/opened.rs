//! What was written before, opened again: reports in JSON, folders of them, history.

mod find;
mod merged;

use std::path::PathBuf;

use self::find::Found;
use self::merged::Files;
use crate::agent::Period;
use crate::cli;
use crate::counters::DeltaConfig;
use crate::dashboard::Data;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::follow::{Part, Rules};
use crate::history;
use crate::report::{self, Context, Report};
use crate::{seeds, status, units};

/// What is wanted of what lies there.
pub(super) struct Asked<'a> {
    pub(super) paths: &'a [PathBuf],
    /// Nanoseconds since the epoch; `to` is not part of it.
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) filter: Option<Filter>,
    /// Rows of the lists; 0 = all; `None`: as many as the reports have.
    pub(super) top: Option<usize>,
    /// Of history, where nothing else is asked for.
    pub(super) history_rows: usize,
    pub(super) history: &'a cli::Recount,
    /// A dashboard is to be made of it.
    pub(super) trail: bool,
    pub(super) verbose: bool,
}

/// A report, and what it was made of.
pub(super) struct Opened {
    pub(super) report: Report,
    counted: Option<Part>,
    /// Before rows were left out; null where that is the report.
    longer: Option<Report>,
    /// Something could not be read, which was said.
    pub(super) damaged: bool,
}

pub(super) fn open(asked: &Asked<'_>) -> Result<Opened, Failure> {
    let found = find::all(asked.paths)?;
    if asked.verbose {
        found.tell();
    }
    if let (Some(_), Some(file)) = (&asked.filter, found.files.first()) {
        let message = format!(
            "-f needs history, and {} is a report: its sums can't be taken apart; name the folder of history, or count with the filter",
            find::told(file)
        );
        return Err(Failure::told(Exit::Filter, message));
    }
    let Found {
        histories, files, ..
    } = found;
    let mut merging = Files::new(asked.from, asked.to);
    if files.is_empty() {
        return counted(asked, &histories);
    }
    if !histories.is_empty() {
        let Opened {
            report, damaged, ..
        } = counted(
            &Asked {
                top: Some(0),
                filter: None,
                trail: false,
                ..*asked
            },
            &histories,
        )?;
        merging.damaged |= damaged;
        merging.add(report, "history")?;
    }
    for path in &files {
        merging.open(path)?;
    }
    let damaged = merging.damaged;
    let longer = merging.finish()?;
    let mut report = longer.clone();
    if let Some(top) = asked.top {
        missing_rows(&report, top);
        report::cut(&mut report, top);
    }
    Ok(Opened {
        longer: Some(longer),
        report,
        counted: None,
        damaged,
    })
}

/// A smaller report does not get longer lists by asking.
fn missing_rows(report: &Report, top: usize) {
    let lists = [
        ("endpoints", report.endpoints.len(), report.endpoints_total),
        (
            "conversations",
            report.conversations.len(),
            report.conversations_total,
        ),
        ("flows", report.flows.len(), report.flows_total),
    ];
    let short = |(_, listed, total): &&(&str, usize, u64)| {
        (*listed as u64) < *total && (top == 0 || *listed < top)
    };
    let short: Vec<String> = lists
        .iter()
        .filter(short)
        .map(|(name, listed, _)| format!("{} {name}", units::count(*listed as u64)))
        .collect();
    if !short.is_empty() {
        status::note(&format!(
            "more rows were asked for than there are: {}; history, and reports with -n 0, have all",
            short.join(", ")
        ));
    }
}

/// History, counted anew.
fn counted(asked: &Asked<'_>, folders: &[PathBuf]) -> Result<Opened, Failure> {
    let config = DeltaConfig {
        interval: super::nanoseconds(asked.history.interval),
        max_flows: asked.history.max_flows as usize,
        seeds: seeds::random(),
        trail: asked.trail || asked.filter.is_some(),
        names: asked.history.max_names as usize,
    };
    let wanted = history::Asked {
        from: asked.from,
        to: asked.to,
        config,
        by_flow: asked.filter.is_some(),
        top_n: asked.top.unwrap_or(asked.history_rows),
    };
    let opened =
        history::open(folders, &wanted).map_err(|error| Failure::new(Exit::BadFile, error))?;
    for trouble in &opened.troubles {
        status::warn(&format!("{trouble}; it is left out"));
    }
    if asked.verbose {
        status::note(&format!(
            "history: {} sets",
            units::count(opened.sets as u64)
        ));
    }
    let damaged = !opened.troubles.is_empty();
    let context = opened.context;
    let rules = Rules::of_history(asked.filter.clone(), names_by_slot(&context))?;
    let (start, end) = context
        .span
        .or_else(|| opened.delta.span())
        .unwrap_or_default();
    let period = Period {
        delta: opened.delta,
        start,
        end,
    };
    let part = Part::of_file(period, rules.into(), context);
    Ok(Opened {
        report: told(part.report(), &part.context, asked.filter.as_ref()),
        counted: Some(part),
        longer: None,
        damaged,
    })
}

/// What was counted may have had a filter already.
fn told(mut report: Report, context: &Context, filter: Option<&Filter>) -> Report {
    report.filter = match (&context.filter, filter.map(Filter::text)) {
        (Some(counted), Some(asked)) => Some(format!("({counted}) and ({asked})")),
        (counted, asked) => counted.clone().or(asked.map(str::to_owned)),
    };
    let totals = &mut report.totals;
    if filter.is_some() && totals.captured_bytes > totals.bytes {
        // History has them of all flows together.
        totals.captured_bytes = totals.bytes;
        report.notes.push(
            "how much was captured of each flow is not in history: captured_bytes is the wire's"
                .to_owned(),
        );
    }
    report
}

fn names_by_slot(context: &Context) -> Vec<Option<String>> {
    let slots = context
        .interfaces
        .iter()
        .map(|one| usize::from(one.slot) + 1);
    let mut names = vec![None; slots.max().unwrap_or(0)];
    for one in &context.interfaces {
        names[usize::from(one.slot)] = Some(one.name.clone());
    }
    names
}

impl Opened {
    /// With lists of so many rows; `enrich` adds what is known from elsewhere.
    pub(super) fn dashboard(&self, rows: usize, enrich: impl Fn(&mut Report)) -> Data {
        if let Some(part) = &self.counted {
            let context = Context {
                top_n: rows,
                ..part.context.clone()
            };
            return part.dashboard(context, |longer| {
                longer.filter.clone_from(&self.report.filter);
                enrich(longer);
            });
        }
        let mut longer = self.longer.as_ref().unwrap_or(&self.report).clone();
        report::cut(&mut longer, rows);
        enrich(&mut longer);
        Data::of_report(longer)
    }

    pub(super) fn exit(&self) -> Exit {
        if !self.report.accounting.identity_holds {
            status::warn(
                "the accounting identity is violated, in what was written: please report this",
            );
            return Exit::Accounting;
        }
        match self.damaged {
            true => Exit::BadFile,
            false => Exit::Ok,
        }
    }
}
