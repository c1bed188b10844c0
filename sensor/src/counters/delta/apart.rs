//! Flows with counts under two classes. It is rare: a flow that was decided for good in one period, without a label or
//! for want of room, has another label in a later one, and it is not known any more in which buckets its packets are.
//! Each period's counts then stay under the class that its report gave them.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sensor_common::flow::FlowKey;

use super::{ClassId, Counts};

/// What flows have under other classes than their own.
#[derive(Clone, Debug, Default)]
pub(in crate::counters) struct Apart {
    flows: HashMap<FlowKey, Vec<(ClassId, Counts)>, RandomState>,
}

impl Apart {
    pub(super) fn add(&mut self, key: &FlowKey, class: ClassId, counts: Counts) {
        let list = self.flows.entry(*key).or_default();
        match list.iter_mut().find(|(other, _)| *other == class) {
            Some((_, sum)) => *sum += counts,
            None => list.push((class, counts)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// The flow has another class now: what was under it is not apart any more.
    pub(super) fn join(&mut self, key: &FlowKey, class: ClassId) {
        if let Some(list) = self.flows.get_mut(key) {
            list.retain(|(other, _)| *other != class);
        }
    }

    pub(super) fn of(&self, key: &FlowKey) -> &[(ClassId, Counts)] {
        self.flows.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn total(&self, key: &FlowKey) -> Counts {
        self.of(key).iter().map(|(_, counts)| *counts).sum()
    }

    pub(in crate::counters) fn flows(
        &self,
    ) -> impl Iterator<Item = (&FlowKey, &[(ClassId, Counts)])> {
        self.flows.iter().map(|(key, list)| (key, list.as_slice()))
    }
}
