//! Ports by number, range, name and list.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list::{self, FileError};
use super::problem::Problem;
use super::protocols::unknown;
use super::{Context, simplify};
use crate::filter::ast::{Id, Primitive, Span};
use crate::filter::error::FilterError;
use crate::filter::names;
use crate::filter::tree::{PortList, PortRange, Side, Test, Tree};

pub(super) fn lower(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    let qualifiers = &primitive.qualifiers;
    let transport = match &qualifiers.protocol {
        None => None,
        Some(word) => {
            Some(transport(word).map_err(|problem| context.error(problem, &primitive.span))?)
        }
    };
    let side = qualifiers.side.unwrap_or(Side::Either);
    if let Id::File(path) = &primitive.id {
        return file(context, path, &primitive.span, side, transport);
    }
    let mut ports = Ports::default();
    match &primitive.id {
        Id::List(members) => members.iter().try_for_each(|(id, span)| {
            let added = ports.add(id, transport);
            added.map_err(|problem| context.error(problem, span))
        })?,
        id => {
            let added = ports.add(id, transport);
            added.map_err(|problem| context.error(problem, &context.id_span(primitive)))?;
        }
    }
    Ok(ports.tree(side, transport))
}

fn transport(word: &str) -> Result<u8, Problem> {
    let number = names::transport(word);
    if let Some(number) = number.filter(|number| names::WITH_PORTS.contains(number)) {
        return Ok(number);
    }
    let problem = Problem::new(format!("'{word}' has no ports"));
    Err(match word {
        "ip" | "ip6" => problem.help(format!("did you mean '{word} and port ...'?")),
        _ => problem.help("ports belong to tcp, udp, sctp, dccp and udplite"),
    })
}

/// A file of numbers stays one list under its name; with names in it, it means what the same between braces does.
fn file(
    context: &Context<'_>,
    path: &str,
    span: &Span,
    side: Side,
    transport: Option<u8>,
) -> Result<Tree, FilterError> {
    let mut ports = Ports::default();
    let mut has_names = false;
    list::ports_of_file(path, context.library, |entry| {
        if entry.starts_with(|c: char| c.is_ascii_alphabetic()) {
            has_names = true;
            return ports.add_text(entry, transport);
        }
        ports.everywhere.push(list::port_entry(entry)?);
        Ok(())
    })
    .map_err(|error| match error {
        FileError::File(problem) => context.error(problem, span),
        FileError::Line(error) => error,
    })?;
    if has_names {
        return Ok(ports.tree(side, transport));
    }
    let list = PortList::merged(Some(path.to_owned()), ports.everywhere);
    let test = match list.ranges.is_empty() {
        true => Tree::False,
        false => Tree::Test(Test::PortIn(side, Arc::new(list))),
    };
    Ok(simplify::all(
        transport.map(protocol).into_iter().chain([test]),
    ))
}

fn protocol(number: u8) -> Tree {
    Tree::Test(Test::Protocol(number))
}

/// Ports of every transport, and those that a name stands for in one.
#[derive(Default)]
struct Ports {
    everywhere: Vec<PortRange>,
    named: BTreeMap<u8, Vec<PortRange>>,
}

impl Ports {
    /// `transport`: the one that the expression names.
    fn add(&mut self, id: &Id, transport: Option<u8>) -> Result<(), Problem> {
        match id {
            Id::Number(number) => self.everywhere.push(range(*number, *number)?),
            Id::Range(first, last) => self.everywhere.push(range(*first, *last)?),
            Id::Text(text) => return self.add_text(text, transport),
            _ => {
                return Err(
                    Problem::new("expected a port").help("as in 'port 443' or 'port in {80, 443}'")
                );
            }
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str, transport: Option<u8>) -> Result<(), Problem> {
        let word = text.to_ascii_lowercase();
        let Some(ports) = names::ports(&word) else {
            let range =
                range_of_names(&word, transport).unwrap_or_else(|| Err(unknown_port(text)))?;
            self.everywhere.push(range);
            return Ok(());
        };
        match transport {
            None => {
                for (number, ranges) in ports {
                    self.named.entry(*number).or_default().extend(ranges);
                }
            }
            Some(number) => {
                let ranges = ports.get(&number).ok_or_else(|| elsewhere(text, ports))?;
                self.everywhere.extend(ranges);
            }
        }
        Ok(())
    }

    fn tree(self, side: Side, transport: Option<u8>) -> Tree {
        let mut parts = vec![test(side, self.everywhere)];
        // Transports that give a name to the same ports share a test.
        let mut named = BTreeMap::<Vec<PortRange>, Vec<Tree>>::new();
        for (number, ranges) in self.named {
            let ranges = PortList::merged(None, ranges).ranges;
            named.entry(ranges).or_default().push(protocol(number));
        }
        parts.extend(named.into_iter().map(|(ranges, transports)| {
            simplify::all([simplify::any(transports), test(side, ranges)])
        }));
        simplify::all(
            transport
                .map(protocol)
                .into_iter()
                .chain([simplify::any(parts)]),
        )
    }
}

fn test(side: Side, ranges: Vec<PortRange>) -> Tree {
    let list = PortList::merged(None, ranges);
    match list.ranges[..] {
        [] => Tree::False,
        [range] => Tree::Test(Test::Port(side, range)),
        _ => Tree::Test(Test::PortIn(side, Arc::new(list))),
    }
}

/// In either order, as libpcap.
fn range(first: u32, last: u32) -> Result<PortRange, Problem> {
    let port = |number: u32| {
        u16::try_from(number).map_err(|_| {
            Problem::new(format!("{number} is not a port")).help("ports go from 0 to 65535")
        })
    };
    let (first, last) = (port(first)?, port(last)?);
    Ok(PortRange {
        first: first.min(last),
        last: first.max(last),
    })
}

/// `ftp-ssh`, `1024-https`: names have dashes of their own, so each is tried. `None` if nothing fits.
fn range_of_names(text: &str, transport: Option<u8>) -> Option<Result<PortRange, Problem>> {
    let ends = text.match_indices('-').find_map(|(at, _)| {
        let first = end(&text[..at], transport)?;
        Some((first, end(&text[at + 1..], transport)?))
    });
    let (first, last) = ends?;
    if first.len() > 1 || last.len() > 1 {
        let problem = Problem::new(format!("an end of '{text}' stands for several ports"));
        return Some(Err(problem.help("write the range in numbers")));
    }
    Some(range(first[0], last[0]))
}

/// Ports that a number or a name stands for.
fn end(text: &str, transport: Option<u8>) -> Option<Vec<u32>> {
    if let Ok(number) = text.parse() {
        return Some(vec![number]);
    }
    let of_transports = names::ports(text)?;
    let ranges = of_transports
        .iter()
        .filter(|(number, _)| transport.is_none_or(|transport| transport == **number))
        .flat_map(|(_, ranges)| ranges);
    let mut ports: Vec<u32> = ranges
        .flat_map(|range| [range.first.into(), range.last.into()])
        .collect();
    ports.sort_unstable();
    ports.dedup();
    (!ports.is_empty()).then_some(ports)
}

fn unknown_port(text: &str) -> Problem {
    let problem = unknown("port", text, names::port_names());
    match names::uses(&text.to_ascii_lowercase()) {
        // Behind `port`, a word is a port: `port 80 or lldp`. Nothing is nearer than what was typed.
        Some(_) => problem.help(format!(
            "write 'proto {text}' if the protocol is meant, else the number of the port"
        )),
        None => problem.or_help("write its number"),
    }
}

fn elsewhere(text: &str, ports: &BTreeMap<u8, Vec<PortRange>>) -> Problem {
    let show = |range: &PortRange| match range.first == range.last {
        true => range.first.to_string(),
        false => format!("{}-{}", range.first, range.last),
    };
    let known: Vec<String> = ports
        .iter()
        .map(|(number, ranges)| {
            let ranges: Vec<String> = ranges.iter().map(show).collect();
            let transport = crate::counters::transport_name(*number);
            format!("{transport} {}", ranges.join(", "))
        })
        .collect();
    Problem::new(format!("'{text}' is not a port of this transport")).help(format!(
        "it stands for {}; write the number that you mean",
        known.join(" and ")
    ))
}
