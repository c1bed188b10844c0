//! One report against one truth file, check by check.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use sensor_common::protocol;
use serde_json::Value;

use crate::support::report::{self, Counts, add_flow, address, list, number, text};

const SECOND: i128 = 1_000_000_000;

/// Something in which a report differs from the truth.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) check: &'static str,
    /// Independent tools agree there, so it has to be explained.
    pub(super) exact: bool,
    pub(super) what: String,
}

impl Difference {
    pub(super) fn new(check: &'static str, what: String) -> Self {
        Difference {
            check,
            exact: true,
            what,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.check, self.what)
    }
}

pub(super) fn all(truth: &Value, report: &Value) -> Vec<Difference> {
    let mut checks = Checks(Vec::new());
    let exact = |name: &str| truth["exact"][name] == true;
    let total = |name: &str| report["totals"][name].clone();
    checks.same(
        "packets",
        exact("packets"),
        &total("packets"),
        &truth["packets"],
    );
    checks.same(
        "captured",
        exact("packets"),
        &total("captured_bytes"),
        &truth["bytes_captured"],
    );
    checks.same(
        "bytes",
        exact("bytes"),
        &total("bytes"),
        &truth["bytes_on_wire"],
    );
    checks.same(
        "start",
        exact("seconds"),
        &our_time(&report["start"]),
        &truth_time(&truth["first_ts"]),
    );
    checks.same(
        "end",
        exact("seconds"),
        &our_time(&report["end"]),
        &truth_time(&truth["last_ts"]),
    );
    let seconds = report::buckets(report)
        .into_iter()
        .map(|(start, counts)| (start.div_euclid(SECOND), counts));
    let theirs = list(&truth["per_second"])
        .iter()
        .map(|row| (row["t"].as_i64().unwrap().into(), report::counts(row)));
    checks.equal(
        "per_second",
        exact("seconds") && exact("bytes"),
        &seconds.collect(),
        &theirs.collect(),
    );
    checks.equal(
        "network",
        exact("l4"),
        &network(report),
        &named(&truth["network"]),
    );
    checks.equal("l4", exact("l4"), &l4(report), &named(&truth["l4"]));
    checks.equal(
        "ip_proto",
        exact("l4"),
        &ip_proto(report),
        &named(&truth["ip_proto"]),
    );
    checks.equal(
        "endpoints",
        exact("endpoints"),
        &report::endpoints(report),
        &endpoints(truth),
    );
    checks.equal(
        "conversations",
        exact("conversations"),
        &report::conversations(report),
        &conversations(truth),
    );
    checks.equal(
        "flows",
        exact("flows"),
        &report::flows(report),
        &flows(truth),
    );
    checks.0
}

struct Checks(Vec<Difference>);

impl Checks {
    fn same<T: PartialEq + Debug>(
        &mut self,
        check: &'static str,
        exact: bool,
        ours: &T,
        truth: &T,
    ) {
        if ours != truth {
            self.0.push(Difference {
                check,
                exact,
                what: format!("{ours:?}, truth {truth:?}"),
            });
        }
    }

    /// Names the first keys that differ.
    fn equal<K: Ord + Debug, V: PartialEq + Debug>(
        &mut self,
        check: &'static str,
        exact: bool,
        ours: &BTreeMap<K, V>,
        truth: &BTreeMap<K, V>,
    ) {
        let keys: std::collections::BTreeSet<&K> = ours.keys().chain(truth.keys()).collect();
        let differing: Vec<_> = keys
            .into_iter()
            .filter(|key| ours.get(key) != truth.get(key))
            .collect();
        if differing.is_empty() {
            return;
        }
        let shown = differing
            .iter()
            .take(4)
            .map(|key| format!("{key:?} {:?}, truth {:?}", ours.get(key), truth.get(key)));
        let shown: Vec<String> = shown.collect();
        let what = format!("{} of them: {}", differing.len(), shown.join("; "));
        self.0.push(Difference { check, exact, what });
    }
}

fn our_time(time: &Value) -> Option<i128> {
    (!time.is_null()).then(|| report::time(time))
}

/// Written as `seconds.nanoseconds`.
fn truth_time(time: &Value) -> Option<i128> {
    let (seconds, fraction) = time.as_str()?.split_once('.')?;
    format!("{seconds}{fraction:0<9}").parse().ok()
}

fn named(counts: &Value) -> BTreeMap<String, Counts> {
    let all = counts
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, of)| (name.clone(), report::counts(of)));
    all.filter(|(_, counts)| counts.0 > 0).collect()
}

fn renamed(
    rows: BTreeMap<String, Counts>,
    name: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, Counts> {
    let mut sums = BTreeMap::<String, Counts>::new();
    for (ours, counts) in rows {
        if let Some(name) = name(&ours) {
            *sums.entry(name).or_default() += counts;
        }
    }
    sums
}

fn network(report: &Value) -> BTreeMap<String, Counts> {
    renamed(report::protocols(report, "network"), |name| {
        let name = match name {
            "ipv4" => "ip4",
            "ipv6" => "ip6",
            "arp" => "arp",
            _ => "other",
        };
        Some(name.to_owned())
    })
}

fn l4(report: &Value) -> BTreeMap<String, Counts> {
    renamed(report::protocols(report, "transport"), |name| {
        let name = match name {
            "tcp" | "udp" | "icmp" | "icmpv6" | "sctp" => name,
            // Malformed ones are `other` in the report; the truth knows no IP in them.
            "non-ip" | "other" => "non_ip",
            _ => "other",
        };
        Some(name.to_owned())
    })
}

fn ip_proto(report: &Value) -> BTreeMap<String, Counts> {
    renamed(report::protocols(report, "transport"), |name| match name {
        "non-ip" | "other" => None,
        name => Some(protocol_number(name).to_string()),
    })
}

fn protocol_number(name: &str) -> u8 {
    if let Some(number) = name.strip_prefix("ip-proto-") {
        return number.parse().unwrap();
    }
    let mut numbers = (0..=255).filter(|number| protocol::transport_name(*number) == Some(name));
    numbers
        .next()
        .unwrap_or_else(|| panic!("no IP protocol is called {name}"))
}

fn endpoints(truth: &Value) -> BTreeMap<std::net::IpAddr, [Counts; 2]> {
    let pair = |row: &Value, way: &str| {
        Counts(
            number(&row[format!("{way}_packets")]),
            number(&row[format!("{way}_bytes")]),
        )
    };
    let row = |row: &Value| (address(&row["ip"]), [pair(row, "tx"), pair(row, "rx")]);
    list(&truth["endpoints"]).iter().map(row).collect()
}

fn ways(row: &Value) -> [Counts; 2] {
    let way = |way: &str| {
        Counts(
            number(&row[format!("packets_{way}")]),
            number(&row[format!("bytes_{way}")]),
        )
    };
    [way("ab"), way("ba")]
}

fn conversations(truth: &Value) -> BTreeMap<(std::net::IpAddr, std::net::IpAddr), [Counts; 2]> {
    let mut all = BTreeMap::new();
    for row in list(&truth["conversations"]) {
        let (a, b) = (address(&row["a"]), address(&row["b"]));
        let [ab, ba] = ways(row);
        let row = if a <= b {
            ((a, b), [ab, ba])
        } else {
            ((b, a), [ba, ab])
        };
        assert!(
            all.insert(row.0, row.1).is_none(),
            "the truth names {a} and {b} twice"
        );
    }
    all
}

fn flows(truth: &Value) -> BTreeMap<report::FlowId, [Counts; 2]> {
    let mut flows = BTreeMap::new();
    for row in list(&truth["flows"]) {
        let a = (address(&row["a"]), number(&row["a_port"]) as u16);
        let b = (address(&row["b"]), number(&row["b_port"]) as u16);
        let [ab, ba] = ways(row);
        add_flow(&mut flows, text(&row["l4"]), a, b, ab);
        add_flow(&mut flows, text(&row["l4"]), b, a, ba);
    }
    flows
}
