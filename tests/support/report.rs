//! Reads reports back, and says what is wrong with one that doesn't add up.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::schema;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counts(pub(crate) u64, pub(crate) u64);

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        *self = Counts(self.0 + other.0, self.1 + other.1);
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(all: I) -> Counts {
        all.fold(Counts::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// Of a `{"packets": n, "bytes": n}`.
pub(crate) fn counts(value: &Value) -> Counts {
    Counts(number(&value["packets"]), number(&value["bytes"]))
}

pub(crate) fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is not a number"))
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not text"))
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is not a list"))
}

pub(crate) fn address(value: &Value) -> IpAddr {
    text(value)
        .parse()
        .unwrap_or_else(|_| panic!("{value} is not an address"))
}

/// Nanoseconds since the epoch.
pub(crate) fn time(value: &Value) -> i128 {
    let time: jiff::Timestamp = text(value)
        .parse()
        .unwrap_or_else(|_| panic!("{value} is not a time"));
    time.as_nanosecond()
}

/// `layer` is `network`, `transport` or `application`.
pub(crate) fn protocols(report: &Value, layer: &str) -> BTreeMap<String, Counts> {
    list(&report["protocols"][layer])
        .iter()
        .map(|row| (text(&row["name"]).to_owned(), counts(row)))
        .collect()
}

/// Sent and received.
pub(crate) fn endpoints(report: &Value) -> BTreeMap<IpAddr, [Counts; 2]> {
    let row = |row: &Value| {
        (
            address(&row["addr"]),
            [counts(&row["sent"]), counts(&row["received"])],
        )
    };
    list(&report["endpoints"]).iter().map(row).collect()
}

/// From a to b and back.
pub(crate) fn conversations(report: &Value) -> BTreeMap<(IpAddr, IpAddr), [Counts; 2]> {
    let row = |row: &Value| {
        (
            (address(&row["a"]), address(&row["b"])),
            [counts(&row["a_to_b"]), counts(&row["b_to_a"])],
        )
    };
    list(&report["conversations"]).iter().map(row).collect()
}

/// Transport, and the lower address and port before the higher.
pub(crate) type FlowId = (String, (IpAddr, u16), (IpAddr, u16));

/// Flows that have ports, both ways together: from the lower to the higher side, and back.
pub(crate) fn flows(report: &Value) -> BTreeMap<FlowId, [Counts; 2]> {
    let mut flows = BTreeMap::new();
    for row in list(&report["flows"]) {
        let port = |value: &Value| number(value) as u16;
        let from = (address(&row["src_addr"]), port(&row["src_port"]));
        let to = (address(&row["dst_addr"]), port(&row["dst_port"]));
        if (from.1, to.1) != (0, 0) {
            add_flow(&mut flows, text(&row["transport"]), from, to, counts(row));
        }
    }
    flows
}

pub(crate) fn add_flow(
    flows: &mut BTreeMap<FlowId, [Counts; 2]>,
    transport: &str,
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    counts: Counts,
) {
    let back = from > to;
    let id = (transport.to_owned(), from.min(to), from.max(to));
    flows.entry(id).or_default()[usize::from(back)] += counts;
}

/// By nanoseconds since the epoch.
pub(crate) fn buckets(report: &Value) -> BTreeMap<i128, Counts> {
    list(&report["buckets"])
        .iter()
        .map(|row| (time(&row["start"]), counts(row)))
        .collect()
}

/// Of the bytes of a file; a report in which everything adds up.
pub(crate) fn parse(bytes: &[u8]) -> Value {
    let report = serde_json::from_slice(bytes).unwrap();
    let problems = problems(&report);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    report
}

/// What must be true of every report, whatever was counted; one line for each thing that is not.
pub(crate) fn problems(report: &Value) -> Vec<String> {
    let mut problems = schema::problems(report);
    let mut equal = |what: &str, ours: Counts, expected: Counts| {
        if ours != expected {
            problems.push(format!("{what}: {ours:?} instead of {expected:?}"));
        }
    };
    let totals = counts(&report["totals"]);
    let accounting = &report["accounting"];
    let malformed = accounting["malformed"].as_object().into_iter().flatten();
    let ip: Counts = [&accounting["in_flows"], &accounting["overflow"]]
        .into_iter()
        .map(counts)
        .sum();
    let rest: Counts = ["not_ip", "filtered", "duplicates"]
        .map(|part| &accounting[part])
        .into_iter()
        .map(counts)
        .sum();
    let parts = [ip, rest, malformed.map(|(_, of)| counts(of)).sum()]
        .into_iter()
        .sum();
    equal("the parts of seen", parts, counts(&accounting["seen"]));
    let ways = ["ingress", "egress", "unknown_direction"];
    equal(
        "directions",
        ways.into_iter()
            .map(|way| counts(&report["totals"][way]))
            .sum(),
        totals,
    );
    for layer in ["network", "transport", "application"] {
        equal(layer, protocols(report, layer).into_values().sum(), totals);
    }
    let others = |name: &str| counts(&report["others"][name]);
    let both = |all: Vec<[Counts; 2]>| all.into_iter().flatten();
    let flows = list(&report["flows"]).iter().map(counts);
    equal("flows and others", flows.chain([others("flows")]).sum(), ip);
    let conversations = both(conversations(report).into_values().collect());
    equal(
        "conversations and others",
        conversations.chain([others("conversations")]).sum(),
        ip,
    );
    let ends = both(endpoints(report).into_values().collect());
    equal(
        "endpoints and others",
        ends.chain([others("endpoints")]).sum(),
        [ip, ip].into_iter().sum(),
    );
    for bucket in list(&report["buckets"]) {
        let by_name = bucket["transport"].as_object().into_iter().flatten();
        equal(
            "a bucket's transports",
            by_name.map(|(_, of)| counts(of)).sum(),
            counts(bucket),
        );
    }
    if accounting["identity_holds"] != true {
        problems.push("identity_holds is not true".to_owned());
    }
    if number(&report["totals"]["captured_bytes"]) > totals.1 {
        problems.push("more bytes captured than were on the wire".to_owned());
    }
    problems.extend(disorder(report));
    problems
}

/// Lists are ranked, buckets in order of time, conversations name the lower address first.
fn disorder(report: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ranked = |name: &str, bytes: Vec<u64>| {
        if !bytes.is_sorted_by(|a, b| a >= b) {
            problems.push(format!("{name} are not ranked by bytes"));
        }
    };
    let both = |row: &Value, names: [&str; 2]| names.iter().map(|name| counts(&row[*name]).1).sum();
    ranked(
        "flows",
        list(&report["flows"])
            .iter()
            .map(|row| counts(row).1)
            .collect(),
    );
    let of = |name: &str, ways: [&str; 2]| {
        list(&report[name])
            .iter()
            .map(|row| both(row, ways))
            .collect()
    };
    ranked("endpoints", of("endpoints", ["sent", "received"]));
    ranked("conversations", of("conversations", ["a_to_b", "b_to_a"]));
    if conversations(report).keys().any(|(a, b)| a > b) {
        problems.push("a conversation has its higher address first".to_owned());
    }
    if !list(&report["buckets"])
        .iter()
        .map(|row| time(&row["start"]))
        .is_sorted()
    {
        problems.push("buckets are not in order of time".to_owned());
    }
    problems
}
