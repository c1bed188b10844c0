//! JSON Lines of a live run: a line as soon as its interval is over, for whoever reads along.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use anyhow::Result;

use super::{Origin, write_bucket};
use crate::escape;
use crate::follow::{Follower, Part};
use crate::report::{BucketRow, add_bucket, bucket_rows};
use crate::sink::{SinkError, write_stdout};

/// Writes lines while the run goes on.
pub struct Live {
    to: Place,
    /// By start: an interval's line is written when no more packets of it are to be expected.
    waiting: BTreeMap<i64, BucketRow>,
    /// Lines that could not be written.
    unwritten: Vec<u8>,
}

/// More than a disk that is full should be waited for.
const MOST_UNWRITTEN: usize = 16 << 20;

enum Place {
    Stdout,
    File { path: PathBuf, file: File },
}

impl Live {
    pub fn stdout() -> Self {
        Self::to(Place::Stdout)
    }

    /// Lines are appended; a file that is moved away (by logrotate, say) is made anew.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = append(&path)?;
        Ok(Self::to(Place::File { path, file }))
    }

    fn to(to: Place) -> Self {
        Live {
            to,
            waiting: BTreeMap::new(),
            unwritten: Vec::new(),
        }
    }

    fn take_in(&mut self, part: &Part) {
        for row in bucket_rows(&part.counted()) {
            match self.waiting.get_mut(&row.start.0) {
                Some(waiting) => add_bucket(waiting, &row),
                None => {
                    self.waiting.insert(row.start.0, row);
                }
            }
        }
    }

    /// Writes the intervals that were over at `now`; all of them without.
    fn write(&mut self, part: &Part, now: Option<i64>) -> Result<()> {
        let interval = part.context.interval;
        let origin = Origin {
            hostname: &part.context.hostname,
            backend: &part.context.backend,
            filter: part.rules.filter_text(),
            interval_seconds: interval as f64 / 1e9,
        };
        while let Some(first) = self.waiting.first_entry() {
            let end = first.key().saturating_add(interval);
            if now.is_some_and(|now| end > now) {
                break;
            }
            write_bucket(&first.remove(), &origin, &mut self.unwritten)?;
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let written = self.to.write(&mut self.unwritten);
        if written.is_err() && self.unwritten.len() > MOST_UNWRITTEN {
            self.unwritten.clear();
            anyhow::bail!(
                "{}: lines that could not be written for long are left out: the reports have their counts",
                self.to.told()
            );
        }
        Ok(written?)
    }
}

impl Place {
    /// Takes what was written out of `lines`.
    fn write(&mut self, lines: &mut Vec<u8>) -> Result<(), SinkError> {
        match self {
            Place::Stdout => {
                let result = write_stdout(|to| to.write_all(lines));
                lines.clear(); // how much of it is out nobody knows
                result
            }
            Place::File { path, file } => {
                write_to(path, file, lines).map_err(|error| SinkError::Write {
                    path: path.clone(),
                    error,
                })
            }
        }
    }

    fn told(&self) -> String {
        match self {
            Place::Stdout => "standard output".to_owned(),
            Place::File { path, .. } => escape::path(path),
        }
    }
}

fn write_to(path: &PathBuf, file: &mut File, lines: &mut Vec<u8>) -> io::Result<()> {
    if moved(path, file)? {
        *file = append(path)?;
    }
    while !lines.is_empty() {
        match file.write(lines) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => drop(lines.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Readable for owner and group, as reports are.
fn append(path: &PathBuf) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o640).open(path)
}

/// The open file is not the one of that name any more.
fn moved(path: &PathBuf, file: &File) -> io::Result<bool> {
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) != (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

impl Follower for Live {
    fn name(&self) -> String {
        format!("--jsonl {}", self.to.told())
    }

    fn part(&mut self, part: &Part) -> Result<()> {
        self.take_in(part);
        self.write(part, Some(part.period.end))
    }

    fn finish(&mut self, whole: &Part) -> Result<()> {
        self.write(whole, None)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::agent::Period;
    use crate::report::Context;
    use crate::report::samples::{self, SECOND, START};

    /// Packets of these times, seconds after the start, counted in the second that ends at `end`.
    fn part(times: &[i64], end: i64) -> Part {
        let packets: Vec<_> = times
            .iter()
            .map(|time| samples::arp().at(time * SECOND))
            .collect();
        let period = Period {
            delta: samples::delta_of(&packets, 10),
            start: START + (end - 1) * SECOND,
            end: START + end * SECOND,
        };
        let context = Context {
            interval: SECOND,
            ..samples::context()
        };
        Part::new(period, Default::default(), context)
    }

    /// Seconds after the start, and packets, of each line.
    fn lines(path: &Path) -> Vec<(i64, u64)> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let start: jiff::Timestamp = line["start"].as_str().unwrap().parse().unwrap();
            let second = start.as_second() - START / SECOND;
            (second, line["packets"].as_u64().unwrap())
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn a_line_comes_when_its_interval_is_over_and_not_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("buckets.jsonl");
        let mut live = Live::open(path.clone()).unwrap();
        live.part(&part(&[0, 0, 1], 1)).unwrap();
        assert_eq!(lines(&path), [(0, 2)], "the next one has begun");
        live.part(&part(&[1], 2)).unwrap();
        assert_eq!(lines(&path), [(0, 2), (1, 2)]);
        live.part(&part(&[1, 3], 3)).unwrap();
        assert_eq!(
            lines(&path)[2..],
            [(1, 1)],
            "what comes late is a line that adds up"
        );
        live.finish(&part(&[], 4)).unwrap();
        assert_eq!(lines(&path)[3..], [(3, 1)]);
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("now"), folder.path().join("old"));
        let mut live = Live::open(path.clone()).unwrap();
        live.part(&part(&[0], 1)).unwrap();
        fs::rename(&path, &old).unwrap();
        live.part(&part(&[1], 2)).unwrap();
        assert_eq!((lines(&old), lines(&path)), (vec![(0, 1)], vec![(1, 1)]));
        drop(live);
        Live::open(path.clone())
            .unwrap()
            .part(&part(&[2], 3))
            .unwrap();
        assert_eq!(lines(&path), [(1, 1), (2, 1)], "appended");
    }

    #[test]
    fn a_full_disk_is_said_and_its_lines_come_later() {
        let mut live = Live::open("/dev/full".into()).unwrap();
        let error = live.part(&part(&[0], 1)).unwrap_err();
        assert!(
            format!("{error:#}").contains("can't write /dev/full"),
            "{error:#}"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("room");
        live.to = Place::File {
            file: append(&path).unwrap(),
            path: path.clone(),
        };
        live.part(&part(&[1], 2)).unwrap();
        assert_eq!(lines(&path), [(0, 1), (1, 1)]);
    }
}
