//! What the sensor itself takes, as the kernel has it. What can't be read is left out.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Of all threads. What programs in the kernel take is on the account of whom they interrupt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Since the process started, which is when its CPU time began to count.
    pub passed: Duration,
    pub cpu_user: Duration,
    pub cpu_system: Duration,
    pub resident_bytes: Option<u64>,
    /// The most that was ever resident.
    pub peak_bytes: Option<u64>,
    pub map_bytes: Option<u64>,
}

static START: OnceLock<Instant> = OnceLock::new();

/// To be called as early as can be. /proc knows better when the process started, but may be hidden from us.
pub fn start() {
    START.get_or_init(Instant::now);
}

pub fn read() -> Cost {
    let passed = START.get_or_init(Instant::now).elapsed();
    let (cpu_user, cpu_system) = cpu();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name| field(&status, name).map(|kilobytes| kilobytes * 1024);
    Cost {
        passed,
        cpu_user,
        cpu_system,
        resident_bytes: kilobytes("VmRSS:"),
        peak_bytes: kilobytes("VmHWM:"),
        map_bytes: maps(),
    }
}

/// In user and in kernel mode.
fn cpu() -> (Duration, Duration) {
    // SAFETY: plain numbers, of which the call writes all.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let duration = |time: libc::timeval| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::from_secs(seconds)
            + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
    };
    (duration(usage.ru_utime), duration(usage.ru_stime))
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
        start();
        let cost = read();
        assert!(read().passed > cost.passed, "time goes on");
        assert!(cost.cpu_user + cost.cpu_system > Duration::ZERO);
        let resident = cost.resident_bytes.unwrap();
        assert!(resident > 1 << 20);
        assert!(cost.peak_bytes.is_some_and(|peak| peak >= resident));
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
