//! Puts constants of the programs where the object has their marks, before the loader sees it.
//!
//! A number becomes the immediate of the instruction that loads it; a table becomes the address of a map's value
//! (`BPF_PSEUDO_MAP_VALUE`), by the descriptor of a map that is there already. Layout: "eBPF Instruction Set" in the kernel's
//! documentation.

use std::os::fd::RawFd;

use sensor_common::constant::{Constant, MARK};
use sensor_common::flow::HashSeeds;

/// Loads 64 bits, over two instructions' length.
const LOAD: u8 = 0x18;
const INSTRUCTION: usize = 8;
/// Source register of such an instruction: what it loads is the address of a map's value.
const OF_MAP_VALUE: u8 = 2;
const MARK_BITS: u32 = 16;

/// What a constant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Table(RawFd),
}

/// By number of the constant.
#[derive(Default)]
pub(super) struct Constants(Vec<(u16, Value)>);

impl Constants {
    pub(super) fn number(&mut self, constant: Constant, value: u64) {
        self.0.push((constant as u16, Value::Number(value)));
    }

    pub(super) fn table(&mut self, constant: Constant, descriptor: RawFd) {
        self.0.push((constant as u16, Value::Table(descriptor)));
    }

    pub(super) fn seeds(&mut self, seeds: &HashSeeds) {
        let first = Constant::Seed as u16;
        self.0
            .extend((first..).zip(seeds.iter().map(|seed| Value::Number(*seed))));
    }

    fn value(&self, number: u16) -> Option<Value> {
        let mut values = self.0.iter();
        values
            .find(|(of, _)| *of == number)
            .map(|(_, value)| *value)
    }

    /// Fails with the number of a constant that has no value.
    pub(super) fn put_into(&self, object: &mut [u8]) -> Result<(), u16> {
        for at in (0..object.len().saturating_sub(2 * INSTRUCTION - 1)).step_by(INSTRUCTION) {
            let pair = &mut object[at..at + 2 * INSTRUCTION];
            if let Some(number) = marked(pair) {
                put(pair, self.value(number).ok_or(number)?);
            }
        }
        Ok(())
    }
}

/// The number of the constant that is loaded here.
fn marked(pair: &[u8]) -> Option<u16> {
    if pair[0] != LOAD || pair[1] >> 4 != 0 || pair[8..12] != [0; 4] {
        return None;
    }
    let immediate = u64::from(word(&pair[12..16])) << 32 | u64::from(word(&pair[4..8]));
    (immediate >> MARK_BITS == MARK >> MARK_BITS).then_some(immediate as u16)
}

fn word(bytes: &[u8]) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(bytes);
    u32::from_le_bytes(word)
}

fn put(pair: &mut [u8], value: Value) {
    let (source, low, high) = match value {
        Value::Number(number) => (0, number as u32, (number >> 32) as u32),
        Value::Table(descriptor) => (OF_MAP_VALUE, descriptor as u32, 0),
    };
    pair[1] = pair[1] & 0x0f | source << 4;
    pair[4..8].copy_from_slice(&low.to_le_bytes());
    pair[12..16].copy_from_slice(&high.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(register: u8, immediate: u64) -> Vec<u8> {
        let mut code = vec![LOAD, register, 0, 0];
        code.extend((immediate as u32).to_le_bytes());
        code.extend([0; 4]);
        code.extend(((immediate >> 32) as u32).to_le_bytes());
        code
    }

    #[test]
    fn marks_become_numbers_and_tables_and_all_else_stays() {
        let mut constants = Constants::default();
        constants.number(Constant::Cpus, 0x1234_5678_9abc_def0);
        constants.table(Constant::CpuTable, 7);
        let other = load(3, MARK >> 1);
        let mut object = [
            other.clone(),
            load(4, MARK | Constant::Cpus as u64),
            load(5, MARK | Constant::CpuTable as u64),
        ]
        .concat();
        constants.put_into(&mut object).unwrap();
        let table = [&[LOAD, 0x25, 0, 0, 7, 0, 0, 0][..], &[0; 8]].concat();
        let expected = [other, load(4, 0x1234_5678_9abc_def0), table].concat();
        assert_eq!(object, expected);
    }

    #[test]
    fn a_constant_without_a_value_is_told() {
        let mut object = load(1, MARK | Constant::Home as u64);
        let refused = Constants::default().put_into(&mut object);
        assert_eq!(refused, Err(Constant::Home as u16));
    }
}
