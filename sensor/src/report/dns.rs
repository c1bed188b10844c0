//! How questions of DNS fared, from what the messages told [`Resolving`].

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rank;
use crate::names::resolving::{self, Resolving, Tally, Waits};

/// Messages that were seen, not packets. Rows by trouble: unanswered and failed ones first, then the slowest.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Dns {
    #[serde(flatten)]
    pub all: DnsCounts,
    pub wait_seconds: Option<DnsWait>,
    pub servers: Vec<DnsServer>,
    /// How many rows the whole list has.
    pub servers_total: u64,
    pub names: Vec<DnsName>,
    pub names_total: u64,
    /// Questions for names that found no room in the list.
    pub nameless: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DnsCounts {
    /// Without those that were asked again.
    pub questions: u64,
    /// Questions that were repeated before there was an answer.
    pub again: u64,
    /// Questions with an answer, whatever it says.
    pub answered: u64,
    pub unanswered: u64,
    /// Answers that say that something failed, or that there is no such name.
    pub failed: u64,
    /// Answers whose question was not seen; in no other number.
    pub unasked: u64,
    /// Of the answered: `noerror`, `servfail`, `nxdomain` ...
    pub codes: BTreeMap<String, u64>,
}

/// Seconds from a question's first packet to its answer. `min` and `max` are exact, the others at most 3 % too long.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DnsWait {
    pub min: f64,
    /// Null in a report that was merged from several.
    pub median: Option<f64>,
    /// As the median.
    pub p95: Option<f64>,
    pub max: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DnsServer {
    pub addr: IpAddr,
    #[serde(flatten)]
    pub counts: DnsCounts,
    pub wait_seconds: Option<DnsWait>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DnsName {
    pub name: String,
    #[serde(flatten)]
    pub counts: DnsCounts,
    /// Of its answers, whoever asked.
    pub slowest_seconds: Option<f64>,
}

impl Dns {
    /// `None` where there was no message.
    pub(super) fn of(resolving: &Resolving, top_n: usize) -> Option<Self> {
        if resolving.is_empty() {
            return None;
        }
        let (all, waits) = resolving.all();
        let servers = resolving.servers().iter();
        let servers = rank::top(servers, top_n, |(a, (one, _)), (b, (other, _))| {
            trouble(one).cmp(&trouble(other)).then_with(|| a.cmp(b))
        });
        let names = resolving.names().iter();
        let names = rank::top(names, top_n, |(a, one), (b, other)| {
            trouble(one).cmp(&trouble(other)).then_with(|| a.cmp(b))
        });
        let server = |(addr, (tally, waits)): (&IpAddr, &(Tally, Waits))| DnsServer {
            addr: *addr,
            counts: DnsCounts::of(tally),
            wait_seconds: DnsWait::of(waits),
        };
        let name = |(name, tally): (&String, &Tally)| DnsName {
            name: name.clone(),
            counts: DnsCounts::of(tally),
            slowest_seconds: tally.slowest.map(seconds),
        };
        Some(Dns {
            all: DnsCounts::of(all),
            wait_seconds: DnsWait::of(waits),
            servers: servers.into_iter().map(server).collect(),
            servers_total: resolving.servers().len() as u64,
            names: names.into_iter().map(name).collect(),
            names_total: resolving.names().len() as u64,
            nameless: resolving.nameless(),
        })
    }
}

/// Less is worse.
fn trouble(tally: &Tally) -> impl Ord + use<> {
    let bad = tally.unanswered() + tally.failed();
    (
        Reverse(bad),
        Reverse(tally.slowest),
        Reverse(tally.questions),
    )
}

impl DnsCounts {
    fn of(tally: &Tally) -> Self {
        let code = |(code, count)| (resolving::code_name(code), count);
        DnsCounts {
            questions: tally.questions,
            again: tally.again,
            answered: tally.answered,
            unanswered: tally.unanswered(),
            failed: tally.failed(),
            unasked: tally.unasked,
            codes: tally.codes().map(code).collect(),
        }
    }
}

impl DnsWait {
    fn of(waits: &Waits) -> Option<Self> {
        Some(DnsWait {
            min: seconds(waits.least()?),
            median: waits.percentile(50).map(seconds),
            p95: waits.percentile(95).map(seconds),
            max: seconds(waits.most()?),
        })
    }
}

fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::resolving::{Heard, What};

    #[test]
    fn trouble_comes_first_and_is_listed_as_asked() {
        let mut resolving = Resolving::default();
        assert_eq!(Dns::of(&resolving, 0), None);
        let mut add = |server: u8, name: &str, what| {
            let server = IpAddr::from([10, 0, 0, server]);
            let name = name.into();
            resolving.add(Heard { server, name, what });
        };
        let asked = What::Question { again: false };
        let answer = |code, waited| What::Answer {
            code,
            waited: Some(waited),
        };
        for (name, code, waited) in [("fine", 0, 40), ("slow", 0, 60), ("broken", 2, 50)] {
            add(1, name, asked);
            add(1, name, answer(code, waited));
        }
        add(2, "silent", asked);
        add(2, "silent", asked);
        let dns = Dns::of(&resolving, 3).unwrap();
        let names: Vec<&str> = dns.names.iter().map(|row| &*row.name).collect();
        assert_eq!(names, ["silent", "broken", "slow"]);
        assert_eq!((dns.names_total, dns.servers_total), (4, 2));
        assert_eq!(
            (dns.all.questions, dns.all.unanswered, dns.all.failed),
            (5, 2, 1)
        );
        assert_eq!(dns.servers[0].wait_seconds, None);
        let wait = dns.wait_seconds.unwrap();
        assert_eq!((wait.min, wait.median, wait.max), (4e-8, Some(5e-8), 6e-8));
        let json = serde_json::to_value(&dns.servers[1]).unwrap();
        assert_eq!(json["codes"]["servfail"], 1);
        assert_eq!(json["answered"], 3);
    }
}
