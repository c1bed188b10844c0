//! 32-bit arithmetic over a packet's bytes.

use sensor_common::facts::Facts;
use sensor_common::flow::{IPV6, NOT_IP, VALID};

use crate::filter::tree::{Base, Formula, Operator, Term};

pub(super) fn holds(formula: &Formula, facts: &Facts, bytes: &[u8]) -> bool {
    let value = |term| value(term, facts, bytes);
    match (value(&formula.left), value(&formula.right)) {
        (Some(left), Some(right)) => formula.compare.holds(left, right),
        _ => false,
    }
}

/// The parser bounds how deep terms are nested.
fn value(term: &Term, facts: &Facts, bytes: &[u8]) -> Option<u32> {
    match term {
        Term::Number(number) => Some(*number),
        Term::Length => Some(facts.wire_len),
        Term::Bytes { base, offset, size } => {
            let offset = value(offset, facts, bytes)?;
            let start = start(*base, facts)?.checked_add(offset as usize)?;
            load(bytes.get(start..)?, *size)
        }
        Term::Operation(operator, left, right) => {
            let left = value(left, facts, bytes)?;
            operate(*operator, left, value(right, facts, bytes)?)
        }
    }
}

fn load(bytes: &[u8], size: u8) -> Option<u32> {
    match size {
        1 => bytes.first().map(|byte| u32::from(*byte)),
        2 => bytes
            .first_chunk()
            .map(|bytes| u32::from(u16::from_be_bytes(*bytes))),
        4 => bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)),
        _ => None,
    }
}

fn operate(operator: Operator, left: u32, right: u32) -> Option<u32> {
    Some(match operator {
        Operator::Add => left.wrapping_add(right),
        Operator::Subtract => left.wrapping_sub(right),
        Operator::Multiply => left.wrapping_mul(right),
        Operator::Divide => left.checked_div(right)?,
        Operator::Modulo => left.checked_rem(right)?,
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft => left.checked_shl(right).unwrap_or(0),
        Operator::ShiftRight => left.checked_shr(right).unwrap_or(0),
    })
}

fn start(base: Base, facts: &Facts) -> Option<usize> {
    let key = facts.key();
    let kind = key.0[4] & (VALID | NOT_IP | IPV6);
    let is_ip = kind & !IPV6 == VALID;
    let (there, offset) = match base {
        Base::Link => (true, 0),
        Base::Ipv4 => (kind == VALID, facts.network_offset),
        Base::Ipv6 => (kind == VALID | IPV6, facts.network_offset),
        Base::Network(id) => (
            kind & !IPV6 == VALID | NOT_IP && key.network() == id,
            facts.network_offset,
        ),
        Base::Transport(protocol) => (
            is_ip && key.protocol() == protocol && facts.transport_offset != 0,
            facts.transport_offset,
        ),
    };
    there.then_some(usize::from(offset))
}
