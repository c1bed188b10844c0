//! Standard output: a reader that has seen enough (`| head`) is no error, a full disk is.

use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::SinkError;

/// Runs `write` on buffered standard output.
pub fn write_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), SinkError> {
    refuse_closed()?;
    quiet_on_closed_pipe(io::stdout().lock(), write).map_err(SinkError::Stdout)
}

/// An error where it was closed when the process started.
pub(super) fn refuse_closed() -> Result<(), SinkError> {
    match CLOSED.load(Ordering::Relaxed) {
        true => Err(SinkError::Stdout(io::Error::other("it is closed"))),
        false => Ok(()),
    }
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

/// Standard output was closed when the process started (`>&-`). Before `main`, Rust puts /dev/null in its place, and a
/// report would be written to nowhere with success: so it has to be asked for earlier, where constructors run.
static CLOSED: AtomicBool = AtomicBool::new(false);

#[used]
#[unsafe(link_section = ".init_array")] // the linker's list of constructors
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: the request only asks for the descriptor's flags.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    CLOSED.store(flags == -1, Ordering::Relaxed);
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
