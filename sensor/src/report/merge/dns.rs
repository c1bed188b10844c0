//! How questions of DNS fared in several reports.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::{Dns, DnsCounts, DnsName, DnsServer, DnsWait};

#[derive(Default)]
pub(super) struct Questions {
    all: Option<Dns>,
    servers: BTreeMap<IpAddr, DnsServer>,
    names: BTreeMap<String, DnsName>,
}

impl Questions {
    pub(super) fn add(&mut self, mut report: Dns) {
        for one in report.servers.drain(..) {
            match self.servers.get_mut(&one.addr) {
                Some(sum) => {
                    add(&mut sum.counts, &one.counts);
                    wait(&mut sum.wait_seconds, one.wait_seconds);
                }
                None => drop(self.servers.insert(one.addr, one)),
            }
        }
        for one in report.names.drain(..) {
            match self.names.get_mut(&one.name) {
                Some(sum) => {
                    add(&mut sum.counts, &one.counts);
                    sum.slowest_seconds = later(sum.slowest_seconds, one.slowest_seconds);
                }
                None => drop(self.names.insert(one.name.clone(), one)),
            }
        }
        let Some(sum) = &mut self.all else {
            self.all = Some(report);
            return;
        };
        add(&mut sum.all, &report.all);
        wait(&mut sum.wait_seconds, report.wait_seconds);
        sum.servers_total = sum.servers_total.max(report.servers_total);
        sum.names_total = sum.names_total.max(report.names_total);
        sum.nameless = sum.nameless.saturating_add(report.nameless);
    }

    /// In the order of a report. How many servers and names there were in all is known to be as many at least.
    pub(super) fn finish(self) -> Option<Dns> {
        let mut dns = self.all?;
        dns.servers = self.servers.into_values().collect();
        let most = |one: &DnsServer| one.wait_seconds.as_ref().map(|wait| wait.max);
        dns.servers.sort_by(|a, b| {
            worse((&a.counts, most(a)), (&b.counts, most(b))).then_with(|| a.addr.cmp(&b.addr))
        });
        dns.names = self.names.into_values().collect();
        dns.names.sort_by(|a, b| {
            let (ours, theirs) = (a.slowest_seconds, b.slowest_seconds);
            worse((&a.counts, ours), (&b.counts, theirs)).then_with(|| a.name.cmp(&b.name))
        });
        dns.servers_total = dns.servers_total.max(dns.servers.len() as u64);
        dns.names_total = dns.names_total.max(dns.names.len() as u64);
        Some(dns)
    }
}

fn worse(
    (a, a_slowest): (&DnsCounts, Option<f64>),
    (b, b_slowest): (&DnsCounts, Option<f64>),
) -> Ordering {
    let bad = |counts: &DnsCounts| counts.unanswered.saturating_add(counts.failed);
    let slow = |seconds: Option<f64>| seconds.unwrap_or(-1.0);
    bad(b)
        .cmp(&bad(a))
        .then_with(|| slow(b_slowest).total_cmp(&slow(a_slowest)))
        .then_with(|| b.questions.cmp(&a.questions))
}

fn add(sum: &mut DnsCounts, more: &DnsCounts) {
    let fields = [
        (&mut sum.questions, more.questions),
        (&mut sum.again, more.again),
        (&mut sum.answered, more.answered),
        (&mut sum.failed, more.failed),
        (&mut sum.unasked, more.unasked),
    ];
    for (sum, more) in fields {
        *sum = sum.saturating_add(more);
    }
    // Not their sum: what one period asked may have been answered in the next.
    sum.unanswered = sum.questions.saturating_sub(sum.answered);
    for (code, count) in &more.codes {
        let sum = sum.codes.entry(code.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
}

/// The ranks of both together nobody knows.
fn wait(sum: &mut Option<DnsWait>, more: Option<DnsWait>) {
    match (sum, more) {
        (Some(sum), Some(more)) => {
            *sum = DnsWait {
                min: sum.min.min(more.min),
                median: None,
                p95: None,
                max: sum.max.max(more.max),
            };
        }
        (sum @ None, more) => *sum = more,
        (Some(_), None) => {}
    }
}

fn later(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(name: &str, questions: u64, answered: u64, waited: Option<f64>) -> Dns {
        let counts = DnsCounts {
            questions,
            answered,
            unanswered: questions.saturating_sub(answered),
            codes: [("noerror".to_owned(), answered)].into(),
            ..DnsCounts::default()
        };
        let wait = waited.map(|seconds| DnsWait {
            min: seconds,
            median: Some(seconds),
            p95: Some(seconds),
            max: seconds,
        });
        Dns {
            all: counts.clone(),
            wait_seconds: wait.clone(),
            servers: vec![DnsServer {
                addr: [10, 0, 0, 53].into(),
                counts: counts.clone(),
                wait_seconds: wait,
            }],
            servers_total: 1,
            names: vec![DnsName {
                name: name.to_owned(),
                counts,
                slowest_seconds: waited,
            }],
            names_total: 1,
            nameless: 0,
        }
    }

    #[test]
    fn periods_add_up_and_ranks_are_not_made_up() {
        let mut questions = Questions::default();
        assert_eq!(Questions::default().finish(), None);
        questions.add(dns("a", 2, 1, Some(0.5)));
        questions.add(dns("a", 0, 1, Some(2.0))); // the answer came in the next period
        questions.add(dns("b", 3, 0, None));
        let sum = questions.finish().unwrap();
        assert_eq!(
            (sum.all.questions, sum.all.answered, sum.all.unanswered),
            (5, 2, 3)
        );
        let names: Vec<_> = sum
            .names
            .iter()
            .map(|one| (&*one.name, one.counts.unanswered))
            .collect();
        assert_eq!(names, [("b", 3), ("a", 0)]);
        let wait = sum.servers[0].wait_seconds.as_ref().unwrap();
        assert_eq!((wait.min, wait.max, wait.median), (0.5, 2.0, None));
        assert_eq!((sum.names_total, sum.servers_total), (2, 1));
    }
}
