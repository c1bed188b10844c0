//! What must hold between the reports of one run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Ended, json};

/// Packets that the kernel said were lost.
pub(crate) fn lost(report: &Value) -> u64 {
    let lost = report["accounting"]["lost"].as_object().unwrap();
    lost.values().map(|packets| packets.as_u64().unwrap()).sum()
}

/// The periods follow each other without a gap, their counts add up to the whole run's, and `latest.json` is the newest.
pub(crate) fn add_up(ended: &Ended) {
    let mut periods: Vec<&Value> = ended.periods.iter().collect();
    periods.sort_by_key(|period| period["end"].as_str().unwrap().to_owned());
    for two in periods.windows(2) {
        assert_eq!(two[0]["end"], two[1]["start"], "a gap between periods");
    }
    let whole = &ended.report;
    let last = periods.last().unwrap();
    assert_eq!(periods[0]["start"], whole["start"]);
    assert_eq!(last["end"], whole["end"]);
    assert_eq!(
        json(&ended.folder.path().join("reports/latest.json")),
        **last
    );
    let mut sums = BTreeMap::new();
    periods.iter().for_each(|period| add(&mut sums, period));
    let mut expected = BTreeMap::new();
    add(&mut expected, whole);
    for (what, counts) in &expected {
        assert_eq!(sums.get(what), Some(counts), "{what}");
    }
    assert_eq!(sums.len(), expected.len());
}

/// Packets and bytes by what they are of.
fn add(sums: &mut BTreeMap<String, (u64, u64)>, report: &Value) {
    let mut count = |what: String, row: &Value| {
        let sum = sums.entry(what).or_default();
        sum.0 += row["packets"].as_u64().unwrap();
        sum.1 += row["bytes"].as_u64().unwrap();
    };
    count("totals".to_owned(), &report["totals"]);
    for part in ["seen", "in_flows", "overflow", "not_ip"] {
        count(part.to_owned(), &report["accounting"][part]);
    }
    for layer in ["network", "transport", "application"] {
        for row in report["protocols"][layer].as_array().unwrap() {
            count(format!("{layer} {}", row["name"]), row);
        }
    }
    const KEY: [&str; 5] = ["src_addr", "src_port", "dst_addr", "dst_port", "transport"];
    for flow in report["flows"].as_array().unwrap() {
        let key: Vec<_> = KEY.iter().map(|part| flow[part].to_string()).collect();
        let origin = [&flow["interface"], &flow["direction"]];
        count(format!("flow {key:?} {origin:?}"), flow);
    }
}
