//! What reports call conversations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::{FlowId, address, list, number, text};

/// Label, and how it is known: empty where there is none but the transport's name.
pub(crate) type Label = (String, String);

/// The flow of these ends, in whichever order they are given.
pub(crate) fn id(transport: &str, addrs: [&Value; 2], ports: [&Value; 2]) -> FlowId {
    let end = |side: usize| (address(addrs[side]), number(ports[side]) as u16);
    let (a, b) = (end(0), end(1));
    (transport.to_owned(), a.min(b), a.max(b))
}

/// The labels of all, and those of which both ways are not called the same.
pub(crate) fn of_conversations(report: &Value) -> (BTreeMap<FlowId, Label>, Vec<String>) {
    let mut labels = BTreeMap::<FlowId, Label>::new();
    let mut split = Vec::new();
    for row in list(&report["flows"]) {
        let id = id(
            text(&row["transport"]),
            [&row["src_addr"], &row["dst_addr"]],
            [&row["src_port"], &row["dst_port"]],
        );
        let how = row["classified_by"].as_str().unwrap_or_default();
        let label = (text(&row["protocol"]).to_owned(), how.to_owned());
        match labels.get(&id) {
            Some(known) if *known != label => {
                split.push(format!(
                    "{id:?} is {known:?} one way and {label:?} the other"
                ));
            }
            _ => drop(labels.insert(id, label)),
        }
    }
    (labels, split)
}
