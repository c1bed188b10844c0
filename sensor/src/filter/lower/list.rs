//! Lists: what stands between braces or in a file, sorted and merged.

use std::net::IpAddr;

use super::address;
use super::problem::Problem;
use crate::filter::error::FilterError;
use crate::filter::library::Library;
use crate::filter::tree::{PortList, PortRange, Prefix, PrefixList};

/// Entries of a file at most; a table of this size takes tens of megabytes.
const MAX_ENTRIES: usize = 1_000_000;
const MAX_BYTES: usize = 64 << 20;

/// Addresses, networks and ranges, one a line; `#` and `;` start comments. Bits behind a network's length are masked.
pub(super) fn prefixes_of_file(path: &str, library: &dyn Library) -> Result<PrefixList, FileError> {
    let text = read(path, library)?;
    let mut prefixes = Vec::new();
    for (number, line, entry) in entries(&text) {
        let bad = |problem: Problem| FileError::Line(problem.in_line(path, number, line));
        match split_range(entry) {
            Some((first, last)) => {
                prefixes.extend(address::range(first, last).map_err(bad)?);
            }
            None => prefixes.push(entry_of(entry).map_err(bad)?),
        }
        check_count(prefixes.len(), path)?;
    }
    Ok(PrefixList {
        file: Some(path.to_owned()),
        prefixes: merged(prefixes),
    })
}

/// Numbers and ranges, one a line.
pub(super) fn ports_of_file(path: &str, library: &dyn Library) -> Result<PortList, FileError> {
    let text = read(path, library)?;
    let mut ranges = Vec::new();
    for (number, line, entry) in entries(&text) {
        let range = port_entry(entry)
            .map_err(|problem| FileError::Line(problem.in_line(path, number, line)))?;
        ranges.push(range);
        check_count(ranges.len(), path)?;
    }
    Ok(PortList {
        file: Some(path.to_owned()),
        ranges: merged_ports(ranges),
    })
}

/// The whole file is at fault, or one of its lines.
pub(super) enum FileError {
    File(Problem),
    Line(FilterError),
}

/// Sorted; covered ones are left out, and two halves become the whole.
pub(super) fn merged(mut prefixes: Vec<Prefix>) -> Vec<Prefix> {
    prefixes.sort_unstable();
    let mut kept: Vec<Prefix> = Vec::with_capacity(prefixes.len());
    for prefix in prefixes {
        if kept.last().is_some_and(|last| covers(last, &prefix)) {
            continue;
        }
        kept.push(prefix);
        while let [.., a, b] = kept[..]
            && let Some(whole) = union(&a, &b)
        {
            kept.truncate(kept.len() - 2);
            kept.push(whole);
        }
    }
    kept.shrink_to_fit();
    kept
}

/// Sorted; what overlaps or touches is one.
pub(super) fn merged_ports(mut ranges: Vec<PortRange>) -> Vec<PortRange> {
    ranges.sort_unstable();
    let mut kept: Vec<PortRange> = Vec::new();
    for range in ranges {
        match kept.last_mut() {
            Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                last.last = last.last.max(range.last);
            }
            _ => kept.push(range),
        }
    }
    kept
}

fn read(path: &str, library: &dyn Library) -> Result<String, FileError> {
    let text = library.list(path).map_err(|why| {
        FileError::File(
            Problem::new(format!("the list '{path}' can't be read: {why}"))
                .help("write the path of a text file with an entry on each line"),
        )
    })?;
    if text.len() <= MAX_BYTES {
        return Ok(text);
    }
    let message = format!("the list '{path}' has more than {} MiB", MAX_BYTES >> 20);
    Err(FileError::File(
        Problem::new(message).help("leave out what is not needed, or summarise it"),
    ))
}

fn check_count(count: usize, path: &str) -> Result<(), FileError> {
    if count <= MAX_ENTRIES {
        return Ok(());
    }
    let message = format!("the list '{path}' has more than {MAX_ENTRIES} entries");
    Err(FileError::File(
        Problem::new(message).help("summarise it to networks"),
    ))
}

/// Number of the line, the line and what it says, for lines that say something.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().filter_map(|(at, line)| {
        let entry = line.split(['#', ';']).next().unwrap_or_default().trim();
        (!entry.is_empty()).then_some((at + 1, line, entry))
    })
}

fn split_range(entry: &str) -> Option<(&str, &str)> {
    let (first, last) = entry.split_once('-')?;
    // An Ethernet address may have dashes too: the message about it is better.
    (!last.contains('-')).then(|| (first.trim(), last.trim()))
}

/// A single number is refused: in lists it is a slip, not a class A network.
fn entry_of(entry: &str) -> Result<Prefix, Problem> {
    if entry.bytes().all(|b| b.is_ascii_digit()) {
        let help = "a network needs its dots or its length: '10.0.0.0/8'";
        return Err(Problem::new(format!("'{entry}' is not an address or network")).help(help));
    }
    address::loose_network(entry)
}

fn port_entry(entry: &str) -> Result<PortRange, Problem> {
    let (first, last) = split_range(entry).unwrap_or((entry, entry));
    let port = |text: &str| {
        text.parse::<u16>().map_err(|_| {
            Problem::new(format!("'{text}' is not the number of a port"))
                .help("a list of ports has numbers from 0 to 65535 and ranges of them")
        })
    };
    let (a, b) = (port(first)?, port(last)?);
    Ok(PortRange {
        first: a.min(b),
        last: a.max(b),
    })
}

/// `a` comes first in the order of sorting.
fn covers(a: &Prefix, b: &Prefix) -> bool {
    a.addr.is_ipv4() == b.addr.is_ipv4() && a.len <= b.len && bits(a) == bits(b) & mask(b, a.len)
}

/// The prefix that both are the halves of.
fn union(a: &Prefix, b: &Prefix) -> Option<Prefix> {
    let same = a.addr.is_ipv4() == b.addr.is_ipv4() && a.len == b.len && a.len > 0;
    let len = a.len.checked_sub(1).filter(|_| same)?;
    let whole = bits(a) & mask(a, len);
    let halves = whole == bits(a) && whole == bits(b) & mask(b, len) && bits(a) != bits(b);
    halves.then(|| address::prefix(whole, width(a), len))
}

fn bits(prefix: &Prefix) -> u128 {
    match prefix.addr {
        IpAddr::V4(addr) => u32::from(addr).into(),
        IpAddr::V6(addr) => addr.into(),
    }
}

fn width(prefix: &Prefix) -> u8 {
    if prefix.addr.is_ipv4() { 32 } else { 128 }
}

fn mask(prefix: &Prefix, len: u8) -> u128 {
    let behind = u32::from(width(prefix).saturating_sub(len));
    u128::MAX.checked_shl(behind).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static str);

    impl Library for One {
        fn named(&self, _: &str) -> Option<&str> {
            None
        }

        fn names(&self) -> Vec<&str> {
            Vec::new()
        }

        fn list(&self, _: &str) -> Result<String, String> {
            Ok(self.0.to_owned())
        }
    }

    fn prefixes(text: &'static str) -> Vec<String> {
        let list = prefixes_of_file("list", &One(text))
            .map_err(message)
            .unwrap();
        let show = |p: &Prefix| format!("{}/{}", p.addr, p.len);
        list.prefixes.iter().map(show).collect()
    }

    fn message(error: FileError) -> String {
        match error {
            FileError::File(problem) => problem.message,
            FileError::Line(error) => {
                format!(
                    "{}: {} in {:?}",
                    error.origin.unwrap(),
                    error.message,
                    error.text
                )
            }
        }
    }

    #[test]
    fn comments_blanks_and_masked_host_bits() {
        let text =
            "\u{feff}# head\n\n10.1.2.3/8 # ten\r\n ; nothing\n\tfe80::1\t; one\n192.168.1\n";
        assert_eq!(
            prefixes(text),
            ["10.0.0.0/8", "192.168.1.0/24", "fe80::1/128"]
        );
    }

    #[test]
    fn covered_and_adjacent_prefixes_are_merged() {
        assert_eq!(prefixes("10.0.0.1\n10.0.0.0/8\n10.0.0.1\n"), ["10.0.0.0/8"]);
        assert_eq!(
            prefixes("10.0.0.3\n10.0.0.2\n10.0.0.0\n10.0.0.1\n10.0.0.4\n"),
            ["10.0.0.0/30", "10.0.0.4/32"]
        );
        // Neighbours that are no halves of one prefix stay.
        assert_eq!(
            prefixes("10.0.0.1\n10.0.0.2\n"),
            ["10.0.0.1/32", "10.0.0.2/32"]
        );
        assert_eq!(
            prefixes("0.0.0.0/1\n128.0.0.0/1\n::/1\n8000::/1\n"),
            ["0.0.0.0/0", "::/0"]
        );
    }

    #[test]
    fn ranges_are_split() {
        assert_eq!(
            prefixes("10.0.0.1-10.0.0.9\n10.0.0.0 - 10.0.0.0\n"),
            ["10.0.0.0/29", "10.0.0.8/31"]
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = |text| message(prefixes_of_file("bad.txt", &One(text)).err().unwrap());
        assert_eq!(
            error("10.0.0.1\n\n 10.0.0.256 # x\n"),
            "bad.txt, line 3: '10.0.0.256' is not an IPv4 address in \" 10.0.0.256 # x\""
        );
        for text in [
            "10",
            "example.org",
            "10.0.0.0/33",
            "10.0.0.9-10.0.0.1",
            "a-b-c",
            "1,2",
            "\0",
        ] {
            assert!(error(text).starts_with("bad.txt, line 1: "), "{text}");
        }
    }

    #[test]
    fn ports_are_merged() {
        let list = ports_of_file(
            "p",
            &One("80\n# web\n443\n8000-8010\n8005-8100\n81\n90-85\n"),
        );
        let ranges = list.map_err(message).unwrap().ranges;
        let ends: Vec<_> = ranges.iter().map(|r| (r.first, r.last)).collect();
        assert_eq!(ends, [(80, 81), (85, 90), (443, 443), (8000, 8100)]);
        for text in ["65536", "https", "-1", "80,", "1-2-3"] {
            assert!(ports_of_file("p", &One(text)).is_err(), "{text}");
        }
        assert_eq!(
            merged_ports(vec![
                PortRange {
                    first: 0,
                    last: u16::MAX
                };
                2
            ])
            .len(),
            1
        );
    }

    #[test]
    fn merging_keeps_exactly_the_same_addresses() {
        // Every prefix of the last eight bits of an address, in lists that a counter picks from.
        let all: Vec<Prefix> = (24..=32_u8)
            .flat_map(|len| (0..1_u128 << (len - 24)).map(move |n| (n << (32 - len), len)))
            .map(|(host, len)| address::prefix(0x0a00_0000 | host, 32, len))
            .collect();
        let inside = |list: &[Prefix], addr: u128| {
            list.iter()
                .any(|p| bits(p) == (0x0a00_0000 | addr) & mask(p, p.len) & 0xffff_ffff)
        };
        let mut state = 1_u64;
        for _ in 0..300 {
            let picked: Vec<Prefix> = (0..state % 40)
                .map(|n| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(n | 1);
                    all[(state >> 33) as usize % all.len()]
                })
                .filter(|p| p.len > 26)
                .collect();
            let list = merged(picked.clone());
            assert!((0..256).all(|addr| inside(&list, addr) == inside(&picked, addr)));
            assert_eq!(merged(list.clone()), list);
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(7);
        }
    }
}
