//! What `cargo xtask dist` makes, of the program that is tested: the same bytes each time, an archive, and a package that
//! dpkg installs, that works, and that leaves nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::harness::{BINARY, sensor, skipped};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, udp};

/// Below the target folder, for all tests: another run replaces it.
static PACKAGES: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
    let _ = fs::remove_dir_all(&folder); // there may be none
    dist(&folder);
    folder
});

fn dist(out: &Path) {
    let made = Command::new("cargo")
        .args(["xtask", "dist", "--fast", "--binary", BINARY, "--out"])
        .arg(out)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

#[test]
fn the_same_commit_gives_the_same_packages() {
    if let Some(reason) = missing(&["dpkg-deb", "strip", "tar", "gzip", "git"]) {
        return skipped(&reason);
    }
    let again = tempfile::tempdir().unwrap();
    dist(again.path());
    let (first, second) = (files(&PACKAGES), files(again.path()));
    let names: Vec<_> = first.keys().map(String::as_str).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with(&format!("sensor-{version}-linux-")));
    assert!(names[1].starts_with(&format!("sensor_{version}_")));
    assert!(first == second, "other bytes for the same");
}

#[test]
fn the_archive_needs_nothing_but_to_be_unpacked() {
    if let Some(reason) = missing(&["dpkg-deb", "strip", "tar", "gzip", "git"]) {
        return skipped(&reason);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut packages = fs::read_dir(&*PACKAGES).unwrap().map(Result::unwrap);
    let archive = packages.find(|entry| entry.path().extension().unwrap() == "gz");
    let unpacked = Command::new("tar")
        .args(["--strip-components=1", "-C"])
        .arg(folder.path())
        .arg("-xf")
        .arg(archive.unwrap().path())
        .status();
    assert!(unpacked.unwrap().success());
    let ran = Command::new(folder.path().join("sensor"))
        .arg("--version")
        .output()
        .unwrap();
    let version = sensor(["--version"]).run();
    assert_eq!(ran.stdout, version.stdout);
    for name in [
        "LICENSE-MIT",
        "THIRD-PARTY.txt",
        "docs/install.md",
        "sensor.service",
        "sensor.toml",
        "man/man1/sensor.1",
        "completions/_sensor",
    ] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn the_package_is_installed_works_and_leaves_nothing() {
    // SAFETY: no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return println!("skipped: not root: dpkg installs for it alone");
    }
    if let Some(reason) = missing(&["dpkg", "strip", "unshare", "systemd-analyze", "git"]) {
        return skipped(&reason);
    }
    let folder = tempfile::tempdir().unwrap();
    let (root, given) = (folder.path().join("root"), folder.path().join("given"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&given).unwrap();
    let mut packages = fs::read_dir(&*PACKAGES).unwrap().map(Result::unwrap);
    let package = packages.find(|entry| entry.path().extension().unwrap() == "deb");
    fs::copy(package.unwrap().path(), given.join("sensor.deb")).unwrap();
    let frame = ethernet_ip(&udp(at("10.0.0.1:4000"), at("10.0.0.2:53"), 100));
    let capture = Pcap::default().write(&[Record::new(1_700_000_000_000_000_000, frame)]);
    fs::write(given.join("capture.pcap"), capture).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/package/install.sh");
    let ran = Command::new("unshare")
        .args(["--mount", "--net", "--fork", "sh"])
        .args([&script, &root, &given])
        .output()
        .unwrap();
    let (said, error) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8_lossy(&ran.stderr),
    );
    if ran.status.code() == Some(77) {
        return skipped(&format!(
            "no copy of this system can be laid over it: {error}"
        ));
    }
    assert!(ran.status.success(), "{said}\n{error}");
    check(&Steps(&said));
}

/// What was printed in each step.
struct Steps<'a>(&'a str);

impl Steps<'_> {
    fn of(&self, name: &str) -> &str {
        let begin = format!("== {name}\n");
        let (_, rest) = self
            .0
            .split_once(&begin)
            .unwrap_or_else(|| panic!("no {name}: {}", self.0));
        rest.split("== ").next().unwrap()
    }

    /// What the service manager was asked for.
    fn asked(&self, name: &str) -> Vec<&str> {
        let lines = self.of(name).lines();
        lines
            .filter_map(|line| line.strip_prefix("systemctl --system "))
            .collect()
    }
}

fn check(steps: &Steps<'_>) {
    // Not enabled, not started; restarted only where it runs, stopped before it goes.
    assert_eq!(steps.asked("install"), ["daemon-reload"]);
    assert_eq!(steps.of("enabled"), "");
    let upgrade = steps.asked("upgrade");
    assert_eq!(
        upgrade[upgrade.len() - 2..],
        ["daemon-reload", "try-restart sensor.service"]
    );
    assert_eq!(
        steps.asked("remove"),
        ["stop sensor.service", "daemon-reload"]
    );

    let files = steps.of("files");
    for path in [
        "/usr/bin/sensor",
        "/usr/lib/systemd/system/sensor.service",
        "/etc/sensor/sensor.toml",
        "/usr/share/man/man1/sensor.1.gz",
        "/usr/share/bash-completion/completions/sensor",
        "/usr/share/doc/sensor/copyright",
        "/usr/share/doc/sensor/LICENSE-MIT",
        "/usr/share/doc/sensor/LICENSE-APACHE",
        "/usr/share/doc/sensor/THIRD-PARTY.txt",
        "/usr/share/doc/sensor/docs/trust.md",
    ] {
        assert!(files.lines().any(|line| line == path), "{path}: {files}");
    }
    assert_eq!(steps.of("intact"), "", "dpkg --verify finds other bytes");

    let version = sensor(["--version"]).run();
    assert_eq!(steps.of("version"), version.text());
    assert!(
        steps
            .of("settings")
            .starts_with("/etc/sensor/sensor.toml: ok, 0 settings")
    );
    let report: serde_json::Value = serde_json::from_str(steps.of("read")).unwrap();
    assert_eq!(report["totals"]["packets"], 1);
    let doctor = steps.of("doctor");
    assert!(
        doctor.contains("\nMachine\n") && doctor.contains("\nInterface lo "),
        "{doctor}"
    );
    assert_eq!(steps.of("unit"), "verified\n");

    // What somebody has changed outlives an upgrade and a removal, and nothing outlives a purge.
    assert!(
        steps.of("upgrade").contains("\ntop = 3 "),
        "{}",
        steps.of("upgrade")
    );
    assert_eq!(steps.of("removed"), "");
    assert_eq!(steps.of("kept"), "top = 3\nlatest.json\n");
    assert_eq!(steps.of("left"), "");
}

fn missing(programs: &[&str]) -> Option<String> {
    let is_there = |program: &&str| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output();
        found.is_ok_and(|found| found.status.success())
    };
    let missing = programs.iter().find(|program| !is_there(program))?;
    Some(format!("there is no {missing} here"))
}
