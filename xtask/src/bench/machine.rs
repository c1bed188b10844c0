//! What machine the figures are of.

use std::fs;

use serde_json::{Value, json};

use crate::cmd;

pub(crate) fn describe() -> Value {
    json!({
        "cpu": field("/proc/cpuinfo", "model name"),
        "virtual": fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor")),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "l2": cache(2),
        "l3": cache(3),
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "rustc": said(cmd::command("rustc").arg("-V")),
        "commit": said(cmd::command("git").args(["describe", "--always", "--dirty", "--abbrev=12"])),
        "date": said(cmd::command("date").args(["--utc", "+%Y-%m-%d %H:%M UTC"])),
        "load": load(),
    })
}

/// How many programs wanted a CPU in the last 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = first_line("/proc/loadavg");
    text.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn cache(level: u32) -> String {
    let index = format!("/sys/devices/system/cpu/cpu0/cache/index{level}/size");
    first_line(&index)
}

/// The first `name: value` of a file.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn said(command: &mut std::process::Command) -> String {
    cmd::output(command).unwrap_or_default()
}
