//! `sensor filter`: how an expression is understood, and what is decided where.

use crate::cli;
use crate::failure::{Exit, Failure};

pub fn run(_args: &cli::Filter) -> Result<Exit, Failure> {
    Err(Failure::told(Exit::Failed, "not built yet"))
}
