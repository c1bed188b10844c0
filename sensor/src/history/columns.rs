//! Columns of few different values, written as the pages that Parquet has for them.
//!
//! The crate's own writer looks each row's value up in a hash table, which was most of what a row cost. Here values come as
//! numbers, equal ones together, so a run of them costs a look into an array. What is written is the same: a page with the
//! values, each once, and a page with their places.

use std::borrow::Cow;

use parquet::basic::{Encoding, Type};
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use super::pages::{self, Pages};
use super::runs::Runs;

/// Stands for null.
pub(super) const ABSENT: u32 = u32::MAX;
/// Bytes of a text that statistics tell; what is longer has none.
const MOST_TOLD: usize = 64;

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Int32(i32),
    Int64(i64),
}

/// Writes the next column of a row group; `value` is asked once for each number that occurs.
pub(super) fn write<'a>(
    to: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    description: &ColumnDescPtr,
    numbers: &Runs,
    value: &mut dyn FnMut(u32) -> Value<'a>,
) -> Result<()> {
    let optional = description.max_def_level() == 1;
    let chosen = Chosen::of(numbers, value);
    if chosen.nulls > 0 && !optional {
        return Err(ParquetError::General(format!(
            "column {} has nulls",
            description.name()
        )));
    }
    let mut data = Vec::with_capacity(numbers.rows());
    if optional {
        let mut levels = Runs::default();
        for (number, rows) in numbers.iter() {
            levels.push(u32::from(number != ABSENT), rows);
        }
        pages::levels(&levels, &mut data);
    }
    let told = !chosen.values.is_empty();
    if told {
        let width = width_of(chosen.values.len());
        data.push(width);
        chosen.places.hybrid(width, &mut data);
    }
    let pages = Pages {
        values: told.then(|| chosen.list()),
        data,
        rows: numbers.rows(),
        encoding: match told {
            true => Encoding::RLE_DICTIONARY,
            false => Encoding::PLAIN,
        },
        shrinks: true,
        statistics: chosen.statistics(description),
    };
    pages.write(to, description)
}

/// The values that occur, and where each row's is among them.
struct Chosen<'a> {
    values: Vec<Value<'a>>,
    /// Of the rows that are not null.
    places: Runs,
    nulls: usize,
}

impl<'a> Chosen<'a> {
    fn of(numbers: &Runs, value: &mut dyn FnMut(u32) -> Value<'a>) -> Self {
        let mut chosen = Chosen {
            values: Vec::new(),
            places: Runs::default(),
            nulls: 0,
        };
        let present = numbers.iter().map(|(number, _)| number);
        let present = present.filter(|number| *number != ABSENT);
        let room = present.max().map_or(0, |most| most as usize + 1);
        let mut known = vec![ABSENT; room];
        for (number, rows) in numbers.iter() {
            if number == ABSENT {
                chosen.nulls += rows as usize;
                continue;
            }
            let place = &mut known[number as usize];
            if *place == ABSENT {
                *place = chosen.values.len() as u32;
                chosen.values.push(value(number));
            }
            chosen.places.push(*place, rows);
        }
        chosen
    }

    /// As a page has it, and how many.
    fn list(&self) -> (Vec<u8>, usize) {
        let mut list = Vec::new();
        self.values.iter().for_each(|value| value.put(&mut list));
        (list, self.values.len())
    }

    fn statistics(&self, description: &ColumnDescPtr) -> Statistics {
        let nulls = Some(self.nulls as u64);
        let (least, most) = ends(&self.values).unzip();
        match (least, most) {
            (Some(Value::Int32(least)), Some(Value::Int32(most))) => {
                Statistics::int32(Some(*least), Some(*most), None, nulls, false)
            }
            (Some(Value::Int64(least)), Some(Value::Int64(most))) => {
                Statistics::int64(Some(*least), Some(*most), None, nulls, false)
            }
            (Some(Value::Text(least)), Some(Value::Text(most)))
                if least.len().max(most.len()) <= MOST_TOLD =>
            {
                let bytes = |text: &str| Some(ByteArray::from(text));
                Statistics::byte_array(bytes(least), bytes(most), None, nulls, false)
            }
            _ if description.physical_type() == Type::INT32 => {
                Statistics::int32(None, None, None, nulls, false)
            }
            _ if description.physical_type() == Type::INT64 => {
                Statistics::int64(None, None, None, nulls, false)
            }
            _ => Statistics::byte_array(None, None, None, nulls, false),
        }
    }
}

impl Value<'_> {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Value::Text(text) => {
                to.extend((text.len() as u32).to_le_bytes());
                to.extend(text.as_bytes());
            }
            Value::Int32(number) => to.extend(number.to_le_bytes()),
            Value::Int64(number) => to.extend(number.to_le_bytes()),
        }
    }
}

/// The least and the most. Most columns are sorted, or nearly so, and cost one comparison a value.
fn ends<T: Ord>(values: &[T]) -> Option<(&T, &T)> {
    let (first, rest) = values.split_first()?;
    Some(rest.iter().fold((first, first), |(least, most), one| {
        if one >= most {
            (least, one)
        } else if one < least {
            (one, most)
        } else {
            (least, most)
        }
    }))
}

/// Bits of the largest place among so many. Not every reader takes none at all.
fn width_of(values: usize) -> u8 {
    let largest = values.saturating_sub(1) as u32;
    (u32::BITS - largest.leading_zeros()).max(1) as u8
}

#[cfg(test)]
mod tests;
