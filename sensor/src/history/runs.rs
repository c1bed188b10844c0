//! Small numbers, one a row. Those of a column are often the same from row to row, or in all.

use super::bits;

/// Equal values from so many on are written as a run.
const RUN: usize = 16;

/// Each run of equal ones is one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs {
    list: Vec<(u32, u32)>,
    rows: usize,
}

impl Runs {
    /// The next `rows` rows have this number.
    #[inline]
    pub(super) fn push(&mut self, number: u32, rows: u32) {
        self.rows += rows as usize;
        match self.list.last_mut() {
            Some((last, count)) if *last == number => *count += rows,
            _ => self.list.push((number, rows)),
        }
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.rows = 0;
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers, and how many rows have each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.list.iter().copied()
    }

    /// Parquet's mixture of runs and packed numbers of so many bits.
    pub(super) fn hybrid(&self, width: u8, to: &mut Vec<u8>) {
        // What is packed comes in eights.
        let mut pack = Vec::new();
        for (number, rows) in self.iter() {
            let rows = rows as usize;
            let fill = (8 - pack.len() % 8) % 8;
            if rows < fill + RUN {
                pack.extend(std::iter::repeat_n(number, rows));
                continue;
            }
            pack.extend(std::iter::repeat_n(number, fill));
            packed(&pack, width, to);
            pack.clear();
            run(number, rows - fill, width, to);
        }
        packed(&pack, width, to);
    }
}

fn run(value: u32, len: usize, width: u8, to: &mut Vec<u8>) {
    varint(len as u64 * 2, to);
    let bytes = usize::from(width).div_ceil(8);
    to.extend(&value.to_le_bytes()[..bytes]);
}

/// The last eight are filled up with zeros.
fn packed(values: &[u32], width: u8, to: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint(groups as u64 * 2 + 1, to);
    let end = to.len() + groups * usize::from(width);
    bits::pack(values.iter().copied().map(u64::from), width.into(), to);
    to.resize(end, 0);
}

pub(super) fn varint(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}
