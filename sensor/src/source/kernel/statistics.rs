//! How long the programs run, by the kernel's own statistics: off unless asked for, for two looks at the clock cost more
//! than some programs do.

use std::os::fd::OwnedFd;

use aya::sys::{Stats, enable_stats};

/// Since the programs were loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTime {
    pub runs: u64,
    pub nanoseconds: u64,
}

impl std::ops::AddAssign for RunTime {
    fn add_assign(&mut self, other: RunTime) {
        self.runs += other.runs;
        self.nanoseconds += other.nanoseconds;
    }
}

/// While it lives the kernel measures all programs of the machine; it stops when this process ends, however it ends.
pub struct Statistics {
    _enabled: OwnedFd,
}

impl Statistics {
    pub fn enable() -> Result<Self, String> {
        let enabled = enable_stats(Stats::RunTime);
        let enabled = enabled.map_err(|error| error.io_error.to_string())?;
        Ok(Statistics { _enabled: enabled })
    }
}
