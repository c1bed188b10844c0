//! Every expression that independent tools have counted, on every real capture: `filters_semantic` of the truth always,
//! and libpcap's own counts (`filters`) where its fixed offsets mean the same.

mod excuses;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sensor::filter::{Filter, Matcher, Nothing};
use sensor::source::file::CaptureFile;
use sensor::source::file::count::{self, Outcome};
use sensor::source::file::matching::Sight;
use serde_json::Value;

use crate::corpus::{corpus, names};
use excuses::{EXCUSED, UNDECODED};

/// Ends the name of a count that is libpcap's.
const LIBPCAP: &str = " (libpcap)";

/// One count of the truth.
struct Expected {
    /// As the truth has it.
    name: String,
    packets: u64,
    matcher: Matcher,
}

#[test]
fn every_expression_of_the_truth_counts_what_the_truth_says() {
    let Some(corpus) = corpus() else { return };
    let mut excuses = Excuses::default();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for name in names(&corpus.join("dev")) {
        let truth = fs::read(corpus.join("truth").join(format!("{name}.json"))).unwrap();
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        let path = corpus.join("dev").join(&name);
        let Some((outcome, counted)) = counts(&path, expected(&truth)) else {
            continue;
        };
        if truth["packets"] != outcome.packets {
            let packets = &truth["packets"];
            println!(
                "not compared: {name}: {} packets, the truth has {packets}",
                outcome.packets
            );
            continue;
        }
        for (expected, ours) in counted {
            compared += 1;
            if expected.packets == ours || excuses.hold(&path, &name, &expected, &outcome) {
                continue;
            }
            wrong.push(format!(
                "{name}: {}: {ours}, truth {}",
                expected.name, expected.packets
            ));
        }
    }
    wrong.extend(excuses.unused());
    println!("{compared} counts compared");
    assert!(compared > 10_000, "{compared} counts compared");
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The excuses that were needed.
#[derive(Default)]
struct Excuses {
    used: BTreeSet<(String, String)>,
}

impl Excuses {
    fn hold(&mut self, path: &Path, name: &str, expected: &Expected, outcome: &Outcome) -> bool {
        let undecoded = UNDECODED.iter().find(|(file, _)| *file == name);
        if let Some((file, link_type)) = undecoded
            && outcome.decodable == 0
        {
            self.note(name, file, link_type);
            return true;
        }
        let excuse = EXCUSED.iter().find(|excuse| {
            excuse.file == name && excuse.expressions.contains(&expected.name.as_str())
        });
        let Some(excuse) = excuse else { return false };
        self.note(name, &expected.name, excuse.reason);
        excuse.libpcap_means.is_none_or(|means| {
            let text = expected.name.trim_end_matches(LIBPCAP);
            let theirs = Expected::new(&expected.name, &means(text), expected.packets);
            let (_, counted) = counts(path, vec![theirs]).unwrap();
            counted.iter().all(|(theirs, ours)| theirs.packets == *ours)
        })
    }

    fn note(&mut self, name: &str, what: &str, reason: &str) {
        if self.used.insert((name.to_owned(), what.to_owned())) {
            println!("excused: {name}: {what}: {reason}");
        }
    }

    fn unused(&self) -> Vec<String> {
        let undecoded = UNDECODED.iter().map(|(file, _)| (*file, *file));
        let listed = EXCUSED.iter().flat_map(|excuse| {
            let expressions = excuse.expressions.iter();
            expressions.map(|one| (excuse.file, *one))
        });
        undecoded
            .chain(listed)
            .filter(|(file, what)| {
                !self
                    .used
                    .contains(&((*file).to_owned(), (*what).to_owned()))
            })
            .map(|(file, what)| format!("needs no excuse: {file}: {what}"))
            .collect()
    }
}

/// What became of the file, and for each expression how many packets match; `None` where it can't be opened.
fn counts(path: &Path, expected: Vec<Expected>) -> Option<(Outcome, Vec<(Expected, u64)>)> {
    let mut file = CaptureFile::open(path).ok()?;
    let mut counted: Vec<(Expected, u64)> = expected.into_iter().map(|one| (one, 0)).collect();
    let mut sight = Sight::new(true);
    let outcome = count::walk(
        &mut file,
        |record, link_type| {
            // What could not be parsed has facts, too.
            let _packet = sight.look(&record, link_type);
            for (one, packets) in &mut counted {
                *packets += u64::from(one.matcher.matches(sight.facts(), record.data));
            }
        },
        |_| (),
    );
    Some((outcome, counted))
}

fn expected(truth: &Value) -> Vec<Expected> {
    let mut all = BTreeMap::new();
    let counts = |list: &Value| -> Vec<(String, u64)> {
        let counts = list.as_object().into_iter().flatten();
        counts
            .filter_map(|(name, packets)| Some((name.clone(), packets.as_u64()?)))
            .collect()
    };
    let semantic = counts(&truth["filters_semantic"]);
    let differs = truth["bpf_vs_semantic"].as_object();
    let same_everywhere = differs.is_none_or(serde_json::Map::is_empty);
    for (name, packets) in counts(&truth["filters"]) {
        let twin = twin(&name);
        let equal = semantic.iter().any(|one| one.0 == twin && one.1 == packets);
        if truth["exact"]["filters"] == true && (same_everywhere || equal) {
            all.insert(format!("{name}{LIBPCAP}"), (name, packets));
        }
    }
    for (name, packets) in semantic {
        let expression = expression(&name);
        all.insert(name, (expression, packets));
    }
    all.into_iter()
        .map(|(name, (expression, packets))| Expected::new(&name, &expression, packets))
        .collect()
}

impl Expected {
    fn new(name: &str, expression: &str, packets: u64) -> Self {
        let filter = Filter::compile(expression, &Nothing);
        let filter = filter.unwrap_or_else(|error| panic!("{name}: {error}"));
        Expected {
            name: name.to_owned(),
            packets,
            matcher: filter.matcher(&|_| Vec::new()).unwrap(),
        }
    }
}

/// The name that `filters_semantic` has for an expression of `filters`.
fn twin(expression: &str) -> String {
    match expression {
        "ip" => "ip4".to_owned(),
        "icmp6" => "icmpv6".to_owned(),
        other => other.replace("src host", "src").replace("dst host", "dst"),
    }
}

/// An expression for a name of `filters_semantic`.
fn expression(name: &str) -> String {
    // Their first header behind the IPv6 header is the fragment header, in the captures that there are.
    const IPV6_FRAGMENT: &str = "ip6[6] == 44 and ip6[42:2]";
    match name {
        "ip4" => "ip".to_owned(),
        "icmpv6" => "icmp6".to_owned(),
        "pppoe" => "pppoes or pppoed".to_owned(),
        "fragment" => format!("ip[6:2] & 0x3fff != 0 or ({IPV6_FRAGMENT} & 0xfff9 != 0)"),
        "fragment non-first" => format!("ip[6:2] & 0x1fff != 0 or ({IPV6_FRAGMENT} & 0xfff8 != 0)"),
        "tcp syn" => "tcp[tcpflags] & tcp-syn != 0".to_owned(),
        "tcp rst" => "tcp[tcpflags] & tcp-rst != 0".to_owned(),
        other => other.to_owned(),
    }
}
