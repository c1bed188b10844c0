//! `sensor read`: the report of capture files.

use std::sync::Arc;

use super::captures::{self, Counted as FileCounted, How};
use super::confined::{self, Written};
use super::{delta_config, following};
use crate::agent::Period;
use crate::cli;
use crate::counters::{Delta, DeltaConfig};
use crate::dashboard::Data;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::filter::Library;
use crate::follow::{Followers, Pace, Part, Rules, Slices};
use crate::outputs::Outputs;
use crate::report::{Context, Report};
use crate::source::file::count::Ledger;
use crate::source::file::matching::FileFilter;
use crate::source::file::mirrored::Mirrored;
use crate::source::file::parts::Threads;
use crate::source::home::HomeNet;
use crate::source::tap::{PacketRecord, Tap};
use crate::{seeds, status};

pub fn run(args: &cli::Read, library: &dyn Library) -> Result<Exit, Failure> {
    captures::check(&args.files)?;
    let filter = args.filter.compile(library)?;
    let matching = super::for_files(filter.as_ref())?;
    let outputs = Outputs::prepare(&args.outputs, &args.files)?.with_capture(
        &args.capture,
        filter.as_ref(),
        &args.files,
        None,
    )?;
    let enrichment = Enrichment::prepare(&args.naming)?;
    let config = delta_config(
        &args.counting,
        seeds::random(),
        filter.as_ref(),
        &args.outputs,
    );
    let (followers, part) = following::of_read(args)?;
    let written = Written::of(&args.outputs, Some(&args.capture));
    confined::enter(args.sandbox, &args.files, written, args.naming.resolve);
    let followers = Followers::start(followers, Pace::Follower);
    let reading = Reading {
        args,
        outputs: &outputs,
        matching,
        mirrored: super::mirrored(&args.mirrored, config.seeds[0]).asked(),
        rules: Rules::of_files(filter).into(),
        part,
    };
    let (whole, files, followers) = reading.count(config, followers);
    let mut report = whole.report();
    enrichment.enrich(&mut report);
    for file in &files {
        file.complain();
    }
    let dashboard = outputs.dashboard_rows().map(|top_n| {
        let enrich = |longer: &mut Report| enrichment.enrich_as(longer, &report);
        let context = whole.context.clone();
        whole.dashboard(Context { top_n, ..context }, enrich)
    });
    let shown = show(&report, dashboard.as_ref(), &files, &outputs);
    let trouble = followers.finish(&whole);
    shown?;
    Ok(match verdict(&report, &files) {
        Exit::Ok if trouble.failed > 0 => Exit::Output,
        exit => exit,
    })
}

/// What all files are counted by.
struct Reading<'a> {
    args: &'a cli::Read,
    outputs: &'a Outputs,
    matching: Option<FileFilter>,
    mirrored: Option<Mirrored>,
    rules: Arc<Rules>,
    /// Nanoseconds of what followers get at a time.
    part: i64,
}

impl Reading<'_> {
    /// Everything together; followers get it part by part meanwhile.
    fn count(
        &self,
        config: DeltaConfig,
        followers: Followers,
    ) -> (Part, Vec<FileCounted>, Followers) {
        let mut context = Context {
            hostname: super::sensor_name(&self.args.counting),
            backend: "file".to_owned(),
            top_n: self.args.counting.top,
            interval: config.interval,
            by_two: Threads::new(self.args.threads).several(),
            ..Context::default()
        };
        let (mut delta, files, followers) = if followers.is_empty() {
            let mut delta = Delta::new(config);
            let files = self.count_files(&mut delta);
            (delta, files, followers)
        } else {
            let rules = Arc::clone(&self.rules);
            let mut slices = Slices::new((config, self.part), followers, rules, context.clone());
            let files = self.count_files(&mut slices);
            let (delta, followers) = slices.finish();
            (delta, files, followers)
        };
        // What could not be written is told when all outputs are.
        self.outputs.close_packets(&[]);
        delta.conclude();
        context.written = self.outputs.written();
        context.files = files.iter().map(FileCounted::info).collect();
        let home = self.mirrored.as_ref().and_then(|port| port.home.as_ref());
        context.notes = home.map(HomeNet::note).into_iter().collect();
        context
            .notes
            .extend(files.iter().flat_map(FileCounted::notes));
        let (start, end) = delta.span().unwrap_or_default();
        let period = Period { delta, start, end };
        let whole = Part::of_file(period, Arc::clone(&self.rules), context);
        (whole, files, followers)
    }

    fn count_files(&self, ledger: &mut impl Ledger) -> Vec<FileCounted> {
        let how = How {
            filter: self.matching.as_ref(),
            mirrored: self.mirrored.as_ref(),
            threads: Threads::new(self.args.threads),
        };
        let mut files = Vec::new();
        for path in &self.args.files {
            self.outputs.next_input();
            let mut tap = |record: &PacketRecord<'_>| self.outputs.packet(record);
            let tap: Option<Tap<'_>> = self.outputs.wants_packets().then_some(&mut tap);
            files.push(captures::count_file(path, ledger, how, tap));
        }
        files
    }
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
