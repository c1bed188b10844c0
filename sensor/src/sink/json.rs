//! The report as JSON, one object, indented.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::{SinkError, write_atomically, write_stdout};
use crate::report::Report;

pub fn write(report: &Report, to: impl Write) -> io::Result<()> {
    write_value(report, to)
}

/// To a file, whole or not at all; `-` is standard output.
pub fn write_to(report: &Report, path: &Path) -> Result<(), SinkError> {
    write_value_to(report, path)
}

/// The same of what is no report.
pub fn write_value_to(value: &impl Serialize, path: &Path) -> Result<(), SinkError> {
    if path == Path::new("-") {
        return write_stdout(|to| write_value(value, to));
    }
    write_atomically(path, |to| write_value(value, to))
}

fn write_value(value: &impl Serialize, mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut to, value)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn it_is_one_object_that_ends_in_a_newline() {
        let mut out = Vec::new();
        write(&samples::report(3), &mut out).unwrap();
        assert_eq!(out.last(), Some(&b'\n'));
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["sensor"]["hostname"], "edge-7");
    }

    #[test]
    fn an_error_of_the_writer_comes_back_as_it_was() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write(&samples::report(0), Full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
