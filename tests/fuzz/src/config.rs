//! Config files: any bytes are settings, or mistakes that are told with their place, each in one line.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use sensor::config::{self, Found, LoadError, Place, Surroundings};

use crate::cost::bounded;

const FILE: &str = "/etc/sensor/sensor.toml";

/// Panics if a file is not understood as it should be.
pub fn check(bytes: &[u8]) {
    let most = (16 << 20) + bytes.len() * 4096;
    let gathered = bounded(bytes.len(), most, || config::gather(None, &Alone(bytes)));
    assert!(gathered.found());
    for error in &gathered.errors {
        let said = error.to_string();
        let plain = !said.contains(|c: char| c.is_control());
        assert!(said.starts_with(FILE) && plain, "{said:?}");
        assert!(said.len() < 4000, "{} bytes: {said}", said.len());
        if let Place::At { line, column, .. } = error.place {
            assert!(there(bytes, line, column), "{said}");
        }
    }
    assert!(config::lines(&gathered.errors).len() <= 21);
    let arguments: [OsString; 2] = ["sensor", "run"].map(Into::into);
    match config::load(&arguments, &Alone(bytes)) {
        Ok(_) => assert!(gathered.errors.is_empty()),
        Err(LoadError::Config(errors)) => assert_eq!(errors, gathered.errors),
        // Values that each may be, and not together.
        Err(LoadError::Usage(error)) => {
            assert!(gathered.errors.is_empty());
            assert!(!error.to_string().is_empty());
        }
    }
}

/// Whether the place, counted from 1, is in the file or just behind it.
fn there(bytes: &[u8], line: usize, column: usize) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let found = line.checked_sub(1).and_then(|above| lines.nth(above));
    found.is_some_and(|found| (1..=found.chars().count() + 1).contains(&column))
}

/// A process without variables, whose config file has these bytes.
struct Alone<'a>(&'a [u8]);

impl Surroundings for Alone<'_> {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn variables(&self) -> Vec<OsString> {
        Vec::new()
    }

    fn read(&self, path: &Path) -> io::Result<Found> {
        assert_eq!(path, Path::new(FILE));
        Ok(Found {
            bytes: self.0.to_vec(),
            dangerous: false,
        })
    }
}
