//! What is looked at. Nothing in here judges.

use std::net::IpAddr;

use crate::link::{Link, Offloads, ReceiveQueues, XdpFeatures};
use crate::source::kernel::probe::{Loaded, Probe};

/// Or why it can't be told.
pub type Known<T> = Result<T, String>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub host: Host,
    pub nics: Vec<Nic>,
}

/// The machine, and what this process may do on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub hostname: String,
    /// uname -r
    pub release: String,
    /// uname -m
    pub machine: String,
    /// A bit for each capability in effect.
    pub capabilities: Known<u64>,
    /// The command that grants them.
    pub grant: String,
    /// Capabilities of another user namespace than the first are none for eBPF.
    pub first_user_namespace: Known<bool>,
    /// This process began under a seccomp filter, as in containers.
    pub filtered: Known<bool>,
    /// What the kernel says of the programs; why they were not tried.
    pub programs: Programs,
    /// net.core.bpf_jit_enable, bpf_jit_harden
    pub jit: Known<u32>,
    pub jit_harden: Known<u32>,
    pub btf: bool,
    /// none, integrity or confidentiality
    pub lockdown: Known<String>,
    /// kernel.unprivileged_bpf_disabled
    pub unprivileged_disabled: Known<u32>,
    /// RLIMIT_MEMLOCK in bytes; `None` = unlimited.
    pub memlock: Option<u64>,
    pub preempt_rt: bool,
    /// CPUs without a timer tick; empty = none.
    pub nohz_full: Known<String>,
    /// The kernel waits for running programs when asked to.
    pub membarrier: Known<bool>,
    /// A packet socket was opened and closed; else why not.
    pub packet_socket: Result<(), PacketSocket>,
    /// The same of an AF_XDP socket.
    pub xdp_socket: Result<(), PacketSocket>,
    /// ABI of landlock.
    pub landlock: Known<u32>,
    pub seccomp: bool,
}

pub type Programs = Known<Probe>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketSocket {
    NoPermission,
    Missing(String),
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    pub link: Link,
    pub driver: Option<String>,
    /// `Ok(None)` where the kernel is too old to say.
    pub features: Known<Option<XdpFeatures>>,
    pub offloads: Offloads,
    pub queues: Option<ReceiveQueues>,
    /// But for those that every interface has (link-local).
    pub addresses: Vec<IpAddr>,
    /// More about the program on its XDP hook, where there is one.
    pub xdp: Option<NicProgram>,
    pub tcx_ingress: Known<Vec<Loaded>>,
    pub tcx_egress: Known<Vec<Loaded>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NicProgram {
    pub name: Known<Option<String>>,
    /// Processes with a descriptor of it or of its link, as far as they can be seen.
    pub holders: Vec<Holder>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub name: String,
}

impl Host {
    /// The first two numbers of the release.
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.release.split(|c: char| !c.is_ascii_digit());
        let mut next = || numbers.next()?.parse().ok();
        Some((next()?, next()?))
    }

    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        self.version()
            .is_some_and(|version| version >= (major, minor))
    }
}
