//! `sensor explain`: packets of a capture, layer by layer, and what is counted of each.

mod counted;
mod hex;
mod text;
mod vendors;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use sensor_common::facts::Facts;
use sensor_common::parse::LinkType;
use serde::Serialize;

use super::captures;
use super::confined::{self, Written};
use crate::cli;
use crate::explain::{self, Layer, opinion};
use crate::failure::{Exit, Failure};
use crate::filter::{Filter, Library, Matcher};
use crate::report::Time;
use crate::sink::{self, SinkError};
use crate::source::file::matching::Sight;
use crate::source::file::{CaptureError, CaptureFile, Record, link_type};
use crate::{escape, status};

use counted::{Counted, Learner};
use vendors::SystemVendors;

pub fn run(args: &cli::Explain, library: &dyn Library) -> Result<Exit, Failure> {
    captures::check(std::slice::from_ref(&args.file))?;
    let filter = args.filter.compile(library)?;
    let asked = filter.as_ref().map(Asked::new).transpose()?;
    let mut file = match open(&args.file) {
        Ok(file) => file,
        Err(error) => return Ok(complain(&args.file, &error)),
    };
    let vendors = vendors::LISTS.iter().map(PathBuf::from);
    let inputs: Vec<PathBuf> = vendors.chain([args.file.clone()]).collect();
    confined::enter(args.sandbox, &inputs, Written::default(), false);
    let mut reader = Reader::new(args, asked, &mut file);
    let mut broken = None;
    let written = sink::write_stdout(|to| {
        broken = reader.explain_all(to)?;
        Ok(())
    });
    written.map_err(|error: SinkError| Failure::new(Exit::Output, error))?;
    match broken {
        Some(error) => Ok(complain(&args.file, &error)),
        None => reader.tell_what_was_missed(),
    }
}

fn open(path: &Path) -> Result<CaptureFile, CaptureError> {
    if path.as_os_str() == "-" {
        CaptureFile::from_stdin()
    } else {
        CaptureFile::open(path)
    }
}

fn complain(path: &Path, error: &CaptureError) -> Exit {
    let name = match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => escape::path(path),
    };
    status::warn(&format!("{name}: {error}"));
    match error {
        CaptureError::Io { .. } => Exit::Failed,
        _ => Exit::BadFile,
    }
}

/// A filter, ready to be asked about packets.
struct Asked {
    matcher: Matcher,
    understood: String,
    interfaces: Vec<String>,
    /// Each part of it, with its own matcher.
    parts: Vec<(String, Matcher)>,
    /// Some of it is asked of whole flows, of which one packet knows nothing.
    of_flows: bool,
}

impl Asked {
    /// More parts than this (lists of addresses are one) are not told one by one.
    const MAX_PARTS: usize = 24;

    fn new(filter: &Filter) -> Result<Self, Failure> {
        let interfaces = filter.interfaces();
        let slots = |name: &str| -> Vec<u8> {
            let place = interfaces.iter().position(|one| one == name);
            let slot = place.and_then(|place| u8::try_from(place + 1).ok());
            slot.into_iter().collect()
        };
        let too_big = |error| Failure::new(Exit::Filter, error);
        let matcher = filter.matcher(&slots).map_err(too_big)?;
        let plan = filter.plan();
        let mut parts = Vec::new();
        for part in counted::parts(&plan.packet) {
            if parts.len() < Self::MAX_PARTS {
                let program = crate::filter::program::Program::compile(&part, &slots);
                parts.push((part.to_string(), Matcher::new(program.map_err(too_big)?)));
            }
        }
        Ok(Asked {
            matcher,
            understood: filter.normalised(),
            of_flows: plan.flow.is_some(),
            parts,
            interfaces,
        })
    }

    fn verdict(&self, facts: &Facts, data: &[u8]) -> FilterVerdict {
        let parts = self.parts.iter().map(|(expression, matcher)| Part {
            expression: expression.clone(),
            matches: matcher.matches(facts, data),
        });
        FilterVerdict {
            understood: self.understood.clone(),
            parts: parts.collect(),
            of_flows: self.of_flows,
        }
    }
}

#[derive(Serialize)]
struct FilterVerdict {
    understood: String,
    parts: Vec<Part>,
    /// Parts about whole flows are left out: one packet can't decide them.
    of_flows: bool,
}

#[derive(Serialize)]
struct Part {
    expression: String,
    matches: bool,
}

/// One packet, explained.
#[derive(Serialize)]
struct Explained {
    /// From 1 on, as Wireshark counts frames.
    number: u64,
    time: Option<Time>,
    wire_len: u32,
    cap_len: usize,
    link_type: String,
    layers: Vec<Layer>,
    /// Why the layers end before the packet does.
    ended: Option<String>,
    /// Where etherparse sees another packet than is counted.
    differs: Option<String>,
    counted: Counted,
    filter: Option<FilterVerdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<Vec<String>>,
}

struct Reader<'a> {
    args: &'a cli::Explain,
    asked: Option<Asked>,
    file: &'a mut CaptureFile,
    learner: Learner,
    vendors: SystemVendors,
    explained: u64,
    number: u64,
}

impl<'a> Reader<'a> {
    fn new(args: &'a cli::Explain, asked: Option<Asked>, file: &'a mut CaptureFile) -> Self {
        if let Some(asked) = &asked {
            file.want_interfaces(&asked.interfaces);
        }
        Reader {
            args,
            asked,
            file,
            learner: Learner::new(cli::MAX_NAMES as usize),
            vendors: SystemVendors::default(),
            explained: 0,
            number: 0,
        }
    }

    /// Reads on until as many as were asked for are explained. What broke the file off, if anything did.
    fn explain_all(&mut self, to: &mut dyn Write) -> io::Result<Option<CaptureError>> {
        let style = text::Style {
            width: status::columns().unwrap_or(text::WIDTH),
            colour: io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let mut sight = Sight::new(true);
        while self.explained < self.args.count {
            let record = match self.file.next() {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            };
            self.number += 1;
            let link = LinkType::from_number(record.link_type);
            let parsed = sight.look(&record, link);
            self.learner.learn(&record, &parsed);
            if self.number < self.args.packet {
                continue;
            }
            if let Some(asked) = &self.asked
                && !asked.matcher.matches(sight.facts(), record.data)
            {
                continue;
            }
            let filter = self.asked.as_ref();
            let dissected = explain::dissect(record.data, record.link_type, &mut self.vendors);
            let packet = Explained {
                number: self.number,
                time: time(&record),
                wire_len: record.wire_len,
                cap_len: record.data.len(),
                link_type: link_name(record.link_type),
                layers: dissected.layers,
                ended: dissected.ended,
                differs: opinion::differs(record.data, link, &parsed),
                counted: Counted::of(&parsed, sight.facts().key(), &self.learner),
                filter: filter.map(|asked| asked.verdict(sight.facts(), record.data)),
                hex: self.args.hex.then(|| hex::dump(record.data)),
            };
            self.explained += 1;
            if self.args.json {
                serde_json::to_writer(&mut *to, &packet)?;
                writeln!(to)?;
            } else {
                if self.explained > 1 {
                    writeln!(to)?;
                }
                text::write(&packet, style, to)?;
            }
        }
        Ok(None)
    }

    /// Nothing printed and nothing said would look like a fault.
    /// A packet that was asked for by its number and is not there is a failure; that none matches is an answer.
    fn tell_what_was_missed(&self) -> Result<Exit, Failure> {
        let packets = crate::units::packets(self.number);
        if self.explained == 0 && self.number < self.args.packet && self.args.packet > 1 {
            let message = format!(
                "there is no packet {}: the file has {packets}",
                self.args.packet
            );
            return Err(Failure::told(Exit::Failed, message));
        }
        if self.explained == 0 {
            status::note(&match self.number {
                0 => "the file has no packets".to_owned(),
                _ => format!("no packet matches, of {packets}"),
            });
        }
        Ok(Exit::Ok)
    }
}

fn time(record: &Record<'_>) -> Option<Time> {
    record.when.time().map(Time)
}

fn link_name(number: u16) -> String {
    match link_type::name(number) {
        Some(name) => name.to_owned(),
        None => format!("link type {number}"),
    }
}
