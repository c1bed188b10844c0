//! Throw-away network namespaces, and raw senders in them.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

/// Two namespaces, `a` and `b`, joined by a veth pair `a0`-`b0`, 10.9.0.1 and 10.9.0.2; gone when dropped.
pub(crate) struct Pair {
    pub a: Namespace,
    pub b: Namespace,
}

impl Pair {
    pub(crate) fn new(mtu: u32) -> Self {
        let pair = Pair {
            a: Namespace::new(),
            b: Namespace::new(),
        };
        let (a, b, mtu) = (&pair.a.name, &pair.b.name, mtu.to_string());
        ip(&[
            "link", "add", "a0", "mtu", &mtu, "netns", a, "type", "veth", "peer", "name", "b0",
            "mtu", &mtu, "netns", b,
        ]);
        ip(&["-n", a, "addr", "add", "10.9.0.1/24", "dev", "a0"]);
        ip(&["-n", b, "addr", "add", "10.9.0.2/24", "dev", "b0"]);
        ip(&["-n", a, "link", "set", "a0", "up"]);
        ip(&["-n", b, "link", "set", "b0", "up"]);
        pair
    }
}

pub(crate) struct Namespace {
    pub name: String,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sensor-test-{}-{number}", std::process::id());
        ip(&["netns", "add", &name]);
        let namespace = Namespace { name };
        // Neighbour discovery would send packets that no test asked for.
        namespace.inside(|| {
            for which in ["all", "default"] {
                fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1").unwrap();
            }
        });
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"]);
        namespace
    }

    /// Runs `work` on a thread of its own in this namespace.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.name);
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let namespace = fs::File::open(&path).unwrap();
                // SAFETY: the descriptor is open; only this thread changes its namespace.
                let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
                assert_eq!(result, 0, "setns {path}: {}", io::Error::last_os_error());
                work()
            });
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Sends the frames as they are.
    pub(crate) fn send(&self, interface: &str, frames: &[Vec<u8>]) {
        self.inside(|| {
            let socket = packet_socket(interface);
            for frame in frames {
                // SAFETY: the buffer is as long as said.
                let sent = unsafe {
                    libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0)
                };
                let error = io::Error::last_os_error();
                assert_eq!(
                    usize::try_from(sent),
                    Ok(frame.len()),
                    "{} bytes: {error}",
                    frame.len()
                );
            }
        });
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}

pub(crate) fn packet_socket(interface: &str) -> OwnedFd {
    let name = std::ffi::CString::new(interface).unwrap();
    // SAFETY: plain system calls on values that live through them.
    unsafe {
        let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0);
        assert!(fd >= 0, "packet socket: {}", io::Error::last_os_error());
        let socket = OwnedFd::from_raw_fd(fd);
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        let size = size_of_val(&address) as u32;
        let result = libc::bind(fd, (&raw const address).cast(), size);
        assert_eq!(
            result,
            0,
            "bind {interface}: {}",
            io::Error::last_os_error()
        );
        socket
    }
}

pub(crate) fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "ip {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
