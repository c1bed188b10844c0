//! BPF instructions (RFC 9669) with labels.

use std::collections::HashMap;

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reg(u8);

/// Return value, and accumulator of formulas.
pub(super) const R0: Reg = Reg(0);
/// R1 to R5 are arguments, and lost in calls.
pub(super) const R1: Reg = Reg(1);
pub(super) const R2: Reg = Reg(2);
pub(super) const R3: Reg = Reg(3);
pub(super) const R4: Reg = Reg(4);
/// Kept across calls.
pub(super) const CONTEXT: Reg = Reg(6);
pub(super) const FACTS: Reg = Reg(7);
/// End of the stack frame.
pub(super) const FRAME: Reg = Reg(10);

/// Width of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Byte = 0x10,
    Half = 0x08,
    Word = 0x00,
    Double = 0x18,
}

/// 32-bit arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alu {
    Add = 0x00,
    Sub = 0x10,
    Mul = 0x20,
    Div = 0x30,
    Or = 0x40,
    And = 0x50,
    Lsh = 0x60,
    Rsh = 0x70,
    Mod = 0x90,
    Xor = 0xa0,
    Mov = 0xb0,
}

/// Unsigned comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    Equal = 0x10,
    Greater = 0x20,
    GreaterOrEqual = 0x30,
    /// Any bit in common.
    AnyBit = 0x40,
    NotEqual = 0x50,
    Less = 0xa0,
    LessOrEqual = 0xb0,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Label {
    /// A node of the decision list.
    Node(u32),
    /// Made by [`Assembler::label`].
    Local(u32),
}

const CLASS_ALU32: u8 = 0x04;
const CLASS_JMP: u8 = 0x05;
const CLASS_JMP32: u8 = 0x06;
const CLASS_ALU64: u8 = 0x07;
const REGISTER: u8 = 0x08;
/// Operations of [`CLASS_JMP`].
const GOTO: u8 = 0x00;
const CALL: u8 = 0x80;
const EXIT: u8 = 0x90;
/// Source register of a call within the program.
const PSEUDO_CALL: u8 = 1;

#[derive(Clone, Copy, Debug)]
struct Instruction {
    opcode: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// The most jumps of one way through the function. The verifier keeps 8,192 ways for later, some of which it needs for
/// the programs around the function where it can't verify that by itself.
const MAX_PENDING: usize = 7_500;

/// The function is too long for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// A jump leads farther than its 16 bits reach.
    #[error("its length: it needs more instructions than a jump can cross")]
    Far,
    #[error(
        "its length: a packet may have to take {0} branches one after the other, more than the {MAX_PENDING} that the kernel's \
         verifier follows"
    )]
    Branches(usize),
}

#[derive(Default)]
pub(super) struct Assembler {
    code: Vec<Instruction>,
    places: HashMap<Label, usize>,
    jumps: Vec<(usize, Label)>,
    locals: u32,
}

impl Assembler {
    pub(super) fn label(&mut self) -> Label {
        self.locals += 1;
        Label::Local(self.locals)
    }

    /// The label means the next instruction.
    pub(super) fn place(&mut self, label: Label) {
        self.places.insert(label, self.code.len());
    }

    pub(super) fn load(&mut self, width: Width, to: Reg, base: Reg, offset: usize) {
        self.emit(0x61 | width as u8, (to, base), offset as i16, 0);
    }

    /// To the stack frame, `slot` bytes from its end.
    pub(super) fn store(&mut self, slot: i16, from: Reg) {
        self.emit(0x7b, (FRAME, from), -slot, 0);
    }

    pub(super) fn load_stack(&mut self, width: Width, to: Reg, slot: i16) {
        self.emit(0x61 | width as u8, (to, FRAME), -slot, 0);
    }

    pub(super) fn constant(&mut self, to: Reg, value: u64) {
        self.emit(0x18, (to, Reg(0)), 0, value as u32 as i32);
        self.emit(0, (Reg(0), Reg(0)), 0, (value >> 32) as i32);
    }

    pub(super) fn alu(&mut self, operation: Alu, to: Reg, from: Reg) {
        self.emit(CLASS_ALU32 | REGISTER | operation as u8, (to, from), 0, 0);
    }

    pub(super) fn alu_immediate(&mut self, operation: Alu, to: Reg, value: u32) {
        self.emit(CLASS_ALU32 | operation as u8, (to, Reg(0)), 0, value as i32);
    }

    /// 64 bits wide.
    pub(super) fn move_all(&mut self, to: Reg, from: Reg) {
        self.emit(CLASS_ALU64 | REGISTER | Alu::Mov as u8, (to, from), 0, 0);
    }

    pub(super) fn alu_all(&mut self, operation: Alu, to: Reg, from: Reg) {
        self.emit(CLASS_ALU64 | REGISTER | operation as u8, (to, from), 0, 0);
    }

    pub(super) fn alu_all_immediate(&mut self, operation: Alu, to: Reg, value: i32) {
        self.emit(CLASS_ALU64 | operation as u8, (to, Reg(0)), 0, value);
    }

    /// Turns the low 16 or 32 bits from network byte order.
    pub(super) fn network_to_host(&mut self, register: Reg, bits: i32) {
        self.emit(0xdc, (register, Reg(0)), 0, bits);
    }

    pub(super) fn goto(&mut self, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(CLASS_JMP | GOTO, (Reg(0), Reg(0)), 0, 0);
    }

    /// Compares the low 32 bits.
    pub(super) fn jump(&mut self, jump: Jump, left: Reg, right: u32, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(CLASS_JMP32 | jump as u8, (left, Reg(0)), 0, right as i32);
    }

    pub(super) fn jump_register(&mut self, jump: Jump, left: Reg, right: Reg, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(CLASS_JMP32 | REGISTER | jump as u8, (left, right), 0, 0);
    }

    /// Compares all 64 bits.
    pub(super) fn jump_all(&mut self, jump: Jump, left: Reg, right: Reg, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(CLASS_JMP | REGISTER | jump as u8, (left, right), 0, 0);
    }

    pub(super) fn jump_all_immediate(&mut self, jump: Jump, left: Reg, right: i32, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(CLASS_JMP | jump as u8, (left, Reg(0)), 0, right);
    }

    /// A helper of the kernel.
    pub(super) fn call_helper(&mut self, number: i32) {
        self.emit(CLASS_JMP | CALL, (Reg(0), Reg(0)), 0, number);
    }

    /// A function that is `distance` instructions from the start of this one.
    pub(super) fn call_function(&mut self, distance: i32) {
        let next = self.code.len() as i32 + 1;
        self.emit(
            CLASS_JMP | CALL,
            (Reg(0), Reg(PSEUDO_CALL)),
            0,
            distance - next,
        );
    }

    pub(super) fn exit(&mut self) {
        self.emit(CLASS_JMP | EXIT, (Reg(0), Reg(0)), 0, 0);
    }

    fn emit(&mut self, opcode: u8, (to, from): (Reg, Reg), offset: i16, immediate: i32) {
        self.code.push(Instruction {
            opcode,
            registers: from.0 << 4 | to.0,
            offset,
            immediate,
        });
    }

    /// The bytes of all instructions, little-endian.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, TooLong> {
        self.resolve()?;
        let pending = self.pending();
        if pending > MAX_PENDING {
            return Err(TooLong::Branches(pending));
        }
        let bytes = |one: &Instruction| {
            let [low, high] = one.offset.to_le_bytes();
            let [a, b, c, d] = one.immediate.to_le_bytes();
            [one.opcode, one.registers, low, high, a, b, c, d]
        };
        Ok(self.code.iter().flat_map(bytes).collect())
    }

    fn resolve(&mut self) -> Result<(), TooLong> {
        for (place, label) in &self.jumps {
            let target = self.places.get(label).ok_or(TooLong::Far)?;
            let distance = *target as i64 - *place as i64 - 1;
            self.code[*place].offset = i16::try_from(distance).map_err(|_| TooLong::Far)?;
        }
        Ok(())
    }

    /// How many ways the verifier keeps for later at most: it goes straight on at each branch, and takes what it left
    /// last when it comes to an end. All jumps lead forwards.
    fn pending(&self) -> usize {
        let mut kept = vec![0; self.code.len() + 1];
        for (place, one) in self.code.iter().enumerate().rev() {
            let next = kept[place + 1];
            let target = (place as i64 + 1 + i64::from(one.offset)) as usize;
            let aside = kept.get(target).copied().unwrap_or(0);
            kept[place] = match (one.opcode & 7, one.opcode & 0xf0) {
                (CLASS_JMP, EXIT) => 0,
                (CLASS_JMP, GOTO) => aside,
                (CLASS_JMP, CALL) => next,
                (CLASS_JMP | CLASS_JMP32, _) => aside.max(next + 1),
                _ => next,
            };
        }
        kept[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many tests in a row, each of which ends the function where it fails.
    fn row(tests: usize) -> Assembler {
        let mut to = Assembler::default();
        let end = to.label();
        for _ in 0..tests {
            to.jump(Jump::Equal, R1, 0, end);
        }
        to.place(end);
        to.exit();
        to
    }

    #[test]
    fn branches_that_are_left_for_later_add_up_and_those_that_end_do_not() {
        let pending = |mut to: Assembler| to.resolve().map(|()| to.pending());
        assert_eq!(pending(row(5)), Ok(5));
        let mut to = Assembler::default();
        for _ in 0..5 {
            let next = to.label();
            to.jump(Jump::NotEqual, R1, 0, next);
            to.call_helper(1);
            to.exit();
            to.place(next);
        }
        to.constant(R0, 0);
        to.exit();
        assert_eq!(pending(to), Ok(1));
    }

    #[test]
    fn what_the_verifier_does_not_follow_is_known_before_it_is_loaded() {
        assert!(row(MAX_PENDING).finish().is_ok());
        let refused = row(MAX_PENDING + 1).finish();
        assert_eq!(refused, Err(TooLong::Branches(MAX_PENDING + 1)));
        assert_eq!(row(40_000).finish(), Err(TooLong::Far));
    }
}
