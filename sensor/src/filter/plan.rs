//! What of a filter is decided on every packet, and what on whole flows when the report is made.

use std::fmt;

use super::normal;
use super::tree::{Needs, Test, Tree};

mod clauses;
#[cfg(test)]
mod tests;

/// A packet, and later its flow, passes where both parts hold: together they say what the whole says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of flow keys and packets; implied by the whole filter.
    pub packet: Tree,
    /// Of flow keys and whole flows; `None` where the packet part says all.
    pub flow: Option<Tree>,
}

/// Why there is no plan for a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    #[error(transparent)]
    Mixed(#[from] Mixed),
    #[error(
        "the filter's tests of packets and of flows are too entangled to be told apart: write it simpler, as a part about \
         packets and one about flows that are joined by 'and'"
    )]
    Entangled,
}

/// A packet's test and a flow's test of which one suffices: the packets that a flow's test lets in can't be told from
/// those that the packet's test lets in, once they are counted in one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixed {
    pub packet: Test,
    pub flow: Test,
}

impl std::error::Error for Mixed {}

impl fmt::Display for Mixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [packet, flow] = [&self.packet, &self.flow].map(|test| Tree::Test(test.clone()));
        write!(
            f,
            "'{packet}' is known of single packets only and '{flow}' of whole flows only, so no flow can be counted by \
             one or the other: join them by 'and', or count twice with one each"
        )
    }
}

/// Splits a filter; exact for every packet and flow.
pub fn split(tree: &Tree) -> Result<Plan, SplitError> {
    let mut packet = Vec::new();
    let mut flow = Vec::new();
    for part in conjuncts(normal::pushed_down(tree, true)) {
        if !needs(&part, Needs::Flow) {
            packet.push(part);
        } else if !needs(&part, Needs::Packet) {
            packet.push(relaxed(&part));
            flow.push(part);
        } else {
            for clause in clauses::split(&part)? {
                if needs(&clause, Needs::Flow) {
                    packet.push(relaxed(&clause));
                    flow.push(clause);
                } else {
                    packet.push(clause);
                }
            }
        }
    }
    Ok(Plan {
        packet: normal::all(packet),
        flow: (!flow.is_empty()).then(|| normal::all(flow)),
    })
}

fn conjuncts(tree: Tree) -> Vec<Tree> {
    match tree {
        Tree::All(parts) => parts,
        other => vec![other],
    }
}

/// Some test has this need.
fn needs(tree: &Tree, need: Needs) -> bool {
    first_test(tree, need).is_some()
}

/// A test that only packets answer: the filter can't be applied to what was counted already.
pub(super) fn packet_test(tree: &Tree) -> Option<&Test> {
    first_test(tree, Needs::Packet)
}

fn first_test(tree: &Tree, need: Needs) -> Option<&Test> {
    match tree {
        Tree::True | Tree::False => None,
        Tree::Test(test) => (test.needs() == need).then_some(test),
        Tree::Not(inner) => first_test(inner, need),
        Tree::All(parts) | Tree::Any(parts) => parts.iter().find_map(|part| first_test(part, need)),
    }
}

/// What is left if every test of a flow might turn out either way. Negations stand at single tests only.
fn relaxed(tree: &Tree) -> Tree {
    match tree {
        Tree::All(parts) => normal::all(parts.iter().map(relaxed).collect()),
        Tree::Any(parts) => normal::any(parts.iter().map(relaxed).collect()),
        leaf if needs(leaf, Needs::Flow) => Tree::True,
        leaf => leaf.clone(),
    }
}
