//! `tcp[tcpflags] & tcp-syn != 0`, `len > 100`: arithmetic, with what is constant reckoned now.

use std::sync::Arc;

use sensor_common::protocol::network;

use super::Context;
use super::problem::Problem;
use crate::filter::ast::{Arithmetic, Operator, Relation, Span};
use crate::filter::error::FilterError;
use crate::filter::names;
use crate::filter::tree::{Base, Compare, Formula, Term, Test, Tree};

pub(super) fn lower(context: &Context<'_>, relation: &Relation) -> Result<Tree, FilterError> {
    let left = term(context, &relation.left, &relation.span)?;
    let right = term(context, &relation.right, &relation.span)?;
    Ok(compare(left, relation.compare, right))
}

/// The test, or what it always gives.
pub(super) fn compare(left: Term, compare: Compare, right: Term) -> Tree {
    match (left, right) {
        (Term::Number(a), Term::Number(b)) => constant(compare.holds(a, b)),
        (Term::Length, Term::Number(n)) => length(compare, n),
        (Term::Number(n), Term::Length) => length(mirrored(compare), n),
        (left, right) => Tree::Test(Test::Relation(Arc::new(Formula {
            left,
            compare,
            right,
        }))),
    }
}

fn constant(holds: bool) -> Tree {
    if holds { Tree::True } else { Tree::False }
}

fn length(compare: Compare, number: u32) -> Tree {
    match (compare, number) {
        (Compare::GreaterOrEqual, 0) => Tree::True,
        (Compare::Less, 0) => Tree::False,
        _ => Tree::Test(Test::Length(compare, number)),
    }
}

fn mirrored(compare: Compare) -> Compare {
    match compare {
        Compare::Less => Compare::Greater,
        Compare::LessOrEqual => Compare::GreaterOrEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterOrEqual => Compare::LessOrEqual,
        Compare::Equal | Compare::NotEqual => compare,
    }
}

fn term(context: &Context<'_>, typed: &Arithmetic, span: &Span) -> Result<Term, FilterError> {
    Ok(match typed {
        Arithmetic::Number(number) => Term::Number(*number),
        Arithmetic::Length => Term::Length,
        Arithmetic::Bytes {
            protocol,
            offset,
            size,
            span,
        } => Term::Bytes {
            base: base(protocol).map_err(|problem| context.error(problem, span))?,
            offset: Box::new(term(context, offset, span)?),
            size: *size,
        },
        Arithmetic::Operation {
            operator,
            left,
            right,
        } => {
            let left = term(context, left, span)?;
            let right = term(context, right, span)?;
            operation(*operator, left, right).map_err(|problem| context.error(problem, span))?
        }
    })
}

/// Only numbers are reckoned: `tcp[0] * 0` is not 0 where there is no byte.
pub(super) fn operation(operator: Operator, left: Term, right: Term) -> Result<Term, Problem> {
    if let Term::Number(number) = right {
        check_right(operator, number)?;
    }
    let (Term::Number(a), Term::Number(b)) = (&left, &right) else {
        return Ok(Term::Operation(operator, Box::new(left), Box::new(right)));
    };
    let (a, b) = (*a, *b);
    Ok(Term::Number(match operator {
        Operator::Add => a.wrapping_add(b),
        Operator::Subtract => a.wrapping_sub(b),
        Operator::Multiply => a.wrapping_mul(b),
        Operator::Divide => a.checked_div(b).unwrap_or(0),
        Operator::Modulo => a.checked_rem(b).unwrap_or(0),
        Operator::And => a & b,
        Operator::Or => a | b,
        Operator::Xor => a ^ b,
        Operator::ShiftLeft => a.wrapping_shl(b),
        Operator::ShiftRight => a.wrapping_shr(b),
    }))
}

fn check_right(operator: Operator, number: u32) -> Result<(), Problem> {
    match operator {
        Operator::Divide | Operator::Modulo if number == 0 => {
            Err(Problem::new("division by zero").help("such a comparison is never true"))
        }
        Operator::ShiftLeft | Operator::ShiftRight if number > 31 => {
            let message = format!("a shift by {number} leaves nothing of 32 bits");
            Err(Problem::new(message).help("shift by 0 to 31"))
        }
        _ => Ok(()),
    }
}

pub(super) fn base(word: &str) -> Result<Base, Problem> {
    match word {
        "ether" | "link" | "ppp" => return Ok(Base::Link),
        "ip" | "ip4" | "ipv4" => return Ok(Base::Ipv4),
        "ip6" | "ipv6" => return Ok(Base::Ipv6),
        _ => {}
    }
    if let Some(number) = names::transport(word) {
        return Ok(Base::Transport(number));
    }
    match names::nameless(word) {
        Some(Test::Protocol(number)) => return Ok(Base::Transport(number)),
        Some(Test::Network(id)) => return Ok(Base::Network(id)),
        _ => {}
    }
    match names::networks(word) {
        Some(&[id]) if !is_walked_over(id) => Ok(Base::Network(id)),
        Some(_) => {
            let message = format!("'{word}' has no header of its own to count bytes from");
            Err(Problem::new(message).help("count from the packet's first byte: 'ether[14:2]'"))
        }
        None => {
            let help = "count from the header of ether, ip, ip6, arp, tcp, udp, icmp, icmp6 or another transport";
            Err(Problem::new(format!("the bytes of '{word}' can't be had")).help(help))
        }
    }
}

/// Tags, and what is no protocol.
fn is_walked_over(id: u16) -> bool {
    let tags = [network::VN_TAG, network::E_TAG, network::PBB];
    let tested = !matches!(names::network_test(id), Test::Network(_));
    tested || tags.contains(&id) || id == network::UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_reckoned_in_32_bits() {
        let number = |operator, a, b| operation(operator, Term::Number(a), Term::Number(b));
        assert_eq!(number(Operator::Subtract, 0, 1), Ok(Term::Number(u32::MAX)));
        assert_eq!(
            number(Operator::ShiftLeft, 1, 31),
            Ok(Term::Number(1 << 31))
        );
        assert_eq!(number(Operator::Modulo, 7, 4), Ok(Term::Number(3)));
        assert!(number(Operator::Divide, 1, 0).is_err());
        assert!(operation(Operator::Modulo, Term::Length, Term::Number(0)).is_err());
        assert!(operation(Operator::ShiftRight, Term::Length, Term::Number(32)).is_err());
        assert!(operation(Operator::Divide, Term::Length, Term::Length).is_ok());
    }

    #[test]
    fn lengths_and_constants_are_no_formulas() {
        let n = Term::Number;
        assert_eq!(
            compare(n(100), Compare::Less, Term::Length),
            Tree::Test(Test::Length(Compare::Greater, 100))
        );
        assert_eq!(compare(n(1), Compare::Equal, n(1)), Tree::True);
        assert_eq!(compare(Term::Length, Compare::Less, n(0)), Tree::False);
        assert_eq!(
            compare(n(0), Compare::LessOrEqual, Term::Length),
            Tree::True
        );
    }

    #[test]
    fn offsets_count_from_headers_that_there_are() {
        assert_eq!(base("link"), Ok(Base::Link));
        assert_eq!(base("icmpv6"), Ok(Base::Transport(58)));
        assert_eq!(base("icmp6"), Ok(Base::Transport(58)));
        assert_eq!(base("ip"), Ok(Base::Ipv4));
        assert_eq!(base("arp"), Ok(Base::Network(network::ARP)));
        assert_eq!(base("lldp"), Ok(Base::Network(0x88cc)));
        for word in ["vlan", "mpls", "pppoes", "ipv9", "dns", "llc", "radio"] {
            assert!(base(word).is_err(), "{word}");
        }
    }
}
