//! One file: a header, and rows of cells.

use std::fmt::Display;
use std::io::{self, Write};

use super::cell;
use crate::report::{Counts, Name, Time};

pub(super) struct Table<'a> {
    to: csv::Writer<&'a mut dyn Write>,
}

impl<'a> Table<'a> {
    pub(super) fn new(to: &'a mut dyn Write, columns: &[&str]) -> io::Result<Self> {
        let mut to = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(to);
        to.write_record(columns)?;
        Ok(Table { to })
    }

    /// What came from outside, or may have.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        Ok(self.to.write_field(cell(text).as_ref())?)
    }

    pub(super) fn maybe(&mut self, text: Option<&str>) -> io::Result<()> {
        self.text(text.unwrap_or_default())
    }

    /// Numbers, times and addresses: nothing that could be a formula.
    pub(super) fn number(&mut self, number: impl Display) -> io::Result<()> {
        Ok(self.to.write_field(number.to_string())?)
    }

    pub(super) fn maybe_number(&mut self, number: Option<impl Display>) -> io::Result<()> {
        match number {
            Some(number) => self.number(number),
            None => self.empty(1),
        }
    }

    pub(super) fn counts(&mut self, counts: Counts) -> io::Result<()> {
        self.number(counts.packets)?;
        self.number(counts.bytes)
    }

    /// First and last, and the seconds between them, which no spreadsheet makes of such times.
    pub(super) fn span(&mut self, start: Option<Time>, end: Option<Time>) -> io::Result<()> {
        self.maybe_number(start)?;
        self.maybe_number(end)?;
        self.maybe_number(start.zip(end).map(|(start, end)| end.seconds_after(start)))
    }

    /// Three cells: the surest name, its source, and all others.
    pub(super) fn names(&mut self, names: &[Name]) -> io::Result<()> {
        let Some((first, more)) = names.split_first() else {
            return self.empty(3);
        };
        self.text(&first.name)?;
        self.text(&first.source)?;
        let with_source = |one: &Name| format!("{} ({})", one.name, one.source);
        let more: Vec<String> = more.iter().map(with_source).collect();
        self.text(&more.join(" | "))
    }

    pub(super) fn empty(&mut self, cells: usize) -> io::Result<()> {
        (0..cells).try_for_each(|_| self.text(""))
    }

    /// An error where the row has not as many cells as the header.
    pub(super) fn end_row(&mut self) -> io::Result<()> {
        Ok(self.to.write_record(None::<&[u8]>)?)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.to.flush()
    }
}
