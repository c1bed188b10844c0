//! Columns of few different values, written as the pages that Parquet has for them.
//!
//! The crate's own writer looks each row's value up in a hash table, which was most of what a row cost. Here values come as
//! numbers, so a row costs a look into an array. What is written is the same: a page with the values, each once, and a page
//! with their places.

use std::borrow::Cow;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::encode::LEVEL;

/// Stands for null.
pub(super) const ABSENT: u32 = u32::MAX;
/// Bytes of a text that statistics tell; what is longer has none.
const MOST_TOLD: usize = 64;
/// Equal values from so many on are written as a run.
const RUN: usize = 16;

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Int32(i32),
    Int64(i64),
}

/// Writes the next column of a row group. `numbers`: one a row, small ones; `value` is asked once for each that occurs.
pub(super) fn write<'a>(
    to: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    description: &ColumnDescPtr,
    numbers: &[u32],
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
    let mut sink = TrackedWrite::new(Vec::new());
    let mut pages = Pages {
        writer: SerializedPageWriter::new(&mut sink),
        uncompressed: 0,
        compressed: 0,
    };
    let told = !chosen.values.is_empty();
    if told {
        let mut list = Vec::new();
        chosen.values.iter().for_each(|value| value.put(&mut list));
        pages.dictionary(&list, chosen.values.len())?;
    }
    let data_offset = pages.compressed;
    let mut data = Vec::with_capacity(numbers.len() * 2);
    if optional {
        levels(numbers, chosen.nulls, &mut data);
    }
    let width = width_of(chosen.values.len());
    if told {
        data.push(width);
        hybrid(&chosen.places, width, &mut data);
    }
    let encoding = match told {
        true => Encoding::RLE_DICTIONARY,
        false => Encoding::PLAIN,
    };
    pages.data(&data, numbers.len(), encoding)?;
    let metadata = ColumnChunkMetaData::builder(description.clone())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, encoding])
        .set_num_values(numbers.len() as i64)
        .set_total_compressed_size(pages.compressed)
        .set_total_uncompressed_size(pages.uncompressed)
        .set_data_page_offset(data_offset)
        .set_dictionary_page_offset(told.then_some(0))
        .set_statistics(chosen.statistics(description))
        .build()?;
    let closed = ColumnCloseResult {
        bytes_written: sink.bytes_written() as u64,
        rows_written: numbers.len() as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    to.append_column(&Bytes::from(sink.into_inner()?), closed)
}

/// The values that occur, and where each row's is among them.
struct Chosen<'a> {
    values: Vec<Value<'a>>,
    /// Of the rows that are not null.
    places: Vec<u32>,
    nulls: usize,
}

impl<'a> Chosen<'a> {
    fn of(numbers: &[u32], value: &mut dyn FnMut(u32) -> Value<'a>) -> Self {
        let mut chosen = Chosen {
            values: Vec::new(),
            places: Vec::with_capacity(numbers.len()),
            nulls: 0,
        };
        let present = numbers.iter().filter(|number| **number != ABSENT);
        let room = present.max().map_or(0, |most| *most as usize + 1);
        let mut known = vec![ABSENT; room];
        for number in numbers {
            if *number == ABSENT {
                chosen.nulls += 1;
                continue;
            }
            let place = &mut known[*number as usize];
            if *place == ABSENT {
                *place = chosen.values.len() as u32;
                chosen.values.push(value(*number));
            }
            chosen.places.push(*place);
        }
        chosen
    }

    fn statistics(&self, description: &ColumnDescPtr) -> Statistics {
        let nulls = Some(self.nulls as u64);
        let (least, most) = (self.values.iter().min(), self.values.iter().max());
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
            _ if description.physical_type() == parquet::basic::Type::INT32 => {
                Statistics::int32(None, None, None, nulls, false)
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

struct Pages<'a> {
    writer: SerializedPageWriter<'a, Vec<u8>>,
    /// Bytes with the pages' headers.
    uncompressed: i64,
    compressed: i64,
}

impl Pages<'_> {
    fn dictionary(&mut self, content: &[u8], values: usize) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: compressed(content)?,
            num_values: values as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.write(page, content.len())
    }

    fn data(&mut self, content: &[u8], rows: usize, encoding: Encoding) -> Result<()> {
        let page = Page::DataPage {
            buf: compressed(content)?,
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.write(page, content.len())
    }

    fn write(&mut self, page: Page, len: usize) -> Result<()> {
        let spec = self.writer.write_page(CompressedPage::new(page, len))?;
        self.uncompressed += spec.uncompressed_size as i64;
        self.compressed += spec.compressed_size as i64;
        Ok(())
    }
}

fn compressed(content: &[u8]) -> Result<Bytes> {
    let mut frame = Vec::with_capacity(zstd::zstd_safe::compress_bound(content.len()));
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.compress_to_buffer(content, &mut std::io::Cursor::new(&mut frame))?;
    Ok(frame.into())
}

/// Which rows are not null: definition levels of 0 and 1, and the bytes that they take before them.
fn levels(numbers: &[u32], nulls: usize, to: &mut Vec<u8>) {
    let from = to.len();
    to.extend([0; 4]);
    if nulls == 0 || nulls == numbers.len() {
        run(u32::from(nulls == 0), numbers.len(), 1, to);
    } else {
        let levels: Vec<u32> = numbers
            .iter()
            .map(|one| u32::from(*one != ABSENT))
            .collect();
        hybrid(&levels, 1, to);
    }
    let len = (to.len() - from - 4) as u32;
    to[from..from + 4].copy_from_slice(&len.to_le_bytes());
}

/// Bits of the largest place among so many. Not every reader takes none at all.
fn width_of(values: usize) -> u8 {
    let largest = values.saturating_sub(1) as u32;
    (u32::BITS - largest.leading_zeros()).max(1) as u8
}

/// Parquet's mixture of runs and packed numbers.
fn hybrid(values: &[u32], width: u8, to: &mut Vec<u8>) {
    // What is not written yet begins here; what is packed comes in eights.
    let mut from = 0;
    let mut at = 0;
    while at < values.len() {
        let rest = &values[at..];
        let same = rest.iter().take_while(|one| **one == rest[0]).count();
        let fill = (8 - (at - from) % 8) % 8;
        if same >= fill + RUN {
            packed(&values[from..at + fill], width, to);
            run(rest[0], same - fill, width, to);
            from = at + same;
        }
        at += same;
    }
    packed(&values[from..], width, to);
}

fn run(value: u32, len: usize, width: u8, to: &mut Vec<u8>) {
    if len > 0 {
        varint(len as u64 * 2, to);
        let bytes = usize::from(width).div_ceil(8);
        to.extend(&value.to_le_bytes()[..bytes]);
    }
}

/// The last eight are filled up with zeros.
fn packed(values: &[u32], width: u8, to: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint(groups as u64 * 2 + 1, to);
    let end = to.len() + groups * usize::from(width);
    let (mut bits, mut filled) = (0u64, 0);
    for value in values {
        bits |= u64::from(*value) << filled;
        filled += width;
        if filled >= 32 {
            to.extend((bits as u32).to_le_bytes());
            bits >>= 32;
            filled -= 32;
        }
    }
    to.extend(&bits.to_le_bytes()[..usize::from(filled).div_ceil(8)]);
    to.resize(end, 0);
}

fn varint(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

#[cfg(test)]
mod tests;
