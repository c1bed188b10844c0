//! Reports in files: the edge between [`report::read`] and the disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::escape;
use crate::report::{self, ReadError, Report};

/// All flows that the default of --max-flows has room for, at 1 KB each, are half of it.
const LARGEST: u64 = 4 << 30;

/// A file that could not be read as a report.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("can't read {}: {error}", escape::path(path))]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{} is larger than {limit} bytes, the most that a report may have: write it with a smaller -n",
        escape::path(path)
    )]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("{}: {error}", escape::path(path))]
    Report { path: PathBuf, error: ReadError },
}

/// Opens a report that [`crate::sink::json`] wrote; `-` is standard input.
pub fn open(path: &Path) -> Result<Report, OpenError> {
    let bytes = match path == Path::new("-") {
        true => limited(path, io::stdin().lock(), LARGEST),
        false => match File::open(path) {
            Ok(file) => limited(path, file, LARGEST),
            Err(error) => Err(io_error(path, error)),
        },
    }?;
    report::read(&bytes).map_err(|error| OpenError::Report {
        path: path.to_owned(),
        error,
    })
}

fn limited(path: &Path, from: impl Read, limit: u64) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    let read = from.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| io_error(path, error))?;
    if bytes.len() as u64 > limit {
        let path = path.to_owned();
        return Err(OpenError::TooLarge { path, limit });
    }
    Ok(bytes)
}

fn io_error(path: &Path, error: io::Error) -> OpenError {
    OpenError::Io {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::sink::json;

    #[test]
    fn a_report_that_was_written_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let report = samples::report(5);
        json::write_to(&report, &path).unwrap();
        assert_eq!(open(&path).unwrap(), report);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no\u{202e}report.json");
        std::fs::write(&path, "{}").unwrap();
        let said = open(&path).unwrap_err().to_string();
        let expected = "/no\\u{202e}report.json: not a sensor report: no \"schema\"";
        assert!(said.ends_with(expected), "{said}");
        let said = open(folder.path()).unwrap_err().to_string();
        assert!(said.starts_with("can't read /"), "{said}");
        let missing = open(Path::new("/nonexistent/report.json")).unwrap_err();
        assert!(matches!(missing, OpenError::Io { .. }));
    }

    #[test]
    fn no_more_is_read_than_a_report_may_have() {
        let path = Path::new("endless");
        let error = limited(path, io::repeat(b' '), 1000).unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("endless is larger than 1000 bytes"),
            "{said}"
        );
        assert_eq!(limited(path, &[b' '; 1000][..], 1000).unwrap().len(), 1000);
    }
}
