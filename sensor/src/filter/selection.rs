//! The part of a filter that is about whole flows, applied when a report is made.

use super::flow::{FlowFacts, FlowMatcher, Measured};
use super::tree::Tree;
use crate::counters::{Delta, Flow};
use sensor_common::application::Application;

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
                application: flow.and_then(Flow::application).map(Application::name),
                counts: flow.and_then(measured),
                interface: interface(key.slot()),
            })
        })
    }
}

/// Packets without IP are counted together by their network, which makes no flow of them.
pub(crate) fn measured(flow: &Flow) -> Option<Measured> {
    let counts = flow.counts();
    flow.key.is_ip().then_some(Measured {
        packets: counts.packets,
        bytes: counts.bytes,
        duration: flow.duration(),
    })
}
