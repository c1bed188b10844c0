//! What a set of history says beside its rows: JSON in the key-value metadata of each of its files, under [`KEY`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::{FileInfo, InterfaceInfo, Naming};

/// The key in the Parquet file.
pub(super) const KEY: &str = "sensor.history";
/// Value of [`Meta::schema`].
pub(super) const SCHEMA: &str = "sensor.history/1";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) schema: String,
    /// Of the sensor that wrote the file.
    pub(super) version: String,
    pub(super) hostname: String,
    /// The runs that counted what is in it, more than one only after compaction; with how far each could look for names by
    /// then.
    pub(super) runs: BTreeMap<String, Naming>,
    /// `xdp`, `tc`, `af-packet`, `file` ...
    pub(super) backend: String,
    /// Nanoseconds of a bucket.
    pub(super) resolution: i64,
    /// From when to when somebody looked, nanoseconds since the epoch; null of capture files.
    pub(super) observed: Option<(i64, i64)>,
    /// The filters that were in force; null where there was none.
    pub(super) filters: Vec<Option<String>>,
    /// By the rows' `slot`.
    pub(super) interfaces: Vec<InterfaceInfo>,
    pub(super) files: Vec<FileInfo>,
    pub(super) notes: Vec<String>,
    /// Names of the sets that this one was made from, and that don't count any more.
    pub(super) replaces: Vec<String>,
    /// What could not be written, and is nowhere in the history.
    pub(super) dropped: Dropped,
}

/// Rows that had to be given up, because the disk took none for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    pub packets: u64,
    pub bytes: u64,
    pub flow_rows: u64,
}

impl Dropped {
    pub fn add(&mut self, other: &Dropped) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.flow_rows = self.flow_rows.saturating_add(other.flow_rows);
    }
}
