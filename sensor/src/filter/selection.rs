//! The part of a filter that is about whole flows, applied when a report is made.

use super::flow::{FlowFacts, FlowMatcher, Measured};
use super::tree::Tree;
use crate::counters::{Counts, Delta, Flow, application};
use crate::units;

/// See [`super::Filter::selection`].
#[derive(Clone, Debug)]
pub struct Selection {
    matcher: FlowMatcher,
}

impl Selection {
    pub(super) fn new(tree: &Tree) -> Self {
        Selection {
            matcher: FlowMatcher::new(tree),
        }
    }

    /// What would have been counted had every packet been judged by its flow: the others are `filtered`. The delta must
    /// be flushed, and have been made with a trail. `interface`: the name of the interface that has a slot.
    pub fn apply<'a>(&self, delta: &Delta, interface: &dyn Fn(u8) -> Option<&'a str>) -> Delta {
        delta.select(&mut |key, flow| {
            self.matcher.matches(&FlowFacts {
                key: *key,
                application: flow.and_then(|_| application(key)),
                counts: flow.and_then(measured),
                interface: interface(key.slot()),
            })
        })
    }
}

/// Packets without IP are counted together by their network, which makes no flow of them.
fn measured(flow: &Flow) -> Option<Measured> {
    let duration = flow.last.checked_sub(flow.first).map(u64::try_from);
    flow.key.is_ip().then_some(Measured {
        packets: flow.packets,
        bytes: flow.bytes,
        duration: duration.and_then(Result::ok),
    })
}

/// What must be said of a delta that was selected from: some packets could not be judged.
pub fn note(selected: &Delta) -> Option<String> {
    let unjudged = selected.unjudged();
    (unjudged != Counts::ZERO).then(|| {
        format!(
            "packets that found no room in the flow table: {}, {}; the filter's part about flows can't judge them, so \
             they are in (--max-flows makes room)",
            units::count(unjudged.packets),
            units::bytes(unjudged.bytes)
        )
    })
}
