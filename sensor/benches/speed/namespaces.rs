//! Two namespaces joined by a veth pair, `a0` (10.9.0.1) and `b0` (10.9.0.2); gone when dropped.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsRawFd;
use std::process::Command;

pub(crate) struct Pair {
    pub a: Namespace,
    pub b: Namespace,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (a, b) = (Namespace::new("a"), Namespace::new("b"));
        ip(&[
            "link", "add", "a0", "netns", &a.0, "type", "veth", "peer", "name", "b0", "netns", &b.0,
        ]);
        for (namespace, interface, address) in
            [(&a, "a0", "10.9.0.1/24"), (&b, "b0", "10.9.0.2/24")]
        {
            ip(&["-n", &namespace.0, "addr", "add", address, "dev", interface]);
            ip(&["-n", &namespace.0, "link", "set", interface, "up"]);
        }
        Pair { a, b }
    }

    /// Nobody is addressed at `b0`, which takes frames from XDP programs also while it has none of its own.
    pub(crate) fn mirror() -> Self {
        let pair = Pair::new();
        ip(&["-n", &pair.b.0, "addr", "flush", "dev", "b0"]);
        pair.b.inside(|| receive_offload("b0"));
        pair
    }
}

/// Turns on GRO, with which veth polls as it does for XDP: `ethtool -K INTERFACE gro on`.
fn receive_offload(interface: &str) {
    const SIOCETHTOOL: libc::Ioctl = 0x8946;
    const ETHTOOL_SGRO: u32 = 0x2c;
    let mut value = [ETHTOOL_SGRO, 1];
    // SAFETY: integers and pointers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = value.as_mut_ptr().cast();
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // SAFETY: the request and its two words live through the call, which writes no more than they are.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &raw mut request) };
    assert_eq!(result, 0, "GRO: {}", std::io::Error::last_os_error());
}

pub(crate) struct Namespace(String);

impl Namespace {
    fn new(letter: &str) -> Self {
        let name = format!("sensor-bench-{}-{letter}", std::process::id());
        ip(&["netns", "add", &name]);
        let namespace = Namespace(name);
        // Neighbour discovery would send packets that nobody asked for.
        namespace.inside(|| {
            for which in ["all", "default"] {
                fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1").unwrap();
            }
        });
        ip(&["-n", &namespace.0, "link", "set", "lo", "up"]);
        namespace
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    /// Runs `work` on a thread of its own in this namespace.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.0);
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let namespace = fs::File::open(&path).unwrap();
                // SAFETY: the descriptor is open; only this thread changes its namespace.
                let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
                assert_eq!(
                    result,
                    0,
                    "setns {path}: {}",
                    std::io::Error::last_os_error()
                );
                work()
            });
            thread.join().unwrap()
        })
    }

    /// Packets that the interface itself counted, `received` or not.
    pub(crate) fn packets(&self, interface: &str, received: bool) -> u64 {
        let way = if received { "rx" } else { "tx" };
        let output = self
            .command("ip")
            .args(["-s", "-j", "link", "show", "dev", interface])
            .output()
            .unwrap();
        let links: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        links[0]["stats64"][way]["packets"].as_u64().unwrap()
    }

    /// TCP segments that the stack of this namespace has sent, each retransmission too.
    pub(crate) fn segments_sent(&self) -> u64 {
        let tcp = self
            .inside(|| tcp_counters(&fs::read_to_string("/proc/thread-self/net/snmp").unwrap()));
        tcp["OutSegs"] + tcp["RetransSegs"]
    }
}

/// The two lines `Tcp:` of /proc/net/snmp: names, then numbers.
fn tcp_counters(text: &str) -> BTreeMap<String, u64> {
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, numbers) = (lines.next().unwrap(), lines.next().unwrap());
    let pairs = names.split_whitespace().zip(numbers.split_whitespace());
    let pairs = pairs.map(|(name, number)| (name.to_owned(), number.parse().unwrap_or(0)));
    pairs.collect()
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "ip {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
