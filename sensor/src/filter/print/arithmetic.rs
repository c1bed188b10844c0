//! Comparisons as text: `tcp[13] & 2 != 0`, `bytes > 10M`.

use std::fmt::{self, Display, Formatter};

use sensor_common::protocol;

use crate::filter::tree::{Base, Compare, Formula, Measure, Operator, Term};

impl Display for Formula {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.compare, self.right)
    }
}

impl Display for Compare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compare::Equal => "=",
            Compare::NotEqual => "!=",
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
        })
    }
}

pub(super) fn measured(
    f: &mut Formatter<'_>,
    measure: Measure,
    compare: Compare,
    value: u64,
) -> fmt::Result {
    let (word, units) = match measure {
        Measure::Bytes => ("bytes", &AMOUNTS[..]),
        Measure::Packets => ("packets", &AMOUNTS[..]),
        Measure::Duration => ("duration", &TIMES[..]),
    };
    let fits = |(_, factor): &&(&str, u64)| value != 0 && value.is_multiple_of(*factor);
    let (unit, factor) = units
        .iter()
        .find(fits)
        .or(units.last())
        .copied()
        .unwrap_or(("", 1));
    write!(f, "{word} {compare} {}{unit}", value / factor)
}

const AMOUNTS: [(&str, u64); 4] = [
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
    ("", 1),
];
const TIMES: [(&str, u64); 4] = [
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Number(number) => write!(f, "{number}"),
            Term::Length => f.write_str("len"),
            Term::Bytes { base, offset, size } => {
                base_name(f, *base)?;
                match size {
                    1 => write!(f, "[{offset}]"),
                    size => write!(f, "[{offset}:{size}]"),
                }
            }
            Term::Operation(operator, left, right) => {
                term(f, *operator, left, true)?;
                write!(f, " {} ", sign(*operator))?;
                term(f, *operator, right, false)
            }
        }
    }
}

/// A side of an operation: nested ones in parentheses, masks in hexadecimal.
fn term(f: &mut Formatter<'_>, outer: Operator, term: &Term, left: bool) -> fmt::Result {
    let bits = matches!(outer, Operator::And | Operator::Or | Operator::Xor);
    match term {
        // The grammar reads `a % b % c` from the right.
        Term::Operation(inner, ..)
            if *inner == outer && left && !matches!(outer, Operator::Modulo | Operator::Xor) =>
        {
            write!(f, "{term}")
        }
        Term::Operation(..) => write!(f, "({term})"),
        Term::Number(number) if bits && *number > 9 => write!(f, "{number:#x}"),
        term => write!(f, "{term}"),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Modulo => "%",
        Operator::And => "&",
        Operator::Or => "|",
        Operator::Xor => "^",
        Operator::ShiftLeft => "<<",
        Operator::ShiftRight => ">>",
    }
}

fn base_name(f: &mut Formatter<'_>, base: Base) -> fmt::Result {
    match base {
        Base::Link => f.write_str("ether"),
        Base::Ipv4 => f.write_str("ip"),
        Base::Ipv6 => f.write_str("ip6"),
        Base::Transport(58) => f.write_str("icmp6"),
        Base::Transport(number) => match protocol::transport_name(number) {
            Some(name) => f.write_str(name),
            None => write!(f, "ip-proto-{number}"),
        },
        Base::Network(id) => match protocol::network_name(id) {
            Some(name) => f.write_str(name),
            None => write!(f, "ethertype-{id:#06x}"),
        },
    }
}
