//! What is served to others while a run goes on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

#[derive(Clone, Debug, Default, Args)]
pub struct Serving {
    /// Serve a live page on this address, read-only: 127.0.0.1:8080, [::1]:8080, or the port alone, on loopback
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// Rows in each list of the live page and its /report.json
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub listen_rows: u32,
    /// Serve metrics for Prometheus on this address, under /metrics
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub metrics: Option<SocketAddr>,
    /// A file with the token that clients must show; addresses beyond loopback are only served with one
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// A port alone is on loopback.
fn address(text: &str) -> Result<SocketAddr, String> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let port = text.strip_prefix("localhost:").unwrap_or(text).parse();
    port.map(|port| SocketAddr::new(loopback, port))
        .or_else(|_| text.parse())
        .map_err(|_| {
            "it must be an address and a port, 127.0.0.1:8080 or [::1]:8080, or a port alone (0 = any that is free)"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_on_loopback_unless_it_says_otherwise() {
        for (text, means) in [
            ("8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("localhost:80", "127.0.0.1:80"),
            ("[::1]:8080", "[::1]:8080"),
            ("0.0.0.0:1", "0.0.0.0:1"),
        ] {
            assert_eq!(address(text), Ok(means.parse().unwrap()), "{text}");
        }
        for bad in [
            "",
            ":8080",
            "127.0.0.1",
            "::1",
            "65536",
            "web1:80",
            "localhost",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
