//! Machines that give little: a control group without memory, a container without /sys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Namespace, Pair, Sensor, attempt, ip, need_kernel};
use crate::traffic;

/// Far below the tables that are asked for, and above what the program itself takes.
const LIMIT: &str = "67108864";
const MANY_FLOWS: [&str; 2] = ["--kernel-flows", "1048576"];

#[test]
fn tables_that_the_control_group_has_no_memory_for_are_told_with_what_to_do() {
    need_kernel!();
    let Some(group) = Group::new() else {
        return println!("skipped: no control group with a limit of memory can be made here");
    };
    let pair = Pair::new(1500);
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["-i", "a0", "--backend", "tc", "--no-history"];
    let arguments = [&arguments[..], &MANY_FLOWS].concat();
    let (code, said) = attempt(group.command(&pair.a), &arguments, folder.path());
    if code == Some(0) {
        return println!("skipped: this kernel charges tables to no control group");
    }
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in ["Cannot allocate memory", "MemoryMax", "--kernel-flows"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn without_sys_packets_are_counted_by_packet_sockets_and_the_path_is_named() {
    need_kernel!();
    let pair = Pair::new(1500);
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    // In the mount namespace that `ip netns exec` has made.
    let hidden = "mount -t tmpfs none /sys && exec \"$0\" \"$@\"";
    let mut command = pair.a.command("sh");
    command.args(["-c", hidden, env!("CARGO_BIN_EXE_sensor")]);
    let mut sensor = Sensor::launch(command, &["-i", "a0"], folder, reports);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
    sensor.counted(100);
    let report = sensor.stop().checked();
    assert_eq!(report["totals"]["packets"], 100);
    let ingress = &report["source"]["interfaces"][0]["ingress"];
    assert_eq!(ingress["hook"], "af-packet");
    let why = ingress["why"].as_str().unwrap();
    assert!(why.contains("/sys/devices/system/cpu/possible"), "{why}");
}

/// What others can do with an interface, they can do while it is counted on, and nothing of it stays changed.
#[test]
fn counting_takes_no_mtu_and_no_offload_away() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = Pair::new(1500);
        let before = described(&pair.a);
        let sensor = Sensor::start(&pair.a, &["-i", "a0", "--backend", backend]);
        for (end, name) in [(&pair.a, "a0"), (&pair.b, "b0")] {
            ip(&["-n", &end.name, "link", "set", name, "mtu", "9000"]);
            ip(&["-n", &end.name, "link", "set", name, "mtu", "1500"]);
        }
        // Native XDP takes away what the kernel says it does, while it is there.
        if backend != "xdp" {
            assert_eq!(described(&pair.a), before, "{backend}");
        }
        sensor.stop().checked();
        assert_eq!(described(&pair.a), before, "after {backend}");
    }
}

/// As `ip` and `ethtool` have it.
fn described(namespace: &Namespace) -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = namespace.command(program).args(arguments).output();
        output.map_or(String::new(), |output| {
            String::from_utf8_lossy(&output.stdout).into_owned()
        })
    };
    let link = said("ip", &["-d", "link", "show", "dev", "a0"]);
    assert!(link.contains("mtu 1500"), "{link}");
    link + &said("ethtool", &["-k", "a0"])
}

/// A control group that may not have much memory; removed when dropped.
struct Group(PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let name = format!("sensor-test-{}", std::process::id());
        let kinds = [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ];
        kinds.iter().find_map(|(root, limit)| {
            let folder = Path::new(root).join(&name);
            fs::create_dir(&folder).ok()?;
            let group = Group(folder);
            // Written, not made: where there is no such limit there is no such file.
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).open(group.0.join(limit)).ok()?;
            std::io::Write::write_all(&mut file, LIMIT.as_bytes()).ok()?;
            Some(group)
        })
    }

    /// The sensor in a namespace, in the group before it begins.
    fn command(&self, namespace: &Namespace) -> Command {
        let enter = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", self.0.display());
        let mut command = Command::new("sh");
        command.args(["-c", &enter, "sh", "ip", "netns", "exec", &namespace.name]);
        command.arg(env!("CARGO_BIN_EXE_sensor"));
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _left = fs::remove_dir(&self.0);
    }
}
