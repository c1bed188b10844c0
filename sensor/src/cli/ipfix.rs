//! Options of the export of flows.

use std::time::Duration;

use clap::Args;

use super::duration;
use crate::sink::ipfix::{Collector, LARGEST_MESSAGE, SMALLEST_MESSAGE};

#[derive(Clone, Debug, PartialEq, Args)]
pub struct Ipfix {
    /// Send flows as IPFIX to this collector (repeatable): udp://HOST:PORT or tcp://HOST:PORT; without a port 4739
    #[arg(long = "ipfix", value_name = "URL")]
    pub collectors: Vec<Collector>,
    /// Send what was counted of a flow this long after its first packet, even if more are coming
    #[arg(long = "ipfix-active", value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub active: Duration,
    /// Send a flow this long after its last packet
    #[arg(long = "ipfix-idle", value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub idle: Duration,
    /// Observation domain id: tells apart what several sensors on one host send
    #[arg(long = "ipfix-domain", value_name = "N", default_value_t = 1)]
    pub domain: u32,
    /// Most bytes of a message; IP and UDP add 28 or 48, and together they should fit the path's MTU
    #[arg(long = "ipfix-message-size", value_name = "N", default_value_t = 1_400, value_parser = clap::value_parser!(u16).range(i64::from(SMALLEST_MESSAGE)..=i64::from(LARGEST_MESSAGE)))]
    pub message_size: u16,
    /// Flows a second by UDP at the most, as collectors lose what comes in a burst; 0 = as fast as it goes
    #[arg(long = "ipfix-rate", value_name = "N", default_value_t = 20_000)]
    pub rate: u32,
}
