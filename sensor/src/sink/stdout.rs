//! Standard output: a reader that has seen enough (`| head`) is no error, a full disk is.

use std::io::{self, BufWriter, Write};

use super::SinkError;

/// Runs `write` on buffered standard output.
pub fn write_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), SinkError> {
    quiet_on_closed_pipe(io::stdout().lock(), write).map_err(SinkError::Stdout)
}

fn quiet_on_closed_pipe(
    to: impl Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffered = BufWriter::new(to);
    let result = write(&mut buffered).and_then(|()| buffered.flush());
    // Dropping a full buffer would try to write it once more.
    let _ = buffered.into_parts();
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_success() {
        let failing = Failing(io::ErrorKind::BrokenPipe);
        assert!(quiet_on_closed_pipe(failing, |to| to.write_all(b"x")).is_ok());
    }

    #[test]
    fn a_full_disk_is_an_error_even_in_the_last_flush() {
        let failing = Failing(io::ErrorKind::StorageFull);
        let error = quiet_on_closed_pipe(failing, |to| to.write_all(b"x")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
