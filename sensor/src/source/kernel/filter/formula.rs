//! 32-bit arithmetic over the packet's bytes as instructions: the value of a term in R0, intermediate ones on the stack.

use std::mem::offset_of;

use sensor_common::facts::Facts;

use super::assemble::{Alu, FACTS, Jump, R0, R1, R2, Reg, Width};
use super::checks::{PROTOCOL, Writer, failing};
use crate::filter::tree::{Base, Formula, Operator, Term};

/// The stack's last eight bytes hold what is loaded; below them are the intermediate values. The programs use most of
/// the 512 bytes that all frames may have together.
const FIRST_SLOT: i16 = 16;
const LAST_SLOT: i16 = 64;

/// There is no room for the intermediate values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

pub(super) fn write(writer: &mut Writer<'_>, formula: &Formula) -> Result<(), TooDeep> {
    let jump = failing(formula.compare);
    let no = writer.no;
    if let Term::Number(right) = formula.right {
        term(writer, &formula.left, FIRST_SLOT)?;
        writer.to.jump(jump, R0, right, no);
        return Ok(());
    }
    both(writer, &formula.left, &formula.right, FIRST_SLOT)?;
    writer.to.jump_register(jump, R1, R0, no);
    Ok(())
}

/// Left in R1, right in R0.
fn both(writer: &mut Writer<'_>, left: &Term, right: &Term, slot: i16) -> Result<(), TooDeep> {
    if slot > LAST_SLOT {
        return Err(TooDeep);
    }
    term(writer, left, slot)?;
    writer.to.store(slot, R0);
    term(writer, right, slot + 8)?;
    writer.to.load_stack(Width::Double, R1, slot);
    Ok(())
}

fn term(writer: &mut Writer<'_>, value: &Term, slot: i16) -> Result<(), TooDeep> {
    match value {
        Term::Number(number) => writer.to.alu_immediate(Alu::Mov, R0, *number),
        Term::Length => {
            let offset = offset_of!(Facts, wire_len);
            writer.to.load(Width::Word, R0, FACTS, offset);
        }
        Term::Bytes { base, offset, size } => bytes(writer, *base, offset, *size, slot)?,
        Term::Operation(operator, left, right) => {
            both(writer, left, right, slot)?;
            operation(writer, *operator);
            writer.to.alu(Alu::Mov, R0, R1);
        }
    }
    Ok(())
}

/// R1 with R0, to R1.
fn operation(writer: &mut Writer<'_>, operator: Operator) {
    let (to, no) = (&mut *writer.to, writer.no);
    let operation = match operator {
        Operator::Add => Alu::Add,
        Operator::Subtract => Alu::Sub,
        Operator::Multiply => Alu::Mul,
        Operator::Divide | Operator::Modulo => {
            to.jump(Jump::Equal, R0, 0, no);
            if operator == Operator::Divide {
                Alu::Div
            } else {
                Alu::Mod
            }
        }
        Operator::And => Alu::And,
        Operator::Or => Alu::Or,
        Operator::Xor => Alu::Xor,
        Operator::ShiftLeft | Operator::ShiftRight => {
            let (fits, done) = (to.label(), to.label());
            to.jump(Jump::Less, R0, 32, fits);
            to.alu_immediate(Alu::Mov, R1, 0);
            to.goto(done);
            to.place(fits);
            let shift = if operator == Operator::ShiftLeft {
                Alu::Lsh
            } else {
                Alu::Rsh
            };
            to.alu(shift, R1, R0);
            to.place(done);
            return;
        }
    };
    to.alu(operation, R1, R0);
}

fn bytes(
    writer: &mut Writer<'_>,
    base: Base,
    offset: &Term,
    size: u8,
    slot: i16,
) -> Result<(), TooDeep> {
    /// Offsets are 31 bits; the sum of base and offset must not come round to the packet again.
    const LARGEST: i32 = i32::MAX;
    term(writer, offset, slot)?;
    writer.to.alu(Alu::Mov, R2, R0);
    let no = writer.no;
    match base {
        Base::Link => {}
        Base::Ipv4 | Base::Ipv6 => {
            writer.ip_version(base == Base::Ipv6);
            add(writer, offset_of!(Facts, network_offset), R2);
        }
        Base::Network(id) => {
            writer.network(id);
            add(writer, offset_of!(Facts, network_offset), R2);
        }
        Base::Transport(protocol) => {
            writer.ip();
            writer.to.load(Width::Byte, R1, FACTS, PROTOCOL);
            writer.to.jump(Jump::NotEqual, R1, u32::from(protocol), no);
            let field = offset_of!(Facts, transport_offset);
            writer.to.load(Width::Half, R1, FACTS, field);
            writer.to.jump(Jump::Equal, R1, 0, no);
            add(writer, field, R2);
        }
    }
    writer.to.jump_all_immediate(Jump::Greater, R2, LARGEST, no);
    writer.load_bytes(u32::from(size));
    let (width, bits) = match size {
        1 => (Width::Byte, 0),
        2 => (Width::Half, 16),
        _ => (Width::Word, 32),
    };
    writer.to.load_stack(width, R0, 8);
    if bits > 0 {
        writer.to.network_to_host(R0, bits);
    }
    Ok(())
}

/// Adds a 16-bit field of the facts, 64 bits wide.
fn add(writer: &mut Writer<'_>, field: usize, to: Reg) {
    writer.to.load(Width::Half, R1, FACTS, field);
    writer.to.alu_all(Alu::Add, to, R1);
}
