//! What people are told on standard error while data goes elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Only errors from now on (`-q`).
pub fn quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// One line of status.
pub fn note(message: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        line(message);
    }
}

/// One line that matters even to those who asked for quiet.
pub fn warn(message: &str) {
    line(&format!("sensor: {message}"));
}

/// Whether somebody may be looking.
pub fn on_terminal() -> bool {
    std::io::stderr().is_terminal() && !QUIET.load(Ordering::Relaxed)
}

/// Columns of the terminal on standard output; through a pipe, to a pager say, those that `COLUMNS` names.
pub fn columns() -> Option<usize> {
    let named = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
    of_terminal().or_else(named)
}

fn of_terminal() -> Option<usize> {
    // SAFETY: winsize is plain integers, and all zero is a valid value of it.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the request writes one winsize.
    let result = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

fn line(message: &str) {
    // Nobody can be told that standard error is closed.
    let _closed = writeln!(std::io::stderr().lock(), "{message}");
}
