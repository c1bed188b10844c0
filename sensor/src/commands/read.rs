//! `sensor read`: the report of capture files.

use super::captures::{self, Counted as FileCounted};
use super::delta_config;
use crate::cli;
use crate::counters::Delta;
use crate::dashboard::{Counted, Data};
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::filter::Library;
use crate::outputs::Outputs;
use crate::report::{self, Context, Report};
use crate::source::tap::{PacketRecord, Tap};
use crate::{seeds, status};

pub fn run(args: &cli::Read, library: &dyn Library) -> Result<Exit, Failure> {
    captures::check(&args.files)?;
    let filter = args.filter.compile(library)?;
    let matching = super::for_files(filter.as_ref())?;
    let outputs = Outputs::prepare(&args.outputs, &args.files)?;
    let enrichment = Enrichment::prepare(&args.naming)?;
    let config = delta_config(
        &args.counting,
        seeds::random(),
        filter.as_ref(),
        &args.outputs,
    );
    let mut all = Delta::new(config);
    let files: Vec<FileCounted> = args
        .files
        .iter()
        .map(|path| {
            let mut tap = |record: &PacketRecord<'_>| outputs.packet(record);
            let tap: Option<Tap<'_>> = outputs.wants_packets().then_some(&mut tap);
            captures::count_file(path, &mut all, matching.as_ref(), tap)
        })
        .collect();
    outputs.flush_packets();
    all.conclude();
    let selected = matching.as_ref().and_then(|matching| matching.select(&all));
    let delta = selected.as_ref().unwrap_or(&all);
    let context = Context {
        hostname: super::hostname(),
        backend: "file".to_owned(),
        files: files.iter().map(FileCounted::info).collect(),
        filter: filter.as_ref().map(|filter| filter.text().to_owned()),
        top_n: args.counting.top,
        interval: config.interval,
        notes: files.iter().flat_map(FileCounted::notes).collect(),
        ..Context::default()
    };
    let mut report = report::build(delta, &context);
    enrichment.enrich(&mut report);
    for file in &files {
        file.complain();
    }
    let dashboard = outputs.dashboard_rows().map(|top_n| {
        let context = Context { top_n, ..context };
        let mut longer = report::build(delta, &context);
        enrichment.enrich_as(&mut longer, &report);
        Data::new(longer, Counted { delta, all: &all }, top_n)
    });
    show(&report, dashboard.as_ref(), &files, &outputs)?;
    Ok(verdict(&report, &files))
}

fn show(
    report: &Report,
    dashboard: Option<&Data>,
    files: &[FileCounted],
    outputs: &Outputs,
) -> Result<(), Failure> {
    if !outputs.is_empty() {
        return outputs.write(report, dashboard);
    }
    if files.iter().all(FileCounted::refused) {
        return Ok(()); // a page of zeros would hide what was just said
    }
    super::text::print(report)
}

fn verdict(report: &Report, files: &[FileCounted]) -> Exit {
    if !report.accounting.identity_holds {
        status::warn(
            "the accounting identity is violated: please report this, with the capture if you can",
        );
        return Exit::Accounting;
    }
    captures::verdict(files)
}
