//! Names of addresses.

use std::net::IpAddr;

use super::bounded::Bounded;
use super::ends::Addr;
use crate::names::{Name, NameSource};

/// Names of one address, and of one flow: hosts of a large provider have thousands, and more than these nobody reads.
pub(super) const NAMES: usize = 8;
/// Bytes of one name, which is the most that DNS allows.
pub(super) const LENGTH: usize = 255;
/// Bytes of all names of one address, and of one flow.
pub(super) const TOGETHER: usize = 512;

#[derive(Clone, Debug)]
pub(super) struct Addresses {
    names: Bounded<Addr, Vec<Name>>,
    pub(super) put_out: u64,
}

impl Addresses {
    pub(super) fn new(most: usize) -> Self {
        Addresses {
            names: Bounded::new(most),
            put_out: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn of(&self, addr: IpAddr) -> &[Name] {
        let names = self.names.get(&Addr::from(addr));
        names.map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn restore(&mut self, addr: IpAddr, names: Vec<Name>) {
        let (known, out) = self.names.entry(addr.into());
        self.put_out += out.map_or(0, |(_, out)| out.len() as u64);
        *known = names;
    }

    /// Names the address, if it is one that a single host has.
    pub(super) fn name(&mut self, addr: IpAddr, text: &str, source: NameSource) {
        if !can_be_named(addr) || !is_name(text) {
            return;
        }
        let (names, out) = self.names.entry(addr.into());
        self.put_out += out.map_or(0, |(_, out)| out.len() as u64);
        self.put_out += u64::from(add_latest(names, text, source));
    }
}

/// Not what many hosts have: groups, `0.0.0.0`, which filters answer for unwanted names, and each host's own loopback.
pub(super) fn can_be_named(addr: IpAddr) -> bool {
    let broadcast = matches!(addr, IpAddr::V4(addr) if addr.is_broadcast());
    !(addr.is_multicast() || addr.is_unspecified() || addr.is_loopback() || broadcast)
}

/// Neither the root of DNS, nor what stands for any host in NetBIOS, nor an address.
fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "*") && !is_address(text)
}

pub(super) fn is_address(text: &str) -> bool {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text).parse::<IpAddr>().is_ok()
}

/// The surest first, the latest of them before earlier ones. True if another had to go.
fn add_latest(names: &mut Vec<Name>, text: &str, source: NameSource) -> bool {
    let place = names.partition_point(|name| name.source < source);
    if let Some(old) = find(names, text, source) {
        if let Some(between) = names.get_mut(place..=old) {
            between.rotate_right(1);
        }
        return false;
    }
    names.insert(place, name(text, source));
    bound(names) > 0
}

/// The surest first, the earliest of them before later ones, which no longer come in when it is full.
pub(super) fn add_first(names: &mut Vec<Name>, text: &str, source: NameSource) {
    if text.is_empty() || find(names, text, source).is_some() {
        return;
    }
    let place = names.partition_point(|name| name.source <= source);
    if place < NAMES {
        names.insert(place, name(text, source));
        bound(names);
    }
}

/// The last ones go where there are too many, or too long ones. How many went.
fn bound(names: &mut Vec<Name>) -> usize {
    let mut room = TOGETHER;
    let fits = |name: &&Name| {
        let left = room.checked_sub(name.text.len());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let keep = names.iter().take(NAMES).take_while(fits).count();
    let gone = names.len() - keep;
    names.truncate(keep);
    gone
}

/// Some resolvers ask in random case, to be harder to deceive.
fn find(names: &[Name], text: &str, source: NameSource) -> Option<usize> {
    let text = cut(text);
    names
        .iter()
        .position(|name| name.source == source && name.text.eq_ignore_ascii_case(text))
}

pub(super) fn name(text: &str, source: NameSource) -> Name {
    Name {
        text: cut(text).into(),
        source,
    }
}

/// Not more than a bounded part of what the wire says.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LENGTH)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[Name]) -> Vec<&str> {
        names.iter().map(|name| &*name.text).collect()
    }

    #[test]
    fn the_surest_and_latest_name_comes_first() {
        let mut addresses = Addresses::new(4);
        let addr: IpAddr = "192.0.2.1".parse().unwrap();
        for (text, source) in [
            ("dns-1", NameSource::Dns),
            ("dns-2", NameSource::Dns),
            ("sni", NameSource::Sni),
            ("dhcp", NameSource::Dhcp),
            ("DNS-1", NameSource::Dns),
            ("dns-1", NameSource::Mdns),
        ] {
            addresses.name(addr, text, source);
        }
        let expected = ["sni", "dns-1", "dns-2", "dns-1", "dhcp"];
        assert_eq!(texts(addresses.of(addr)), expected);
        assert_eq!(addresses.put_out, 0);
    }

    #[test]
    fn names_and_addresses_are_bounded_and_counted() {
        let mut addresses = Addresses::new(2);
        let addr = |last| IpAddr::from([192, 0, 2, last]);
        for number in 0..10 {
            addresses.name(addr(1), &format!("n{number}"), NameSource::Dns);
        }
        assert_eq!(texts(addresses.of(addr(1)))[..2], ["n9", "n8"]);
        assert_eq!((addresses.of(addr(1)).len(), addresses.put_out), (8, 2));
        addresses.name(addr(2), "b", NameSource::Dns);
        addresses.name(addr(3), "c", NameSource::Dns);
        assert_eq!((addresses.of(addr(1)).len(), addresses.put_out), (0, 10));
    }

    #[test]
    fn what_many_have_or_what_is_no_name_names_nothing() {
        let mut addresses = Addresses::new(9);
        for addr in [
            "0.0.0.0",
            "::",
            "127.0.0.1",
            "224.0.0.251",
            "ff02::fb",
            "255.255.255.255",
        ] {
            let addr = addr.parse().unwrap();
            addresses.name(addr, "name", NameSource::Dns);
            assert_eq!(addresses.of(addr), &[], "{addr}");
        }
        let addr: IpAddr = "192.0.2.1".parse().unwrap();
        for text in ["", ".", "192.0.2.1", "2001:db8::1", "[2001:db8::1]"] {
            addresses.name(addr, text, NameSource::Dns);
        }
        assert_eq!(addresses.of(addr), &[]);
        addresses.name(addr, &"\u{e9}".repeat(5000), NameSource::Dns);
        assert_eq!(addresses.of(addr)[0].text.len(), LENGTH - 1); // no half characters
    }

    #[test]
    fn all_names_together_are_bounded() {
        let mut latest = Vec::new();
        let mut first = Vec::new();
        for number in 0..9 {
            let long = format!("{number}{}", "x".repeat(300));
            let full = add_latest(&mut latest, &long, NameSource::Dns);
            assert_eq!(full, number > 1);
            add_first(&mut first, &long, NameSource::Dns);
        }
        for (names, place) in [(latest, ["8", "7"]), (first, ["0", "1"])] {
            let starts: Vec<_> = names.iter().map(|name| &name.text[..1]).collect();
            assert_eq!(starts, place);
        }
    }

    #[test]
    fn a_flow_keeps_its_first_names() {
        let mut names = Vec::new();
        for number in 0..20 {
            add_first(&mut names, &format!("n{number}"), NameSource::Dns);
        }
        add_first(&mut names, "N3", NameSource::Dns);
        add_first(&mut names, "sni", NameSource::Sni);
        let expected = ["sni", "n0", "n1", "n2", "n3", "n4", "n5", "n6"];
        assert_eq!(texts(&names), expected);
    }
}
