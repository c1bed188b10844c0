//! `sensor.toml`: what it may hold, and what it says when it holds something else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::folder_with_capture;
use crate::harness::{Ran, Sensor, file_in, sensor};

/// `sensor read good.pcap` by the config file `sensor.toml` with this content.
fn read_with(toml: &[u8]) -> Ran {
    let (folder, _) = folder_with_capture();
    file_in(folder.path(), "sensor.toml", toml);
    run_in(
        folder.path(),
        &["read", "good.pcap", "--config", "sensor.toml"],
    )
    .run()
}

fn run_in(folder: &Path, arguments: &[&str]) -> Sensor {
    sensor(arguments).folder(folder)
}

fn check(toml: &[u8]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    file_in(folder.path(), "sensor.toml", toml);
    run_in(folder.path(), &["config", "check", "sensor.toml"]).run()
}

#[test]
fn settings_arrive_where_they_are_used() {
    let (folder, _) = folder_with_capture();
    let folder = folder.path();
    file_in(
        folder,
        "s.toml",
        b"interval = \"10s\"\n[read]\njson = \"-\"\n",
    );
    let arguments = ["read", "good.pcap", "--config", "s.toml"];
    let ran = run_in(folder, &arguments).run().ended(0);
    assert_eq!(ran.report()["interval_seconds"], 10.0);
    let ran = run_in(folder, &arguments[..2])
        .env("SENSOR_CONFIG", "s.toml")
        .env("SENSOR_INTERVAL", "5s")
        .run()
        .ended(0);
    assert_eq!(ran.report()["interval_seconds"], 5.0);
    let typed = run_in(
        folder,
        &[
            "--config",
            "s.toml",
            "read",
            "good.pcap",
            "--interval",
            "2s",
        ],
    )
    .env("SENSOR_INTERVAL", "5s")
    .run()
    .ended(0);
    assert_eq!(typed.report()["interval_seconds"], 2.0);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let (folder, _) = folder_with_capture();
    let folder = folder.path();
    let ran = run_in(folder, &["read", "good.pcap", "--config", "none.toml"]);
    assert_eq!(
        ran.run().ended(2).line(),
        "none.toml: there is no such config file"
    );
    run_in(folder, &["read", "good.pcap"])
        .env("SENSOR_CONFIG", "none.toml")
        .run()
        .ended(2)
        .says(&["none.toml: there is no such config file"]);
    // The default one need not be.
    run_in(folder, &["read", "good.pcap"]).run().ended(0);
}

#[test]
fn empty_files_byte_order_marks_and_windows_lines_are_fine() {
    read_with(b"").ended(0);
    read_with(b"# nothing\n").ended(0);
    read_with(b"\xef\xbb\xbfinterval = \"1s\"\r\n[run]\r\ntop = 5\r\n").ended(0);
}

#[test]
fn an_unknown_key_has_a_place_and_a_suggestion() {
    let ran = read_with(b"# hello\n\n  intervall = \"1s\"\n").ended(2);
    assert_eq!(
        ran.line(),
        "sensor.toml:3:3: no option is called `intervall`: did you mean `interval`?"
    );
    assert!(ran.stdout.is_empty());
    read_with(b"[rum]\n")
        .ended(2)
        .says(&["sensor.toml:1:2: no table is called `rum`: did you mean `[run]`?"]);
}

#[test]
fn a_wrong_type_says_the_right_one() {
    assert_eq!(
        read_with(b"interval = 10").ended(2).line(),
        "sensor.toml:1:12: interval: expected a string such as \"1s\", found an integer"
    );
    assert_eq!(
        read_with(b"[run]\ntop = \"10\"").ended(2).line(),
        "sensor.toml:2:7: top: expected an integer such as 10, found a string"
    );
    assert_eq!(
        read_with(b"quiet = 1").ended(2).line(),
        "sensor.toml:1:9: quiet: expected true or false, found an integer"
    );
}

#[test]
fn a_bad_value_is_refused_in_the_words_of_the_command_line() {
    let ran = read_with(b"interval = \"9ms\"").ended(2);
    assert_eq!(
        ran.line(),
        "sensor.toml:1:12: interval: `9ms`: it must be from 10ms to 24h, with a unit: 500ms, 10s, 5m, 1h"
    );
    read_with(b"[run]\nbackend = \"magic\"")
        .ended(2)
        .says(&["sensor.toml:2:11: backend: `magic` is none of auto, xdp, tc, af-packet"]);
    let (folder, _) = folder_with_capture();
    let ran = run_in(folder.path(), &["read", "good.pcap"])
        .env("SENSOR_TOP", "many")
        .run()
        .ended(2);
    assert!(
        ran.line().starts_with("SENSOR_TOP: top: `many`"),
        "{}",
        ran.line()
    );
}

#[test]
fn a_key_that_is_there_twice_has_both_lines() {
    assert_eq!(
        read_with(b"top = 1\n# again\ntop = 2\n").ended(2).line(),
        "sensor.toml:3:1: `top` is there twice, first in line 1: remove one of them"
    );
    read_with(b"top = 1\n[run]\ntop = 2\n").ended(0);
}

#[test]
fn a_slip_of_syntax_has_a_place() {
    let ran = read_with(b"[run]\nout = /var/lib\n").ended(2);
    assert!(
        ran.line().starts_with("sensor.toml:2:7: "),
        "{}",
        ran.line()
    );
}

#[test]
fn too_large_a_file_is_not_read_to_its_end() {
    let ran = read_with(&vec![b'#'; (1 << 20) + 1]).ended(2);
    assert!(
        ran.line().contains("larger than 1024 KiB"),
        "{}",
        ran.line()
    );
    // Of this one there is no end.
    run_in(Path::new("/"), &["config", "check", "/dev/zero"])
        .run()
        .ended(2)
        .says(&["/dev/zero: the config file is larger than 1024 KiB"]);
    let mut most = vec![b'#'; 1 << 20];
    most[(1 << 20) - 1] = b'\n';
    read_with(&most).ended(0);
}

#[test]
fn folders_and_files_without_text_are_refused() {
    let ran = run_in(Path::new("/"), &["interfaces", "--config", "/etc"])
        .run()
        .ended(2);
    assert_eq!(ran.line(), "/etc: this is a directory, not a config file");
    let ran = read_with(b"out = \"caf\xe9\"\n").ended(2);
    assert_eq!(
        ran.line(),
        "sensor.toml: the config file is not UTF-8 text: byte 0xe9 at offset 10"
    );
    let folder = tempfile::tempdir().unwrap();
    symlink("loop.toml", folder.path().join("loop.toml")).unwrap();
    run_in(folder.path(), &["interfaces", "--config", "loop.toml"])
        .run()
        .ended(2)
        .says(&["loop.toml: the config file can't be read:"]);
}

#[test]
fn a_file_names_no_further_one() {
    read_with(b"config = \"sensor.toml\"\n")
        .ended(2)
        .says(&["sensor.toml:1:1:", "a config file can't name a further one"]);
}

#[test]
fn hostile_text_is_escaped() {
    let ran = read_with("\"\u{202e}\\u001b[31m\" = 1".as_bytes()).ended(2);
    assert!(
        ran.line().contains("`\\u{202e}\\u{1b}[31m`"),
        "{}",
        ran.line()
    );
}

#[test]
fn a_file_that_everybody_may_write_is_followed_with_a_warning() {
    let (folder, _) = folder_with_capture();
    let path = file_in(folder.path(), "sensor.toml", b"[read]\njson = \"-\"\n");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_mode(0o666);
    fs::set_permissions(&path, permissions).unwrap();
    let ran = run_in(
        folder.path(),
        &["read", "good.pcap", "--config", "sensor.toml"],
    );
    let ran = ran.run().ended(0);
    ran.report();
    // SAFETY: geteuid has no preconditions and can't fail.
    if unsafe { libc::geteuid() } == 0 {
        assert!(ran.line().contains("everybody may change this config file"));
    } else {
        println!("skipped: the warning is for root");
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn check_counts_what_is_good_and_tells_all_that_is_not() {
    let good = b"top = 5\n[run]\ninterface = [\"eth0\"]\n[filters]\nweb = \"port 80\"\n";
    let ran = check(good).ended(0);
    assert_eq!(ran.text(), "sensor.toml: ok, 2 settings and 1 filter\n");
    let bad = b"tpo = 5\ninterval = \"1x\"\n[run]\ntop = true\n[filters]\nWeb = \"port 80\"\n";
    let ran = check(bad).ended(2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.stderr);
    for (line, place) in lines.iter().zip(["1:1", "2:12", "4:7", "6:1"]) {
        assert!(
            line.starts_with(&format!("sensor: sensor.toml:{place}: ")),
            "{line}"
        );
    }
    let many: String = (0..100)
        .map(|number| format!("key-{number} = 1\n"))
        .collect();
    check(many.as_bytes())
        .ended(2)
        .says(&["and 80 more mistakes"]);
}

#[test]
fn check_looks_into_filters() {
    let ran = check(b"[filters]\nweb = \"tcp prot 80\"\nall = \"@wep or udp\"\n").ended(2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(
        lines[0].starts_with("sensor: sensor.toml:2:12: @web: "),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("sensor: sensor.toml:3:8: @all: "),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains("web"), "no suggestion: {}", lines[1]);
}

#[test]
fn check_without_a_name_takes_the_one_that_would_be_read() {
    let folder = tempfile::tempdir().unwrap();
    file_in(folder.path(), "s.toml", b"top = 5\n");
    for arguments in [
        &["config", "check", "--config", "s.toml"],
        &["config", "check", "s.toml"][..],
    ] {
        let ran = run_in(folder.path(), arguments).run().ended(0);
        assert_eq!(ran.text(), "s.toml: ok, 1 setting and 0 filters\n");
    }
    let arguments = ["config", "check", "a.toml", "--config", "s.toml"];
    run_in(folder.path(), &arguments).run().ended(2);
}

#[test]
fn show_says_where_each_value_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let toml = b"top = 5\n[run]\nout = \"/srv/\\\"x\\\"\"\n[filters]\nweb = \"port 80\"\n";
    file_in(folder.path(), "s.toml", toml);
    let show = |more: &[&str]| {
        let arguments = [&["config", "show", "--config", "s.toml"], more].concat();
        let ran = run_in(folder.path(), &arguments).env("SENSOR_INTERFACE", "eth0,wg0");
        ran.run().ended(0)
    };
    let ran = show(&[]);
    let rows: Vec<(&str, &str)> = ran
        .text()
        .lines()
        .filter_map(|line| line.split_once("  # "))
        .map(|(setting, origin)| (setting.trim(), origin))
        .collect();
    for row in [
        ("quiet = false", "default"),
        (
            "interface = [\"eth0\", \"wg0\"]",
            "environment SENSOR_INTERFACE",
        ),
        ("top = 5", "s.toml:1"),
        ("out = \"/srv/\\\"x\\\"\"", "s.toml:3"),
        ("kernel-flows = 65536", "default"),
        ("#duration =", "not set"),
        ("web = \"port 80\"", "s.toml:5"),
    ] {
        assert!(rows.contains(&row), "{row:?} is not in\n{}", ran.text());
    }
    let json = show(&["run", "--json"]).json();
    assert_eq!(json["file"], "s.toml");
    assert_eq!(json["filters"][0]["filter"], "port 80");
    let rows = json["settings"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row("top")["value"], 5);
    assert_eq!(row("top")["place"], "s.toml:1");
    assert_eq!(row("interface")["value"][1], "wg0");
    assert_eq!(row("interface")["origin"], "environment");
    assert!(row("duration")["value"].is_null());
    assert!(rows.iter().all(|row| row["command"] != "read"));
    let arguments = ["config", "show", "rum", "--config", "s.toml"];
    run_in(folder.path(), &arguments)
        .run()
        .ended(2)
        .says(&["run, read"]);
}

#[test]
fn what_show_prints_is_a_config_file_again() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["config", "show"][..], &["config", "show", "--sample"]] {
        let ran = sensor(arguments).run().ended(0);
        file_in(folder.path(), "again.toml", &ran.stdout);
        let arguments = ["config", "check", "again.toml"];
        run_in(folder.path(), &arguments).run().ended(0);
    }
}
