//! History through the same door as reports.

use std::time::Duration;

use super::*;
use crate::filter::Nothing;
use crate::history::{Beside, Config, Writer};
use crate::report::samples::{self, SECOND, START, minute};
use crate::report::{Context, Counts, build};

/// The minute of `samples`, kept as history.
fn kept(folder: &std::path::Path) -> Report {
    let context = Context {
        top_n: 0,
        span: Some((START, START + 60 * SECOND)),
        ..samples::context()
    };
    let delta = minute(9);
    let beside = Beside {
        context: &context,
        observed: context.span,
    };
    let mut writer = Writer::new(Config {
        root: folder.to_owned(),
        run: "0123456789ab".to_owned(),
        interval: SECOND,
        most_rows: Config::MOST_ROWS,
    });
    writer.part(&delta, beside).unwrap();
    writer.commit(&delta, beside).unwrap();
    build(&delta, &context)
}

fn history() -> cli::Recount {
    cli::Recount {
        interval: Duration::from_secs(1),
        max_flows: 10_000,
        max_names: 0,
    }
}

fn opened(
    path: &std::path::Path,
    filter: Option<&str>,
    (from, to): (Option<i64>, Option<i64>),
) -> Result<Opened, Failure> {
    open(&Asked {
        paths: &[path.to_owned()],
        from,
        to,
        filter: filter.map(|text| Filter::compile(text, &Nothing).unwrap()),
        top: Some(0),
        history_rows: 10,
        history: &history(),
        trail: false,
        verbose: false,
    })
}

#[test]
fn history_is_the_report_again() {
    let folder = tempfile::tempdir().unwrap();
    let counted = kept(folder.path());
    let opened = opened(folder.path(), None, (None, None)).unwrap();
    let report = &opened.report;
    assert_eq!(report.totals, counted.totals);
    assert_eq!(report.flows, counted.flows);
    assert_eq!(report.buckets, counted.buckets);
    assert_eq!(opened.exit(), Exit::Ok);
}

#[test]
fn a_filter_is_applied_to_flows_and_says_where_it_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let counted = kept(folder.path());
    let web = opened(
        folder.path(),
        Some("port 443 and bytes > 1000"),
        (None, None),
    )
    .unwrap();
    let is_web = |port: u16| port == 443;
    let flows = counted.flows.iter();
    let expected: Counts = flows
        .filter(|one| (is_web(one.src_port) || is_web(one.dst_port)) && one.bytes > 1000)
        .map(|one| Counts {
            packets: one.packets,
            bytes: one.bytes,
        })
        .sum();
    assert!(expected.packets > 0);
    assert_eq!(web.report.totals.counts(), expected);
    assert_eq!(
        web.report.filter.as_deref(),
        Some("port 443 and bytes > 1000")
    );
    assert!(web.report.accounting.identity_holds);
    let here = opened(folder.path(), Some("interface eth0"), (None, None)).unwrap();
    assert_eq!(here.report.totals.packets, counted.totals.packets);
    let Err(refused) = opened(folder.path(), Some("less 100"), (None, None)) else {
        panic!("lengths of packets are in no flow");
    };
    assert_eq!(refused.exit, Exit::Filter);
    assert!(refused.error.to_string().contains("of single packets only"));
}

#[test]
fn a_time_is_cut_to_the_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let counted = kept(folder.path());
    let (from, to) = (START + 10 * SECOND, START + 20 * SECOND);
    let part = opened(folder.path(), None, (Some(from), Some(to))).unwrap();
    let within = counted.buckets.iter();
    let within = within.filter(|one| (from..to).contains(&one.start.0));
    let packets: u64 = within.map(|one| one.packets).sum();
    assert!(packets > 0 && packets < counted.totals.packets);
    assert_eq!(part.report.totals.packets, packets);
}
