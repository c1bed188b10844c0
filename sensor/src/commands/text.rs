//! The text report on standard output.

use std::io::IsTerminal;

use crate::failure::{Exit, Failure};
use crate::report::Report;
use crate::sink::{self, text};
use crate::status;

pub(super) fn print(report: &Report) -> Result<(), Failure> {
    let defaults = text::Options::default();
    let options = text::Options {
        width: status::columns().unwrap_or(defaults.width),
        colour: std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    sink::write_stdout(|to| text::write(report, &options, to))
        .map_err(|error| Failure::new(Exit::Output, error))
}
