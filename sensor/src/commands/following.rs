//! Who is to follow what is counted, by the command line.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::nanoseconds;
use crate::cli;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::follow::Follower;
use crate::history::{Keeper, Lengths, Policy};
use crate::serve;
use crate::serve::metrics::Polls;
use crate::sink::jsonl::Live;
use crate::sink::{SinkError, ipfix};

/// Of a live run. Each is checked and opened before anything is counted.
pub(super) fn of_run(
    args: &cli::Run,
    enrichment: &Arc<Enrichment>,
    polls: &Arc<Polls>,
) -> Result<Vec<Box<dyn Follower>>, Failure> {
    let mut followers = ipfix::exporters(&args.outputs.ipfix)?;
    for path in &args.outputs.jsonl {
        followers.push(Box::new(json_lines(path)?));
    }
    followers.extend(serve::of_run(
        args,
        enrichment,
        polls,
        &super::sensor_name(&args.counting),
    )?);
    let interval = nanoseconds(args.counting.interval);
    let lengths = lengths(&args.outputs.parquet, interval, interval)?;
    let (name, folder) = match &args.outputs.parquet.folder {
        Some(folder) => ("--parquet", folder.clone()),
        None => ("history", args.out.join("history")),
    };
    if !args.history.no_history {
        let policy = Some(policy(&args.history));
        followers.push(Box::new(Keeper::new(name, folder, lengths, policy)));
    }
    Ok(followers)
}

/// Of capture files; and nanoseconds of the parts that they want.
pub(super) fn of_read(args: &cli::Read) -> Result<(Vec<Box<dyn Follower>>, i64), Failure> {
    let mut followers = ipfix::exporters(&args.outputs.ipfix)?;
    let interval = nanoseconds(args.counting.interval);
    let minute = 60_000_000_000;
    let lengths = lengths(&args.outputs.parquet, interval, minute)?;
    // A cut costs as much as a row for each flow that goes on; exporters want it all the same.
    let part = match followers.is_empty() {
        true => lengths.flows,
        false => interval,
    };
    if let Some(folder) = args.outputs.parquet.folder.clone() {
        // Captures may be of any age: nothing is tidied up by them.
        followers.push(Box::new(Keeper::new("--parquet", folder, lengths, None)));
    }
    Ok((followers, part))
}

/// Of history's rows; those of flows are of `default` if nobody said otherwise, or of the next longer time that intervals add
/// up to.
fn lengths(asked: &cli::Parquet, interval: i64, default: i64) -> Result<Lengths, Failure> {
    let Some(flows) = asked.parquet_flows.map(nanoseconds) else {
        let intervals = default.saturating_add(interval - 1) / interval;
        let flows = intervals.saturating_mul(interval);
        return Ok(Lengths { interval, flows });
    };
    if flows % interval != 0 {
        return Err(Failure::told(
            Exit::Usage,
            format_args!(
                "--parquet-flows is {} s, which is no multiple of --interval, {} s",
                flows as f64 / 1e9,
                interval as f64 / 1e9
            ),
        ));
    }
    Ok(Lengths { interval, flows })
}

fn policy(args: &cli::History) -> Policy {
    Policy {
        keep: (args.keep > Duration::ZERO).then(|| nanoseconds(args.keep)),
        keep_size: (args.keep_size.0 > 0).then_some(args.keep_size.0),
        ..Policy::default()
    }
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
