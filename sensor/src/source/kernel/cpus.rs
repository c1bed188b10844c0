//! How many CPUs there may be: the tables have a part for each, also for those that come later.

use std::io;

#[derive(Debug, thiserror::Error)]
#[error("can't tell the number of possible CPUs from {path}: {error}")]
pub struct CpusError {
    path: &'static str,
    error: io::Error,
}

/// CPUs of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Cpus {
    /// Highest number that a CPU may ever have, plus one: the tables are indexed by it, and numbers may have gaps.
    pub possible: u32,
    pub online: u32,
}

impl Cpus {
    pub fn read() -> Result<Self, CpusError> {
        const POSSIBLE: &str = "/sys/devices/system/cpu/possible";
        let unreadable = |error| CpusError {
            path: POSSIBLE,
            error,
        };
        let list = std::fs::read_to_string(POSSIBLE).map_err(unreadable)?;
        let possible = past_the_last(&list)
            .ok_or_else(|| unreadable(io::Error::new(io::ErrorKind::InvalidData, list.clone())))?;
        let online = aya::util::online_cpus().map_or(possible, |cpus| cpus.len() as u32);
        Ok(Cpus { possible, online })
    }
}

/// The last number of a list such as `0-3,8-11`, plus one.
fn past_the_last(list: &str) -> Option<u32> {
    let last = list.trim().rsplit([',', '-']).next()?;
    last.parse::<u32>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_numbers_may_have_gaps() {
        assert_eq!(past_the_last("0-3\n"), Some(4));
        assert_eq!(past_the_last("0-3,8-11\n"), Some(12));
        assert_eq!(past_the_last("0"), Some(1));
        assert_eq!(past_the_last(""), None);
    }
}
