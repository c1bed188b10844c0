//! Putting trees together without the ballast: nested lists, constants, double negations and repetitions.

use std::collections::HashSet;

use crate::filter::tree::Tree;

pub(super) fn all(parts: impl IntoIterator<Item = Tree>) -> Tree {
    let flat = |part| match part {
        Tree::All(inner) => inner,
        part => vec![part],
    };
    let parts = joined(parts.into_iter().flat_map(flat), &Tree::True);
    match parts {
        parts if parts.contains(&Tree::False) => Tree::False,
        parts => single(parts).unwrap_or_else(|parts| match parts.is_empty() {
            true => Tree::True,
            false => Tree::All(parts),
        }),
    }
}

pub(super) fn any(parts: impl IntoIterator<Item = Tree>) -> Tree {
    let flat = |part| match part {
        Tree::Any(inner) => inner,
        part => vec![part],
    };
    let parts = joined(parts.into_iter().flat_map(flat), &Tree::False);
    match parts {
        parts if parts.contains(&Tree::True) => Tree::True,
        parts => single(parts).unwrap_or_else(|parts| match parts.is_empty() {
            true => Tree::False,
            false => Tree::Any(parts),
        }),
    }
}

pub(super) fn not(tree: Tree) -> Tree {
    match tree {
        Tree::True => Tree::False,
        Tree::False => Tree::True,
        Tree::Not(inner) => *inner,
        tree => Tree::Not(Box::new(tree)),
    }
}

/// Without what changes nothing and without repetitions, in the order of the first ones.
fn joined(parts: impl Iterator<Item = Tree>, neutral: &Tree) -> Vec<Tree> {
    let mut parts: Vec<Tree> = parts.filter(|part| part != neutral).collect();
    let mut seen = HashSet::with_capacity(parts.len());
    let first: Vec<bool> = parts.iter().map(|part| seen.insert(part)).collect();
    let mut first = first.into_iter();
    parts.retain(|_| first.next().unwrap_or(true));
    parts
}

fn single(mut parts: Vec<Tree>) -> Result<Tree, Vec<Tree>> {
    match parts.pop() {
        Some(part) if parts.is_empty() => Ok(part),
        Some(part) => {
            parts.push(part);
            Err(parts)
        }
        None => Err(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tree::Test;

    fn protocol(number: u8) -> Tree {
        Tree::Test(Test::Protocol(number))
    }

    #[test]
    fn lists_are_flat_and_without_repetitions() {
        let inner = all([protocol(1), protocol(2)]);
        let tree = all([protocol(2), inner, Tree::True, protocol(1)]);
        assert_eq!(tree, Tree::All(vec![protocol(2), protocol(1)]));
        assert_eq!(any([protocol(1), any([protocol(1)])]), protocol(1));
        assert_eq!(any([all([]), protocol(1)]), Tree::True);
        assert_eq!(all([any([]), protocol(1)]), Tree::False);
    }

    #[test]
    fn negations_cancel() {
        assert_eq!(not(not(protocol(1))), protocol(1));
        assert_eq!(not(Tree::False), Tree::True);
        assert_eq!(all([protocol(1), not(Tree::True)]), Tree::False);
    }
}
