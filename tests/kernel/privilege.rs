//! With exactly the capabilities that the messages name, and with fewer.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Namespace, Pair, Sensor, attempt, need_kernel};
use crate::traffic;

pub(crate) const EBPF: &str = "bpf,net_admin,perfmon";
pub(crate) const NO_SETPRIV: &str =
    "skipped: there is no setpriv command (Debian package util-linux)";

#[test]
fn three_capabilities_are_enough_for_the_kernel_backends() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    for (backend, hook) in [
        ("xdp", "ingress by xdp"),
        ("tc", "ingress by tc"),
        ("auto", "ingress by tc"),
    ] {
        counts(&nobody, EBPF, backend, hook);
    }
}

#[test]
fn net_raw_alone_is_enough_for_af_packet() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    counts(
        &nobody,
        "net_raw",
        "af-packet",
        "ingress by af-packet: AF_PACKET was asked for",
    );
    let said = counts(
        &nobody,
        "net_raw",
        "auto",
        "ingress by af-packet: no eBPF: no permission: ",
    );
    for part in [
        "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing",
        "setcap",
        "it costs a copy",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_is_missing_is_named_with_the_command_that_grants_it() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    let pair = Pair::new(1500);
    for (capabilities, backend, missing) in [
        ("", "auto", "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing"),
        ("net_admin,bpf", "auto", "CAP_PERFMON missing"),
        (
            "net_raw",
            "xdp",
            "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing",
        ),
        (
            "net_raw",
            "tc",
            "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing",
        ),
        (EBPF, "af-packet", "CAP_NET_RAW missing"),
    ] {
        let command = nobody.command(&pair.b, capabilities);
        let arguments = ["-i", "b0", "--backend", backend];
        let (code, said) = attempt(command, &arguments, &nobody.reports());
        assert_eq!(code, Some(3), "{capabilities} {backend}: {said}");
        assert!(
            said.contains(&format!("no permission: {missing}")),
            "{said}"
        );
        let grant = format!(
            "sudo setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep {}",
            nobody.binary.display()
        );
        assert!(said.contains(&grant), "{said}");
    }
}

/// The command that the message names is run as it stands.
#[test]
fn the_command_that_is_named_grants_enough() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    let pair = Pair::new(1500);
    let command = nobody.command(&pair.b, "");
    let (_, said) = attempt(command, &["-i", "b0"], &nobody.reports());
    let (_, grant) = said.trim_end().rsplit_once("sudo ").unwrap();
    let mut words = grant.split(' ');
    match Command::new(words.next().unwrap()).args(words).status() {
        Ok(status) if status.success() => {}
        other => return println!("skipped: setcap (Debian package libcap2-bin): {other:?}"),
    }
    for backend in ["auto", "xdp", "af-packet"] {
        counts(&nobody, "", backend, "ingress by ");
    }
}

/// Counts some packets with these capabilities only; gives what was said before.
fn counts(nobody: &Nobody, capabilities: &str, backend: &str, hook: &str) -> String {
    let pair = Pair::new(1500);
    let command = nobody.command(&pair.b, capabilities);
    let folder = tempfile::tempdir_in(nobody.reports()).unwrap();
    open_to_all(folder.path());
    let reports = folder.path().join("reports");
    let mut sensor = Sensor::launch(
        command,
        &["-i", "b0", "--backend", backend],
        folder,
        reports,
    );
    let said = sensor.greeting.clone();
    assert!(said.contains(hook), "{said}");
    traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
    traffic::send(&pair.b, "b0", &traffic::frames(10), 20);
    sensor.counted(300);
    let report = sensor.stop().checked();
    assert_eq!(report["totals"]["ingress"]["packets"], 100, "{said}");
    assert_eq!(report["totals"]["egress"]["packets"], 200, "{said}");
    said
}

/// A user without any rights, and a copy of the sensor that he can read.
pub(crate) struct Nobody {
    folder: tempfile::TempDir,
    pub(crate) binary: PathBuf,
}

impl Nobody {
    /// `None` where setpriv is missing.
    pub(crate) fn new() -> Option<Self> {
        if Command::new("setpriv").arg("--version").output().is_err() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        let binary = folder.path().join("sensor");
        fs::copy(env!("CARGO_BIN_EXE_sensor"), &binary).unwrap();
        fs::set_permissions(&binary, Permissions::from_mode(0o755)).unwrap();
        Some(Nobody { folder, binary })
    }

    /// The sensor, run with these capabilities (comma separated) and no others.
    pub(crate) fn command(&self, namespace: &Namespace, capabilities: &str) -> Command {
        let mut command = namespace.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let mut set = "-all".to_owned();
        for capability in capabilities.split(',').filter(|name| !name.is_empty()) {
            set += &format!(",+{capability}");
        }
        command.args([format!("--inh-caps={set}"), format!("--ambient-caps={set}")]);
        command.arg(&self.binary);
        command
    }

    pub(crate) fn reports(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

pub(crate) fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
}
