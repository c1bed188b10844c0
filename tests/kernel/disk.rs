//! A folder for the reports that goes away, becomes read-only, or fills up while packets are being counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Ended, Pair, Sensor, eventually, json, need_kernel};
use crate::traffic;

const EVERY_SECOND: [&str; 4] = ["-i", "a0", "--report-every", "1s"];

#[test]
fn a_deleted_folder_is_told_and_counting_goes_on() {
    need_kernel!();
    let run = Run::start(None);
    fs::remove_dir_all(&run.reports).unwrap();
    run.goes_on_after("No such file or directory", |reports| {
        fs::create_dir(reports).unwrap();
    });
}

#[test]
fn a_folder_that_becomes_read_only_is_told_and_counting_goes_on() {
    need_kernel!();
    let run = Run::start(Some("1m"));
    // Not while a report is being written.
    eventually("a read-only folder", || remount(&run.reports, "ro"));
    run.goes_on_after("Read-only file system", |reports| {
        assert!(remount(reports, "rw"));
    });
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    need_kernel!();
    let run = Run::start(Some("64k"));
    let before = run.sensor.written();
    // Many flows make a report that does not fit.
    traffic::send(&run.pair.a, "a0", &traffic::frames(1000), 1);
    let pair_sent = 1000;
    let Run {
        mut sensor,
        reports,
        _mount,
        pair,
        ..
    } = run;
    sensor.wait_for_line("No space left on device");
    for report in &before {
        assert!(report.exists(), "{}", report.display());
    }
    whole_reports_only(&reports);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    let ended = sensor.stop();
    whole_reports_only(&reports);
    check(&ended, 10 + pair_sent + 10);
}

struct Run {
    sensor: Sensor,
    reports: PathBuf,
    pair: Pair,
    /// Before the folder that it is mounted on.
    _mount: Option<Mount>,
    _folder: tempfile::TempDir,
}

impl Run {
    /// A sensor that has counted ten packets and written a report, into a file system of this size.
    fn start(size: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reports = folder.path().join("reports");
        fs::create_dir(&reports).unwrap();
        let mount = size.map(|size| Mount::new(&reports, size));
        let pair = Pair::new(1500);
        let sensor = Sensor::launch(
            pair.a.command(env!("CARGO_BIN_EXE_sensor")),
            &EVERY_SECOND,
            tempfile::tempdir().unwrap(),
            reports.clone(),
        );
        traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
        eventually("a first report", || !sensor.written().is_empty());
        Run {
            sensor,
            reports,
            pair,
            _mount: mount,
            _folder: folder,
        }
    }

    /// The trouble is told, and when it is over there are reports again.
    fn goes_on_after(mut self, trouble: &str, mend: impl FnOnce(&Path)) {
        self.sensor.wait_for_line(trouble);
        traffic::send(&self.pair.a, "a0", &traffic::frames(10), 2);
        self.sensor.wait_for_line("counting goes on");
        let before = self.sensor.written().len();
        mend(&self.reports);
        eventually("a report after the trouble", || {
            self.sensor.written().len() > before
        });
        let ended = self.sensor.stop();
        whole_reports_only(&self.reports);
        check(&ended, 30);
    }
}

/// Exit 7, the trouble in the summary, and every packet in the report of the whole run.
fn check(ended: &Ended, packets: u64) {
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("could not be written"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.report["totals"]["packets"], packets);
    assert_eq!(ended.report["accounting"]["identity_holds"], true);
}

/// No temporary files, only complete reports, and `latest.json` is the newest of them.
fn whole_reports_only(reports: &Path) {
    let mut newest = String::new();
    for entry in fs::read_dir(reports).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.ends_with(".json"), "{name} was left behind");
        newest = newest.max(end(&json(&path)));
    }
    assert_eq!(end(&json(&reports.join("latest.json"))), newest);
}

fn end(report: &Value) -> String {
    assert_eq!(report["schema"], "sensor.report/1");
    report["end"].as_str().unwrap().to_owned()
}

/// A small file system of its own, unmounted when dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(at: &Path, size: &str) -> Self {
        let size = format!("size={size}");
        let mounted = mount(&["-t", "tmpfs", "-o", &size, "tmpfs", at.to_str().unwrap()]);
        assert!(mounted, "mounting a tmpfs of {size}");
        Mount(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Of the file system itself, so that it is seen in every mount namespace.
pub(crate) fn remount(at: &Path, mode: &str) -> bool {
    mount(&["-o", &format!("remount,{mode}"), at.to_str().unwrap()])
}

fn mount(arguments: &[&str]) -> bool {
    Command::new("mount")
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}
