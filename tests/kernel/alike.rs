//! Whether two reports of the same packets say the same, names and labels too; where they may not, why.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What does not depend on the road.
pub(crate) const SAME: [&str; 5] = ["protocols", "endpoints", "conversations", "flows", "others"];

/// What payloads told: judged by itself.
const TOLD: [&str; 5] = ["names", "a_names", "b_names", "tls", "http"];

/// Without what must differ: when, and on which interface. Sorted, for equal counts may stand in any order.
pub(crate) fn common(section: &Value) -> Value {
    without(section, &["start", "end", "interface", "direction"])
}

fn without(section: &Value, left_out: &[&str]) -> Value {
    match section {
        Value::Array(rows) => {
            let mut rows: Vec<Value> = rows.iter().map(|row| without(row, left_out)).collect();
            rows.sort_by_key(Value::to_string);
            Value::Array(rows)
        }
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !left_out.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), without(value, left_out)))
            .collect(),
        other => other.clone(),
    }
}

/// Names of one address in a report; there may be more.
const NAMES: usize = 8;

/// How often names differed, by the reason.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Flows of which the kernel hands over less than the file has: labels, and names.
    pub not_handed_over: usize,
    /// Flows that the kernel counts after the payloads of their interval: an answer that came with them names them too.
    pub counted_later: usize,
}

/// `live`: by the kernel. `handed`: of a file with the payloads that the kernel hands over. Counts and labels are equal,
/// and so is all that payloads told, but for answers of DNS that came in the same tick of the clock as the flow.
pub(crate) fn as_handed(live: &Value, handed: &Value, found: &mut Differences) {
    let (ours, theirs) = (flows(live), flows(handed));
    assert!(ours.keys().eq(theirs.keys()), "the same flows");
    let labels = ours.iter().filter(|(flow, ours)| {
        let differ = |part: &str| ours[part] != theirs[*flow][part];
        differ("protocol") || differ("classified_by")
    });
    let labels: Vec<String> = labels
        .map(|(flow, ours)| {
            let label = |row: &Value| format!("{} {}", row["protocol"], row["classified_by"]);
            format!(
                "{flow}: {} but by a file {}",
                label(ours),
                label(theirs[flow])
            )
        })
        .collect();
    assert!(labels.is_empty(), "{labels:#?}");
    for section in SAME {
        let counted = |report: &Value| without(&common(&report[section]), &TOLD);
        assert_eq!(counted(live), counted(handed), "{section}");
    }
    let known = names_of_endpoints(handed);
    for (flow, ours) in &ours {
        let theirs = theirs[flow];
        for part in ["tls", "http"] {
            assert_eq!(ours[part], theirs[part], "{part} of {flow}");
        }
        if names(ours) == names(theirs) {
            continue;
        }
        let (ours_sure, ours_asked) = by_asking(ours);
        let (theirs_sure, theirs_asked) = by_asking(theirs);
        assert_eq!(ours_sure, theirs_sure, "{flow}");
        let ends = [&ours["src_addr"], &ours["dst_addr"]];
        for name in ours_asked.symmetric_difference(&theirs_asked) {
            let asked = ends.iter().any(|end| {
                let known = &known[&end.to_string()];
                known.contains(name) || known.len() == NAMES
            });
            assert!(asked, "nobody asked for {name} of {flow}");
        }
        println!(
            "{flow}: {ours_asked:?}, in order {theirs_asked:?}: the flow is counted after the answers of its interval"
        );
        found.counted_later += 1;
    }
    for section in ["endpoints", "conversations"] {
        assert_eq!(
            common(&live[section]),
            common(&handed[section]),
            "{section}"
        );
    }
}

/// `whole`: of a file with all payloads. What the live report says is there too, and more only of flows that were `withheld`.
pub(crate) fn as_whole(
    live: &Value,
    whole: &Value,
    withheld: impl Fn(&str) -> bool,
    found: &mut Differences,
) {
    let (ours, theirs) = (flows(live), flows(whole));
    assert!(ours.keys().eq(theirs.keys()), "the same flows");
    for (flow, ours) in &ours {
        let theirs = theirs[flow];
        let said = |row: &Value| {
            ["protocol", "classified_by", "tls", "http"].map(|part| row[part].to_string())
        };
        let (ours_sure, _) = by_asking(ours);
        let (theirs_sure, _) = by_asking(theirs);
        if said(ours) == said(theirs) && ours_sure == theirs_sure {
            continue;
        }
        assert!(
            withheld(flow),
            "{flow}: {ours:#} but of the file {theirs:#}"
        );
        println!(
            "{flow}: {:?}, of the file {:?} {theirs_sure:?}: the kernel hands over the first payloads only",
            said(ours),
            said(theirs)
        );
        found.not_handed_over += 1;
    }
    let known = names_of_endpoints(whole);
    for (addr, names) in names_of_endpoints(live) {
        assert!(
            names.is_subset(&known[&addr]),
            "{addr}: {names:?} but of the file {:?}",
            known[&addr]
        );
    }
}

/// Addresses and ports of a flow; a capture here has one interface and direction.
pub(crate) fn flow_name(flow: &Value) -> String {
    let text = |field: &str| match &flow[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["src_addr", "src_port", "dst_addr", "dst_port"]
        .map(text)
        .join(" ")
}

fn flows(report: &Value) -> BTreeMap<String, &Value> {
    let rows = report["flows"].as_array().unwrap();
    let flows: BTreeMap<String, &Value> = rows
        .iter()
        .filter(|flow| flow["src_port"].is_number())
        .map(|flow| {
            (
                flow_name(flow) + " " + flow["transport"].as_str().unwrap(),
                flow,
            )
        })
        .collect();
    flows
}

fn names(row: &Value) -> BTreeSet<String> {
    let names = row["names"].as_array().unwrap();
    names.iter().map(Value::to_string).collect()
}

/// Names that the flow's own payloads told, and those that its server was asked for by.
fn by_asking(flow: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    names(flow).into_iter().partition(|name| {
        name.contains("\"source\":\"sni\"") || name.contains("\"source\":\"http\"")
    })
}

fn names_of_endpoints(report: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let rows = report["endpoints"].as_array().unwrap();
    rows.iter()
        .map(|row| (row["addr"].to_string(), names(row)))
        .collect()
}
