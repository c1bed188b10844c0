//! The dashboard: one HTML file that shows a report, needs nothing else, and can be mailed.
//!
//! [`Data`] is what is embedded: the report, its lists as compact rows, and when each listed flow's packets came, so that
//! the page can answer for any span of time. [`write()`] puts it into the page. The live server sends the same [`Data`] to
//! the same page ([`live_page`]).

mod data;
mod diff;
mod escape;
mod layers;
mod page;
mod rows;
mod timeline;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

pub use data::{Counted, Data, SCHEMA};
pub use diff::{write_diff, write_diff_to};
pub use page::{LivePage, live_page};

use crate::sink::{SinkError, write_atomically, write_stdout};

/// The whole page with its data.
pub fn write(data: &Data, mut to: impl Write) -> io::Result<()> {
    page::write(data, &mut to)
}

/// To a file, whole or not at all; `-` is standard output.
pub fn write_to(data: &Data, path: &Path) -> Result<(), SinkError> {
    if path == Path::new("-") {
        return write_stdout(|to| write(data, to));
    }
    write_atomically(path, |to| write(data, to))
}
