//! DHCP (RFC 2131, 2132) and DHCPv6 (RFC 8415): the name that a client gives itself.

#[cfg(test)]
mod tests;
mod v6;

use std::net::{IpAddr, Ipv4Addr};

use super::dns;
use crate::names::text;

pub use v6::dhcpv6;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Option 81, which has the domain too, else 12; DHCPv6 option 39.
    pub host_name: Option<String>,
    /// The client's address: that of the answer (`yiaddr`), the one it has (`ciaddr`) or asks for (option 50); DHCPv6's IA
    /// address.
    pub address: Option<IpAddr>,
    /// The server agrees (ACK, Reply), or the client uses the address already.
    pub settled: bool,
    /// DHCP's xid, DHCPv6's transaction id: a request's name belongs to the answer's address.
    pub transaction: u32,
}

const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
const REQUEST: u8 = 3;
const ACK: u8 = 5;
const INFORM: u8 = 8;

pub fn dhcp(bytes: &[u8]) -> Option<Lease> {
    let (&[op, hardware, hardware_len, _], _) = bytes.split_first_chunk::<4>()?;
    let (head, options) = bytes.split_at_checked(240)?;
    let plausible = matches!(op, 1 | 2) && hardware != 0 && hardware_len <= 16;
    if !plausible || !head.ends_with(&COOKIE) {
        return None;
    }
    let told = Told::of(options);
    let (used, given) = (address(head, 12), address(head, 16));
    let agreed = op == 2 && told.kind == Some(ACK);
    let in_use = op == 1 && used.is_some() && matches!(told.kind, Some(REQUEST | INFORM));
    let address = given.or(used).or(told.asked_for);
    Some(Lease {
        host_name: told.full_name.or(told.host_name),
        address: address.map(IpAddr::V4),
        settled: agreed && address.is_some() || in_use,
        transaction: word(head, 4),
    })
}

/// What the options say.
#[derive(Default)]
struct Told {
    kind: Option<u8>,
    asked_for: Option<Ipv4Addr>,
    host_name: Option<String>,
    full_name: Option<String>,
}

impl Told {
    /// Options that were moved to the fields of server and file name (option 52) are left unread: servers move those that
    /// boot a client, not names.
    fn of(options: &[u8]) -> Self {
        let mut told = Told::default();
        let mut rest = options;
        while let Some((&code, behind)) = rest.split_first() {
            match code {
                0 => {
                    rest = behind;
                    continue;
                }
                255 => break,
                _ => {}
            }
            let Some((value, behind)) = counted(behind) else {
                break;
            };
            told.take(code, value);
            rest = behind;
        }
        told
    }

    fn take(&mut self, code: u8, value: &[u8]) {
        match (code, value) {
            (12, _) => self.host_name = plain(value),
            (50, &[a, b, c, d]) => self.asked_for = specified(Ipv4Addr::new(a, b, c, d)),
            (53, &[kind]) => self.kind = Some(kind),
            // Flags, two return codes, name.
            (81, [flags, _, _, name @ ..]) if flags & 4 != 0 => self.full_name = dns::alone(name),
            (81, [_, _, _, name @ ..]) => self.full_name = plain(name),
            _ => {}
        }
    }
}

/// A length of one byte, and so many bytes.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(len))
}

/// Some clients end the name with a zero byte, some with the root's dot.
fn plain(bytes: &[u8]) -> Option<String> {
    let len = bytes.iter().rposition(|byte| !matches!(byte, 0 | b'.'))?;
    Some(text::shown(bytes.get(..=len)?))
}

fn address(head: &[u8], at: usize) -> Option<Ipv4Addr> {
    specified(Ipv4Addr::from_bits(word(head, at)))
}

fn specified(address: Ipv4Addr) -> Option<Ipv4Addr> {
    (!address.is_unspecified()).then_some(address)
}

fn word(head: &[u8], at: usize) -> u32 {
    let bytes = head.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().map_or(0, u32::from_be_bytes)
}
