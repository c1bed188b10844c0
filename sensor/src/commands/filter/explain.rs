//! What is decided where, and why not everywhere.

use serde::Serialize;

use crate::filter::Filter;
use crate::filter::program::Program;
use crate::filter::tree::{Needs, Test, Tree};
use crate::source::kernel::filter::refuses;

#[derive(Serialize)]
pub(super) struct Explanation {
    /// As it was given.
    pub(super) filter: String,
    /// In the same language; empty where everything matches.
    pub(super) understood: String,
    pub(super) lists: Vec<List>,
    /// Decided of each packet; null where every packet passes.
    pub(super) packets: Option<OfPackets>,
    /// Decided of each flow when the report is made; null where nothing is.
    pub(super) flows: Option<String>,
}

/// A list from a file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct List {
    /// `net` or `port`.
    pub(super) kind: &'static str,
    pub(super) file: String,
    /// Networks, none within another; ranges of ports, none next to another.
    pub(super) entries: usize,
}

#[derive(Serialize)]
pub(super) struct OfPackets {
    pub(super) expression: String,
    pub(super) kernel: Decided,
    pub(super) af_packet: Decided,
    pub(super) files: Decided,
    pub(super) reports: Decided,
}

/// Whether a backend can decide it.
#[derive(Serialize)]
pub(super) struct Decided {
    pub(super) decided: bool,
    /// How, or why not.
    pub(super) how: String,
}

impl Explanation {
    /// `program`: of the filter's packet part.
    pub(super) fn of(filter: &Filter, program: &Program) -> Self {
        let plan = filter.plan();
        Explanation {
            filter: filter.text().to_owned(),
            understood: if filter.is_everything() {
                String::new()
            } else {
                filter.normalised()
            },
            lists: lists(filter.tree()),
            packets: (plan.packet != Tree::True).then(|| OfPackets::of(&plan.packet, program)),
            flows: plan.flow.as_ref().map(Tree::to_string),
        }
    }
}

impl OfPackets {
    fn of(tree: &Tree, program: &Program) -> Self {
        let kernel = match refuses(tree, program) {
            None => yes("in the kernel, before anything is counted"),
            Some(refused) => no(format!(
                "no, because of {refused}; --backend auto takes af-packet instead"
            )),
        };
        let asks_packets = |test: &&Test| test.needs() == Needs::Packet;
        let reports = match tree.tests().into_iter().find(asks_packets) {
            None => yes("on the flows that they list"),
            Some(test) => no(format!(
                "no, because of '{test}': reports have no packets to ask"
            )),
        };
        OfPackets {
            expression: tree.to_string(),
            kernel,
            af_packet: yes("on each packet, from the headers that are copied"),
            files: yes("on each packet"),
            reports,
        }
    }
}

fn yes(how: &str) -> Decided {
    Decided {
        decided: true,
        how: how.to_owned(),
    }
}

fn no(why: String) -> Decided {
    Decided {
        decided: false,
        how: why,
    }
}

fn lists(tree: &Tree) -> Vec<List> {
    let mut lists = Vec::new();
    for test in tree.tests() {
        let list = match test {
            Test::AddressIn(_, list) => ("net", &list.file, list.prefixes.len()),
            Test::PortIn(_, list) => ("port", &list.file, list.ranges.len()),
            _ => continue,
        };
        if let (kind, Some(file), entries) = list {
            let list = List {
                kind,
                file: file.clone(),
                entries,
            };
            // The same file is often asked for twice.
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
    }
    lists
}
