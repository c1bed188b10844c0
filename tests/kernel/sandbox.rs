//! What a run has given up once it counts, seen from outside, and that everything goes on without it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Ended, Pair, Sensor, eventually, ip, need_kernel};
use crate::privilege::{EBPF, NO_SETPRIV, Nobody, open_to_all};
use crate::serve::{address, get};
use crate::traffic;

/// A line of /proc/PID/task/TID/status.
fn of(status: &str, field: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap().trim_start_matches(':').trim().to_owned()
}

/// Of every thread, the main one first.
fn threads(sensor: &Sensor) -> Vec<String> {
    let tasks = format!("/proc/{}/task", sensor.pid());
    let mut ids: Vec<u32> = fs::read_dir(tasks)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    ids.sort_by_key(|id| (*id != sensor.pid(), *id));
    let status = |id: &u32| fs::read_to_string(format!("/proc/{}/task/{id}/status", sensor.pid()));
    ids.iter().filter_map(|id| status(id).ok()).collect()
}

fn mask(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}

/// No thread has anything in effect, and none but the main one anything in reserve.
fn confined(sensor: &Sensor, reserve: u64) {
    for status in threads(sensor) {
        assert_eq!(mask(&of(&status, "CapEff")), 0, "{status}");
        assert_eq!(of(&status, "NoNewPrivs"), "1", "{status}");
        assert_eq!(of(&status, "Seccomp"), "2", "{status}");
    }
    // A thread gives the reserve up by what it does first.
    eventually("a reserve of the main thread alone", || {
        let kept = |status: &String| mask(&of(status, "CapPrm"));
        let kept: Vec<u64> = threads(sensor).iter().map(kept).collect();
        kept.len() > 1 && kept[0] == reserve && kept[1..].iter().all(|kept| *kept == 0)
    });
}

const BPF: u64 = 1 << 39 | 1 << 38 | 1 << 12;
const RAW: u64 = 1 << 13;

#[test]
fn nothing_is_in_effect_once_it_counts_and_everything_goes_on() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    for (backend, capabilities, reserve) in [
        ("xdp", EBPF, BPF),
        ("tc", EBPF, BPF),
        ("af-packet", "net_raw", RAW),
    ] {
        let pair = Pair::new(1500);
        ip(&["-n", &pair.b.name, "link", "set", "lo", "up"]);
        let config = nobody.reports().join(format!("{backend}.toml"));
        fs::write(&config, "filter = \"udp\"\n").unwrap();
        let folder = tempfile::tempdir_in(nobody.reports()).unwrap();
        open_to_all(folder.path());
        let reports = folder.path().join("reports");
        let tables = folder.path().join("tables");
        let mut command = nobody.command(&pair.b, capabilities);
        command.arg("--config").arg(&config);
        let arguments = [
            &[
                "-i",
                "b0",
                "--backend",
                backend,
                "--keep",
                "1d",
                "--listen",
                "127.0.0.1:0",
            ][..],
            &["--report-every", "1s", "--csv"],
            &[tables.to_str().unwrap()],
        ];
        let mut sensor = Sensor::launch(command, &arguments.concat(), folder, reports);
        confined(&sensor, reserve);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
        sensor.counted(100);
        let page = address(&sensor, "live page:");
        assert_eq!(get(&pair.b, page, "/healthz"), "ok\n");
        let before = sensor.written().len();
        eventually("another report", || sensor.written().len() > before);
        // Another filter takes what is in reserve; nothing of it is left in effect.
        fs::write(&config, "filter = \"tcp\"\n").unwrap();
        sensor.signal(libc::SIGHUP);
        let said = sensor.wait_for_line("SIGHUP");
        assert!(said.contains("the filter is now: tcp"), "{said}");
        confined(&sensor, reserve);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
        let history = sensor.reports().join("history/flows");
        eventually("history", || history.is_dir());
        let ended = sensor.stop();
        assert!(fs::read_dir(&tables).unwrap().count() > 0, "no tables");
        let report = ended.checked();
        let counted = &report["totals"]["packets"];
        let filtered = &report["accounting"]["filtered"]["packets"];
        let seen = counted.as_u64().unwrap() + filtered.as_u64().unwrap();
        assert_eq!((seen, counted), (200, &json!(100)), "{backend}");
        let sandbox = &report["sensor"]["sandbox"];
        assert_eq!(sandbox["capabilities"], json!([]), "{backend}");
        assert_eq!(sandbox["system_calls"], true, "{backend}");
    }
}

#[test]
fn an_interface_that_comes_back_is_attached_to_again() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    for strict in [false, true] {
        let pair = Pair::new(1500);
        let folder = tempfile::tempdir_in(nobody.reports()).unwrap();
        open_to_all(folder.path());
        let reports = folder.path().join("reports");
        ip(&["-n", &pair.b.name, "link", "set", "lo", "up"]);
        let mut arguments = vec!["-i", "b0", "-i", "lo", "--backend", "tc"];
        arguments.extend(strict.then_some("--strict-sandbox"));
        let command = nobody.command(&pair.b, EBPF);
        let mut sensor = Sensor::launch(command, &arguments, folder, reports);
        confined(&sensor, if strict { 0 } else { BPF });
        ip(&["-n", &pair.b.name, "link", "del", "b0"]);
        sensor.wait_for_line("b0 is gone");
        ip(&[
            "-n",
            &pair.b.name,
            "link",
            "add",
            "b0",
            "type",
            "veth",
            "peer",
            "name",
            "c0",
        ]);
        let said = match strict {
            false => sensor.wait_for_line("counting by"),
            true => sensor.wait_for_line("can't be counted"),
        };
        assert!(said.contains("b0"), "{said}");
        confined(&sensor, if strict { 0 } else { BPF });
        drop(sensor.stop());
    }
}

#[test]
fn root_gives_up_as_much_and_can_read_no_more_than_it_was_told() {
    need_kernel!();
    let pair = Pair::new(1500);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sensor.toml");
    fs::write(&config, "filter = \"udp\"\n").unwrap();
    let config_path = config.to_str().unwrap();
    let mut sensor = Sensor::start(&pair.b, &["-i", "b0", "--config", config_path]);
    confined(&sensor, BPF | RAW);
    // Root reads it where nothing is restricted.
    assert!(fs::read("/etc/shadow").is_ok());
    fs::write(&config, "filter = \"net in file /etc/shadow\"\n").unwrap();
    sensor.signal(libc::SIGHUP);
    let said = sensor.wait_for_line("/etc/shadow");
    if !said.contains("Permission denied") {
        assert_eq!(files(&sensor.stop()), "not", "{said}");
        return println!("skipped: this kernel has no landlock");
    }
    sensor.wait_for_line("stay in force");
    let report = sensor.stop().checked();
    assert_eq!(report["filter"], "udp");
}

fn files(ended: &Ended) -> &str {
    ended.report["sensor"]["sandbox"]["files"].as_str().unwrap()
}

#[test]
fn root_keeps_what_the_folder_of_somebody_else_takes() {
    need_kernel!();
    let pair = Pair::new(1500);
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    fs::create_dir(&reports).unwrap();
    own(&reports, 65534);
    let command = pair.b.command(env!("CARGO_BIN_EXE_sensor"));
    let arguments = ["-i", "b0", "--report-every", "1s"];
    let sensor = Sensor::launch(command, &arguments, folder, reports);
    eventually("a report", || !sensor.written().is_empty());
    let report = sensor.stop().checked();
    let kept = &report["sensor"]["sandbox"]["capabilities"];
    assert_eq!(kept, &json!(["CAP_DAC_OVERRIDE"]));
}

fn own(folder: &Path, user: u32) {
    std::os::unix::fs::chown(folder, Some(user), None).unwrap();
}

#[test]
fn where_it_is_not_wanted_everything_stays() {
    need_kernel!();
    let pair = Pair::new(1500);
    let sensor = Sensor::start(&pair.b, &["-i", "b0", "--no-sandbox"]);
    for status in threads(&sensor) {
        assert_ne!(mask(&of(&status, "CapEff")) & BPF, 0, "{status}");
        assert_eq!(of(&status, "NoNewPrivs"), "0", "{status}");
    }
    assert_eq!(sensor.stop().checked()["sensor"]["sandbox"], Value::Null);
}

#[test]
fn the_thread_that_looks_into_processes_keeps_that_alone() {
    need_kernel!();
    let pair = Pair::new(1500);
    let sensor = Sensor::start(&pair.b, &["-i", "b0", "--processes"]);
    let looking = 1 << 19 | 1 << 2; // CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH
    // It gives up the rest by itself, about when counting begins.
    eventually("one thread that keeps what it needs to look", || {
        let threads = threads(&sensor);
        let effective = threads.iter().map(|status| mask(&of(status, "CapEff")));
        effective.filter(|mask| *mask != 0).eq([looking])
    });
    sensor.stop().checked();
}
