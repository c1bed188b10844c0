//! Columns of numbers that differ from row to row by little, written as the differences.
//!
//! Parquet's DELTA_BINARY_PACKED: blocks of 128 differences, less the least of them, in four parts with as many bits as the
//! largest of each part needs.

use parquet::basic::{Encoding, Type};
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use super::bits;
use super::pages::{self, Pages};
use super::runs::{Runs, varint};

const BLOCK: usize = 128;
const PART: usize = 32;

/// A column, row by row.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    present: Vec<i64>,
    /// 1 of rows that are not null.
    levels: Runs,
}

impl Numbers {
    #[inline]
    pub(super) fn push(&mut self, value: i64) {
        self.levels.push(1, 1);
        self.present.push(value);
    }

    #[inline]
    pub(super) fn push_some(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.push(value),
            None => self.levels.push(0, 1),
        }
    }

    /// Begins again, with room for so many rows.
    pub(super) fn clear(&mut self, rows: usize) {
        self.present.clear();
        self.present.reserve(rows);
        self.levels.clear();
    }

    /// Writes the next column of a row group. `shrinks`: compression makes the differences shorter.
    pub(super) fn write(
        &self,
        to: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        description: &ColumnDescPtr,
        shrinks: bool,
    ) -> Result<()> {
        let mut data = Vec::with_capacity(self.present.len() * 5 + 64);
        if description.max_def_level() == 1 {
            pages::levels(&self.levels, &mut data);
        }
        differences(&self.present, &mut data);
        let pages = Pages {
            values: None,
            data,
            rows: self.levels.rows(),
            encoding: Encoding::DELTA_BINARY_PACKED,
            shrinks,
            statistics: self.statistics(description),
        };
        pages.write(to, description)
    }

    fn statistics(&self, description: &ColumnDescPtr) -> Statistics {
        let nulls = self.levels.rows() - self.present.len();
        let nulls = Some(nulls as u64);
        let least = self.present.iter().min().copied();
        let most = self.present.iter().max().copied();
        match description.physical_type() {
            Type::INT32 => {
                let short = |value: Option<i64>| value.map(|value| value as i32);
                Statistics::int32(short(least), short(most), None, nulls, false)
            }
            _ => Statistics::int64(least, most, None, nulls, false),
        }
    }
}

/// Differences wrap round: what is read adds them up the same way.
fn differences(values: &[i64], to: &mut Vec<u8>) {
    varint(BLOCK as u64, to);
    varint((BLOCK / PART) as u64, to);
    varint(values.len() as u64, to);
    let Some((first, rest)) = values.split_first() else {
        return varint(0, to);
    };
    signed(*first, to);
    let mut last = *first;
    let mut block = [0i64; BLOCK];
    for values in rest.chunks(BLOCK) {
        for (difference, value) in block.iter_mut().zip(values) {
            *difference = value.wrapping_sub(last);
            last = *value;
        }
        differences_of_block(&block[..values.len()], to);
    }
}

fn differences_of_block(block: &[i64], to: &mut Vec<u8>) {
    let least = block.iter().min().copied().unwrap_or_default();
    signed(least, to);
    let widths = to.len();
    // Parts without values have no bits and are not there.
    to.extend([0; BLOCK / PART]);
    for (part, values) in block.chunks(PART).enumerate() {
        let mut above = [0; PART];
        for (above, value) in above.iter_mut().zip(values) {
            *above = value.wrapping_sub(least).cast_unsigned();
        }
        let all = above.iter().fold(0, |all, one| all | one);
        let width = u64::BITS - all.leading_zeros();
        to[widths + part] = width as u8;
        bits::pack(above, width, to);
    }
}

/// Small ones short, whatever their sign.
fn signed(number: i64, to: &mut Vec<u8>) {
    varint(((number << 1) ^ (number >> 63)).cast_unsigned(), to);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use parquet::basic::Compression;
    use parquet::column::reader::get_typed_column_reader;
    use parquet::data_type::{DataType, Int32Type, Int64Type};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    fn written(list: &[Option<i64>], kind: &str, shrinks: bool) -> SerializedFileReader<Bytes> {
        let schema = format!("message m {{ optional {kind} n; }}");
        let schema = Arc::new(parse_message_type(&schema).unwrap());
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
        let columns = file.schema_descr().columns().to_vec();
        let mut group = file.next_row_group().unwrap();
        let mut numbers = Numbers::default();
        list.iter().for_each(|one| numbers.push_some(*one));
        numbers.write(&mut group, &columns[0], shrinks).unwrap();
        group.close().unwrap();
        SerializedFileReader::new(Bytes::from(file.into_inner().unwrap())).unwrap()
    }

    /// By the crate's own reader.
    fn read<T: DataType>(file: &SerializedFileReader<Bytes>) -> Vec<Option<T::T>> {
        let group = file.get_row_group(0).unwrap();
        let rows = group.metadata().num_rows() as usize;
        let mut reader = get_typed_column_reader::<T>(group.get_column_reader(0).unwrap());
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        while levels.len() < rows {
            let wanted = rows - levels.len();
            let read = reader.read_records(wanted, Some(&mut levels), None, &mut values);
            assert!(read.unwrap().0 > 0);
        }
        let mut values = values.into_iter();
        let rows = levels.into_iter();
        rows.map(|level| (level == 1).then(|| values.next().unwrap()))
            .collect()
    }

    #[test]
    fn the_crates_reader_reads_what_is_written() {
        let noise = |n: i64| n.wrapping_mul(-7_046_029_254_386_353_131);
        for len in [1, 2, 3, 32, 33, 34, 127, 128, 129, 130, 161, 1000, 70_000] {
            for shrinks in [false, true] {
                // Differences of every width, and such as wrap round.
                for bits in 0..64 {
                    if len > 1000 && bits != 40 {
                        continue;
                    }
                    let list: Vec<Option<i64>> = (0..len).map(|n| Some(noise(n) >> bits)).collect();
                    let file = written(&list, "int64", shrinks);
                    assert_eq!(read::<Int64Type>(&file), list, "{len} {bits}");
                }
                let some = |n: i64| (n % 5 != 0 && n % 64 > 20).then(|| noise(n) >> 48);
                let list: Vec<Option<i64>> = (0..len).map(some).collect();
                assert_eq!(read::<Int64Type>(&written(&list, "int64", shrinks)), list);
                let short: Vec<_> = list.iter().map(|one| one.map(|one| one as i32)).collect();
                assert_eq!(read::<Int32Type>(&written(&list, "int32", shrinks)), short);
            }
        }
        let ends = [i64::MIN, i64::MAX, 0, -1, i64::MAX, i64::MIN].map(Some);
        assert_eq!(read::<Int64Type>(&written(&ends, "int64", true)), ends);
        let nothing = [None; 40];
        assert_eq!(
            read::<Int64Type>(&written(&nothing, "int64", true)),
            nothing
        );
    }

    #[test]
    fn what_shrinks_is_compressed_unless_it_is_short() {
        let compression = |len: i64, shrinks: bool| {
            let list: Vec<Option<i64>> = (0..len).map(|n| Some((n % 7) << 20)).collect();
            let file = written(&list, "int64", shrinks);
            file.metadata().row_group(0).column(0).compression()
        };
        assert_eq!(compression(10_000, false), Compression::UNCOMPRESSED);
        assert_eq!(compression(10, true), Compression::UNCOMPRESSED);
        assert!(matches!(compression(10_000, true), Compression::ZSTD(_)));
    }

    #[test]
    fn statistics_tell_the_least_and_the_most() {
        let file = written(&[Some(5), None, Some(-3), Some(4)], "int64", true);
        let statistics = file.metadata().row_group(0).column(0).statistics().unwrap();
        assert_eq!(statistics.min_bytes_opt(), Some(&(-3i64).to_le_bytes()[..]));
        assert_eq!(statistics.max_bytes_opt(), Some(&5i64.to_le_bytes()[..]));
        assert_eq!(statistics.null_count_opt(), Some(1));
    }
}
