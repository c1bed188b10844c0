//! History in a live run whose folder fails: what is told, and that nothing is lost that was not taken away.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::disk::{Mount, remount};
use crate::harness::{Ended, Pair, Sensor, eventually, need_kernel};
use crate::history::{KEEP, PERIODS, merged};
use crate::traffic;

/// A sensor whose history lies in a file system of its own.
struct Run {
    sensor: Sensor,
    pair: Pair,
    history: PathBuf,
    /// Before the folder that it is mounted on.
    _mount: Mount,
    _folder: tempfile::TempDir,
}

impl Run {
    /// It has counted ten packets, and they are in the history.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mount = Mount::new(folder.path(), "1m");
        let history = folder.path().join("history");
        let pair = Pair::new(1500);
        let sensor = keeping(&pair, &history);
        let run = Run {
            sensor,
            pair,
            history,
            _mount: mount,
            _folder: folder,
        };
        run.send(1);
        run.has(10);
        run
    }

    /// Ten packets, so many times.
    fn send(&self, times: usize) {
        traffic::send(&self.pair.a, "a0", &traffic::frames(10), times);
    }

    fn has(&self, packets: u64) {
        eventually("history of the packets", || {
            self.history.join("buckets").is_dir() && merged(&self.history).totals.packets >= packets
        });
    }

    /// Something is wrong: it is told once, counting and reports go on.
    fn told(&mut self, trouble: &str) {
        self.send(2);
        let line = self.sensor.wait_for_line(trouble);
        assert!(
            line.contains("--parquet: can't write ") && line.contains("counting goes on"),
            "{line}"
        );
        let before = self.sensor.written().len();
        eventually("a report meanwhile", || {
            self.sensor.written().len() > before
        });
    }

    /// It is mended: what had to wait is written. Gives how it ended, and the folder's mount.
    fn mended(mut self) -> (Ended, PathBuf, (Mount, tempfile::TempDir)) {
        self.sensor.wait_for_line("--parquet: it works again");
        self.send(3);
        let ended = self.sensor.stop();
        assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
        assert_eq!(ended.report["totals"]["packets"], 60);
        assert_eq!(ended.report["accounting"]["identity_holds"], true);
        (ended, self.history, (self._mount, self._folder))
    }
}

fn keeping(pair: &Pair, history: &Path) -> Sensor {
    keeping_with(pair, history, &[])
}

fn keeping_with(pair: &Pair, history: &Path, more: &[&str]) -> Sensor {
    let history = history.to_str().unwrap();
    let arguments = ["-i", "a0", "--backend", "tc", "--parquet", history];
    Sensor::start(&pair.a, &[&arguments[..], &PERIODS, &KEEP, more].concat())
}

fn assert_same(ended: &Ended, history: &Path) {
    let merged = serde_json::to_value(merged(history)).unwrap();
    for part in ["totals", "protocols", "endpoints", "flows", "buckets"] {
        assert_eq!(merged[part], ended.report[part], "{part}");
    }
    assert_eq!(
        merged["accounting"]["seen"],
        ended.report["accounting"]["seen"]
    );
    assert_eq!(merged["accounting"]["identity_holds"], true);
}

#[test]
fn a_disk_that_fills_and_gets_room_again_loses_nothing() {
    need_kernel!();
    let mut run = Run::start();
    let filler = run.history.with_file_name("filler");
    fill(&filler);
    run.told("No space left on device");
    fs::remove_file(&filler).unwrap();
    let (ended, history, _mount) = run.mended();
    assert_same(&ended, &history);
    let stale = files_below(&history)
        .into_iter()
        .find(|path| path.extension().is_none_or(|one| one != "parquet"));
    assert!(
        stale
            .as_ref()
            .is_none_or(|path| path.ends_with(".sensor-history.lock")),
        "{stale:?}"
    );
}

#[test]
fn a_disk_that_is_read_only_for_a_while_loses_nothing() {
    need_kernel!();
    let mut run = Run::start();
    let disk = run.history.parent().unwrap().to_owned();
    // Not while a set is being written.
    eventually("a read-only disk", || remount(&disk, "ro"));
    run.told("Read-only file system");
    assert!(remount(&disk, "rw"));
    let (ended, history, _mount) = run.mended();
    assert_same(&ended, &history);
}

#[test]
fn a_folder_that_is_taken_away_costs_what_was_in_it() {
    need_kernel!();
    let folder = tempfile::tempdir().unwrap();
    let away = folder.path().join("away");
    fs::create_dir(&away).unwrap();
    let pair = Pair::new(1500);
    let history = away.join("history");
    // In the sandbox it takes a new start, see below.
    let mut sensor = keeping_with(&pair, &history, &["--no-sandbox"]);
    let send = |times| traffic::send(&pair.a, "a0", &traffic::frames(10), times);
    send(1);
    has_of(&history, 10);
    fs::rename(&away, folder.path().join("taken")).unwrap();
    send(2);
    let line = sensor.wait_for_line("--parquet: can't write ");
    assert!(line.contains("No such file or directory"), "{line}");
    fs::create_dir(&away).unwrap();
    sensor.wait_for_line("--parquet: it works again");
    send(3);
    let ended = sensor.stop();
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    let taken = merged(&folder.path().join("taken/history"));
    let left = merged(&history);
    assert!(taken.accounting.identity_holds && left.accounting.identity_holds);
    assert_eq!(taken.totals.packets, 10);
    assert_eq!(left.totals.packets, 50);
    assert_eq!(ended.report["totals"]["packets"], 60);
}

/// Landlock holds folders, not names. That it can't go on there is said, with what to do, and nothing else is.
#[test]
fn in_the_sandbox_a_folder_around_that_is_another_one_takes_a_new_start() {
    need_kernel!();
    let folder = tempfile::tempdir().unwrap();
    let away = folder.path().join("away");
    let [reports, history] = ["reports", "history"].map(|name| away.join(name));
    fs::create_dir_all(&reports).unwrap();
    let pair = Pair::new(1500);
    let keep = ["-i", "a0", "--backend", "tc", "--parquet"];
    let arguments = [&keep[..], &[history.to_str().unwrap()], &PERIODS, &KEEP].concat();
    let command = pair.a.command(env!("CARGO_BIN_EXE_sensor"));
    let own = tempfile::tempdir().unwrap();
    let mut sensor = Sensor::launch(command, &arguments, own, reports.clone());
    let send = |times| traffic::send(&pair.a, "a0", &traffic::frames(10), times);
    send(1);
    has_of(&history, 10);
    fs::rename(&away, folder.path().join("taken")).unwrap();
    send(2);
    sensor.wait_for_line("--parquet: can't write ");
    fs::create_dir_all(&reports).unwrap();
    send(3);
    for path in [&history, &reports] {
        let line = sensor.wait_for_line(&format!("{}/", path.display()));
        if !line.contains("Permission denied") {
            assert_eq!(sensor.stop().report["sensor"]["sandbox"]["files"], "not");
            return println!("skipped: this kernel has no landlock");
        }
        assert!(
            line.contains("the sandbox allows no other: start sensor again"),
            "{line}"
        );
    }
    let ended = sensor.stop();
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    assert!(!ended.stderr.contains("it works again"), "{}", ended.stderr);
    let lost = "; 50 packets are not in the history";
    assert!(ended.stderr.contains(lost), "{}", ended.stderr);
    assert_eq!(
        merged(&folder.path().join("taken/history")).totals.packets,
        10
    );
    assert_eq!(ended.report["totals"]["packets"], 60);
    assert!(fs::read_dir(&reports).unwrap().next().is_none());
}

#[test]
fn two_runs_on_one_folder_add_up() {
    need_kernel!();
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let pair = Pair::new(1500);
    let sensors = [keeping(&pair, &history), keeping(&pair, &history)];
    traffic::send(&pair.a, "a0", &traffic::frames(10), 5);
    has_of(&history, 100);
    let [one, two] = sensors.map(|sensor| sensor.stop().checked());
    let both = merged(&history);
    assert!(both.accounting.identity_holds);
    let packets = |report: &serde_json::Value| report["totals"]["packets"].as_u64().unwrap();
    assert_eq!(both.totals.packets, packets(&one) + packets(&two));
    assert_eq!(one["flows"].as_array().unwrap().len(), both.flows.len());
}

/// Waits until so many packets are in it, at the least.
fn has_of(history: &Path, packets: u64) {
    eventually("history of the packets", || {
        complete(history) && merged(history).totals.packets >= packets
    });
}

/// Whether a set is there: files get their names last.
fn complete(history: &Path) -> bool {
    let buckets = history.join("buckets");
    let named = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "parquet");
    buckets.is_dir() && files_below(&buckets).iter().any(named)
}

/// Until the file system takes no more.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}
