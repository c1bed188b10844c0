//! One file per command.

mod captures;
pub mod config;
mod confined;
pub mod diff;
pub mod doctor;
pub mod explain;
mod expression;
pub mod filter;
mod following;
pub mod interfaces;
mod live;
mod opened;
pub mod pages;
pub mod read;
pub mod report;
pub mod run;
pub mod schema;
mod text;
pub mod top;

use std::time::Duration;

use sensor_common::flow::HashSeeds;

use crate::cli;
use crate::counters::DeltaConfig;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::source::file::matching::FileFilter;
use crate::source::file::mirrored::Mirrored;
use crate::source::home::HomeNet;

/// What the command line says of counting, live and from files.
pub(crate) fn delta_config(
    counting: &cli::Counting,
    seeds: HashSeeds,
    filter: Option<&Filter>,
    outputs: &cli::Outputs,
) -> DeltaConfig {
    DeltaConfig {
        interval: nanoseconds(counting.interval),
        max_flows: counting.max_flows as usize,
        seeds,
        // The dashboard asks each flow for its packets of any time.
        trail: !outputs.html.is_empty()
            || filter.is_some_and(|filter| filter.plan().flow.is_some()),
        names: counting.max_names as usize,
    }
}

/// What decides of the packets of files.
fn for_files(filter: Option<&Filter>) -> Result<Option<FileFilter>, Failure> {
    let matching = filter.map(FileFilter::new).transpose();
    matching.map_err(|error| Failure::new(Exit::Filter, error))
}

/// What is known of the mirror port that captures come from. `seed`: any number.
fn mirrored(asked: &cli::Mirrored, seed: u64) -> Mirrored {
    Mirrored {
        home: HomeNet::new(&asked.home_net, seed),
        dedup: asked.window(),
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// What this sensor is called: as it was told, or else as the host.
fn sensor_name(counting: &cli::Counting) -> String {
    counting.sensor_name.clone().unwrap_or_else(hostname)
}

/// The host's name.
fn hostname() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(name) => name.trim().to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
