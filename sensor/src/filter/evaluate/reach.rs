//! How far into a packet a check looks: what a packet socket must capture of it.

use sensor_common::view::HEADER_WINDOW;

use crate::filter::program::Check;
use crate::filter::tree::{Base, Operator, Term};

/// Any byte of a packet may be looked at.
pub const UNBOUNDED: usize = usize::MAX;

/// Bytes of an Ethernet header's addresses, and of an ARP packet over Ethernet and IPv4.
const MACS: usize = 12;
const ARP: usize = 28;
/// Network headers begin within the window that the parser reads.
const LAST_NETWORK: usize = HEADER_WINDOW;
/// What is behind an IP header may begin beyond the window: the last IPv6 extension header has its length in its first
/// eight bytes, and up to 2,048 bytes.
const LAST_TRANSPORT: usize = HEADER_WINDOW - 8 + 2048;

pub(super) fn of_check(check: &Check) -> usize {
    match check {
        Check::Mac { .. } => MACS,
        Check::ArpAddress { .. } => LAST_NETWORK + ARP,
        Check::Formula(formula) => of_term(&formula.left).max(of_term(&formula.right)),
        _ => 0,
    }
}

fn of_term(term: &Term) -> usize {
    match term {
        Term::Number(_) | Term::Length => 0,
        Term::Bytes { base, offset, size } => {
            let start = match base {
                Base::Link => 0,
                Base::Ipv4 | Base::Ipv6 | Base::Network(_) => LAST_NETWORK,
                Base::Transport(_) => LAST_TRANSPORT,
            };
            let end = match largest(offset) {
                u32::MAX => UNBOUNDED,
                largest => start + largest as usize + usize::from(*size),
            };
            end.max(of_term(offset))
        }
        Term::Operation(_, left, right) => of_term(left).max(of_term(right)),
    }
}

/// An upper bound of a term's value, `u32::MAX` where there is none.
fn largest(term: &Term) -> u32 {
    match term {
        Term::Number(number) => *number,
        Term::Length => u32::MAX,
        Term::Bytes { size: 1, .. } => u32::from(u8::MAX),
        Term::Bytes { size: 2, .. } => u32::from(u16::MAX),
        Term::Bytes { .. } => u32::MAX,
        Term::Operation(operator, left, right) => of_operation(*operator, left, right),
    }
}

fn of_operation(operator: Operator, left: &Term, right: &Term) -> u32 {
    let exactly = match right {
        Term::Number(number) => Some(*number),
        _ => None,
    };
    let (left, right) = (largest(left), largest(right));
    match operator {
        // A sum or product that could be cut off at 32 bits could be anything: the bound is then the largest number.
        Operator::Add => left.saturating_add(right),
        Operator::Multiply => left.saturating_mul(right),
        Operator::Subtract => u32::MAX,
        Operator::And => left.min(right),
        Operator::Or | Operator::Xor => (left | right)
            .checked_next_power_of_two()
            .map_or(u32::MAX, |bit| bit | (bit - 1)),
        Operator::Divide => left.checked_div(exactly.unwrap_or(1)).unwrap_or(0),
        Operator::Modulo => left.min(right.saturating_sub(1)),
        Operator::ShiftLeft => {
            let shifted = u64::from(left).checked_shl(exactly.unwrap_or(u32::MAX));
            shifted
                .and_then(|bits| u32::try_from(bits).ok())
                .unwrap_or(u32::MAX)
        }
        Operator::ShiftRight => left.checked_shr(exactly.unwrap_or(0)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sensor_common::facts::Facts;
    use sensor_common::parse;
    use sensor_common::view::SliceView;

    use super::*;
    use crate::filter::evaluate::Matcher;
    use crate::filter::program::Program;
    use crate::filter::tree::{Compare, Formula, Test, Tree};

    fn extension(next: u8, units: u8) -> Vec<u8> {
        let mut header = vec![0; (usize::from(units) + 1) * 8];
        header[..2].copy_from_slice(&[next, units]);
        header
    }

    #[test]
    fn a_transport_behind_the_window_is_within_reach() {
        // The last extension header has its length in the last eight bytes of the window.
        let mut packet = vec![0x60, 0, 0, 0, 0xff, 0xff, 60, 64];
        packet.resize(40, 1);
        packet.extend(extension(60, 57));
        packet.extend(extension(6, 255));
        packet.extend([0xab; 20]);
        let mut facts = Facts::NONE;
        let parsed = parse::on_interface(&SliceView(&packet), true);
        facts.parsed(&parsed, 0, packet.len() as u32);
        assert_eq!(usize::from(facts.transport_offset), LAST_TRANSPORT);

        let last_byte = Formula {
            left: Term::Bytes {
                base: Base::Transport(6),
                offset: Box::new(Term::Number(19)),
                size: 1,
            },
            compare: Compare::Equal,
            right: Term::Number(0xab),
        };
        let tree = Tree::Test(Test::Relation(Arc::new(last_byte)));
        let matcher = Matcher::new(Program::compile(&tree, &|_| Vec::new()).unwrap());
        assert!(matcher.matches(&facts, &packet));
        assert_eq!(matcher.reach(), packet.len());
    }
}
