//! Addresses, networks and Ethernet addresses as typed. Nothing is ever looked up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::problem::Problem;
use crate::filter::tree::Prefix;

/// `10.0.0.1`, `fe80::1`; less than four numbers are the network of what is there, as in libpcap (`10.1` = 10.1/16).
pub(super) fn address(text: &str) -> Result<Prefix, Problem> {
    if let Some((base, _)) = text.split_once('/') {
        let help = format!("'net {text}' is the network, 'host {base}' the address");
        return Err(Problem::new(format!("'{text}' is a network, not an address")).help(help));
    }
    if text.contains(':') {
        return Ok(whole(IpAddr::V6(ipv6(text)?)));
    }
    let (addr, len) = dotted(text)?;
    Ok(v4(addr, len))
}

/// An address, or one with its length (`10.0.0.0/8`, `192.168/16`, `fe80::/10`) or mask. Bits behind the length must be
/// zero.
pub(super) fn network(text: &str) -> Result<Prefix, Problem> {
    strict(text, parts(text)?)
}

/// As [`network`]; bits behind the length are taken for zero.
pub(super) fn loose_network(text: &str) -> Result<Prefix, Problem> {
    let (addr, len) = parts(text)?;
    Ok(masked(addr, len))
}

/// `net 10.0.0.0 mask 255.0.0.0`.
pub(super) fn network_with_mask(net: &str, mask: &str) -> Result<Prefix, Problem> {
    if net.contains(':') {
        let help = format!("write its length: 'net {net}/64'");
        return Err(Problem::new("an IPv6 network has no mask").help(help));
    }
    let (addr, _) = dotted(net)?;
    let len = mask_length(mask)?;
    strict(net, (IpAddr::V4(addr.into()), len))
}

/// A single number after `net`: the highest bytes, as in libpcap (`net 10` = 10.0.0.0/8).
pub(super) fn network_of_number(number: u32) -> Prefix {
    let missing = if number == 0 {
        0
    } else {
        number.leading_zeros() / 8 * 8
    };
    v4(number << missing, 32 - missing as u8)
}

/// A single number after `host`: libpcap takes 10 for 0.0.0.10, which nobody means.
pub(super) fn address_of_number(number: u32) -> Result<Prefix, Problem> {
    if number >> 24 != 0 {
        return Ok(v4(number, 32));
    }
    let help = format!(
        "did you mean 'port {number}', 'net {number}' or 'host {}'?",
        Ipv4Addr::from(number)
    );
    Err(Problem::new(format!("'{number}' is not an address")).help(help))
}

/// The forms of pcap-filter(7): six bytes between `:`, `-` or `.`, three groups of four digits, or twelve digits.
pub(super) fn ethernet(text: &str) -> Option<[u8; 6]> {
    let text = text.strip_prefix('$').unwrap_or(text);
    let groups: Vec<&str> = text.split([':', '-', '.']).collect();
    let digits = match groups[..] {
        [_, _, _, _, _, _] => groups.iter().map(|g| format!("{g:0>2}")).collect(),
        [_, _, _] | [_] => groups.concat(),
        _ => return None,
    };
    let whole = match groups.len() {
        6 => groups.iter().all(|g| matches!(g.len(), 1 | 2)),
        3 => groups.iter().all(|g| g.len() == 4),
        _ => true,
    };
    if !whole || digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u64::from_str_radix(&digits, 16).ok()?;
    let [_, _, addr @ ..] = number.to_be_bytes();
    Some(addr)
}

/// Splits a range into the fewest prefixes.
pub(super) fn range(first: &str, last: &str) -> Result<Vec<Prefix>, Problem> {
    let (first, last) = (address(first)?, address(last)?);
    let (low, high, bits) = match (first.addr, last.addr) {
        (IpAddr::V4(low), IpAddr::V4(high)) => (u32::from(low).into(), u32::from(high).into(), 32),
        (IpAddr::V6(low), IpAddr::V6(high)) => (u128::from(low), u128::from(high), 128),
        _ => {
            return Err(Problem::new("a range's ends are of two IP versions")
                .help("write one range for each version"));
        }
    };
    if first.len != bits || last.len != bits {
        return Err(Problem::new("the ends of a range must be whole addresses")
            .help("as in '10.0.0.1-10.0.0.9'"));
    }
    if low > high {
        return Err(Problem::new("the range ends before it starts").help("exchange its ends"));
    }
    Ok(cover(low, high, bits))
}

/// Puts an address of `bits` bits back together.
pub(super) fn prefix(value: u128, bits: u8, len: u8) -> Prefix {
    let addr = match bits {
        32 => IpAddr::V4(Ipv4Addr::from(value as u32)),
        _ => IpAddr::V6(Ipv6Addr::from(value)),
    };
    Prefix { addr, len }
}

fn cover(mut low: u128, high: u128, bits: u8) -> Vec<Prefix> {
    let mut prefixes = Vec::new();
    loop {
        let mut size = low.trailing_zeros().min(bits.into());
        while size > 0 && last_of(low, size) > high {
            size -= 1;
        }
        prefixes.push(prefix(low, bits, bits - size as u8));
        match last_of(low, size).checked_add(1) {
            Some(next) if next <= high => low = next,
            _ => return prefixes,
        }
    }
}

/// The last address of the block of `2^size` that starts at `low`.
fn last_of(low: u128, size: u32) -> u128 {
    let block = 1_u128.checked_shl(size).map_or(u128::MAX, |n| n - 1);
    low | block
}

fn parts(text: &str) -> Result<(IpAddr, u8), Problem> {
    let Some((base, length)) = text.split_once('/') else {
        let prefix = address(text)?;
        return Ok((prefix.addr, prefix.len));
    };
    if base.contains(':') {
        return Ok((IpAddr::V6(ipv6(base)?), length_of(length, 128)?));
    }
    let (addr, _) = dotted(base)?;
    let len = match length.contains('.') {
        true => mask_length(length)?,
        false => length_of(length, 32)?,
    };
    Ok((IpAddr::V4(addr.into()), len))
}

fn strict(text: &str, (addr, len): (IpAddr, u8)) -> Result<Prefix, Problem> {
    let prefix = masked(addr, len);
    if prefix.addr == addr {
        return Ok(prefix);
    }
    let message = format!("'{text}' has bits set behind its length of {len}");
    let help = format!("did you mean 'net {}/{len}' or 'host {addr}'?", prefix.addr);
    Err(Problem::new(message).help(help))
}

fn masked(addr: IpAddr, len: u8) -> Prefix {
    match addr {
        IpAddr::V4(addr) => v4(u32::from(addr), len),
        IpAddr::V6(addr) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len.min(128)));
            prefix(u128::from(addr) & mask.unwrap_or(0), 128, len)
        }
    }
}

fn v4(addr: u32, len: u8) -> Prefix {
    let mask = u32::MAX.checked_shl(32 - u32::from(len.min(32)));
    prefix((addr & mask.unwrap_or(0)).into(), 32, len)
}

fn whole(addr: IpAddr) -> Prefix {
    let len = if addr.is_ipv4() { 32 } else { 128 };
    Prefix { addr, len }
}

fn length_of(text: &str, most: u8) -> Result<u8, Problem> {
    match text.parse() {
        Ok(len) if len <= most => Ok(len),
        _ => Err(
            Problem::new(format!("'/{text}' is not the length of a network"))
                .help(format!("such a network has a length from 0 to {most}")),
        ),
    }
}

fn mask_length(text: &str) -> Result<u8, Problem> {
    let (mask, _) = dotted(text)?;
    if mask.leading_ones() + mask.trailing_zeros() < 32 {
        let message = format!("the ones of the mask '{text}' are not in one piece");
        return Err(
            Problem::new(message).help("such a mask can be had by bytes: 'ip[12:4] & MASK = NET'")
        );
    }
    Ok(mask.leading_ones() as u8)
}

fn ipv6(text: &str) -> Result<Ipv6Addr, Problem> {
    if let Some((addr, _)) = text.split_once('%') {
        let message = format!("'{text}' names a zone, which packets don't carry");
        let help = format!("write '{addr}', with 'interface NAME' beside it");
        return Err(Problem::new(message).help(help));
    }
    if ethernet(text).is_some() {
        let help = format!("did you mean 'ether host {text}'?");
        return Err(Problem::new(format!("'{text}' is an Ethernet address")).help(help));
    }
    text.parse().map_err(|_| {
        Problem::new(format!("'{text}' is not an IPv6 address")).help(
            "an IPv6 address is eight groups of hex digits, of which '::' stands for some zeros",
        )
    })
}

/// One to four numbers with dots between: the address, and how many bits are there.
fn dotted(text: &str) -> Result<(u32, u8), Problem> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(no_address(text));
    }
    let mut addr = 0_u32;
    let mut len = 0;
    for part in text.split('.') {
        let byte: Option<u8> = part.parse().ok();
        let (Some(byte), true) = (byte, len < 32) else {
            return Err(Problem::new(format!("'{text}' is not an IPv4 address"))
                .help("an IPv4 address is four numbers from 0 to 255"));
        };
        addr |= u32::from(byte) << (24 - len);
        len += 8;
    }
    Ok((addr, len as u8))
}

fn no_address(text: &str) -> Problem {
    if ethernet(text).is_some() {
        let help = format!("did you mean 'ether host {text}'?");
        return Problem::new(format!("'{text}' is an Ethernet address")).help(help);
    }
    Problem::new(format!("'{text}' is not an address"))
        .help("host names are never looked up: write the address that you mean")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(prefix: Prefix) -> String {
        format!("{}/{}", prefix.addr, prefix.len)
    }

    #[test]
    fn short_addresses_are_networks_as_in_libpcap() {
        let cases = [
            ("10.0.0.1", "10.0.0.1/32"),
            ("10.1", "10.1.0.0/16"),
            ("192.168.1", "192.168.1.0/24"),
            ("fe80::1", "fe80::1/128"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1/128"),
        ];
        for (typed, meant) in cases {
            assert_eq!(address(typed).map(text).as_deref(), Ok(meant));
        }
        for (number, meant) in [
            (10, "10.0.0.0/8"),
            (0xc0a8, "192.168.0.0/16"),
            (0x0a00_0001, "10.0.0.1/32"),
            (0, "0.0.0.0/32"),
        ] {
            assert_eq!(text(network_of_number(number)), meant);
        }
        assert_eq!(
            address_of_number(0x7f00_0001).map(text).as_deref(),
            Ok("127.0.0.1/32")
        );
        assert!(address_of_number(10).is_err());
    }

    #[test]
    fn networks_by_length_and_by_mask() {
        let cases = [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.168/16", "192.168.0.0/16"),
            ("10/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("fe80::/10", "fe80::/10"),
            ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
            ("172.16", "172.16.0.0/16"),
        ];
        for (typed, meant) in cases {
            assert_eq!(network(typed).map(text).as_deref(), Ok(meant));
        }
        let masked = network_with_mask("10.0.0.0", "255.0.0.0").map(text);
        assert_eq!(masked.as_deref(), Ok("10.0.0.0/8"));
    }

    #[test]
    fn host_bits_are_refused_with_the_network_that_may_be_meant() {
        let help = |typed: &str| network(typed).unwrap_err().help.unwrap();
        assert!(help("192.168/8").contains("'net 192.0.0.0/8'"));
        assert!(help("fe80:1234:5678::/32").contains("'net fe80:1234::/32'"));
        assert!(help("10.0.0.1/8").contains("'host 10.0.0.1'"));
        assert_eq!(
            loose_network("10.1.2.3/8").map(text).as_deref(),
            Ok("10.0.0.0/8")
        );
        assert!(network_with_mask("10.0.0.1", "255.0.0.0").is_err());
        assert!(network_with_mask("10.0.0.0", "255.0.255.0").is_err());
        assert!(network_with_mask("fe80::", "ffff::").is_err());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let bad = [
            "",
            ".",
            "10.",
            "10..1",
            "256.256.256.256",
            "1.2.3.4.5",
            "fe80::256.20.30.40",
            "fe80::1%eth0",
            ":",
            ":::",
            "example.org",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "/8",
            "1.2.3.4/8/8",
            "aa:bb:cc:dd:ee:ff",
            "12345.1",
            "aabb.ccdd.eeff",
        ];
        for typed in bad {
            assert!(network(typed).is_err(), "{typed}");
            assert!(loose_network(typed).is_err(), "{typed}");
        }
        let help = network("example.org").unwrap_err().help.unwrap();
        assert!(help.contains("never looked up"));
    }

    #[test]
    fn ethernet_addresses_in_all_forms() {
        let addr = Some([0xa, 0xb, 0xc, 0xd, 0xe, 0xf]);
        for typed in [
            "0a:0b:0c:0d:0e:0f",
            "a:b:c:d:e:f",
            "0A-0B-0C-0D-0E-0F",
            "0a.0b.0c.0d.0e.0f",
            "0a0b.0c0d.0e0f",
            "0a0b0c0d0e0f",
            "$a:b:c:d:e:f",
        ] {
            assert_eq!(ethernet(typed), addr, "{typed}");
        }
        for typed in [
            "ab:cd:ef:0g:00:00",
            "a:b:c:d:e",
            "a:b:c:d:e:f:0",
            "",
            "::::::",
            "+a:b:c:d:e:f",
            "abc:b:c:d:e:f",
            "a0b.00c0d.0e0f",
        ] {
            assert_eq!(ethernet(typed), None, "{typed}");
        }
    }

    #[test]
    fn ranges_become_the_fewest_prefixes() {
        let split = |a: &str, b: &str| -> Vec<String> {
            range(a, b).unwrap().into_iter().map(text).collect()
        };
        assert_eq!(
            split("10.0.0.1", "10.0.0.9"),
            ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/30", "10.0.0.8/31"]
        );
        assert_eq!(split("0.0.0.0", "255.255.255.255"), ["0.0.0.0/0"]);
        let all = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert_eq!(split("::", all), ["::/0"]);
        assert_eq!(split(all, all), [format!("{all}/128")]);
        assert!(range("10.0.0.9", "10.0.0.1").is_err());
        assert!(range("10.0.0.9", "::1").is_err());
        assert!(range("10.0", "11.0").is_err());
    }
}
