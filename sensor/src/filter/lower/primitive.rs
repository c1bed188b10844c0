//! Which part of the language a primitive belongs to, and what it has that doesn't belong there.

use sensor_common::flow::Direction;

use super::problem::Problem;
use super::{Context, hosts, ports, protocols, simplify, tags};
use crate::filter::ast::{Id, Kind, Primitive, Span};
use crate::filter::error::FilterError;
use crate::filter::names;
use crate::filter::tree::{Test, Tree};

pub(super) fn lower(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    if is_empty(&primitive.id) {
        return Err(context.error(no_name(), &primitive.span));
    }
    match primitive.qualifiers.kind {
        Some(Kind::Host | Kind::Net) => hosts::lower(context, primitive),
        Some(Kind::Port | Kind::PortRange) => ports::lower(context, primitive),
        Some(Kind::Proto) => protocols::numbered(context, primitive),
        Some(Kind::Vlan | Kind::Mpls | Kind::Pppoes) => tags::lower(context, primitive),
        Some(Kind::Broadcast | Kind::Multicast) => hosts::cast(context, primitive),
        Some(Kind::Interface) => interface(context, primitive),
        None => bare(context, primitive),
    }
}

/// Without a kind: a word alone, or an address behind `src` or `dst`.
fn bare(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    let qualifiers = &primitive.qualifiers;
    match (&qualifiers.protocol, &primitive.id) {
        (Some(word), Id::None) if qualifiers.side.is_none() => match word.as_str() {
            "ingress" => Ok(Tree::Test(Test::Direction(Direction::Ingress))),
            "egress" => Ok(Tree::Test(Test::Direction(Direction::Egress))),
            word => {
                protocols::word(word).map_err(|problem| context.error(problem, &primitive.span))
            }
        },
        (_, Id::None) => {
            let problem = Problem::new("an address is missing").help("as in 'src host 10.0.0.1'");
            Err(context.error(problem, &primitive.span))
        }
        (None, Id::Number(number)) if qualifiers.side.is_none() => {
            let help = format!("did you mean 'port {number}', 'net {number}' or 'proto {number}'?");
            let problem = Problem::new(format!("'{number}' alone says nothing")).help(help);
            Err(context.error(problem, &primitive.span))
        }
        (protocol, Id::Number(number)) if number >> 24 == 0 && may_have_ports(protocol) => {
            let place = context.id_span(primitive);
            let before = context.text.get(primitive.span.start..place.start);
            let before = before.unwrap_or_default().trim_end();
            let help = format!("did you mean '{before} port {number}'?");
            let problem = Problem::new(format!("'{number}' is not an address")).help(help);
            Err(context.error(problem, &place))
        }
        _ => hosts::lower(context, primitive),
    }
}

/// `interface ""`.
fn is_empty(id: &Id) -> bool {
    matches!(id, Id::Text(text) if text.is_empty())
}

fn no_name() -> Problem {
    Problem::new("a name is missing").help("write it, or leave out the quotes")
}

fn may_have_ports(protocol: &Option<String>) -> bool {
    protocol.as_ref().is_none_or(|word| {
        let number = names::transport(word);
        number.is_some_and(|number| names::WITH_PORTS.contains(&number))
    })
}

fn interface(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    refuse_protocol_and_side(context, primitive)?;
    members(
        &primitive.id,
        &context.id_span(primitive),
        |id, span| match id {
            id if is_empty(id) => Err(context.error(no_name(), span)),
            Id::Text(name) => Ok(Tree::Test(Test::Interface(name.clone()))),
            Id::Number(number) => Ok(Tree::Test(Test::Interface(number.to_string()))),
            _ => {
                let problem =
                    Problem::new("'interface' takes a name").help("as in 'interface eth0'");
                Err(context.error(problem, span))
            }
        },
    )
}

/// `id` itself, or any member of the list that it is.
pub(super) fn members(
    id: &Id,
    span: &Span,
    mut each: impl FnMut(&Id, &Span) -> Result<Tree, FilterError>,
) -> Result<Tree, FilterError> {
    match id {
        Id::List(members) => {
            let trees: Result<Vec<_>, _> =
                members.iter().map(|(id, span)| each(id, span)).collect();
            Ok(simplify::any(trees?))
        }
        id => each(id, span),
    }
}

/// `tcp vlan 10`, `src interface eth0`.
pub(super) fn refuse_protocol_and_side(
    context: &Context<'_>,
    primitive: &Primitive,
) -> Result<(), FilterError> {
    let qualifiers = &primitive.qualifiers;
    let kind = qualifiers.kind.map(Kind::word).unwrap_or("this");
    let problem = match (&qualifiers.protocol, qualifiers.side) {
        (None, None) => return Ok(()),
        (Some(protocol), _) => Problem::new(format!("'{kind}' can't stand behind '{protocol}'"))
            .help(format!("did you mean '{protocol} and {kind} ...'?")),
        (None, Some(_)) => Problem::new(format!("'{kind}' has no source and no destination"))
            .help(format!("write '{kind}' alone")),
    };
    Err(context.error(problem, &primitive.span))
}
