use std::sync::Arc;

use bytes::Bytes;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArrayType, DataType, Int32Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

fn runs(numbers: &[u32]) -> Runs {
    let mut runs = Runs::default();
    numbers.iter().for_each(|number| runs.push(*number, 1));
    runs
}

/// A file with these numbers as texts that may be null, and as numbers.
fn file(texts: &[u32], numbers: &[u32]) -> Bytes {
    let schema = "message m { optional binary t (string); required int32 n; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let columns = file.schema_descr().columns().to_vec();
    let mut group = file.next_row_group().unwrap();
    let mut text = |code: u32| Value::Text(format!("text {code}").into());
    write(&mut group, &columns[0], &runs(texts), &mut text).unwrap();
    let mut number = |code: u32| Value::Int32(code as i32 - 7);
    write(&mut group, &columns[1], &runs(numbers), &mut number).unwrap();
    group.close().unwrap();
    file.into_inner().unwrap().into()
}

/// Values and levels of a column, by the crate's own reader.
fn column<T: DataType>(file: &SerializedFileReader<Bytes>, column: usize) -> (Vec<T::T>, Vec<i16>)
where
    T::T: Sized,
{
    let group = file.get_row_group(0).unwrap();
    let rows = group.metadata().num_rows() as usize;
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column).unwrap());
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    while levels.len() < rows {
        let wanted = rows - levels.len();
        let (read, ..) = reader
            .read_records(wanted, Some(&mut levels), None, &mut values)
            .unwrap();
        if read == 0 {
            break;
        }
        if column == 1 {
            levels.resize(values.len(), 1);
        }
    }
    (values, levels)
}

fn comes_back(texts: &[u32], numbers: &[u32]) {
    let reader = SerializedFileReader::new(file(texts, numbers)).unwrap();
    let (values, levels) = column::<ByteArrayType>(&reader, 0);
    let expected: Vec<i16> = texts.iter().map(|one| i16::from(*one != ABSENT)).collect();
    assert_eq!(levels, expected);
    let present = texts.iter().filter(|one| **one != ABSENT);
    let expected: Vec<ByteArray> = present
        .map(|one| ByteArray::from(format!("text {one}").as_str()))
        .collect();
    assert_eq!(values, expected);
    let (values, _) = column::<Int32Type>(&reader, 1);
    let expected: Vec<i32> = numbers.iter().map(|one| *one as i32 - 7).collect();
    assert_eq!(values, expected);
}

#[test]
fn the_crates_reader_reads_what_is_written() {
    let same = |value: u32, count: usize| vec![value; count];
    let mixed: Vec<u32> = (0..3000u32)
        .map(|row| {
            if row % 5 == 0 {
                ABSENT
            } else {
                row * row % 700
            }
        })
        .collect();
    let numbers: Vec<u32> = (0..3000).map(|row| row / 37).collect();
    comes_back(&mixed, &numbers);
    comes_back(&same(ABSENT, 500), &same(3, 500));
    comes_back(&same(9, 17), &same(0, 17));
    comes_back(&[ABSENT, 1], &[5, 4]);
    // Runs that begin amid an eight, and end anywhere.
    for before in 0..20u32 {
        for run in [1, 7, 8, 15, 16, 17, 23, 24, 40] {
            let mut list: Vec<u32> = (0..before).collect();
            list.extend(same(77, run));
            list.extend(0..before % 3);
            let texts: Vec<u32> = list
                .iter()
                .map(|one| if *one == 3 { ABSENT } else { *one })
                .collect();
            comes_back(&texts, &list);
        }
    }
    // Every width of a place.
    for bits in 1..18 {
        let list: Vec<u32> = (0..=1 << bits).collect();
        comes_back(&list, &list);
    }
}

#[test]
fn statistics_tell_the_least_and_the_most() {
    let reader = SerializedFileReader::new(file(&[30, ABSENT, 4], &[9, 8, 7])).unwrap();
    let group = reader.metadata().row_group(0);
    let text = group.column(0).statistics().unwrap();
    assert_eq!(text.min_bytes_opt(), Some(&b"text 30"[..]));
    assert_eq!(text.max_bytes_opt(), Some(&b"text 4"[..]));
    assert_eq!(text.null_count_opt(), Some(1));
    let number = group.column(1).statistics().unwrap();
    assert_eq!(number.min_bytes_opt(), Some(&0i32.to_le_bytes()[..]));
    assert_eq!(number.max_bytes_opt(), Some(&2i32.to_le_bytes()[..]));
}

#[test]
fn a_null_where_none_may_be_is_refused() {
    let schema = "message m { required int32 n; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let columns = file.schema_descr().columns().to_vec();
    let mut group = file.next_row_group().unwrap();
    let mut number = |code: u32| Value::Int32(code as i32);
    assert!(write(&mut group, &columns[0], &runs(&[1, ABSENT]), &mut number).is_err());
}
