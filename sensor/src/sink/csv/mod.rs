//! The report as CSV (RFC 4180), a folder of one file a list, safe to be opened in a spreadsheet.
//!
//! Every column of counts adds up: what a list leaves out has a last row, named [`OTHERS`].

mod buckets;
mod cell;
mod lists;
mod protocols;
mod table;
#[cfg(test)]
mod tests;
mod totals;

use std::io;
use std::path::{Path, PathBuf};

pub(super) use cell::cell;
use table::Table;

use super::{SinkError, write_atomically};
use crate::report::Report;

/// The key of the row that stands for all that a list leaves out; no address and no protocol is called that.
pub const OTHERS: &str = "others";

/// One file of the folder.
pub struct File {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    rows: fn(&Report, &mut Table<'_>) -> io::Result<()>,
}

pub const FILES: [File; 7] = [
    totals::FILE,
    protocols::FILE,
    lists::ENDPOINTS,
    lists::CONVERSATIONS,
    lists::FLOWS,
    buckets::FILE,
    buckets::PROTOCOLS,
];

/// The files that [`write_to`] makes in `folder`.
pub fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> {
    FILES.iter().map(|file| folder.join(file.name))
}

/// All files into `folder`, which must be there, each whole or not at all; ends at the first that can't be written.
pub fn write_to(report: &Report, folder: &Path) -> Result<(), SinkError> {
    FILES
        .iter()
        .try_for_each(|file| write_atomically(&folder.join(file.name), |to| file.write(report, to)))
}

impl File {
    /// A header, and the rows that the report has for it.
    pub fn write(&self, report: &Report, to: &mut dyn io::Write) -> io::Result<()> {
        let mut table = Table::new(to, self.columns)?;
        (self.rows)(report, &mut table)?;
        table.finish()
    }
}
