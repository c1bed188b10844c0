//! DHCPv6 (RFC 8415): another message format altogether.

use std::net::{IpAddr, Ipv6Addr};

use super::Lease;
use crate::names::decode::dns;

const RENEW: u8 = 5;
const REBIND: u8 = 6;
const REPLY: u8 = 7;
const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;

/// RFC 8415 section 7.6: HOP_COUNT_LIMIT.
const MOST_RELAYS: usize = 8;
/// Kind, hops, link address, peer address.
const RELAY_HEADER: usize = 34;

mod option {
    pub(super) const IA_NA: u16 = 3;
    pub(super) const IA_TA: u16 = 4;
    pub(super) const IA_ADDRESS: u16 = 5;
    pub(super) const RELAY_MESSAGE: u16 = 9;
    pub(super) const CLIENT_FQDN: u16 = 39;
}

pub fn dhcpv6(bytes: &[u8]) -> Option<Lease> {
    let (kind, head, options) = unwrapped(bytes)?;
    let mut lease = Lease {
        transaction: head,
        ..Lease::default()
    };
    let mut valid = false;
    for (code, value) in Options(options) {
        // Identity, two times (none for temporary addresses), options.
        let inner = match code {
            option::IA_NA => value.get(12..),
            option::IA_TA => value.get(4..),
            option::CLIENT_FQDN => {
                lease.host_name = value.get(1..).and_then(dns::alone);
                None
            }
            _ => None,
        };
        if lease.address.is_none()
            && let Some((address, lasts)) = inner.and_then(address)
        {
            lease.address = Some(address);
            valid = lasts;
        }
    }
    lease.settled = match kind {
        REPLY => valid,
        RENEW | REBIND => lease.address.is_some(),
        _ => false,
    };
    Some(lease)
}

/// The client's or server's own message, taken out of those of relays: kind, transaction, options.
fn unwrapped(bytes: &[u8]) -> Option<(u8, u32, &[u8])> {
    let mut message = bytes;
    for _ in 0..=MOST_RELAYS {
        let (&[kind, a, b, c], options) = message.split_first_chunk::<4>()?;
        match kind {
            1..=11 => return Some((kind, u32::from_be_bytes([0, a, b, c]), options)),
            RELAY_FORWARD | RELAY_REPLY => {
                let mut options = Options(message.get(RELAY_HEADER..)?);
                message = options.find(|(code, _)| *code == option::RELAY_MESSAGE)?.1;
            }
            _ => return None,
        }
    }
    None
}

/// The first address in an IA, and whether it may be used: a server takes it back by a valid lifetime of 0.
fn address(options: &[u8]) -> Option<(IpAddr, bool)> {
    let (_, value) = Options(options).find(|(code, _)| *code == option::IA_ADDRESS)?;
    let (address, rest) = value.split_first_chunk::<16>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let valid = *rest.first_chunk::<4>()? != [0; 4];
    Some((Ipv6Addr::from(*address).into(), valid))
}

/// Code and value of each, up to the first that is cut off.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[a, b, c, d], rest) = self.0.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_be_bytes([c, d]));
        let Some((value, rest)) = rest.split_at_checked(len) else {
            self.0 = &[];
            return None;
        };
        self.0 = rest;
        Some((u16::from_be_bytes([a, b]), value))
    }
}
