//! What was counted: the values that every source yields and every report is made of.

mod accounting;
mod buckets;
mod class;
mod delta;
mod flow_table;
mod sums;
#[cfg(test)]
mod tests;

pub use accounting::{Accounting, SlotAccounting};
pub use buckets::{Bucket, Buckets};
pub use class::{Class, ClassId, Classes, Kind, application, transport_name};
pub use delta::{Beside, Delta, DeltaConfig, FlowCounts, FlowPart, Seen};
pub use flow_table::{Flow, FlowTable, Known};
pub(crate) use flow_table::{MOST_PLACES, Place, Stored};
pub use sensor_common::abi::Counts;
pub(crate) use sums::FlowSums;

/// When a packet was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nanoseconds since the Unix epoch.
    At(i64),
    /// The capture holds no time for it (pcapng simple packet block).
    Missing,
    /// The capture's time does not fit (before the year 1678 or after 2262): it can't be true.
    OutOfRange,
}

impl When {
    /// Nanoseconds since the Unix epoch, where that is known.
    #[inline(always)]
    pub fn time(self) -> Option<i64> {
        match self {
            When::At(at) => Some(at),
            When::Missing | When::OutOfRange => None,
        }
    }
}
