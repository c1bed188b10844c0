//! Whose a socket is: its inode is looked for among the open files of all processes.
//!
//! That is the dear part of a snapshot, so what was found is kept as long as the socket lives, and only checked: one
//! readlink a socket instead of one for each open file of the machine.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::cgroup;
use crate::report::Process;

/// A socket that no process was found to hold is looked for this often: it may have been on its way between two.
const TRIES: u8 = 3;
/// A process may change its name or cgroup: both are read again after so many snapshots.
const REFRESH: u32 = 10;

#[derive(Default)]
pub(super) struct Owners {
    sockets: HashMap<u64, Holder>,
    processes: HashMap<u32, Arc<Process>>,
    /// Processes whose files could not be seen in the last search.
    closed: usize,
    snapshots: u32,
}

#[derive(Clone, Copy)]
enum Holder {
    Found { pid: u32, fd: u32 },
    Missing { tries: u8 },
}

impl Owners {
    /// `inodes`: all sockets that there are now; others are forgotten.
    pub(super) fn update(&mut self, inodes: impl Iterator<Item = u64>) {
        let mut now = HashMap::with_capacity(self.sockets.len());
        let mut wanted = HashSet::new();
        for inode in inodes {
            let before = self.sockets.get(&inode).copied();
            let holder = match before {
                Some(Holder::Found { pid, fd }) if holds(pid, fd, inode) => {
                    Holder::Found { pid, fd }
                }
                Some(missing @ Holder::Missing { tries: TRIES.. }) => missing,
                Some(Holder::Missing { tries }) => Holder::Missing { tries: tries + 1 },
                _ => Holder::Missing { tries: 1 },
            };
            if matches!(holder, Holder::Missing { .. }) && !gave_up(before) {
                wanted.insert(inode);
            }
            now.insert(inode, holder);
        }
        self.sockets = now;
        if !wanted.is_empty() {
            self.search(wanted);
        }
        self.know_processes();
    }

    pub(super) fn of(&self, inode: u64) -> Option<Arc<Process>> {
        match self.sockets.get(&inode)? {
            Holder::Found { pid, .. } => self.processes.get(pid).cloned(),
            Holder::Missing { .. } => None,
        }
    }

    pub(super) fn closed(&self) -> usize {
        self.closed
    }

    /// Those who hold sockets already first: a new one is most likely theirs.
    fn search(&mut self, mut wanted: HashSet<u64>) {
        let mut likely: Vec<u32> = self.processes.keys().copied().collect();
        likely.sort_unstable();
        for pid in likely {
            let _gone = self.search_in(pid, &mut wanted);
        }
        if wanted.is_empty() {
            return;
        }
        let Ok(entries) = fs::read_dir("/proc") else {
            return;
        };
        let mut pids: Vec<u32> = entries.filter_map(pid_of).collect();
        pids.sort_unstable();
        self.closed = 0;
        for pid in pids {
            if wanted.is_empty() {
                return;
            }
            if !self.processes.contains_key(&pid)
                && let Err(error) = self.search_in(pid, &mut wanted)
            {
                self.closed += usize::from(error.kind() == io::ErrorKind::PermissionDenied);
            }
        }
    }

    fn search_in(&mut self, pid: u32, wanted: &mut HashSet<u64>) -> io::Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        for entry in fs::read_dir(format!("/proc/{pid}/fd"))?.map_while(Result::ok) {
            let Some(inode) = socket_inode(&entry.path()) else {
                continue;
            };
            if wanted.remove(&inode)
                && let Some(fd) = entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse().ok())
            {
                self.sockets.insert(inode, Holder::Found { pid, fd });
            }
        }
        Ok(())
    }

    /// Forgets the processes that hold no socket any more, and reads what the others are called.
    fn know_processes(&mut self) {
        let before = match self.snapshots % REFRESH {
            0 => HashMap::new(),
            _ => std::mem::take(&mut self.processes),
        };
        self.snapshots = self.snapshots.wrapping_add(1);
        let mut now = HashMap::with_capacity(before.len());
        for holder in self.sockets.values() {
            if let Holder::Found { pid, .. } = *holder {
                let known = || before.get(&pid).cloned();
                now.entry(pid)
                    .or_insert_with(|| known().unwrap_or_else(|| Arc::new(process(pid))));
            }
        }
        self.processes = now;
    }
}

/// The process that an entry of /proc stands for.
pub(super) fn pid_of(entry: io::Result<DirEntry>) -> Option<u32> {
    entry.ok()?.file_name().to_str()?.parse().ok()
}

fn gave_up(holder: Option<Holder>) -> bool {
    matches!(holder, Some(Holder::Missing { tries: TRIES.. }))
}

fn holds(pid: u32, fd: u32, inode: u64) -> bool {
    socket_inode(Path::new(&format!("/proc/{pid}/fd/{fd}"))) == Some(inode)
}

/// Of an open file that is a socket: the link says `socket:[4711]`.
fn socket_inode(link: &Path) -> Option<u64> {
    let target = fs::read_link(link).ok()?;
    let text = target.to_str()?;
    text.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

fn process(pid: u32) -> Process {
    Process {
        pid: Some(pid),
        name: read(&format!("/proc/{pid}/comm")).and_then(|text| name(&text)),
        cgroup: read(&format!("/proc/{pid}/cgroup")).and_then(|text| cgroup::of_process(&text)),
    }
}

/// The kernel ends it with a newline, and lets it hold any others.
fn name(comm: &str) -> Option<String> {
    let name = comm.strip_suffix('\n').unwrap_or(comm);
    (!name.is_empty()).then(|| name.to_owned())
}

/// At most 64 KiB of it; `None` where it can't be read.
fn read(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(64 << 10)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(name("sshd\n").as_deref(), Some("sshd"));
        assert_eq!(name("a\nb\x1b[2J\n").as_deref(), Some("a\nb\x1b[2J"));
        assert_eq!(name("\n"), None);
    }

    #[test]
    fn a_socket_without_a_holder_is_not_searched_for_ever() {
        const NOBODYS: u64 = u64::MAX;
        let mut owners = Owners::default();
        for _ in 0..TRIES + 3 {
            owners.update([NOBODYS].into_iter());
            assert_eq!(owners.of(NOBODYS), None);
        }
        assert!(gave_up(owners.sockets.get(&NOBODYS).copied()));
        owners.update(std::iter::empty());
        assert!(owners.sockets.is_empty(), "what is gone is forgotten");
    }
}
