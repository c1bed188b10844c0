//! How questions of DNS fared.

use super::Page;
use super::escape::escape;
use super::names::Part;
use super::table::{Align, Aside, Table};
use crate::report::{Dns, DnsCounts, Report};
use crate::units;

use Align::{Left, Right};

impl Page {
    pub(super) fn dns(&mut self, report: &Report) {
        let Some(dns) = &report.dns else {
            return;
        };
        self.text.push('\n');
        self.heading("DNS");
        for line in servers(dns, self.width) {
            self.line(&line);
        }
        for line in names(dns, self.width) {
            self.line(&line);
        }
        if dns.all.unasked > 0 {
            let count = units::count(dns.all.unasked);
            self.paragraph(&format!("answers whose questions were not seen: {count}"));
        }
    }
}

fn servers(dns: &Dns, width: usize) -> Vec<String> {
    let titles = [
        ("server", Left),
        ("asked", Right),
        ("unanswered", Right),
        ("failed", Right),
        ("median", Right),
        ("p95", Right),
        ("max", Right),
    ];
    let mut table = Table::new(&titles);
    for one in &dns.servers {
        let wait = one.wait_seconds.as_ref();
        let time = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), units::duration);
        let cells = vec![
            units::count(one.counts.questions),
            units::count(one.counts.unanswered),
            units::count(one.counts.failed),
            time(wait.and_then(|wait| wait.median)),
            time(wait.and_then(|wait| wait.p95)),
            time(wait.map(|wait| wait.max)),
        ];
        table.row_with(vec![one.addr.to_string()], cells, failures(&one.counts));
    }
    let mut lines = table.lines(width);
    lines.extend(more(dns.servers.len(), dns.servers_total, "servers"));
    lines
}

/// Only those that somebody has to look after.
fn names(dns: &Dns, width: usize) -> Vec<String> {
    let titles = [
        ("names in trouble", Left),
        ("asked", Right),
        ("unanswered", Right),
        ("failed", Right),
        ("slowest", Right),
    ];
    let mut table = Table::new(&titles);
    let bad = |counts: &DnsCounts| counts.unanswered + counts.failed > 0;
    let mut listed = 0;
    for one in dns.names.iter().filter(|one| bad(&one.counts)) {
        let slowest = one.slowest_seconds;
        let cells = vec![
            units::count(one.counts.questions),
            units::count(one.counts.unanswered),
            units::count(one.counts.failed),
            slowest.map_or_else(|| "-".to_owned(), units::duration),
        ];
        table.row_with(vec![escape(&one.name)], cells, failures(&one.counts));
        listed += 1;
    }
    match listed {
        0 => Vec::new(),
        _ => table.lines(width),
    }
}

/// `servfail 3, nxdomain 1`
fn failures(counts: &DnsCounts) -> Aside {
    let failed = counts.codes.iter().filter(|(code, _)| *code != "noerror");
    let parts: Vec<String> = failed
        .map(|(code, count)| format!("{code} {}", units::count(*count)))
        .collect();
    let mut aside = Aside::default();
    if !parts.is_empty() {
        aside.part("", Part::from(parts.join(", ")));
    }
    aside
}

fn more(listed: usize, total: u64, what: &str) -> Option<String> {
    let left = total.saturating_sub(listed as u64);
    (left > 0).then(|| format!("  and {} more {what}", units::count(left)))
}
