//! Many alternatives of one kind (`host a or host b or ...`) as one list.

use std::sync::Arc;

use crate::filter::normal;
use crate::filter::tree::{PortList, PrefixList, Side, Test, Tree};

/// So many alternatives are worth a look-up.
const MANY: usize = 8;
/// `src and dst` of one alternative or another is not `src and dst` of their list.
const SIDES: [Side; 3] = [Side::Src, Side::Dst, Side::Either];

/// `tree`: negations at single tests only.
pub(super) fn gathered(tree: Tree) -> Tree {
    let gather = |parts: Vec<Tree>| parts.into_iter().map(gathered).collect();
    match tree {
        Tree::Any(parts) => normal::any(with_lists(gather(parts), true)),
        Tree::All(parts) => normal::all(with_lists(gather(parts), false)),
        other => other,
    }
}

/// Tests that stand alone in an `or`, or negated in an `and`.
fn with_lists(mut parts: Vec<Tree>, positive: bool) -> Vec<Tree> {
    let add = |parts: &mut Vec<Tree>, test: Test| {
        let test = Tree::Test(test);
        parts.push(if positive {
            test
        } else {
            Tree::Not(Box::new(test))
        });
    };
    for side in SIDES {
        let address = |part: &Tree| match test(part, positive) {
            Some(Test::Address(other, prefix)) if *other == side => Some(*prefix),
            _ => None,
        };
        if let Some(prefixes) = taken(&mut parts, address) {
            add(
                &mut parts,
                Test::AddressIn(side, Arc::new(PrefixList::merged(None, prefixes))),
            );
        }
        let port = |part: &Tree| match test(part, positive) {
            Some(Test::Port(other, range)) if *other == side => Some(*range),
            _ => None,
        };
        if let Some(ranges) = taken(&mut parts, port) {
            add(
                &mut parts,
                Test::PortIn(side, Arc::new(PortList::merged(None, ranges))),
            );
        }
    }
    parts
}

fn test(part: &Tree, positive: bool) -> Option<&Test> {
    match (part, positive) {
        (Tree::Test(test), true) => Some(test),
        (Tree::Not(inner), false) => test(inner, true),
        _ => None,
    }
}

/// Takes out the parts of a kind, if there are many.
fn taken<T>(parts: &mut Vec<Tree>, kind: impl Fn(&Tree) -> Option<T>) -> Option<Vec<T>> {
    if parts.iter().filter(|part| kind(part).is_some()).count() < MANY {
        return None;
    }
    let found = parts.iter().filter_map(&kind).collect();
    parts.retain(|part| kind(part).is_none());
    Some(found)
}
