//! Throw-away network namespaces for tests: made with `ip`, entered by threads of their own, removed on drop.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) struct Netns {
    pub(crate) name: String,
}

impl Netns {
    /// `None`, with the reason printed, where namespaces can't be made here.
    pub(crate) fn new() -> Option<Netns> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // SAFETY: plain system call without arguments.
        if unsafe { libc::geteuid() } != 0 {
            skipped("network namespaces need root");
            return None;
        }
        let name = format!(
            "sensor-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        if !made.is_ok_and(|output| output.status.success()) {
            skipped("ip netns add doesn't work here");
            return None;
        }
        let netns = Netns { name };
        netns.run(|| {
            for conf in ["all", "default"] {
                // Neighbour discovery and router solicitations would be counted too. No IPv6 at all is as good.
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{conf}/disable_ipv6"), "1");
            }
        });
        Some(netns)
    }

    /// Runs `ip` with these words in the namespace.
    pub(crate) fn ip(&self, words: &str) {
        self.try_ip(words)
            .unwrap_or_else(|error| panic!("ip {words}: {error}"));
    }

    /// The same for what this kernel may not be able to do.
    pub(crate) fn try_ip(&self, words: &str) -> Result<(), String> {
        let output = Command::new("ip")
            .args(["-n", &self.name])
            .args(words.split(' '))
            .output()
            .expect("ip");
        let error = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() {
            Ok(())
        } else {
            Err(error())
        }
    }

    /// Runs `f` on a thread that has entered the namespace; a panic in it goes on in the caller.
    pub(crate) fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        let enter = || {
            let file = File::open(format!("/run/netns/{}", self.name)).expect("namespace file");
            // SAFETY: plain system call on a descriptor that is open; it changes this thread only.
            let status = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
            assert_eq!(status, 0, "setns");
            f()
        };
        let result = std::thread::scope(|scope| scope.spawn(enter).join());
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .output();
    }
}

/// Two namespaces joined by a veth pair: `veth0` (10.9.0.1) in the first, `veth1` (10.9.0.2) in the second. They know
/// each other's MAC address, so that what a test sends is all there is.
pub(crate) struct VethPair {
    pub(crate) a: Netns,
    pub(crate) b: Netns,
}

pub(crate) const MAC_A: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
pub(crate) const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 0xb];

impl VethPair {
    pub(crate) fn new() -> Option<VethPair> {
        let (a, b) = (Netns::new()?, Netns::new()?);
        let (mac_a, mac_b) = ("02:00:00:00:00:0a", "02:00:00:00:00:0b");
        a.ip(&format!(
            "link add veth0 address {mac_a} type veth peer name veth1 address {mac_b} netns {}",
            b.name
        ));
        a.ip("addr add 10.9.0.1/24 dev veth0");
        b.ip("addr add 10.9.0.2/24 dev veth1");
        for (netns, name) in [(&a, "veth0"), (&b, "veth1")] {
            netns.ip("link set lo up");
            netns.ip(&format!("link set {name} up"));
        }
        a.ip(&format!("neigh replace 10.9.0.2 lladdr {mac_b} dev veth0"));
        b.ip(&format!("neigh replace 10.9.0.1 lladdr {mac_a} dev veth1"));
        Some(VethPair { a, b })
    }
}

/// Waits until the kernel got there. What a closed descriptor undoes is undone a moment later when another test was
/// starting `ip` just then: its child held a copy.
pub(crate) fn eventually(reached: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !reached() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

pub(crate) fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}
