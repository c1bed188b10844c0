//! The programs that sensor is measured against, from the registries. One that can't be had is named in the figures.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{cmd, setup};

/// Debian packages, and the program that shows that it is there.
const PACKAGES: [(&str, &str); 9] = [
    ("tcpdump", "tcpdump"),
    ("iperf3", "iperf3"),
    ("tshark", "tshark"),
    ("wireshark-common", "capinfos"),
    ("nfdump", "nfpcapd"),
    ("softflowd", "softflowd"),
    ("argus-server", "argus"),
    ("tcpstat", "tcpstat"),
    ("zstd", "zstd"),
];
const TOOLKIT: (&str, &str) = ("pcap-toolkit", "0.5.0");

/// Where those of crates.io are.
pub(crate) fn folder() -> PathBuf {
    cmd::target_dir().join("tools/bin")
}

/// Installs what is missing; gives what is still missing, and why.
pub(crate) fn install() -> Vec<Value> {
    let missing = |packages: &[(&'static str, &'static str)]| -> Vec<&'static str> {
        let missing = packages
            .iter()
            .filter(|(_, program)| cmd::find_program(program).is_none());
        missing.map(|(package, _)| *package).collect()
    };
    let wanted = missing(&PACKAGES);
    if !wanted.is_empty() && cmd::find_program("apt-get").is_some() {
        setup::install(&wanted);
    }
    let lost = missing(&PACKAGES);
    let mut lost: Vec<_> = lost
        .iter()
        .map(|package| json!({"what": package, "why": "apt-get could not install it"}))
        .collect();
    if let Err(error) = toolkit() {
        lost.push(json!({"what": TOOLKIT.0, "why": format!("{error:#}")}));
    }
    lost
}

/// A program of crates.io, into the project's own folder.
fn toolkit() -> anyhow::Result<()> {
    let (name, version) = TOOLKIT;
    if folder().join(name).is_file() {
        return Ok(());
    }
    println!("installing {name} {version}");
    let mut install = cmd::cargo();
    install
        .args(["install", "--locked", name, "--version", version, "--root"])
        .arg(cmd::target_dir().join("tools"));
    cmd::run(&mut install)
}
