//! Counting what a filter matches of a capture file.

use sensor_common::facts::{ETHERNET, Facts};
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{self, LinkType, Packet, Reason};
use sensor_common::view::SliceView;

use super::count::{Counting, Ledger, Outcome, seen, walk, way};
use super::{CaptureFile, Record};
use crate::counters::Delta;
use crate::escape;
use crate::filter::{Filter, Matcher, Selection, TooBig};
use crate::source::tap::Tap;

/// A filter for files. The names of interfaces that it has are the slots of filtering, from 1 on, as numbered by
/// [`CaptureFile::want_interfaces`]; what is counted has slot 0 as all packets of files.
pub struct FileFilter {
    pub(super) matcher: Matcher,
    selection: Option<Selection>,
    pub(super) interfaces: Vec<String>,
    /// Flows are told apart by interface, because the filter's part about flows will ask for that.
    pub(super) keeps_interfaces: bool,
}

impl FileFilter {
    pub fn new(filter: &Filter) -> Result<Self, TooBig> {
        let interfaces = filter.interfaces();
        let slots = |name: &str| -> Vec<u8> {
            let place = interfaces.iter().position(|one| one == name);
            place
                .and_then(|place| u8::try_from(place + 1).ok())
                .into_iter()
                .collect()
        };
        Ok(FileFilter {
            matcher: filter.matcher(&slots)?,
            selection: filter.selection(),
            keeps_interfaces: filter.selects_by_interface(),
            interfaces,
        })
    }

    /// Applies what can be decided only when everything is counted: `None` where nothing is left to be.
    pub fn select(&self, delta: &Delta) -> Option<Delta> {
        let name = |slot: u8| {
            let place = usize::from(slot).checked_sub(1)?;
            self.interfaces.get(place).map(String::as_str)
        };
        let selection = self.selection.as_ref()?;
        Some(selection.apply(delta, &name))
    }

    /// Interfaces that the filter asks for and the file has not described, as a sentence.
    pub fn missing_interfaces(&self, file: &CaptureFile) -> Option<String> {
        let described = file.interfaces();
        let missing: Vec<String> = self
            .interfaces
            .iter()
            .filter(|name| described.is_none_or(|described| !described.contains(*name)))
            .map(|name| escape::text(name))
            .collect();
        if missing.is_empty() {
            return None;
        }
        let has = match described {
            None => "pcap files have no names of interfaces".to_owned(),
            Some(none) if none.is_empty() => "its interfaces have no names".to_owned(),
            Some(names) => {
                let names: Vec<String> = names.iter().map(|name| escape::text(name)).collect();
                format!("its interfaces are {}", names.join(", "))
            }
        };
        Some(format!(
            "no packet is of interface {}: {has}",
            missing.join(" or ")
        ))
    }
}

/// As [`super::count::count`], with what does not match `filtered`. The filter's selection is left to be applied.
pub fn count(
    file: &mut CaptureFile,
    ledger: &mut impl Ledger,
    filter: &FileFilter,
    tap: Option<Tap<'_>>,
    progress: impl FnMut(&CaptureFile),
) -> Outcome {
    file.want_interfaces(&filter.interfaces);
    let mut counting = Counting::new(ledger, tap);
    let mut sight = Sight::new(filter.matcher.program().needs_link());
    let outcome = walk(
        file,
        |record, link_type| {
            let mut seen = seen(&record, sight.look(&record, link_type));
            if filter.keeps_interfaces {
                seen.slot = record.interface;
            }
            if filter.matcher.matches(sight.facts(), record.data) {
                counting.seen(&record, seen);
            } else {
                let delta = counting.ledger.of(record.when);
                delta.filtered(seen.slot, sight.facts().key().direction(), seen.counts);
            }
        },
        progress,
    );
    counting.ledger.flush();
    outcome
}

/// What filters may ask of the packets of files.
pub struct Sight {
    facts: Facts,
    with_link: bool,
}

impl Sight {
    /// The link layer is looked at only `with_link`.
    pub fn new(with_link: bool) -> Self {
        Sight {
            facts: Facts::NONE,
            with_link,
        }
    }

    #[inline]
    pub fn look(&mut self, record: &Record<'_>, link_type: LinkType) -> Result<Packet, Reason> {
        let view = SliceView(record.data);
        let ethernet = link_type == LinkType::Ethernet;
        let packet = if self.with_link {
            self.facts.new_link(ethernet);
            parse::packet_observed(&view, link_type, &mut self.facts)
        } else {
            self.facts.flags = if ethernet { ETHERNET } else { 0 };
            parse::packet(&view, link_type)
        };
        let direction = match (way(record), &packet) {
            (Direction::Unknown, Ok(packet)) => packet.direction,
            (known, _) => known,
        };
        self.note(record, &packet, direction);
        packet
    }

    /// It went this way.
    #[inline]
    pub(super) fn note(
        &mut self,
        record: &Record<'_>,
        packet: &Result<Packet, Reason>,
        direction: Direction,
    ) {
        let mut origin = FlowKey([0; 5]);
        origin.set_origin(record.interface, direction);
        self.facts.parsed(packet, origin.0[4], record.wire_len);
    }

    /// Of the packet that was looked at last.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}
