//! What a report says that was not counted: where packets came from, what was asked, and what else is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Counts, Own, Span, Written};
use crate::sandbox::Sandbox;

#[derive(Clone, Debug, Default)]
pub struct Context {
    pub hostname: String,
    /// `xdp`, `tc`, `af-packet`, `af-xdp` or `file`.
    pub backend: String,
    pub interfaces: Vec<InterfaceInfo>,
    pub left_out: Vec<LeftOut>,
    pub files: Vec<FileInfo>,
    pub filter: Option<String>,
    /// Most rows of each ranked list; 0 = all.
    pub top_n: usize,
    /// May be made by two threads, where that brings something.
    pub by_two: bool,
    /// The interval that was asked for, nanoseconds. The report has that of the delta's buckets, which may be wider.
    pub interval: i64,
    /// The time that was observed (live), nanoseconds since the epoch; else the first and last packet's time is used.
    pub span: Option<(i64, i64)>,
    pub not_observed: Vec<Span>,
    pub interface_counters: Vec<InterfaceCounters>,
    pub notes: Vec<String>,
    pub written: Vec<Written>,
    /// Live: what the sensor itself took.
    pub own: Option<Own>,
    /// What the process has given up, where it did.
    pub sandbox: Option<Sandbox>,
}

/// The name of the interfaces that find no slot of their own.
pub const SHARED_SLOT: &str = "others";

/// An interface that is meant, and not counted because its packets are counted on others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct LeftOut {
    pub name: String,
    pub ifindex: u32,
    /// Names of interfaces; empty: its ports, whichever there will be.
    pub counted_on: Vec<String>,
}

/// An interface, and how it is listened to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct InterfaceInfo {
    pub slot: u8,
    pub name: String,
    pub ifindex: u32,
    pub link_type: String,
    pub ingress: Ingress,
    pub egress: Egress,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Ingress {
    /// `xdp`, `tcx`, `clsact`, `af-packet` ...; null where ingress is not counted.
    pub hook: Option<String>,
    /// XDP's: `native`, `generic`, `offload`.
    pub mode: Option<String>,
    pub why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Egress {
    /// Null where egress is not counted.
    pub hook: Option<String>,
    pub why: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SlotCounts {
    pub ingress: Counts,
    pub egress: Counts,
    pub unknown: Counts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct FileInfo {
    /// As typed, control characters escaped.
    pub path: String,
    pub format: String,
    pub link_types: Vec<String>,
    /// That came out of it.
    pub packets: u64,
    /// False where it is damaged or could not be read.
    pub complete: bool,
    /// Why it is not complete.
    pub error: Option<String>,
}

/// An interface's own counters over the run, beside what was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct InterfaceCounters {
    pub interface: String,
    /// `ingress` or `egress`.
    pub direction: String,
    /// The interface's own.
    pub packets: u64,
    pub bytes: u64,
    /// Ours.
    pub counted_packets: u64,
    pub counted_bytes: u64,
    /// One sentence for people.
    pub verdict: String,
}
