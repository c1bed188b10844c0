//! What the sensor itself takes, as the kernel has it. What can't be read is left out.

use std::fs;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Of all threads, in user and kernel mode. What programs in the kernel take is on the account of whom they interrupt.
    pub(super) cpu: Duration,
    pub(super) resident_bytes: Option<u64>,
    pub(super) map_bytes: Option<u64>,
}

pub(super) fn read() -> Cost {
    Cost {
        cpu: cpu(),
        resident_bytes: resident(),
        map_bytes: maps(),
    }
}

fn cpu() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(field(&status, "VmRSS:")? * 1024)
}

/// Of every map that this process has open; a map with several descriptors counts once.
fn maps() -> Option<u64> {
    let mut sizes = std::collections::BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fdinfo").ok()?.flatten() {
        let Ok(info) = fs::read_to_string(entry.path()) else {
            continue; // closed meanwhile
        };
        if let Some((id, bytes)) = field(&info, "map_id:").zip(field(&info, "memlock:")) {
            sizes.insert(id, bytes);
        }
    }
    Some(sizes.values().sum())
}

fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_and_memory() {
        let cost = read();
        assert!(cost.cpu > Duration::ZERO);
        assert!(cost.resident_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert_eq!(cost.map_bytes, Some(0), "tests load no programs");
    }

    #[test]
    fn fields_are_found_by_name() {
        let info = "map_type:\t2\nmemlock:\t4096\nmap_id:\t7\n";
        assert_eq!(field(info, "memlock:"), Some(4096));
        assert_eq!(field(info, "frozen:"), None);
        assert_eq!(field("VmRSS:\t    1234 kB\n", "VmRSS:"), Some(1234));
    }
}
