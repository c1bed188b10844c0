//! Which processes hold a program: the kernel describes each open file in /proc/PID/fdinfo.

use std::fs;
use std::path::Path;

use crate::doctor::Holder;

/// Processes with a descriptor of the program with this id, or of a link that keeps it attached; as far as this process may
/// look into others.
pub(super) fn of(program: u32) -> Vec<Holder> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut holders: Vec<Holder> = pids
        .filter(|pid| holds(&Path::new("/proc").join(format!("{pid}/fdinfo")), program))
        .map(|pid: u32| Holder {
            pid,
            name: name(pid),
        })
        .collect();
    holders.sort_by_key(|holder| holder.pid);
    holders
}

fn holds(descriptors: &Path, program: u32) -> bool {
    let Ok(entries) = fs::read_dir(descriptors) else {
        return false; // it has ended, or is none of our business
    };
    entries.flatten().any(|entry| {
        fs::read_to_string(entry.path()).is_ok_and(|described| is_of(&described, program))
    })
}

fn is_of(described: &str, program: u32) -> bool {
    let id = described
        .lines()
        .find_map(|line| line.strip_prefix("prog_id:"));
    id.is_some_and(|id| id.trim().parse() == Ok(program))
}

fn name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_id_alone() {
        let link = "pos:\t0\nlink_type:\txdp\nprog_tag:\tabc\nprog_id:\t12\n";
        assert!(is_of(link, 12));
        assert!(!is_of(link, 1) && !is_of("pos:\t12\n", 12));
    }
}
