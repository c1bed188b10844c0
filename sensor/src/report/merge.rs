//! Several reports as one: periods of a run, several sensors, several captures.
//!
//! Totals, accounting, protocols and buckets add up exactly. Lists add up by what their rows are about; where a report lists
//! its top N only, the merged rows are at least what they say, and [`Report::lists_at_least`] says so.

mod dns;
mod lists;
mod notes;
mod sums;
#[cfg(test)]
mod tests;
mod time;

use self::dns::Questions;
use self::lists::Lists;
use self::notes::Notes;
use self::sums::{Sums, distinct};
use self::time::Timeline;
pub use self::time::add_bucket;
use super::bandwidth::{Observation, bandwidth};
use super::{
    FileInfo, Interface, LeftOut, Naming, Own, Report, SCHEMA, Sensor, Source, Time, Written, read,
};

/// Why reports can't be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error(
        "their buckets don't fit together: intervals of {} s and {} s have no common multiple of a day or less; give each to a command of its own",
        *.0 as f64 / 1e9,
        *.1 as f64 / 1e9
    )]
    Intervals(i64, i64),
    #[error("they add up to more than 64 bits hold: no sensor counted that")]
    TooMuch,
}

/// Reports that are being merged, one by one: none of them is kept.
#[derive(Default)]
pub struct Merging {
    reports: u64,
    hosts: Vec<String>,
    backends: Vec<String>,
    filters: Vec<Option<String>>,
    interfaces: Vec<(String, Interface)>,
    left_out: Vec<(String, LeftOut)>,
    files: Vec<FileInfo>,
    naming: Vec<(String, Naming)>,
    written: Vec<(String, Written)>,
    own: Option<Own>,
    seen: u64,
    questions: Questions,
    /// All are of live counting: somebody also looked where no packet came.
    live: bool,
    timeline: Timeline,
    sums: Sums,
    lists: Lists,
    notes: Notes,
}

impl Merging {
    pub fn new() -> Self {
        Merging {
            live: true,
            ..Merging::default()
        }
    }

    /// How many there are so far.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    pub fn add(&mut self, mut report: Report) -> Result<(), MergeError> {
        self.reports += 1;
        let host = &report.sensor.hostname;
        self.live &= report.source.files.is_empty();
        self.timeline.add(&report)?;
        self.sums.add(&report);
        distinct(&mut self.hosts, host);
        distinct(&mut self.backends, &report.source.backend);
        distinct(&mut self.filters, &report.filter);
        for interface in &report.source.interfaces {
            self.interface(host, interface);
        }
        for one in &report.source.left_out {
            let same = |(of, known): &(String, LeftOut)| of == host && known.name == one.name;
            self.left_out.retain(|known| !same(known));
            self.left_out.push((host.clone(), one.clone()));
        }
        self.naming(host, &report.naming);
        for one in &report.written {
            self.written(host, one);
        }
        self.own(&report);
        if let Some(dns) = report.dns.take() {
            self.questions.add(dns);
        }
        self.notes.add(&report.notes);
        self.files.extend(report.source.files.iter().cloned());
        self.lists.add(report);
        Ok(())
    }

    /// `top_n`: rows of each list; 0 = all that there are.
    pub fn finish(self, top_n: usize) -> Result<Report, MergeError> {
        let several = self.hosts.len() > 1;
        let interfaces = named_apart(self.interfaces, several);
        let mut lists = self.lists.finish(several);
        lists.rank();
        let observed = self.timeline.finish();
        let (totals, accounting, protocols) = self.sums.finish(several);
        let counts = totals.counts();
        let span = observed.span;
        let observation = Observation {
            interval: observed.interval,
            watched: span.filter(|_| self.live),
            not_observed: &observed.not_observed,
            seconds: span.map(|_| observed.seconds),
        };
        let bandwidth = bandwidth(&observed.buckets, counts, &observation);
        let mut report = Report {
            schema: SCHEMA.into(),
            sensor: Sensor {
                version: env!("CARGO_PKG_VERSION").into(),
                hostname: self.hosts.join(", "),
                sandbox: None,
            },
            source: Source {
                backend: self.backends.join(", "),
                interfaces,
                left_out: left_out_apart(self.left_out, several),
                files: self.files,
            },
            filter: match &self.filters[..] {
                [one] => one.clone(),
                _ => None,
            },
            start: span.map(|(start, _)| Time(start)),
            end: span.map(|(_, end)| Time(end)),
            duration_seconds: observed.seconds,
            interval_seconds: observed.interval as f64 / 1e9,
            totals,
            accounting,
            protocols,
            bandwidth,
            endpoints: lists.endpoints,
            endpoints_total: lists.totals.endpoints,
            conversations: lists.conversations,
            conversations_total: lists.totals.conversations,
            flows: lists.flows,
            flows_total: lists.totals.flows,
            processes: lists.processes,
            others: lists.others,
            lists_at_least: lists.at_least && self.reports > 1,
            buckets: observed.buckets,
            not_observed: observed.not_observed,
            naming: naming(&self.naming),
            dns: self.questions.finish(),
            written: written_apart(self.written, several),
            own: self.own,
            notes: Vec::new(),
        };
        read::check(&report).map_err(|_| MergeError::TooMuch)?;
        report.notes = self.notes.finish(&notes::Facts {
            report: &report,
            reports: self.reports,
            filters: &self.filters,
            several,
            twice: &observed.twice,
        });
        cut(&mut report, top_n);
        Ok(report)
    }

    fn interface(&mut self, host: &str, one: &Interface) {
        let how = |one: &Interface| {
            let (ingress, egress) = (&one.ingress, &one.egress);
            (
                one.name.clone(),
                one.link_type.clone(),
                ingress.hook.clone(),
                ingress.mode.clone(),
                egress.hook.clone(),
            )
        };
        let same = |(of, known): &&mut (String, Interface)| of == host && how(known) == how(one);
        let Some((_, known)) = self.interfaces.iter_mut().find(same) else {
            self.interfaces.push((host.to_owned(), one.clone()));
            return;
        };
        let (sum, more) = (&mut known.counted, &one.counted);
        sums::add(&mut sum.ingress, more.ingress);
        sums::add(&mut sum.egress, more.egress);
        sums::add(&mut sum.unknown, more.unknown);
        known.identity_holds &= one.identity_holds;
    }

    fn own(&mut self, report: &Report) {
        self.seen = self.seen.saturating_add(report.accounting.seen.packets);
        match (&mut self.own, &report.own) {
            (Some(sum), Some(one)) => sum.join(one, self.seen),
            (sum, one) => *sum = sum.take().or_else(|| one.clone()),
        }
    }

    /// As names, from the start of a run.
    fn written(&mut self, host: &str, one: &Written) {
        let same = |(of, known): &&mut (String, Written)| of == host && known.path == one.path;
        match self.written.iter_mut().find(same) {
            Some((_, known)) if known.packets <= one.packets => known.clone_from(one),
            Some(_) => {}
            None => self.written.push((host.to_owned(), one.clone())),
        }
    }

    /// It counts from the start of a run, so of one host the largest is the latest.
    fn naming(&mut self, host: &str, one: &Naming) {
        let Some((_, known)) = self.naming.iter_mut().find(|(of, _)| of == host) else {
            self.naming.push((host.to_owned(), one.clone()));
            return;
        };
        known.enabled |= one.enabled;
        known.payloads = known.payloads.max(one.payloads);
        known.lost = known.lost.max(one.lost);
        let (put_out, more) = (&mut known.put_out, &one.put_out);
        put_out.flows = put_out.flows.max(more.flows);
        put_out.names = put_out.names.max(more.names);
        put_out.answers = put_out.answers.max(more.answers);
    }
}

/// The first `top_n` rows of each list, 0 = all; what is left out goes to `others`.
pub fn cut(report: &mut Report, top_n: usize) {
    if top_n == 0 {
        return;
    }
    for one in report.endpoints.drain(top_n.min(report.endpoints.len())..) {
        sums::add(&mut report.others.endpoints, one.sent);
        sums::add(&mut report.others.endpoints, one.received);
    }
    for one in report
        .conversations
        .drain(top_n.min(report.conversations.len())..)
    {
        sums::add(&mut report.others.conversations, one.a_to_b);
        sums::add(&mut report.others.conversations, one.b_to_a);
    }
    for one in report.flows.drain(top_n.min(report.flows.len())..) {
        sums::add(&mut report.others.flows, sums::of(one.packets, one.bytes));
    }
    if let Some(dns) = &mut report.dns {
        dns.servers.truncate(top_n);
        dns.names.truncate(top_n);
    }
    if let Some(processes) = &mut report.processes {
        let listed = processes.list.len();
        for one in processes.list.drain(top_n.min(listed)..) {
            sums::add(&mut processes.others, one.sent);
            sums::add(&mut processes.others, one.received);
        }
    }
}

/// `web1:eth0` where there are several sensors.
fn named_apart(interfaces: Vec<(String, Interface)>, several: bool) -> Vec<Interface> {
    let named = |(host, mut interface): (String, Interface)| {
        if several {
            interface.name = sums::apart(&host, &interface.name);
        }
        interface
    };
    interfaces.into_iter().map(named).collect()
}

fn left_out_apart(list: Vec<(String, LeftOut)>, several: bool) -> Vec<LeftOut> {
    let named = |(host, mut one): (String, LeftOut)| {
        if several {
            one.name = sums::apart(&host, &one.name);
            let on = one.counted_on.iter();
            one.counted_on = on.map(|name| sums::apart(&host, name)).collect();
        }
        one
    };
    list.into_iter().map(named).collect()
}

fn written_apart(list: Vec<(String, Written)>, several: bool) -> Vec<Written> {
    let named = |(host, mut one): (String, Written)| {
        if several {
            one.path = sums::apart(&host, &one.path);
        }
        one
    };
    list.into_iter().map(named).collect()
}

fn naming(hosts: &[(String, Naming)]) -> Naming {
    let mut sum = Naming::default();
    for (_, one) in hosts {
        sum.enabled |= one.enabled;
        sum.payloads = sum.payloads.saturating_add(one.payloads);
        sum.lost = sum.lost.saturating_add(one.lost);
        let (put_out, more) = (&mut sum.put_out, &one.put_out);
        put_out.flows = put_out.flows.saturating_add(more.flows);
        put_out.names = put_out.names.saturating_add(more.names);
        put_out.answers = put_out.answers.saturating_add(more.answers);
    }
    sum
}
