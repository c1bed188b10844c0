//! Trees with negations at single tests only, nested `and`s and `or`s made flat, constants folded.

use super::tree::Tree;

/// The tree, or its negation.
pub(super) fn pushed_down(tree: &Tree, positive: bool) -> Tree {
    let parts = |parts: &[Tree]| {
        parts
            .iter()
            .map(|part| pushed_down(part, positive))
            .collect()
    };
    match (tree, positive) {
        (Tree::True, true) | (Tree::False, false) => Tree::True,
        (Tree::True, false) | (Tree::False, true) => Tree::False,
        (Tree::Test(_), true) => tree.clone(),
        (Tree::Test(_), false) => Tree::Not(Box::new(tree.clone())),
        (Tree::Not(inner), _) => pushed_down(inner, !positive),
        (Tree::All(inner), true) | (Tree::Any(inner), false) => all(parts(inner)),
        (Tree::Any(inner), true) | (Tree::All(inner), false) => any(parts(inner)),
    }
}

pub(super) fn all(parts: Vec<Tree>) -> Tree {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Tree::True => {}
            Tree::False => return Tree::False,
            Tree::All(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 => Tree::True,
        1 => flat.remove(0),
        _ => Tree::All(flat),
    }
}

pub(super) fn any(parts: Vec<Tree>) -> Tree {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Tree::False => {}
            Tree::True => return Tree::True,
            Tree::Any(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 => Tree::False,
        1 => flat.remove(0),
        _ => Tree::Any(flat),
    }
}
