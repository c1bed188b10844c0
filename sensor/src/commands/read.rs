//! `sensor read`: the report of capture files.

use super::captures::{self, Counted};
use super::delta_config;
use crate::cli;
use crate::counters::Delta;
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
    let config = delta_config(&args.counting, seeds::random(), filter.as_ref());
    let mut delta = Delta::new(config);
    let files: Vec<Counted> = args
        .files
        .iter()
        .map(|path| {
            let mut tap = |record: &PacketRecord<'_>| outputs.packet(record);
            let tap: Option<Tap<'_>> = outputs.wants_packets().then_some(&mut tap);
            captures::count_file(path, &mut delta, matching.as_ref(), tap)
        })
        .collect();
    outputs.flush_packets();
    delta.conclude();
    if let Some(selected) = matching
        .as_ref()
        .and_then(|matching| matching.select(&delta))
    {
        delta = selected;
    }
    let context = Context {
        hostname: super::hostname(),
        backend: "file".to_owned(),
        files: files.iter().map(Counted::info).collect(),
        filter: filter.as_ref().map(|filter| filter.text().to_owned()),
        top_n: args.counting.top,
        interval: config.interval,
        notes: files.iter().flat_map(Counted::notes).collect(),
        ..Context::default()
    };
    let mut report = report::build(&delta, &context);
    enrichment.enrich(&mut report);
    for file in &files {
        file.complain();
    }
    show(&report, &files, &outputs)?;
    Ok(verdict(&report, &files))
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
    captures::verdict(files)
}
