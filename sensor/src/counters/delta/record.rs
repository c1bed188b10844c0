//! What is counted of one flow at a time.

use sensor_common::flow::FlowKey;

use crate::counters::{Counts, Flow};

/// One flow record that the kernel counted, and what packets are made into.
#[derive(Clone, Copy, Debug)]
pub struct FlowCounts {
    pub key: FlowKey,
    pub counts: Counts,
    pub tcp_flags: u8,
    /// Nanoseconds since the epoch.
    pub first: i64,
    pub last: i64,
}

impl FlowCounts {
    /// Of packets of one moment, which may be unknown.
    #[inline(always)]
    pub(super) fn of_moment(key: FlowKey, counts: Counts, tcp_flags: u8, at: Option<i64>) -> Self {
        FlowCounts {
            key,
            counts,
            tcp_flags,
            first: at.unwrap_or(i64::MAX),
            last: at.unwrap_or(i64::MIN),
        }
    }

    /// All that a table has of a flow.
    pub(super) fn of_flow(flow: &Flow) -> Self {
        FlowCounts {
            key: flow.key,
            counts: flow.counts(),
            tcp_flags: flow.tcp_flags,
            first: flow.first,
            last: flow.last,
        }
    }
}
