//! One file per command.

pub mod config;
mod expression;
pub mod filter;
pub mod interfaces;
pub mod read;
pub mod run;
mod text;

use std::time::Duration;

use sensor_common::flow::HashSeeds;

use crate::cli;
use crate::counters::DeltaConfig;

/// What the command line says of counting, live and from files.
fn delta_config(counting: &cli::Counting, seeds: HashSeeds) -> DeltaConfig {
    DeltaConfig {
        interval: nanoseconds(counting.interval),
        max_flows: counting.max_flows as usize,
        seeds,
        trail: false,
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// The host's name, for reports.
fn hostname() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(name) => name.trim().to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
