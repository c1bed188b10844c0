//! Who is sent to: `udp://collector.example:4739`.

use std::fmt;
use std::str::FromStr;

use crate::escape;

/// IANA's for IPFIX.
const PORT: u16 = 4739;

/// As typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    pub transport: Transport,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

const EXPECTED: &str =
    "it must be udp://HOST:PORT or tcp://HOST:PORT; without a port 4739: udp://192.0.2.1:2055";

impl FromStr for Collector {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(EXPECTED)?;
        let transport = match scheme {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return Err(EXPECTED),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(EXPECTED)?,
            None => rest.split_at(rest.rfind(':').unwrap_or(rest.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(EXPECTED)?,
            None if port.is_empty() => PORT,
            None => return Err(EXPECTED),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        let bracketed = rest.starts_with('[');
        if host.is_empty() || !host.chars().all(plain) || (host.contains(':') && !bracketed) {
            return Err(EXPECTED);
        }
        Ok(Collector {
            transport,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let host = escape::text(&self.host);
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{}", self.port),
            false => write!(f, "{scheme}://{host}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_host_and_may_have_a_port() {
        for (text, told) in [
            ("udp://192.0.2.1:2055", "udp://192.0.2.1:2055"),
            ("tcp://flows.example.org/", "tcp://flows.example.org:4739"),
            ("udp://[2001:db8::1]", "udp://[2001:db8::1]:4739"),
            ("udp://[fe80::1%eth0]:9995", "udp://[fe80::1%eth0]:9995"),
        ] {
            assert_eq!(text.parse::<Collector>().unwrap().to_string(), told);
        }
        for bad in [
            "",
            "192.0.2.1:2055",
            "udp://",
            "udp://:4739",
            "udp://host:0",
            "udp://host:65536",
            "udp://host:port",
            "udp://2001:db8::1",
            "udp://[::1",
            "udp://[::1]4739",
            "udp://a b:1",
            "udp://host/path",
            "http://host:80",
            "udp://\u{202e}host",
        ] {
            assert_eq!(bad.parse::<Collector>(), Err(EXPECTED), "{bad}");
        }
    }
}
