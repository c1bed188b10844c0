//! Periodic reports: `sensor-YYYYMMDDTHHMMSSZ.json`, one per period, and `latest.json`, always the newest complete one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::atomic::{sync_folder, temporary_name, write_temporary};
use super::{SinkError, json, write_atomically};
use crate::report::Report;

/// Files of one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub report: PathBuf,
    pub latest: PathBuf,
}

/// Writes `report` under the name of its end time, never over another report, and as `latest.json`.
pub fn write_periodic(folder: &Path, report: &Report) -> Result<Written, SinkError> {
    let stem = match report.end {
        Some(end) => end.strftime("sensor-%Y%m%dT%H%M%SZ"),
        None => "sensor-no-time".to_owned(),
    };
    let wanted = folder.join(format!("{stem}.json"));
    let error = |error| SinkError::Write {
        path: wanted.clone(),
        error,
    };
    let file = write_temporary(folder, |to| json::write(report, to)).map_err(error)?;
    let path = persist_under_free_name(file, folder, &stem).map_err(error)?;
    let latest = folder.join("latest.json");
    // A second name for the same bytes: no second copy on the disk, and it can't fail half-way.
    if link_over(&path, &latest, folder).is_err() {
        write_atomically(&latest, |to| json::write(report, to))?;
    }
    sync_folder(folder).map_err(error)?;
    Ok(Written {
        report: path,
        latest,
    })
}

fn persist_under_free_name(
    mut file: NamedTempFile,
    folder: &Path,
    stem: &str,
) -> io::Result<PathBuf> {
    let mut count = 0;
    loop {
        let name = match count {
            0 => format!("{stem}.json"),
            _ => format!("{stem}-{count}.json"),
        };
        let path = folder.join(name);
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => file = taken.file,
            Err(refused) => return Err(refused.error),
        }
        count += 1;
    }
}

fn link_over(path: &Path, latest: &Path, folder: &Path) -> io::Result<()> {
    let link = folder.join(temporary_name("latest"));
    let _ = fs::remove_file(&link);
    fs::hard_link(path, &link)?;
    let renamed = fs::rename(&link, latest);
    // Renaming one name of a file onto another name of it does nothing and leaves both.
    let _ = fs::remove_file(&link);
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Time, samples};

    fn name(path: &Path) -> &str {
        path.file_name().unwrap().to_str().unwrap()
    }

    #[test]
    fn reports_keep_their_names_and_latest_is_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = samples::report(1);
        report.end = Some(Time(samples::START + 60_900_000_000));
        let mut names = Vec::new();
        for round in 0..3 {
            report.totals.packets = round;
            let written = write_periodic(folder.path(), &report).unwrap();
            names.push(name(&written.report).to_owned());
            let latest = fs::read_to_string(&written.latest).unwrap();
            assert_eq!(latest, fs::read_to_string(&written.report).unwrap());
            let json: serde_json::Value = serde_json::from_str(&latest).unwrap();
            assert_eq!(json["totals"]["packets"], round);
        }
        assert_eq!(
            names,
            [
                "sensor-20231114T221420Z.json",
                "sensor-20231114T221420Z-1.json",
                "sensor-20231114T221420Z-2.json"
            ]
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_report_without_a_time_has_a_name_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = samples::report(0);
        report.end = None;
        let written = write_periodic(folder.path(), &report).unwrap();
        assert_eq!(name(&written.report), "sensor-no-time.json");
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error_with_the_path() {
        let folder = Path::new("/nonexistent");
        let error = write_periodic(folder, &samples::report(0)).unwrap_err();
        let expected = "can't write /nonexistent/sensor-";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
