//! The systemd unit: what it exposes, and that what it names exists.

use std::path::Path;
use std::process::Command;

use clap::Parser;
use sensor::cli::Cli;

use crate::harness::skipped;
use crate::support::document;

const UNIT: &str = "deploy/systemd/sensor.service";

/// `systemd-analyze security` adds up what a service could still do; 10 is everything.
#[test]
fn the_unit_exposes_little() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(UNIT);
    let analyzed = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--no-pager"])
        .arg(&path)
        .output();
    let Ok(analyzed) = analyzed else {
        return skipped("there is no systemd-analyze here (Debian package systemd)");
    };
    let said = String::from_utf8_lossy(&analyzed.stdout);
    let Some((_, level)) = said.split_once("Overall exposure level for sensor.service: ") else {
        let error = String::from_utf8_lossy(&analyzed.stderr);
        return skipped(&format!("this systemd-analyze can't judge a file: {error}"));
    };
    let level: f32 = level.split(' ').next().unwrap().parse().unwrap();
    assert!(level <= 2.5, "{said}");
}

#[test]
fn the_commands_of_the_unit_can_be_typed() {
    let unit = document::read(UNIT);
    let commands = unit
        .lines()
        .filter_map(|line| line.split_once("=/usr/bin/sensor "));
    let mut count = 0;
    for (_, command) in commands {
        count += 1;
        let typed = ["sensor"].into_iter().chain(command.split(' '));
        Cli::try_parse_from(typed).unwrap();
    }
    assert_eq!(count, 3, "before the start, the start, the reload");
    for capability in ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_NET_RAW"] {
        let named = unit.matches(capability).count();
        assert_eq!(named, 2, "{capability}: granted, and bounded");
    }
}
