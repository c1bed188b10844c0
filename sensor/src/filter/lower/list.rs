//! Lists: what stands between braces or in a file, sorted and merged.

use super::address;
use super::problem::Problem;
use crate::filter::error::FilterError;
use crate::filter::library::Library;
use crate::filter::tree::{PortRange, Prefix, PrefixList};

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
    Ok(PrefixList::merged(Some(path.to_owned()), prefixes))
}

/// Hands each line's entry to `add`: what it may be is known where ports are.
pub(super) fn ports_of_file(
    path: &str,
    library: &dyn Library,
    mut add: impl FnMut(&str) -> Result<(), Problem>,
) -> Result<(), FileError> {
    let text = read(path, library)?;
    for (count, (number, line, entry)) in entries(&text).enumerate() {
        check_count(count + 1, path)?;
        add(entry).map_err(|problem| FileError::Line(problem.in_line(path, number, line)))?;
    }
    Ok(())
}

/// The whole file is at fault, or one of its lines.
pub(super) enum FileError {
    File(Problem),
    Line(FilterError),
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

/// A number, or a range of them.
pub(super) fn port_entry(entry: &str) -> Result<PortRange, Problem> {
    let (first, last) = split_range(entry).unwrap_or((entry, entry));
    let port = |text: &str| {
        text.parse::<u16>().map_err(|_| {
            Problem::new(format!("'{text}' is not the number of a port"))
                .help("a list of ports has numbers from 0 to 65535, ranges of them, and names")
        })
    };
    let (a, b) = (port(first)?, port(last)?);
    Ok(PortRange {
        first: a.min(b),
        last: a.max(b),
    })
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
}
