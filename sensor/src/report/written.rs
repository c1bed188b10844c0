//! Packets that were kept as they are, beside being counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `-w` has written since the start, when the report was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Written {
    /// As typed, control characters escaped; `-` is standard output.
    pub path: String,
    pub files: u64,
    /// Of those, files that are gone, because a later one had the same name.
    pub files_replaced: u64,
    pub packets: u64,
    /// Before compression, with the headers of the format.
    pub bytes: u64,
    /// Packets that were counted and could not be written: the output failed or was too slow.
    pub packets_unwritten: u64,
    /// Packets that came after the last file that -W allows.
    pub packets_after_last: u64,
    /// Why no more was written, where the output failed.
    pub error: Option<String>,
}

impl Written {
    /// Every packet that was to be in a file has been written to one.
    pub fn is_complete(&self) -> bool {
        self.packets_unwritten == 0 && self.error.is_none()
    }
}
