//! Names beside addresses, and what is a guess. All of it comes from the wire or from files: nothing leaves here without
//! having been escaped.

use super::escape::{escape, tail, width};
use super::table::Aside;
use crate::report::{Conversation, Endpoint, FlowRow, Name, Place, Protocol, Report};

/// Behind what the port alone tells.
pub(super) const GUESS: char = '?';

/// Columns of a name that are worth its source.
const LEAST: usize = 8;

pub(super) fn of_endpoint(one: &Endpoint) -> Aside {
    let mut aside = of_one(&one.names);
    if let Some(place) = one.geo.as_ref().and_then(place) {
        aside.part("", place);
    }
    aside
}

pub(super) fn of_conversation(one: &Conversation) -> Aside {
    of_two(&one.a_names, &one.b_names)
}

pub(super) fn of_two(a: &[Name], b: &[Name]) -> Aside {
    let mut aside = Aside::default();
    let (a, b) = (of_list(a), of_list(b));
    if a.is_some() || b.is_some() {
        let unnamed = || Part::from("-".to_owned());
        aside.part("", a.unwrap_or_else(unnamed));
        aside.part("<> ", b.unwrap_or_else(unnamed));
    }
    aside
}

pub(super) fn of_flow(one: &FlowRow) -> Aside {
    of_one(&one.names)
}

pub(super) fn of_one(names: &[Name]) -> Aside {
    let mut aside = Aside::default();
    if let Some(name) = of_list(names) {
        aside.part("", name);
    }
    aside
}

/// Text of which the beginning may be cut off, and what must stand behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    text: String,
    rest: String,
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Part {
            text,
            rest: String::new(),
        }
    }
}

impl Part {
    pub(super) fn width(&self) -> usize {
        width(&self.text) + width(&self.rest)
    }

    pub(super) fn within(&self, limit: usize) -> String {
        match limit.checked_sub(width(&self.rest)) {
            Some(room) if room >= LEAST.min(width(&self.text)) => {
                format!("{}{}", tail(&self.text, room), self.rest)
            }
            _ => tail(&self.text, limit),
        }
    }
}

/// `api.example.com (sni) +2`
fn of_list(names: &[Name]) -> Option<Part> {
    let first = names.first()?;
    let more = match names.len() - 1 {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    Some(Part {
        text: escape(&first.name),
        rest: format!(" ({}){more}", escape(&first.source)),
    })
}

/// `Linköping, SE, AS29518 Bredband2 AB`
fn place(place: &Place) -> Option<Part> {
    let system = match (place.asn, &place.as_org) {
        (Some(asn), Some(org)) => Some(format!("AS{asn} {org}")),
        (Some(asn), None) => Some(format!("AS{asn}")),
        (None, org) => org.clone(),
    };
    let country = place.country.as_ref().or(place.country_name.as_ref());
    let parts = [place.city.as_ref(), country, system.as_ref()];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| Part::from(escape(&parts.join(", "))))
}

/// All of it is told by the port alone.
pub(super) fn is_guess(one: &Protocol) -> bool {
    let by_port = one.by_port();
    by_port.packets > 0 && by_port.packets == one.packets
}

/// What the marks mean, where there are any.
pub(super) fn legend(report: &Report) -> Option<&'static str> {
    let guessed = |one: &Protocol| one.by_port().packets > 0;
    let some = report.protocols.application.iter().any(guessed);
    some.then_some("? and ░: told by the port alone: a habit, no proof")
}
