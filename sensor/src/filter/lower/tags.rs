//! VLAN tags, MPLS labels and PPPoE sessions: any of the packet's, and nothing behind them means anything else for it.

use super::Context;
use super::primitive::{members, refuse_protocol_and_side};
use super::problem::Problem;
use super::simplify;
use crate::filter::ast::{Id, Kind, Primitive};
use crate::filter::error::FilterError;
use crate::filter::tree::{Test, Tree};

/// Members that a range of tags may have: each is a test of its own.
const MAX_RANGE: u32 = 4096;

pub(super) fn lower(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    refuse_protocol_and_side(context, primitive)?;
    let kind = primitive.qualifiers.kind.unwrap_or(Kind::Vlan);
    members(&primitive.id, &context.id_span(primitive), |id, span| {
        tag(kind, id).map_err(|problem| context.error(problem, span))
    })
}

fn tag(kind: Kind, id: &Id) -> Result<Tree, Problem> {
    match id {
        Id::None => Ok(Tree::Test(test(kind, None))),
        Id::Number(number) => Ok(Tree::Test(test(kind, Some(checked(kind, *number)?)))),
        Id::Range(first, last) => {
            let (first, last) = (
                checked(kind, *first.min(last))?,
                checked(kind, *first.max(last))?,
            );
            if last - first >= MAX_RANGE {
                return Err(Problem::new(format!("more than {MAX_RANGE} at once"))
                    .help(format!("'{}' without a number is any", kind.word())));
            }
            let each = |number| Tree::Test(test(kind, Some(number)));
            Ok(simplify::any((first..=last).map(each)))
        }
        Id::File(_) => Err(
            Problem::new(format!("'{}' takes no list from a file", kind.word()))
                .help(format!("write it out: '{} in {{1, 2}}'", kind.word())),
        ),
        Id::Text(_) | Id::Masked(..) | Id::List(_) => {
            Err(
                Problem::new(format!("'{}' takes a number", kind.word())).help(format!(
                    "as in '{0} 10', or '{0}' alone for any",
                    kind.word()
                )),
            )
        }
    }
}

fn checked(kind: Kind, number: u32) -> Result<u32, Problem> {
    let (what, most) = match kind {
        Kind::Mpls => ("an MPLS label", 0xf_ffff),
        Kind::Pppoes => ("a PPPoE session", 0xffff),
        _ => ("a VLAN id", 0xfff),
    };
    if number <= most {
        return Ok(number);
    }
    Err(Problem::new(format!("{number} is not {what}")).help(format!("there are 0 to {most}")))
}

/// The number was checked.
fn test(kind: Kind, number: Option<u32>) -> Test {
    match kind {
        Kind::Mpls => Test::Mpls(number),
        Kind::Pppoes => Test::Pppoe(number.map(|n| n as u16)),
        _ => Test::Vlan(number.map(|n| n as u16)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::ast::Span;

    fn any() -> Span {
        0..0
    }

    #[test]
    fn numbers_have_their_ranges() {
        let ok = |kind, number| tag(kind, &Id::Number(number)).is_ok();
        assert!(ok(Kind::Vlan, 4095) && !ok(Kind::Vlan, 4096));
        assert!(ok(Kind::Mpls, 0xf_ffff) && !ok(Kind::Mpls, 0x10_0000));
        assert!(ok(Kind::Pppoes, 0xffff) && !ok(Kind::Pppoes, 0x1_0000));
        assert!(tag(Kind::Vlan, &Id::Text("any".into())).is_err());
        assert!(tag(Kind::Mpls, &Id::Range(0, 5000)).is_err());
    }

    #[test]
    fn lists_are_any_of_their_members() {
        let list = Id::List(vec![(Id::Number(10), any()), (Id::Range(21, 20), any())]);
        let tree = members(&list, &any(), |id, span| {
            tag(Kind::Vlan, id).map_err(|problem| problem.at("", span))
        });
        let vlan = |id| Tree::Test(Test::Vlan(Some(id)));
        assert_eq!(tree, Ok(Tree::Any(vec![vlan(10), vlan(20), vlan(21)])));
    }
}
