//! What each path is.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::{escape, history, status, units};

const LATEST: &str = "latest.json";

/// All that the paths lead to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) histories: Vec<PathBuf>,
    /// Reports in JSON, those of a folder in the order of their times.
    pub(super) files: Vec<PathBuf>,
    /// What each path was found to be.
    said: Vec<String>,
}

/// A path that is nothing to open is refused before anything is read.
pub(super) fn all(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    for path in paths {
        found.add(path, &mut seen)?;
    }
    Ok(found)
}

/// For sentences.
pub(super) fn told(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => escape::path(path),
    }
}

type Seen = HashSet<(u64, u64)>;

impl Found {
    pub(super) fn tell(&self) {
        for line in &self.said {
            status::note(line);
        }
    }

    fn add(&mut self, path: &Path, seen: &mut Seen) -> Result<(), Failure> {
        if path == Path::new("-") {
            return self.standard_input(seen);
        }
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let name = escape::path(path);
        if !seen.insert((metadata.dev(), metadata.ino())) {
            status::warn(&format!("{name} is given twice; it counts once"));
            return Ok(());
        }
        if history::is_history(path) {
            self.said.push(format!("{name}: history"));
            self.histories.push(path.to_owned());
        } else if metadata.is_dir() {
            self.folder(path, seen)?;
        } else {
            refuse_capture(path, metadata.is_file())?;
            self.said.push(format!("{name}: a report"));
            self.files.push(path.to_owned());
        }
        Ok(())
    }

    fn standard_input(&mut self, seen: &mut Seen) -> Result<(), Failure> {
        if std::io::stdin().is_terminal() {
            let message = "standard input is a terminal: pipe a report into it, as in: sensor read x.pcap --json - | sensor report -";
            return Err(Failure::told(Exit::Usage, message));
        }
        if !seen.insert((0, 0)) {
            return Err(Failure::told(
                Exit::Usage,
                "standard input (-) is given twice",
            ));
        }
        self.files.push("-".into());
        Ok(())
    }

    /// Of periodic reports; `latest.json` is the newest of them once more.
    fn folder(&mut self, folder: &Path, seen: &mut Seen) -> Result<(), Failure> {
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
        let mut periodic = Vec::new();
        let mut latest = None;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(folder, &error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name == LATEST {
                latest = Some(path);
            } else if name.starts_with("sensor-") && name.ends_with(".json") {
                periodic.push(path);
            }
        }
        if periodic.is_empty() {
            periodic.extend(latest);
        }
        // A pipe in a folder would be waited for.
        periodic.retain(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
        if periodic.is_empty() {
            let message = format!(
                "no reports in {}: expected sensor-*.json, as --out writes them, or history; name other files one by one",
                escape::path(folder)
            );
            return Err(Failure::told(Exit::BadFile, message));
        }
        periodic.sort();
        self.said.push(format!(
            "{}: a folder of {} reports",
            escape::path(folder),
            units::count(periodic.len() as u64)
        ));
        for path in periodic {
            let is_new = |metadata: fs::Metadata| seen.insert((metadata.dev(), metadata.ino()));
            if fs::metadata(&path).is_ok_and(is_new) {
                self.files.push(path);
            }
        }
        Ok(())
    }
}

/// Captures have a command of their own. Only regular files can be read twice.
fn refuse_capture(path: &Path, regular: bool) -> Result<(), Failure> {
    let mut start = [0; 4];
    let read = |mut file: File| file.read_exact(&mut start);
    if !regular || File::open(path).and_then(read).is_err() {
        return Ok(());
    }
    let pcapng = [0x0a, 0x0d, 0x0d, 0x0a];
    let swapped = [start[3], start[2], start[1], start[0]];
    let pcap = [[0xa1, 0xb2, 0xc3, 0xd4], [0xa1, 0xb2, 0x3c, 0x4d]];
    if start == pcapng || pcap.contains(&start) || pcap.contains(&swapped) {
        let name = escape::path(path);
        return Err(Failure::told(
            Exit::BadFile,
            format!("{name} is a capture, not a report: sensor read opens it"),
        ));
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let name = escape::path(path);
    Failure::told(Exit::BadFile, format!("can't read {name}: {error}"))
}
