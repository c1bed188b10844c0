//! Who is to follow what is counted, by the command line.

use crate::cli;
use crate::failure::Failure;
use crate::follow::Follower;

/// Of a live run. Each is checked and opened before anything is counted.
pub(super) fn of_run(_args: &cli::Run) -> Result<Vec<Box<dyn Follower>>, Failure> {
    Ok(Vec::new())
}

/// Of capture files.
pub(super) fn of_read(_args: &cli::Read) -> Result<Vec<Box<dyn Follower>>, Failure> {
    Ok(Vec::new())
}
