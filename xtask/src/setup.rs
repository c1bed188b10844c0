//! `cargo xtask setup`: the Debian and Python packages of a full test run, installed where that is possible.
//!
//! Nothing here is needed to build or run sensor; a missing tool only skips the tests that use it.

mod python;

use std::process::ExitStatus;

use anyhow::{Result, bail};

use crate::cmd;

/// A Debian package, the program that shows it is there, and what is lost without it.
struct Package {
    name: &'static str,
    program: &'static str,
    tests: &'static str,
}

const PACKAGES: [Package; 17] = [
    Package {
        name: "chromium",
        program: "chromium",
        tests: "the dashboard in a browser",
    },
    Package {
        name: "python3-venv",
        program: "python3",
        tests: "what sensor exports, in ClickHouse and DuckDB",
    },
    // Debian starts a service with it, on port 9090, where there is systemd; the tests need none and use no such port.
    Package {
        name: "prometheus",
        program: "promtool",
        tests: "metrics checked and scraped by Prometheus",
    },
    Package {
        name: "jq",
        program: "jq",
        tests: "the stories of docs/workflows.md",
    },
    Package {
        name: "iproute2",
        program: "ip",
        tests: "all kernel tests (namespaces, veth pairs)",
    },
    Package {
        name: "tmux",
        program: "tmux",
        tests: "the live view on a terminal",
    },
    Package {
        name: "tshark",
        program: "tshark",
        tests: "comparisons with tshark",
    },
    Package {
        name: "tcpdump",
        program: "tcpdump",
        tests: "comparisons with tcpdump",
    },
    Package {
        name: "iperf3",
        program: "iperf3",
        tests: "counting of real TCP and UDP transfers",
    },
    Package {
        name: "tcpreplay",
        program: "tcpreplay",
        tests: "captures replayed on a wire",
    },
    Package {
        name: "ethtool",
        program: "ethtool",
        tests: "tests that switch offloads",
    },
    Package {
        name: "nfdump",
        program: "nfcapd",
        tests: "flows sent to a real collector",
    },
    Package {
        name: "valgrind",
        program: "valgrind",
        tests: "the count of instructions that a packet costs",
    },
    Package {
        name: "systemd",
        program: "systemd-analyze",
        tests: "what the systemd unit exposes",
    },
    Package {
        name: "bpftool",
        program: "bpftool",
        tests: "tests that look for what an agent leaves behind",
    },
    Package {
        name: "qemu-system-x86",
        program: "qemu-system-x86_64",
        tests: "counting on other kernels",
    },
    Package {
        name: "xz-utils",
        program: "xz",
        tests: "counting on other kernels, whose modules are packed",
    },
];

/// Installs what is missing when root on a Debian system; else says what is missing. In CI that is an error.
pub(crate) fn main() -> Result<()> {
    let mut missing = missing(has_program);
    if !missing.is_empty() && cmd::is_root() && cmd::find_program("apt-get").is_some() {
        let names: Vec<_> = missing.iter().map(|package| package.name).collect();
        install(&names);
        missing.retain(|package| !has_program(package));
    }
    if !cmd::is_root() {
        println!("not root: the kernel tests will be skipped");
    }
    if missing.is_empty() {
        println!("all Debian packages of a full test run are there");
    } else {
        println!("{}", report(&missing));
        if cmd::is_ci() {
            let names: Vec<_> = missing.iter().map(|package| package.name).collect();
            bail!(
                "CI is set and these packages are missing: {}",
                names.join(" ")
            );
        }
    }
    match python::prepare() {
        Err(error) if !cmd::is_ci() => {
            println!("no Python packages, so no {}: {error:#}", python::TESTS);
            Ok(())
        }
        outcome => outcome,
    }
}

fn has_program(package: &Package) -> bool {
    cmd::find_program(package.program).is_some()
}

fn missing(is_there: impl Fn(&Package) -> bool) -> Vec<&'static Package> {
    PACKAGES
        .iter()
        .filter(|package| !is_there(package))
        .collect()
}

/// One transaction where all can be had; else one by one, so that one unknown name does not cost the others.
pub(crate) fn install(names: &[&str]) {
    println!("installing {}", names.join(" "));
    if !succeeded(apt_get(&["update"])) {
        println!("apt-get update failed; trying with the package lists that are there");
    }
    if succeeded(apt_install(names)) || names.len() == 1 {
        return;
    }
    for name in names {
        if !succeeded(apt_install(&[*name])) {
            println!("apt-get could not install {name}");
        }
    }
}

fn apt_install(names: &[&str]) -> std::io::Result<ExitStatus> {
    let options = ["install", "--yes", "--no-install-recommends"];
    apt_get(&[&options[..], names].concat())
}

fn apt_get(args: &[&str]) -> std::io::Result<ExitStatus> {
    cmd::command("apt-get")
        .arg("--quiet")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
}

fn succeeded(status: std::io::Result<ExitStatus>) -> bool {
    status.is_ok_and(|status| status.success())
}

fn report(missing: &[&Package]) -> String {
    let mut text = String::from("missing packages; what will be skipped for it:\n");
    for package in missing {
        text.push_str(&format!("  {:<10} {}\n", package.name, package.tests));
    }
    let names: Vec<_> = missing.iter().map(|package| package.name).collect();
    text.push_str(&format!(
        "as root: apt-get install --no-install-recommends {}",
        names.join(" ")
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_there_is_missing() {
        let found = missing(|package| package.program != "ip");
        assert_eq!(
            found.iter().map(|p| p.name).collect::<Vec<_>>(),
            ["iproute2"]
        );
        assert!(missing(|_| true).is_empty());
    }

    #[test]
    fn the_report_names_package_loss_and_remedy() {
        let text = report(&missing(|package| !package.name.starts_with("tc")));
        assert!(
            text.contains("tcpreplay  captures replayed on a wire"),
            "{text}"
        );
        assert!(
            text.ends_with("as root: apt-get install --no-install-recommends tcpdump tcpreplay"),
            "{text}"
        );
    }
}
