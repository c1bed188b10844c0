//! What may be typed for the live view.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Backend, Expression, MAX_NAMES, XdpMode, interval};
use crate::top::play::Speed;

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor top                           the interface of the default route\n  sensor top -i eth0 -i wg0            two interfaces\n  sensor top -i eth0 not port 22       all but this session; quote what the shell would take\n  sensor top -r capture.pcap --speed 10\nKeys: press ? in the view"
)]
pub struct Top {
    /// Interface to count on (repeatable), or a pattern: 'veth*'; `any` = all that are up; default: the one of the default route
    #[arg(short, long = "interface", value_name = "IF")]
    pub interfaces: Vec<String>,
    /// Play this capture file: pcap or pcapng, plain, gzip or zstd
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["interfaces", "processes"])]
    pub read: Option<PathBuf>,
    /// How fast a file is played: 1 = as it was captured, 10 = ten times as fast, max = as fast as it can be read
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: Speed,
    /// How packets are counted; auto tries native XDP, then TC, then AF_PACKET, for each interface
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// Where in the kernel an XDP program may run; generic sees several packets as one
    #[arg(long, value_enum, default_value_t = XdpMode::Auto)]
    pub xdp_mode: XdpMode,
    /// How often figures are renewed; rates are means of the last 2 and the last 10 of these
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Flows per interval that the kernel's table has room for
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub kernel_flows: u32,
    /// Flows that are told apart since the start; the packets of further ones are counted as overflow
    #[arg(long, value_name = "N", default_value_t = 2_097_152, value_parser = clap::value_parser!(u32).range(1..=268_435_456))]
    pub max_flows: u32,
    /// Flows, addresses and DNS answers whose names are remembered, each; 0 = payloads are not looked at
    #[arg(long, value_name = "N", default_value_t = MAX_NAMES, value_parser = clap::value_parser!(u32).range(0..=16_777_216))]
    pub max_names: u32,
    /// Name the local processes and containers that flows belong to, in their details
    #[arg(long)]
    pub processes: bool,
    #[command(flatten)]
    pub sandbox: super::NoSandbox,
    #[command(flatten)]
    pub expression: Expression,
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.strip_suffix('x').unwrap_or(text).parse().ok();
    times
        .filter(|times| (1.0 / 16.0..=1024.0).contains(times))
        .map(Speed::Times)
        .ok_or_else(|| "it must be from 0.0625 to 1024, or max".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_or_max() {
        assert_eq!(speed("10"), Ok(Speed::Times(10.0)));
        assert_eq!(speed("0.5x"), Ok(Speed::Times(0.5)));
        assert_eq!(speed("max"), Ok(Speed::Max));
        for bad in ["0", "-1", "nan", "inf", "1e9", "fast", ""] {
            assert!(speed(bad).is_err(), "{bad}");
        }
    }
}
