//! The words in the columns, and the way back.

use std::borrow::Cow;

use sensor_common::application::Application;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::Reason;

use super::meta::Meta;
use super::rows::{Term, reason};
use crate::counters::{self, Class, Kind, transport_name};
use crate::names::{How, Label};

pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Unknown => "unknown",
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

pub(super) fn direction(name: &str) -> Option<Direction> {
    let all = [Direction::Unknown, Direction::Ingress, Direction::Egress];
    all.into_iter().find(|one| direction_name(*one) == name)
}

/// Name of the interface in a slot.
pub(super) fn interface(meta: &Meta, slot: u8) -> Option<&str> {
    let found = meta.interfaces.iter().find(|one| one.slot == slot);
    found.map(|one| one.name.as_str())
}

/// The application that a report names a flow by, and by what it is known.
pub(super) fn application_of(key: &FlowKey, label: Option<Label>) -> Option<(Application, How)> {
    match label {
        Some(label) => Some((label.application, label.how)),
        None => Some((counters::application(key)?, How::Port)),
    }
}

/// The other way: `None` where only the port tells, `Some(None)` where the words say nothing that we know.
pub(super) fn label(application: Option<&str>, how: Option<&str>) -> Option<Label> {
    let all = [How::Payload, How::Handshake, How::Expectation];
    let how = all.into_iter().find(|one| Some(one.name()) == how)?;
    let application = Application::from_name(application?)?;
    Some(Label { application, how })
}

/// 4, 6, or the EtherType (or another network id) of a packet without IP.
pub(super) fn network_number(key: &FlowKey) -> i32 {
    match (key.is_ip(), key.is_ipv6()) {
        (true, false) => 4,
        (true, true) => 6,
        (false, _) => key.network().into(),
    }
}

pub(super) fn kind_name(class: &Class) -> &'static str {
    match class.kind {
        Kind::Ip { .. } => "ip",
        Kind::NotIp(_) => "not_ip",
        Kind::Malformed(_) => "malformed",
    }
}

/// IP protocol, EtherType or number of the reason.
pub(super) fn number(class: &Class) -> i32 {
    match class.kind {
        Kind::Ip { protocol, .. } => protocol.into(),
        Kind::NotIp(id) => id.into(),
        Kind::Malformed(number) => number.into(),
    }
}

/// Null where there is none, unlike in reports, which put the transport in its place. Of malformed packets: the reason.
pub(super) fn application(class: &Class) -> Option<&'static str> {
    match class.kind {
        Kind::Ip { application, .. } => application.map(Application::name),
        Kind::NotIp(_) => None,
        Kind::Malformed(number) => reason(number).map(Reason::name),
    }
}

/// A class from the words of its row.
pub(super) fn class(
    direction: Direction,
    (kind, network): (&str, &str),
    application: Option<&str>,
    number: i32,
) -> Option<Class> {
    let kind = match kind {
        "ip" => Kind::Ip {
            ipv6: match network {
                "ipv4" => false,
                "ipv6" => true,
                _ => return None,
            },
            protocol: u8::try_from(number).ok()?,
            application: application.and_then(Application::from_name),
        },
        "not_ip" => Kind::NotIp(u16::try_from(number).ok()?),
        "malformed" => {
            let number = u8::try_from(number).ok()?;
            reason(number)?;
            Kind::Malformed(number)
        }
        _ => return None,
    };
    Some(Class { direction, kind })
}

/// `term`, `what` and `number` of an accounting row.
pub(super) fn of_term(term: &Term) -> (&'static str, Option<Cow<'_, str>>, Option<i32>) {
    let ip = |ipv6: bool, protocol: u8| {
        let version = if ipv6 { "ipv6" } else { "ipv4" };
        let what = format!("{version}/{}", transport_name(protocol));
        (Some(what.into()), Some(protocol.into()))
    };
    match term {
        Term::InFlows { ipv6, protocol } => {
            let (what, number) = ip(*ipv6, *protocol);
            ("in_flows", what, number)
        }
        Term::Overflow { ipv6, protocol } => {
            let (what, number) = ip(*ipv6, *protocol);
            ("overflow", what, number)
        }
        Term::NotIp => ("not_ip", None, None),
        Term::NotIpOverflow => ("not_ip", Some("overflow".into()), None),
        Term::Malformed(number) => {
            let name = reason(*number).map(|one| one.name().into());
            ("malformed", name, Some((*number).into()))
        }
        Term::Filtered => ("filtered", None, None),
        Term::Duplicates => ("duplicates", None, None),
        Term::Lost(place) => ("lost", Some(place.as_str().into()), None),
        Term::Captured => ("captured", None, None),
        Term::Untimed => ("untimed", None, None),
        Term::OutOfRange => ("out_of_range", None, None),
        Term::PayloadsLost => ("payloads_lost", None, None),
    }
}

/// The other way of [`of_term`].
pub(super) fn term(name: &str, what: Option<&str>, number: Option<i32>) -> Option<Term> {
    let byte = || number.and_then(|number| u8::try_from(number).ok());
    let ipv6 = || Some(what?.starts_with("ipv6/"));
    Some(match name {
        "in_flows" => Term::InFlows {
            ipv6: ipv6()?,
            protocol: byte()?,
        },
        "overflow" => Term::Overflow {
            ipv6: ipv6()?,
            protocol: byte()?,
        },
        "not_ip" if what == Some("overflow") => Term::NotIpOverflow,
        "not_ip" => Term::NotIp,
        "malformed" => Term::Malformed(reason(byte()?)? as u8),
        "filtered" => Term::Filtered,
        "duplicates" => Term::Duplicates,
        "lost" => Term::Lost(what?.to_owned()),
        "captured" => Term::Captured,
        "untimed" => Term::Untimed,
        "out_of_range" => Term::OutOfRange,
        "payloads_lost" => Term::PayloadsLost,
        _ => return None,
    })
}
