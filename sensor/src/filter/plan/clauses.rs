//! A conjunct with tests of packets and of flows, as a conjunction of clauses that have one kind each.

use super::{Mixed, SplitError, first_test, needs};
use crate::filter::normal;
use crate::filter::tree::{Needs, Test, Tree};

/// Clauses that a part may be multiplied out into; more is no longer cheap to evaluate.
const MOST_CLAUSES: usize = 256;

/// The conjuncts of `(a and p) or (a and f)`: `a`, and where that is possible no other with tests of packets (`p`) and
/// of flows (`f`). An error where one is left with both, or where there are too many to see.
pub(super) fn split(tree: &Tree) -> Result<Vec<Tree>, SplitError> {
    let clauses = multiplied_out(tree).ok_or(SplitError::Entangled)?;
    let clauses = without_implied(clauses);
    let whole = |clause: Clause<'_>| normal::any(clause.into_iter().cloned().collect());
    let (unsplit, clauses): (Vec<_>, Vec<_>) = clauses
        .into_iter()
        .partition(|clause| has(clause, Needs::Packet) && has(clause, Needs::Flow));
    for clause in unsplit {
        if !follows(&clause, &clauses)
            && let Some(mixed) = mixed(&whole(clause))
        {
            return Err(mixed.into());
        }
    }
    Ok(clauses.into_iter().map(whole).collect())
}

/// Alternatives, of which none has tests of packets and of flows.
type Clause<'a> = Vec<&'a Tree>;

fn multiplied_out(tree: &Tree) -> Option<Vec<Clause<'_>>> {
    match tree {
        Tree::All(parts) if is_mixed(tree) => {
            let mut clauses = Vec::new();
            for part in parts {
                clauses.extend(multiplied_out(part)?);
            }
            (clauses.len() <= MOST_CLAUSES).then_some(clauses)
        }
        Tree::Any(parts) if is_mixed(tree) => {
            let mut product: Vec<Clause<'_>> = vec![Vec::new()];
            for part in parts {
                let factors = alternatives(part)?;
                if product.len() * factors.len() > MOST_CLAUSES {
                    return None;
                }
                product = product
                    .iter()
                    .flat_map(|left| factors.iter().map(move |right| joined(left, right)))
                    .collect();
                product = without_implied(product);
            }
            Some(product)
        }
        _ => Some(vec![vec![tree]]),
    }
}

/// Conjunctions among the alternatives of a mixed part are opened even where they are not mixed themselves: what they
/// have in common is found so.
fn alternatives(part: &Tree) -> Option<Vec<Clause<'_>>> {
    match part {
        Tree::All(parts) if !is_mixed(part) => Some(parts.iter().map(|part| vec![part]).collect()),
        _ => multiplied_out(part),
    }
}

fn is_mixed(tree: &Tree) -> bool {
    needs(tree, Needs::Packet) && needs(tree, Needs::Flow)
}

fn joined<'a>(left: &[&'a Tree], right: &[&'a Tree]) -> Clause<'a> {
    let mut clause = left.to_vec();
    for part in right {
        if !clause.contains(part) {
            clause.push(part);
        }
    }
    clause
}

/// Leaves out clauses that another one implies, and those that always hold.
fn without_implied(clauses: Vec<Clause<'_>>) -> Vec<Clause<'_>> {
    let mut kept: Vec<Clause<'_>> = Vec::new();
    for clause in clauses {
        let implied =
            |by: &Clause<'_>, clause: &Clause<'_>| by.iter().all(|part| clause.contains(part));
        if always_holds(&clause) || kept.iter().any(|other| implied(other, &clause)) {
            continue;
        }
        kept.retain(|other| !implied(&clause, other));
        kept.push(clause);
    }
    kept
}

fn always_holds(clause: &[&Tree]) -> bool {
    clause.iter().any(|part| match part {
        Tree::Not(inner) => clause.contains(&&**inner),
        _ => false,
    })
}

/// The clause says no more than two of the others together: `p or f`, beside `tcp or f` and `not tcp or p` (or
/// `udp or p`).
fn follows(clause: &[&Tree], others: &[Clause<'_>]) -> bool {
    let rests: Vec<&Tree> = others
        .iter()
        .filter_map(|other| only_one_beyond(other, clause))
        .collect();
    rests
        .iter()
        .enumerate()
        .any(|(index, a)| rests[..index].iter().any(|b| exclude_each_other(a, b)))
}

fn only_one_beyond<'a>(other: &[&'a Tree], clause: &[&Tree]) -> Option<&'a Tree> {
    let mut beyond = other.iter().filter(|part| !clause.contains(part));
    let first = beyond.next()?;
    beyond.next().is_none().then_some(*first)
}

/// At most one of them holds, of any packet.
fn exclude_each_other(a: &Tree, b: &Tree) -> bool {
    match (a, b) {
        (Tree::Not(inner), other) | (other, Tree::Not(inner)) => **inner == *other,
        (Tree::Test(a), Tree::Test(b)) => match (a, b) {
            (Test::Protocol(a), Test::Protocol(b)) => a != b,
            (Test::Network(a), Test::Network(b)) => a != b,
            (Test::Direction(a), Test::Direction(b)) => a != b,
            (Test::Ipv4, Test::Ipv6) | (Test::Ipv6, Test::Ipv4) => true,
            (Test::Network(_), Test::Ipv4 | Test::Ipv6 | Test::Protocol(_))
            | (Test::Ipv4 | Test::Ipv6 | Test::Protocol(_), Test::Network(_)) => true,
            _ => false,
        },
        _ => false,
    }
}

fn has(clause: &[&Tree], need: Needs) -> bool {
    clause.iter().any(|part| needs(part, need))
}

fn mixed(tree: &Tree) -> Option<Mixed> {
    Some(Mixed {
        packet: first_test(tree, Needs::Packet)?.clone(),
        flow: first_test(tree, Needs::Flow)?.clone(),
    })
}
