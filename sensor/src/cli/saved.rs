//! What may be typed of reports and history that were written before.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{FilterOption, MAX_NAMES, Naming, Outputs, interval, rows};

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor report reports/latest.json\n  sensor report reports/ --from 03:00 --to 03:30 --html night.html\n  sensor report /var/lib/sensor/history --from -1d -f 'port 443' --csv out/\n  sensor report web1.json web2.json -n 20               several sensors, merged\nTimes are UTC: 2026-11-22T03:00:00Z, '2026-11-22 03:00', 03:00 (today), 'yesterday 23:00', -90m"
)]
pub struct Report {
    /// Reports in JSON, folders of them (--out), or history in Parquet; - is a report on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only from this time on
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Only up to this time, which is not part of it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    #[command(flatten)]
    pub filter: FilterOption,
    /// Rows in the lists; 0 = all; default: as many as the reports have, 10 of history
    #[arg(short = 'n', long = "top", value_name = "N", value_parser = rows)]
    pub top: Option<usize>,
    #[command(flatten)]
    pub history: Recount,
    #[command(flatten)]
    pub naming: Naming,
    #[command(flatten)]
    pub outputs: Outputs,
    #[command(flatten)]
    pub sandbox: super::NoSandbox,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor diff monday.json tuesday.json\n  sensor diff reports/ --before 02:00..03:00 --after 03:00..04:00\n  sensor diff history/ --before -2h..-1h --after -1h.. -f 'net 10.0.0.0/8' --html change.html\nRates are compared, so A and B may be of different length. Times as in sensor report"
)]
pub struct Diff {
    /// What sensor report opens: before
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// And after; default: the same, with --before and --after
    #[arg(value_name = "B", required_unless_present_all = ["before", "after"])]
    pub b: Option<PathBuf>,
    /// Only this time of A
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub before: Option<String>,
    /// Only this time of B
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub after: Option<String>,
    #[command(flatten)]
    pub filter: FilterOption,
    /// Rows in the lists; 0 = all
    #[arg(short = 'n', long = "top", value_name = "N", default_value_t = 10, value_parser = rows)]
    pub top: usize,
    #[command(flatten)]
    pub history: Recount,
    /// Write the differences as JSON (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Vec<PathBuf>,
    /// Write them as a page, one HTML file that opens from disk (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Vec<PathBuf>,
}

/// How history becomes numbers again.
#[derive(Clone, Debug, Args)]
pub struct Recount {
    /// Of history: least length of a time bucket
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Of history: flows that are told apart; the packets of further ones are counted as overflow
    #[arg(long, value_name = "N", default_value_t = 2_097_152, value_parser = clap::value_parser!(u32).range(1..=268_435_456))]
    pub max_flows: u32,
    /// Of history: flows and addresses whose names are remembered, each
    #[arg(long, value_name = "N", default_value_t = MAX_NAMES, value_parser = clap::value_parser!(u32).range(0..=16_777_216))]
    pub max_names: u32,
}
