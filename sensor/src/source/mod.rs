//! Where packets come from. Every source yields the same [`Delta`].

pub mod af_packet;
pub mod af_xdp;
pub mod dedup;
pub mod file;
pub mod home;
pub mod kernel;
pub mod ladder;
pub mod live;
pub mod mirror;
pub(crate) mod raw_socket;
pub mod sampling;
pub mod tap;

use std::io;

use crate::clock::Now;
use crate::counters::Delta;
use crate::link::wanted::Stacked;

/// How often a source is looked at between polls, unless it wants it more often.
pub(crate) const LOOK_EVERY: i64 = 50_000_000;

/// A live source, as the agent sees it.
pub trait Source {
    /// The run starts now.
    fn begin(&mut self, now: Now);

    /// Moves everything that was counted since the last call to `delta`.
    fn poll(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError>;

    /// Moves to `delta` what must not wait for the next poll, and costs little.
    fn look(&mut self, delta: &mut Delta);

    /// A table would fill up before the interval ends.
    fn needs_poll(&mut self) -> bool;

    /// Nanoseconds until the next look, at most.
    fn look_every(&self) -> i64 {
        LOOK_EVERY
    }

    /// What happened to the interfaces since the last call.
    fn check(&mut self) -> Vec<Event>;

    /// Stops capturing and moves the last counts to `delta`.
    fn finish(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError>;
}

/// Something that happened to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Gone {
        interface: String,
    },
    Back {
        interface: String,
        how: String,
    },
    /// Of those that a pattern or `any` means: counted from now on.
    New {
        interface: String,
        how: String,
    },
    /// An interface can't be attached to.
    Refused {
        interface: String,
        why: String,
        /// It was counted before.
        back: bool,
    },
    /// Not counted any more, because it has come to stand on others that are.
    LeftOut(Stacked),
    Renamed {
        from: String,
        to: String,
    },
    /// A mirror port that this host has come to use.
    Used {
        interface: String,
        by: String,
    },
    /// The state of the interfaces is not known; counting goes on.
    Trouble {
        what: String,
    },
    /// Nothing is left to count on.
    AllGone,
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("waiting for the kernel's programs failed: {0}")]
    GracePeriod(io::Error),
    #[error("reading the packet ring failed: {0}")]
    Ring(#[from] af_packet::RingError),
}

/// How packets of one direction of an interface are counted, or why they are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hook {
    /// `xdp`, `tcx`, `clsact`, `af-packet`, `af-xdp`.
    pub name: Option<&'static str>,
    /// XDP's: `native`, `generic`; AF_XDP's: `zero-copy`, `copy`.
    pub mode: Option<&'static str>,
    pub why: String,
}

impl Hook {
    /// By every backend alike.
    fn mirror_egress() -> Self {
        Hook {
            name: None,
            mode: None,
            why: "a mirror port sends nothing".to_owned(),
        }
    }

    /// By every backend alike.
    fn loopback_egress() -> Self {
        Hook {
            name: None,
            mode: None,
            why: "loopback shows each packet twice; it is counted once, on ingress".to_owned(),
        }
    }
}

/// Whether packets of a device with this hardware type start with the IP header (ARPHRD_NONE, tunnels, PPP), or with an
/// Ethernet header; `None` for what has no decoder here.
pub(crate) fn starts_with_ip(arphrd: u16) -> Option<bool> {
    match arphrd {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(false),
        libc::ARPHRD_NONE
        | libc::ARPHRD_PPP
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE => Some(true),
        519 | 823 => Some(true), // ARPHRD_RAWIP, ARPHRD_IP6GRE
        _ => None,
    }
}

/// Behind it the verifier's log may fill pages.
fn first_line(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
