//! What may be typed. What it means is decided by the commands.

mod backend;
mod capture;
mod charts;
mod history;
mod ipfix;
mod machine;
mod pages;
mod sandbox;
mod saved;
mod schema;
mod serving;
mod tap;
mod top;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;

pub use backend::{Backend, XdpMode};
pub use capture::{Capture, RotateSize};
pub use charts::{ChartFormat, ChartSize, ChartTheme, Charts};
pub use history::{History, Parquet, Size};
pub use ipfix::Ipfix;
pub use machine::{Doctor, Interfaces};
pub use pages::Pages;
pub use sandbox::{NoSandbox, Sandbox};
pub use saved::{Diff, Recount, Report};
pub use schema::{Schema, SchemaOf};
pub use serving::Serving;
pub use tap::{Mirrored, Tap};
pub use top::Top;

#[derive(Debug, Parser)]
#[command(
    name = "sensor",
    version,
    about = "Counts what crosses the wire: in the kernel, exactly, and from capture files with the same meaning",
    after_help = "Examples:\n  sensor run -i eth0 -d 60s --json report.json\n  sensor read capture.pcap\n  sensor read capture.pcapng.zst --json - --charts charts/",
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Only errors on standard error
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More about what was tried and chosen
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Settings from this file in place of /etc/sensor/sensor.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count live traffic and write a report every period, until Ctrl-C
    Run(Box<Run>),
    /// Report on capture files: pcap or pcapng, plain, gzip or zstd; - is standard input
    Read(Read),
    /// Open reports and history that were written before: show them again, merged, cut to a time, in every output
    Report(Report),
    /// Say what changed between two reports, or two times: who is new, who is gone, who grew
    Diff(Diff),
    /// Watch it: rates, protocols, talkers, conversations and flows on the terminal; live, or of a capture file
    Top(Top),
    /// Show packets of a capture layer by layer, and what is counted of each
    Explain(Explain),
    /// Explain a filter: how it is understood, which part is decided where, how many packets of a file match
    Filter(Filter),
    /// What can be captured here
    Interfaces(Interfaces),
    /// Say whether packets can be counted here, by what, what stands in the way, and what opens it
    Doctor(Doctor),
    /// Show the JSON Schema that reports keep to, or other JSON of ours
    Schema(Schema),
    /// Check the settings of file and environment, or show what is in force and why
    #[command(subcommand)]
    Config(Config),
    /// Write the pages of the manual and completions for shells
    #[command(hide = true)]
    Pages(Pages),
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor run                                      the interface of the default route, until Ctrl-C\n  sensor run -i eth0 -i wg0 -d 60s --json r.json  two interfaces for a minute, one report\n  sensor run -i any --out /var/lib/sensor         a report every minute of all that is up\n  sensor run -i 'veth*'                           all containers, also those that start later\n  sensor run -i eth0 tcp port 443                 only that; quote what the shell would take: '(', '&', '<', '!'"
)]
pub struct Run {
    /// Interface to count on (repeatable), or a pattern: 'veth*'; `any` = all that are up; default: the one of the default route
    #[arg(short, long = "interface", value_name = "IF")]
    pub interfaces: Vec<String>,
    /// Stop after this time
    #[arg(short, long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Stop once at least this many packets were counted
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// How packets are counted; auto tries native XDP, then TC, then AF_PACKET, for each interface
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// Where in the kernel an XDP program may run; generic sees several packets as one
    #[arg(long, value_enum, default_value_t = XdpMode::Auto)]
    pub xdp_mode: XdpMode,
    #[command(flatten)]
    pub tap: Tap,
    #[command(flatten)]
    pub mirrored: Mirrored,
    /// Period of the reports in --out
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = period)]
    pub report_every: Duration,
    /// Folder for a report every period, and history
    #[arg(long, value_name = "DIR", default_value = "./reports")]
    pub out: PathBuf,
    #[command(flatten)]
    pub history: History,
    /// Flows per interval that the kernel's table has room for
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub kernel_flows: u32,
    /// Name the local processes and containers that flows belong to
    #[arg(long)]
    pub processes: bool,
    /// Have the kernel measure how long the programs run (costs some 20 ns a run)
    #[arg(long)]
    pub bpf_stats: bool,
    #[command(flatten)]
    pub expression: Expression,
    #[command(flatten)]
    pub counting: Counting,
    #[command(flatten)]
    pub naming: Naming,
    #[command(flatten)]
    pub outputs: Outputs,
    #[command(flatten)]
    pub capture: Capture,
    #[command(flatten)]
    pub serving: Serving,
    #[command(flatten)]
    pub sandbox: Sandbox,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor read capture.pcap\n  sensor read monday.pcap tuesday.pcap.zst -n 50 --interval 10s\n  sensor read capture.pcap -f 'tcp port 443 and not net 10.0.0.0/8'\n  sensor read capture.pcap -f 'host 192.0.2.7' -w suspect.pcapng\n  tcpdump -w - | sensor read - --json report.json --charts charts/"
)]
pub struct Read {
    /// Capture files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub filter: FilterOption,
    #[command(flatten)]
    pub counting: Counting,
    /// Threads that count a file; 0 = as many as help: up to 4 for an uncompressed pcap file on a disk with --max-names 0,
    /// else 1. The report is the same
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub threads: u32,
    #[command(flatten)]
    pub mirrored: Mirrored,
    #[command(flatten)]
    pub naming: Naming,
    #[command(flatten)]
    pub outputs: Outputs,
    #[command(flatten)]
    pub capture: Capture,
    #[command(flatten)]
    pub sandbox: NoSandbox,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor explain capture.pcap -n 3\n  sensor explain capture.pcap --packet 17 --hex\n  sensor explain capture.pcap -f 'tcp port 443' --json | jq .counted"
)]
pub struct Explain {
    /// A capture file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How many packets
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// Begin with this one; the first is 1, as in Wireshark
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub packet: u64,
    #[command(flatten)]
    pub filter: FilterOption,
    /// Show the bytes too
    #[arg(long)]
    pub hex: bool,
    /// One JSON object a packet and line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub sandbox: NoSandbox,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor filter 'port 80 or 443 and not net 10.0.0.0/8'\n  sensor filter -r capture.pcap tcp port https\n  sensor filter 'net in file blocklist.txt and bytes > 10M' --json\nThe language: docs/filter.md"
)]
pub struct Filter {
    #[command(flatten)]
    pub expression: Expression,
    /// Count the packets of this capture that match (repeatable); - is standard input
    #[arg(short, long = "read", value_name = "FILE")]
    pub read: Vec<PathBuf>,
    /// Write the explanation as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  sensor config check /etc/sensor/sensor.toml\n  sensor config show run\n  sensor config show --sample > sensor.toml\nAll about it: docs/configuration.md"
)]
pub enum Config {
    /// Say what is wrong with a config file and the environment
    Check(ConfigCheck),
    /// Show the value of every option, and where it came from
    Show(ConfigShow),
}

#[derive(Clone, Debug, Args)]
pub struct ConfigCheck {
    /// The file; default: the one that would be read
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct ConfigShow {
    /// Only the options of this command: run, read
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
    /// Write it as JSON
    #[arg(long)]
    pub json: bool,
    /// Write a config file with every option, its help and its default value
    #[arg(long, conflicts_with_all = ["json", "command"])]
    pub sample: bool,
}

/// What is counted: everything, unless a filter says otherwise.
#[derive(Clone, Debug, Default, Args)]
pub struct FilterOption {
    /// Count only what this says, in tcpdump's language: 'tcp port 443 and not net 10.0.0.0/8'
    #[arg(short, long, value_name = "EXPR", conflicts_with = "filter_file")]
    pub filter: Option<String>,
    /// The same from a file; # begins a comment
    #[arg(short = 'F', long, value_name = "FILE")]
    pub filter_file: Option<PathBuf>,
}

/// The same, or as tcpdump has it: the words that are left over.
#[derive(Clone, Debug, Default, Args)]
pub struct Expression {
    /// The filter, in one word or several
    #[arg(value_name = "EXPR", conflicts_with_all = ["filter", "filter_file"])]
    pub words: Vec<String>,
    #[command(flatten)]
    pub option: FilterOption,
}

/// How packets become numbers, live and from files.
#[derive(Clone, Debug, Args)]
pub struct Counting {
    /// Rows in the lists of endpoints, conversations and flows; 0 = all
    #[arg(short = 'n', long = "top", value_name = "N", default_value_t = 10, value_parser = rows)]
    pub top: usize,
    /// Length of a time bucket
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Flows that one report tells apart; the packets of further ones are counted as overflow
    #[arg(long, value_name = "N", default_value_t = 2_097_152, value_parser = clap::value_parser!(u32).range(1..=268_435_456))]
    pub max_flows: u32,
    /// Flows, addresses and DNS answers whose names are remembered, each; 0 = payloads are not looked at
    #[arg(long, value_name = "N", default_value_t = MAX_NAMES, value_parser = clap::value_parser!(u32).range(0..=16_777_216))]
    pub max_names: u32,
    /// What this sensor is called in reports, metrics and history; default: the host's name
    #[arg(long, value_name = "NAME", value_parser = sensor_name)]
    pub sensor_name: Option<String>,
}

/// What is known of addresses from elsewhere than their packets.
#[derive(Clone, Debug, Default, Args)]
pub struct Naming {
    /// Country, city or network of the listed addresses, from a local database in MaxMind's format (repeatable)
    #[arg(long, value_name = "FILE")]
    pub geoip: Vec<PathBuf>,
    /// Ask the system's resolver (DNS) for the names of the listed addresses, after counting, 2 s at the most a report
    #[arg(long)]
    pub resolve: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Outputs {
    /// Write the report as JSON (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Vec<PathBuf>,
    /// Write the buckets as JSON Lines, one object an interval (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub jsonl: Vec<PathBuf>,
    /// Write the report as CSV: totals, protocols, endpoints, conversations, flows and buckets (repeatable)
    #[arg(long, value_name = "DIR")]
    pub csv: Vec<PathBuf>,
    #[command(flatten)]
    pub parquet: Parquet,
    #[command(flatten)]
    pub charts: Charts,
    /// Write a dashboard, one HTML file that opens from disk (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Vec<PathBuf>,
    /// Rows in each list of the dashboard; 0 = all, 100 bytes of the file a flow and more
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = rows)]
    pub html_rows: usize,
    /// Write one record a packet, as CSV or JSON Lines by the ending: .csv, .jsonl, .ndjson (repeatable); - is standard output
    #[arg(long, value_name = "FILE")]
    pub packets: Vec<PathBuf>,
    #[command(flatten)]
    pub ipfix: Ipfix,
}

/// Default of `--max-names`.
pub const MAX_NAMES: u32 = 262_144;

/// Longer than anybody waits, and far from where nanoseconds overflow.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

fn duration(text: &str) -> Result<Duration, String> {
    parse_time(text)
        .filter(|time| !time.is_zero() && *time <= LONGEST)
        .ok_or_else(|| {
            "it must be more than 0 and at most 366 days, with a unit: 500ms, 10s, 5m, 1h"
                .to_owned()
        })
}

fn interval(text: &str) -> Result<Duration, String> {
    parse_time(text)
        .filter(|time| (Duration::from_millis(10)..=Duration::from_secs(86_400)).contains(time))
        .ok_or_else(|| "it must be from 10ms to 24h, with a unit: 500ms, 10s, 5m, 1h".to_owned())
}

fn sensor_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match name.is_empty() || name.len() > 255 {
        true => Err("it must have 1 to 255 bytes".to_owned()),
        false => Ok(name.to_owned()),
    }
}

fn rows(text: &str) -> Result<usize, String> {
    let number = text.parse();
    number.map_err(|_| "it must be a whole number, 0 = all".to_owned())
}

/// Each report is a file, synced to disk.
fn period(text: &str) -> Result<Duration, String> {
    parse_time(text)
        .filter(|time| {
            (Duration::from_millis(100)..=Duration::from_secs(366 * 86_400)).contains(time)
        })
        .ok_or_else(|| {
            "it must be from 100ms to 366 days, with a unit: 500ms, 10s, 5m, 1h".to_owned()
        })
}

fn parse_time(text: &str) -> Option<Duration> {
    let time: SignedDuration = text.parse().ok()?;
    Duration::try_from(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times_need_a_unit_and_a_range() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for bad in ["10", "0s", "-1s", "nan", "1e30", "9999h", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(interval("5ms").is_err());
        assert_eq!(interval("10ms"), Ok(Duration::from_millis(10)));
        assert!(period("99ms").is_err());
        assert_eq!(period("100ms"), Ok(Duration::from_millis(100)));
    }
}
