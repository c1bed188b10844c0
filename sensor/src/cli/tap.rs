//! Mirror ports and taps.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use crate::filter::tree::Prefix;

/// Live.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Tap {
    /// The interface is a mirror port or a tap: count all that comes, and let nothing of it reach this host
    #[arg(long)]
    pub tap: bool,
    /// With --tap: also where this host uses the interface, and cut it off
    #[arg(long)]
    pub force: bool,
    /// With --backend af-xdp: poll the driver whenever packets are read, in place of interrupts
    #[arg(long)]
    pub busy_poll: bool,
}

/// Of packets that somebody else has mirrored.
#[derive(Clone, Debug, Args)]
pub struct Mirrored {
    /// A network that is ours (repeatable): from there to elsewhere is egress, from elsewhere ingress, whatever the capture says
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub home_net: Vec<Prefix>,
    /// Count a packet once that was mirrored twice (live: --backend af-xdp or af-packet)
    #[arg(long)]
    pub dedup: bool,
    /// With --dedup: the same packet, but for its TTL, tags and MAC addresses, is one within this time
    #[arg(long, value_name = "TIME", default_value = "10ms", value_parser = window)]
    pub dedup_window: Duration,
}

impl Mirrored {
    /// Nanoseconds.
    pub fn window(&self) -> Option<i64> {
        let window = i64::try_from(self.dedup_window.as_nanos()).unwrap_or(i64::MAX);
        self.dedup.then_some(window)
    }
}

/// A retransmission looks the same, and comes after some 200 ms.
fn window(text: &str) -> Result<Duration, String> {
    super::parse_time(text)
        .filter(|time| (Duration::from_micros(1)..=Duration::from_secs(1)).contains(time))
        .ok_or_else(|| "it must be from 1us to 1s, with a unit: 500us, 10ms".to_owned())
}

fn network(text: &str) -> Result<Prefix, String> {
    const WANTED: &str = "it must be a network such as 10.0.0.0/8 or 2001:db8::/32";
    let (addr, len) = text
        .split_once('/')
        .map_or((text, None), |(addr, len)| (addr, Some(len)));
    let addr: IpAddr = addr.parse().map_err(|_| WANTED.to_owned())?;
    let bits = if addr.is_ipv4() { 32 } else { 128 };
    let len = match len {
        Some(len) => len.parse().map_err(|_| WANTED.to_owned())?,
        None => bits,
    };
    if len > bits {
        return Err(format!(
            "it has at most {bits} bits: {addr}/{bits} is one address"
        ));
    }
    let prefix = Prefix::of(addr, len);
    match prefix.addr == addr {
        true => Ok(prefix),
        false => Err(format!(
            "{addr} has bits behind the first {len}: write {}/{len}",
            prefix.addr
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_whole() {
        let read = |text| network(text).map(|prefix| (prefix.addr.to_string(), prefix.len));
        assert_eq!(read("10.0.0.0/8"), Ok(("10.0.0.0".to_owned(), 8)));
        assert_eq!(read("192.0.2.1"), Ok(("192.0.2.1".to_owned(), 32)));
        assert_eq!(read("2001:db8::/32"), Ok(("2001:db8::".to_owned(), 32)));
        assert_eq!(read("::/0"), Ok(("::".to_owned(), 0)));
        for (bad, hint) in [
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("10.0.0.0/33", "at most 32"),
            ("10/8", "such as 10.0.0.0/8"),
            ("example.org", "such as"),
            ("10.0.0.0/", "such as"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(hint), "{bad}: {error}");
        }
    }
}
