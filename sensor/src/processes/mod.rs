//! Which local process owns a flow.
//!
//! Packets don't say it and the hooks don't ask: a process is found beside them, from userspace, so that all backends
//! have it alike and none pays for it per packet. A thread takes a snapshot of the local TCP and UDP [`sockets`] every
//! interval, finds whose they are ([`owners`], [`cgroup`]) and remembers it by address and port ([`memory`]); when a
//! report is made its flows are looked up there ([`explain`]).
//!
//! Only sockets of the sensor's own network namespace are seen. A connection that begins and ends between two snapshots
//! has no owner.

mod cgroup;
mod explain;
mod memory;
mod owners;
mod proc_net;
mod sockets;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::IpAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::counters::Delta;
use crate::link;
use crate::privilege;
use crate::report::{FlowRow, InterfaceInfo, Process, Report};
use crate::sandbox::capabilities;
use crate::units;
use memory::Memory;
use owners::Owners;
use sockets::Road;

/// Snapshots are not taken more often, whatever the interval.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
/// A snapshot that took long is followed by a pause this many times as long: 5 % of one CPU at the most.
const PAUSES: u32 = 19;

/// What is known so far; clones speak of the same.
#[derive(Clone, Default)]
pub struct Processes {
    known: Arc<Mutex<Known>>,
}

/// Takes snapshots until it is dropped.
pub struct Watch {
    processes: Processes,
    /// `None` once it is being dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the last snapshot found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// TCP and UDP sockets of this network namespace that somebody holds.
    pub sockets: usize,
    /// Those of which no process was found.
    pub without_process: usize,
    /// Processes whose open files we may not see.
    pub closed_processes: usize,
    /// Why the kernel's socket list can't be asked for and /proc/net is read instead.
    pub diag_refused: Option<String>,
    /// Why there is no list at all.
    pub failed: Option<String>,
    /// There are more sockets than are looked at.
    pub too_many: bool,
    pub took: Duration,
}

#[derive(Default)]
struct Known {
    memory: Memory,
    status: Status,
}

/// What a snapshot keeps for the next.
#[derive(Default)]
struct Snapshots {
    owners: Owners,
    cgroups: cgroup::Ids,
}

impl Watch {
    /// The first snapshot is taken before this returns.
    pub fn start(interval: Duration) -> Self {
        let processes = Processes::default();
        let mut snapshots = Snapshots::default();
        snapshots.take(&processes);
        let (stop, stopped) = mpsc::channel::<()>();
        let every = interval.clamp(SHORTEST, LONGEST);
        let shared = processes.clone();
        let thread = std::thread::spawn(move || {
            capabilities::give_up_all_but(privilege::PROCESSES);
            let mut pause = every;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let took = snapshots.take(&shared);
                pause = every.saturating_sub(took).max(took * PAUSES);
            }
        });
        Watch {
            processes,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn processes(&self) -> Processes {
        self.processes.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Processes {
    pub fn status(&self) -> Status {
        self.known().status.clone()
    }

    /// Names the processes of the report's flows, and ranks them all. `delta` is what the report was built from.
    pub fn explain(
        &self,
        delta: &Delta,
        interfaces: &[InterfaceInfo],
        top_n: usize,
        report: &mut Report,
    ) {
        let known = self.known();
        explain::explain(&known.memory, delta, interfaces, top_n, report);
        report.notes.extend(known.status.notes());
    }

    /// The local process that sent the flow, else the one that received it.
    pub fn of_flow(&self, interfaces: &[InterfaceInfo], row: &FlowRow) -> Option<Process> {
        explain::of_row(&self.known().memory, interfaces, row)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic of the other thread leaves a map that is still a map.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status {
    /// One line for people.
    pub fn line(&self) -> String {
        if let Some(failed) = &self.failed {
            return format!("processes: none will be named: {failed}");
        }
        let mut line = format!(
            "processes: {} local sockets, {} of them without a known process; a snapshot took {}",
            units::count(self.sockets as u64),
            units::count(self.without_process as u64),
            units::duration(self.took.as_secs_f64()),
        );
        if let Some(refused) = &self.diag_refused {
            line += &format!("; read from /proc/net, because: {refused}");
        }
        line
    }

    /// What a report must say.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(failed) = &self.failed {
            notes.push(format!("processes could not be told: {failed}"));
        }
        if self.closed_processes > 0 {
            notes.push(format!(
                "processes of other users whose open files can't be read: {}; their flows have no process name (root or \
                 CAP_SYS_PTRACE would show it)",
                self.closed_processes
            ));
        }
        if self.too_many {
            notes.push(format!(
                "there are more than {} sockets: those beyond have no process",
                sockets::MOST
            ));
        }
        notes
    }
}

impl Snapshots {
    /// Gives the time it took.
    fn take(&mut self, processes: &Processes) -> Duration {
        let start = Instant::now();
        let mut status = Status::default();
        let found = match sockets::list() {
            Ok(found) => found,
            Err(error) => {
                status.failed = Some(error);
                processes.known().status = status;
                return start.elapsed();
            }
        };
        status.sockets = found.sockets.len();
        status.too_many = found.too_many;
        if let Road::ProcNet { refused } = found.road {
            status.diag_refused = Some(refused);
        }
        self.owners
            .update(found.sockets.iter().map(|one| one.inode));
        status.closed_processes = self.owners.closed();
        let mut seen = Vec::with_capacity(found.sockets.len());
        for socket in found.sockets {
            let owner = self.owners.of(socket.inode);
            status.without_process += usize::from(owner.is_none());
            let owner = owner.or_else(|| self.cgroups.owner(socket.cgroup_id?));
            seen.extend(owner.map(|owner| (socket, owner)));
        }
        let addresses = local_addresses();
        let mut known = processes.known();
        known.memory.learn(seen, addresses);
        status.took = start.elapsed();
        known.status = status;
        start.elapsed()
    }
}

fn local_addresses() -> Vec<IpAddr> {
    let found = link::addresses().unwrap_or_default();
    let all = found.into_values().flatten();
    all.map(|address| address.addr).collect()
}

/// What `--processes` costs here, measured by taking a first snapshot, and what it can see, for a self-check.
pub fn cost_note() -> String {
    let processes = Processes::default();
    let mut snapshots = Snapshots::default();
    let first = snapshots.take(&processes);
    let again = snapshots.take(&processes);
    let status = processes.status();
    if status.failed.is_some() {
        return status.line();
    }
    let running =
        fs::read_dir("/proc").map_or(0, |entries| entries.filter_map(owners::pid_of).count());
    let mut note = format!(
        "a snapshot of {} sockets and {} processes takes {} when its sockets are new, {} when they are known, every second \
         on one thread; nothing per packet",
        units::count(status.sockets as u64),
        units::count(running as u64),
        units::duration(first.as_secs_f64()),
        units::duration(again.as_secs_f64()),
    );
    if status.closed_processes > 0 {
        note += &format!(
            "; {} processes of other users stay unnamed without CAP_SYS_PTRACE",
            status.closed_processes
        );
    }
    note
}
