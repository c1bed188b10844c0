//! The answer for people.

use std::io::{self, Write};

use super::Answer;
use super::explain::{Decided, Explanation, List, OfPackets};
use super::matches::{InFile, Matches};
use crate::counters::Counts;
use crate::{escape, units};

pub(super) fn write(answer: &Answer, to: &mut dyn Write) -> io::Result<()> {
    explanation(&answer.explanation, to)?;
    match &answer.matches {
        Some(matches) => in_files(matches, to),
        None => Ok(()),
    }
}

fn explanation(explained: &Explanation, to: &mut dyn Write) -> io::Result<()> {
    if explained.understood.is_empty() {
        return writeln!(to, "no filter: every packet matches");
    }
    writeln!(to, "filter      {}", one_line(&explained.filter))?;
    writeln!(to, "understood  {}", escape::text(&explained.understood))?;
    for List {
        kind,
        file,
        entries,
    } in &explained.lists
    {
        let entries = units::count(*entries as u64);
        let what = match *kind {
            "net" => "prefixes once merged",
            _ => "ranges of ports once merged",
        };
        writeln!(
            to,
            "list        {kind} in file {}: {entries} {what}",
            escape::text(file)
        )?;
    }
    if let Some(packets) = &explained.packets {
        of_packets(packets, to)?;
    }
    match &explained.flows {
        Some(flows) => of_flows(flows, to),
        None => Ok(()),
    }
}

fn of_packets(packets: &OfPackets, to: &mut dyn Write) -> io::Result<()> {
    let expression = escape::text(&packets.expression);
    writeln!(to, "\ndecided on each packet: {expression}")?;
    let rows = [
        ("live, xdp and tc", &packets.kernel),
        ("live, af-packet", &packets.af_packet),
        ("files", &packets.files),
        ("reports read back", &packets.reports),
    ];
    for (place, Decided { how, .. }) in rows {
        writeln!(to, "  {place:<18} {}", escape::text(how))?;
    }
    Ok(())
}

fn of_flows(flows: &str, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\ndecided on each flow: {}", escape::text(flows))?;
    writeln!(
        to,
        "  {:<18} when the report is made, from all that was counted of the flow",
        "everywhere"
    )
}

fn in_files(matches: &Matches, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to)?;
    let readable = matches.files.iter().filter(|file| !file.refused);
    for InFile {
        info,
        matched,
        seen,
        ..
    } in readable
    {
        writeln!(to, "{}: {}", info.path, of(*matched, *seen))?;
    }
    if matches.files.len() > 1 {
        writeln!(to, "in all: {}", of(matches.matched, matches.seen))?;
    }
    Ok(())
}

fn of(matched: Counts, seen: Counts) -> String {
    format!(
        "{} of {} match, {} of {}",
        units::count(matched.packets),
        units::packets(seen.packets),
        units::bytes(matched.bytes),
        units::bytes(seen.bytes)
    )
}

/// A file's filter may have several.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    escape::text(&words.join(" "))
}
