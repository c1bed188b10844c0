//! Local processes, with `--processes`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counts;

/// Who owns a socket. What is null could not be told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Process {
    pub pid: Option<u32>,
    pub name: Option<String>,
    /// Its container or unit, in short: `docker:1a2b3c4d5e6f`, `nginx.service`.
    pub cgroup: Option<String>,
}

/// All processes of one name in one cgroup.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ProcessRow {
    pub name: Option<String>,
    pub cgroup: Option<String>,
    /// Null where they are several.
    pub pid: Option<u32>,
    pub sent: Counts,
    pub received: Counts,
    pub flows: u64,
}

/// Null without `--processes`; else `sum(sent + received) + others + unknown = in_flows + overflow`, with what crossed a
/// loopback interface twice: one process sends it, one receives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Processes {
    pub list: Vec<ProcessRow>,
    /// How many rows the whole list has.
    pub total: u64,
    /// Of the rows that are left out.
    pub others: Counts,
    /// Of no known process.
    pub unknown: Counts,
}
