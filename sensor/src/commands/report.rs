//! `sensor report`: what was written before, in every output again.

use super::confined::{self, Written};
use super::opened::{self, Asked};
use crate::cli;
use crate::clock::Now;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::filter::Library;
use crate::moment;
use crate::outputs::Outputs;
use crate::report::Report;

pub fn run(args: &cli::Report, library: &dyn Library, verbose: bool) -> Result<Exit, Failure> {
    if !args.outputs.packets.is_empty() {
        let message = "--packets needs a capture: reports and history have no packets; sensor read writes them";
        return Err(Failure::told(Exit::Usage, message));
    }
    if args.outputs.parquet.folder.is_some() || args.outputs.parquet.parquet_flows.is_some() {
        let message = "--parquet keeps what is counted now: sensor read and sensor run write it, and history is that already";
        return Err(Failure::told(Exit::Usage, message));
    }
    let now = Now::read().wall;
    let end = |name, text: &Option<String>| {
        let time = text.as_ref().map(|text| moment::parse(text, now));
        time.transpose()
            .map_err(|why| Failure::told(Exit::Usage, format_args!("{name}: {why}")))
    };
    let (from, to) = moment::ordered(end("--from", &args.from)?, end("--to", &args.to)?)
        .map_err(|why| Failure::told(Exit::Usage, why))?;
    let filter = args.filter.compile(library)?;
    let outputs = Outputs::prepare(&args.outputs, &args.paths)?;
    let enrichment = Enrichment::prepare(&args.naming)?;
    let written = Written::of(&args.outputs, None);
    confined::enter(args.sandbox, &args.paths, written, args.naming.resolve);
    let mut opened = opened::open(&Asked {
        paths: &args.paths,
        from,
        to,
        filter,
        top: args.top,
        history_rows: 10,
        history: &args.history,
        trail: outputs.dashboard_rows().is_some(),
        verbose,
    })?;
    enrichment.enrich(&mut opened.report);
    let dashboard = outputs.dashboard_rows().map(|rows| {
        let enrich = |longer: &mut Report| enrichment.enrich_as(longer, &opened.report);
        opened.dashboard(rows, enrich)
    });
    match outputs.is_empty() {
        true => super::text::print(&opened.report)?,
        false => outputs.write(&opened.report, dashboard.as_ref())?,
    }
    Ok(opened.exit())
}
