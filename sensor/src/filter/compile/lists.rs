//! Many alternatives of one kind (`host a or host b or ...`) as one list.

use std::sync::Arc;

use crate::filter::normal;
use crate::filter::tree::{PortList, PortRange, Prefix, PrefixList, Side, Test, Tree};

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
            add(&mut parts, Test::AddressIn(side, prefix_list(prefixes)));
        }
        let port = |part: &Tree| match test(part, positive) {
            Some(Test::Port(other, range)) if *other == side => Some(*range),
            _ => None,
        };
        if let Some(ranges) = taken(&mut parts, port) {
            add(&mut parts, Test::PortIn(side, port_list(ranges)));
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

fn prefix_list(mut prefixes: Vec<Prefix>) -> Arc<PrefixList> {
    prefixes.sort_unstable();
    let mut list: Vec<Prefix> = Vec::with_capacity(prefixes.len());
    for prefix in prefixes {
        if !list.last().is_some_and(|last| covers(last, &prefix)) {
            list.push(prefix);
        }
    }
    Arc::new(PrefixList {
        file: None,
        prefixes: list,
    })
}

fn covers(prefix: &Prefix, other: &Prefix) -> bool {
    use std::net::IpAddr::{V4, V6};
    let agreeing = match (prefix.addr, other.addr) {
        (V4(a), V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (V6(a), V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    prefix.len <= other.len && agreeing >= u32::from(prefix.len)
}

fn port_list(mut ranges: Vec<PortRange>) -> Arc<PortList> {
    ranges.retain(|range| range.first <= range.last);
    ranges.sort_unstable();
    let mut list: Vec<PortRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match list.last_mut() {
            Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                last.last = last.last.max(range.last);
            }
            _ => list.push(range),
        }
    }
    Arc::new(PortList {
        file: None,
        ranges: list,
    })
}
