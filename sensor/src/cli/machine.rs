//! Commands about the machine that they run on.

use std::path::PathBuf;

use clap::Args;

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor interfaces\n  sensor interfaces --json | jq -r '.[].name'"
)]
pub struct Interfaces {
    /// Write the list as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor doctor\n  sensor doctor -i eth0 --json - | jq '.gates[] | select(.state != \"open\")'\nEach gate: docs/trust.md"
)]
pub struct Doctor {
    /// Interface to look at (repeatable); `any` = all that are up; default: the one of the default route, else `any`
    #[arg(short, long = "interface", value_name = "IF")]
    pub interfaces: Vec<String>,
    /// Write it as JSON (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Vec<PathBuf>,
}
