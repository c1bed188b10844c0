//! Rows written as Parquet.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnDescPtr, ColumnPath};

use super::columns::{self, Value};
use super::flows;
use super::meta::{self, Meta};
use super::numbers::Numbers;
use super::rows::{Rows, class_order};
use super::runs::Runs;
use super::schema::{self, Column, Shape};
use super::words::{self, direction_name};

/// Rows of a row group: a reader that skips groups by their statistics skips so many at once.
pub(super) const GROUP: usize = 1 << 17;
/// Of a row of flows, or a few less: so a file seldom has to find another place while it grows.
const BYTES: usize = 24;
/// The encoder's level: 3 costs half as much time again and saves one byte in fifty.
pub(super) const LEVEL: i32 = 1;

/// The file of one table of the set.
pub(super) fn file(table: &str, rows: &Rows, meta: &Meta) -> Result<Vec<u8>> {
    let columns = schema::of(table);
    let properties = properties(columns, meta)?;
    let room = match table {
        "flows" => rows.parts.len() * BYTES,
        _ => 0,
    };
    let schema = schema::schema(columns)?;
    let mut file =
        SerializedFileWriter::new(Vec::with_capacity(room), schema, Arc::new(properties))?;
    match table {
        "flows" => flows::write(rows, meta, &mut file)?,
        "buckets" => buckets(rows, &mut file)?,
        "accounting" => accounting(rows, meta, &mut file)?,
        _ => names(rows, &mut file)?,
    }
    file.into_inner()
}

fn properties(columns: &[Column], meta: &Meta) -> Result<WriterProperties> {
    let json = serde_json::to_string(meta).map_err(|error| ParquetError::External(error.into()))?;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_created_by(concat!("sensor ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(vec![KeyValue::new(meta::KEY.to_owned(), json)]));
    for column in columns {
        // Numbers that differ from row to row by little, which a dictionary would only make longer.
        if matches!(column.shape, Shape::Time | Shape::Int64 | Shape::Port) {
            let path = ColumnPath::from(column.name);
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(builder.build())
}

pub(super) type Out = SerializedFileWriter<Vec<u8>>;

/// The columns of a row group, written in the order of the schema.
pub(super) struct Group<'a> {
    writer: SerializedRowGroupWriter<'a, Vec<u8>>,
    /// Of those that are still to come.
    columns: std::vec::IntoIter<ColumnDescPtr>,
}

impl<'a> Group<'a> {
    pub(super) fn new(file: &'a mut Out) -> Result<Self> {
        let columns = file.schema_descr().columns().to_vec().into_iter();
        let writer = file.next_row_group()?;
        Ok(Group { writer, columns })
    }

    pub(super) fn close(self) -> Result<()> {
        self.writer.close().map(drop)
    }

    /// A column of few different values, see [`columns::write`].
    pub(super) fn coded<'v>(
        &mut self,
        codes: &Runs,
        value: &mut dyn FnMut(u32) -> Value<'v>,
    ) -> Result<()> {
        let Some(column) = self.columns.next() else {
            return Err(ParquetError::General("a column too many".into()));
        };
        columns::write(&mut self.writer, &column, codes, value)
    }

    /// See [`Numbers::write`].
    pub(super) fn numbers(&mut self, numbers: &Numbers, shrinks: bool) -> Result<()> {
        let Some(column) = self.columns.next() else {
            return Err(ParquetError::General("a column too many".into()));
        };
        numbers.write(&mut self.writer, &column, shrinks)
    }

    pub(super) fn all<T: DataType>(&mut self, values: impl Iterator<Item = T::T>) -> Result<()>
    where
        T::T: Sized,
    {
        let values: Vec<T::T> = values.collect();
        self.column::<T>(&values, None)
    }

    pub(super) fn some<T: DataType>(
        &mut self,
        values: impl Iterator<Item = Option<T::T>>,
    ) -> Result<()> {
        let mut present = Vec::new();
        let mut levels = Vec::new();
        for value in values {
            levels.push(i16::from(value.is_some()));
            present.extend(value);
        }
        self.column::<T>(&present, Some(&levels))
    }

    /// A column of numbers.
    pub(super) fn column<T: DataType>(
        &mut self,
        values: &[T::T],
        levels: Option<&[i16]>,
    ) -> Result<()> {
        self.columns.next();
        let Some(mut column) = self.writer.next_column()? else {
            return Err(ParquetError::General("a column too many".into()));
        };
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()
    }
}

/// Texts that come again, each kept once.
#[derive(Default)]
struct Texts(HashMap<String, ByteArray, RandomState>);

impl Texts {
    fn get(&mut self, text: &str) -> ByteArray {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let bytes = ByteArray::from(text);
        self.0.insert(text.to_owned(), bytes.clone());
        bytes
    }
}

fn buckets(rows: &Rows, file: &mut Out) -> Result<()> {
    let mut texts = Texts::default();
    let mut list: Vec<_> = rows.buckets.iter().collect();
    list.sort_by_cached_key(|(key, _)| {
        (key.start, key.stretch, key.length, class_order(&key.class))
    });
    for list in list.chunks(GROUP) {
        let mut group = Group::new(file)?;
        let classes = || list.iter().map(|(key, _)| &key.class);
        group.all::<Int64Type>(list.iter().map(|(key, _)| key.start))?;
        group.all::<Int64Type>(list.iter().map(|(key, _)| key.length))?;
        group.all::<Int64Type>(list.iter().map(|(key, _)| key.stretch))?;
        let mut text = |text: &str| texts.get(text);
        group.all::<ByteArrayType>(classes().map(|one| text(direction_name(one.direction))))?;
        group.all::<ByteArrayType>(classes().map(|one| text(words::kind_name(one))))?;
        group.all::<ByteArrayType>(classes().map(|one| text(&one.network())))?;
        group.all::<ByteArrayType>(classes().map(|one| text(&one.transport())))?;
        group.some::<ByteArrayType>(classes().map(|one| Some(text(words::application(one)?))))?;
        group.all::<Int32Type>(classes().map(words::number))?;
        group.all::<Int64Type>(list.iter().map(|(_, counts)| counts.packets as i64))?;
        group.all::<Int64Type>(list.iter().map(|(_, counts)| counts.bytes as i64))?;
        group.close()?;
    }
    Ok(())
}

fn accounting(rows: &Rows, meta: &Meta, file: &mut Out) -> Result<()> {
    let mut texts = Texts::default();
    let list: Vec<_> = rows.accounts.iter().collect();
    for list in list.chunks(GROUP) {
        let mut group = Group::new(file)?;
        let keys = || list.iter().map(|(key, _)| key);
        let origins = || keys().map(|key| key.origin);
        let mut text = |text: &str| texts.get(text);
        group.some::<Int64Type>(keys().map(|key| key.stretch.start))?;
        group.all::<Int64Type>(keys().map(|key| key.stretch.length))?;
        group.some::<Int32Type>(origins().map(|origin| Some(origin?.0.into())))?;
        group.some::<ByteArrayType>(
            origins().map(|origin| Some(text(words::interface(meta, origin?.0)?))),
        )?;
        group
            .some::<ByteArrayType>(origins().map(|origin| Some(text(direction_name(origin?.1)))))?;
        let terms = || keys().map(|key| words::of_term(&key.term));
        group.all::<ByteArrayType>(terms().map(|(term, _, _)| text(term)))?;
        group.some::<ByteArrayType>(terms().map(|(_, what, _)| Some(text(&what?))))?;
        group.some::<Int32Type>(terms().map(|(_, _, number)| number))?;
        let accounts = || list.iter().map(|(_, account)| account);
        group.all::<Int64Type>(accounts().map(|one| one.counts.packets as i64))?;
        group.all::<Int64Type>(accounts().map(|one| one.counts.bytes as i64))?;
        group.some::<Int64Type>(
            accounts().map(|one| (one.first <= one.last).then_some(one.first)),
        )?;
        group
            .some::<Int64Type>(accounts().map(|one| (one.first <= one.last).then_some(one.last)))?;
        group.close()?;
    }
    Ok(())
}

fn names(rows: &Rows, file: &mut Out) -> Result<()> {
    let mut texts = Texts::default();
    let list: Vec<_> = rows
        .names
        .iter()
        .flat_map(|(addr, names)| {
            names
                .iter()
                .zip(0..)
                .map(move |(name, rank)| (addr, rank, name))
        })
        .collect();
    for list in list.chunks(GROUP) {
        let mut group = Group::new(file)?;
        let mut text = |text: &str| texts.get(text);
        group.all::<ByteArrayType>(list.iter().map(|(addr, ..)| text(&addr.to_string())))?;
        group.all::<Int32Type>(list.iter().map(|(_, rank, _)| *rank))?;
        group.all::<ByteArrayType>(list.iter().map(|(.., name)| text(&name.text)))?;
        group.all::<ByteArrayType>(list.iter().map(|(.., name)| text(name.source.name())))?;
        group.close()?;
    }
    Ok(())
}
