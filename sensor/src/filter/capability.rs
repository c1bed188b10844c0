//! What some backends can't decide, so that it is said before anything is counted.

use super::tree::{Base, Formula, Operator, Term, Test, Tree};

/// Bytes of an Ethernet header that no VLAN tag moves: the two addresses.
const BEFORE_TAGS: u64 = 12;

/// The first part of the filter that the kernel's programs can't decide, as text, and the reason.
///
/// AF_PACKET and files decide everything.
pub fn kernel_refuses(tree: &Tree) -> Option<(String, String)> {
    tree.tests().into_iter().find_map(|test| match test {
        Test::Relation(formula) if reads_tags(formula) => Some((
            Tree::Test(test.clone()).to_string(),
            "it reads bytes behind the MAC addresses, which are others once the hardware has taken a VLAN tag off"
                .to_owned(),
        )),
        _ => None,
    })
}

/// Whether the formula reads bytes that lie elsewhere, or are other bytes, once a VLAN tag has been taken off.
pub fn reads_tags(formula: &Formula) -> bool {
    term_reads_tags(&formula.left) || term_reads_tags(&formula.right)
}

fn term_reads_tags(term: &Term) -> bool {
    match term {
        Term::Number(_) | Term::Length => false,
        Term::Bytes { base, offset, size } => {
            let end = constant(offset).map(|offset| u64::from(offset) + u64::from(*size));
            let moved = *base == Base::Link && end.is_none_or(|end| end > BEFORE_TAGS);
            moved || term_reads_tags(offset)
        }
        Term::Operation(_, left, right) => term_reads_tags(left) || term_reads_tags(right),
    }
}

/// The value, where it is the same for every packet and simple to see.
fn constant(term: &Term) -> Option<u32> {
    match term {
        Term::Number(value) => Some(*value),
        Term::Operation(Operator::Add, left, right) => {
            Some(constant(left)?.wrapping_add(constant(right)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tree::Compare;

    fn bytes(base: Base, offset: Term, size: u8) -> Formula {
        Formula {
            left: Term::Bytes {
                base,
                offset: Box::new(offset),
                size,
            },
            compare: Compare::Equal,
            right: Term::Number(1),
        }
    }

    #[test]
    fn only_the_addresses_stay_where_they_are_without_a_tag() {
        let link = |offset, size| reads_tags(&bytes(Base::Link, Term::Number(offset), size));
        assert!(!link(0, 4) && !link(8, 4) && !link(11, 1));
        assert!(link(12, 2) && link(11, 2) && link(9, 4) && link(u32::MAX, 4));
        assert!(reads_tags(&bytes(Base::Link, Term::Length, 1)));
        assert!(!reads_tags(&bytes(Base::Ipv4, Term::Number(16), 4)));
        assert!(!reads_tags(&bytes(Base::Transport(6), Term::Length, 1)));
    }

    #[test]
    fn offsets_and_operands_are_looked_into() {
        let inner = bytes(Base::Link, Term::Number(12), 2).left;
        assert!(reads_tags(&bytes(Base::Ipv4, inner.clone(), 1)));
        let sum = |a: u32, b: u32| {
            let parts = [a, b].map(|value| Box::new(Term::Number(value)));
            let [a, b] = parts;
            Term::Operation(Operator::Add, a, b)
        };
        assert!(!reads_tags(&bytes(Base::Link, sum(4, 4), 4)));
        assert!(reads_tags(&bytes(Base::Link, sum(4, 5), 4)));
        let formula = Formula {
            left: Term::Number(1),
            compare: Compare::Less,
            right: Term::Operation(Operator::And, Box::new(Term::Length), Box::new(inner)),
        };
        assert!(reads_tags(&formula));
    }
}
