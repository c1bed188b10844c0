//! Who is to follow what is counted, by the command line.

use std::path::Path;
use std::sync::Arc;

use crate::cli;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::follow::Follower;
use crate::serve;
use crate::serve::metrics::Polls;
use crate::sink::SinkError;
use crate::sink::jsonl::Live;

/// Of a live run. Each is checked and opened before anything is counted.
pub(super) fn of_run(
    args: &cli::Run,
    enrichment: &Arc<Enrichment>,
    polls: &Arc<Polls>,
) -> Result<Vec<Box<dyn Follower>>, Failure> {
    let mut followers: Vec<Box<dyn Follower>> = Vec::new();
    for path in &args.outputs.jsonl {
        followers.push(Box::new(json_lines(path)?));
    }
    followers.extend(serve::of_run(args, enrichment, polls, &super::hostname())?);
    Ok(followers)
}

/// Of capture files.
pub(super) fn of_read(_args: &cli::Read) -> Result<Vec<Box<dyn Follower>>, Failure> {
    Ok(Vec::new())
}

fn json_lines(path: &Path) -> Result<Live, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Live::stdout());
    }
    Live::open(path.to_owned()).map_err(|error| {
        let path = path.to_owned();
        Failure::new(Exit::Output, SinkError::Write { path, error })
    })
}
