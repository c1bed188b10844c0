//! Rows written as Parquet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use super::details;
use super::meta::{self, Meta};
use super::rows::{FlowPart, Rows, class_order};
use super::schema::{self, Column, Shape};
use super::words::{self, direction_name};
use crate::counters::transport_name;

/// Rows of a row group: a reader that skips groups by their statistics skips so many at once.
const GROUP: usize = 1 << 17;
/// The encoder's level: 3 costs half as much time again and saves one byte in fifty.
const LEVEL: i32 = 1;

/// The file of one table of the set.
pub(super) fn file(table: &str, rows: &Rows, meta: &Meta) -> Result<Vec<u8>> {
    let columns = schema::of(table);
    let properties = properties(columns, meta)?;
    let mut file =
        SerializedFileWriter::new(Vec::new(), schema::schema(columns)?, Arc::new(properties))?;
    match table {
        "flows" => flows(rows, meta, &mut file)?,
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

type Out = SerializedFileWriter<Vec<u8>>;

/// The columns of a row group, written in the order of the schema.
struct Group<'a>(SerializedRowGroupWriter<'a, Vec<u8>>);

impl Group<'_> {
    fn all<T: DataType>(&mut self, values: impl Iterator<Item = T::T>) -> Result<()>
    where
        T::T: Sized,
    {
        let values: Vec<T::T> = values.collect();
        self.column::<T>(&values, None)
    }

    fn some<T: DataType>(&mut self, values: impl Iterator<Item = Option<T::T>>) -> Result<()> {
        let mut present = Vec::new();
        let mut levels = Vec::new();
        for value in values {
            levels.push(i16::from(value.is_some()));
            present.extend(value);
        }
        self.column::<T>(&present, Some(&levels))
    }

    fn column<T: DataType>(&mut self, values: &[T::T], levels: Option<&[i16]>) -> Result<()> {
        let Some(mut column) = self.0.next_column()? else {
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

/// What the rows of one flow have in common.
struct Common {
    slot: i32,
    interface: Option<ByteArray>,
    direction: ByteArray,
    network: ByteArray,
    network_number: i32,
    ends: Option<(ByteArray, ByteArray)>,
    ports: Option<(i32, i32)>,
    transport: ByteArray,
    transport_number: i32,
    application: Option<ByteArray>,
    classified_by: Option<ByteArray>,
    settled: bool,
    name: Option<ByteArray>,
    name_source: Option<ByteArray>,
    details: Option<ByteArray>,
}

fn commons(rows: &Rows, meta: &Meta) -> Vec<Common> {
    let mut texts = Texts::default();
    let mut addresses: HashMap<IpAddr, ByteArray, RandomState> = HashMap::default();
    let mut address = |addr: IpAddr| {
        let text = addresses.entry(addr);
        text.or_insert_with(|| ByteArray::from(addr.to_string().as_str()))
            .clone()
    };
    let of = |entry: &super::rows::FlowEntry| {
        let key = &entry.key;
        let class = crate::counters::Class::of_flow(key, entry.label);
        let application = words::application_of(key, entry.label);
        let told = details::split(entry.info.as_ref());
        let (network, network_number) = (class.network(), words::network_number(key));
        let transport = match key.is_ip() {
            true => transport_name(key.protocol()),
            false => class.transport(),
        };
        Common {
            slot: key.slot().into(),
            interface: words::interface(meta, key.slot()).map(|name| texts.get(name)),
            direction: texts.get(direction_name(key.direction())),
            network: texts.get(&network),
            network_number,
            ends: key
                .is_ip()
                .then(|| (address(key.src_addr()), address(key.dst_addr()))),
            ports: key
                .has_ports()
                .then(|| (key.src_port().into(), key.dst_port().into())),
            transport: texts.get(&transport),
            transport_number: key.protocol().into(),
            application: application.map(|(name, _)| texts.get(name)),
            classified_by: application.map(|(_, how)| texts.get(how)),
            settled: entry.settled,
            name: told.name.map(|name| texts.get(name)),
            name_source: told.source.map(|source| texts.get(source)),
            details: told.details.map(|more| texts.get(&more)),
        }
    };
    rows.flows.iter().map(of).collect()
}

/// The rows in the order of the file: by flow, so that what its rows share is written once, then by time.
fn sorted<'a>(rows: &'a Rows, commons: &[Common]) -> Vec<&'a FlowPart> {
    let text = |text: &ByteArray| text.data().to_vec();
    let mut order: Vec<u32> = (0..commons.len() as u32).collect();
    order.sort_by_cached_key(|place| {
        let one = &commons[*place as usize];
        let ends = one.ends.as_ref().map(|(src, dst)| (text(src), text(dst)));
        (
            ends,
            one.ports,
            one.transport_number,
            one.network_number,
            rows.flows[*place as usize].key,
        )
    });
    let mut ranks = vec![0u32; order.len()];
    for (rank, place) in order.iter().enumerate() {
        ranks[*place as usize] = rank as u32;
    }
    let mut parts: Vec<&FlowPart> = rows.parts.iter().collect();
    parts.sort_by_key(|part| (ranks[part.flow as usize], part.stretch.start));
    parts
}

fn flows(rows: &Rows, meta: &Meta, file: &mut Out) -> Result<()> {
    let commons = commons(rows, meta);
    for parts in sorted(rows, &commons).chunks(GROUP) {
        let mut group = Group(file.next_row_group()?);
        let common = || parts.iter().map(|part| &commons[part.flow as usize]);
        group.some::<Int64Type>(parts.iter().map(|part| part.stretch.start))?;
        group.all::<Int64Type>(parts.iter().map(|part| part.stretch.length))?;
        group.all::<Int32Type>(common().map(|one| one.slot))?;
        group.some::<ByteArrayType>(common().map(|one| one.interface.clone()))?;
        group.all::<ByteArrayType>(common().map(|one| one.direction.clone()))?;
        group.all::<ByteArrayType>(common().map(|one| one.network.clone()))?;
        group.all::<Int32Type>(common().map(|one| one.network_number))?;
        let ends = || common().map(|one| one.ends.as_ref());
        group.some::<ByteArrayType>(ends().map(|ends| Some(ends?.0.clone())))?;
        group.some::<ByteArrayType>(ends().map(|ends| Some(ends?.1.clone())))?;
        group.some::<Int32Type>(common().map(|one| Some(one.ports?.0)))?;
        group.some::<Int32Type>(common().map(|one| Some(one.ports?.1)))?;
        group.all::<ByteArrayType>(common().map(|one| one.transport.clone()))?;
        group.all::<Int32Type>(common().map(|one| one.transport_number))?;
        group.some::<ByteArrayType>(common().map(|one| one.application.clone()))?;
        group.some::<ByteArrayType>(common().map(|one| one.classified_by.clone()))?;
        group.all::<BoolType>(common().map(|one| one.settled))?;
        group.some::<ByteArrayType>(common().map(|one| one.name.clone()))?;
        group.some::<ByteArrayType>(common().map(|one| one.name_source.clone()))?;
        group.some::<ByteArrayType>(common().map(|one| one.details.clone()))?;
        group.all::<Int64Type>(parts.iter().map(|part| part.counts.packets as i64))?;
        group.all::<Int64Type>(parts.iter().map(|part| part.counts.bytes as i64))?;
        let timed = |part: &&&FlowPart| part.first <= part.last;
        group.some::<Int64Type>(parts.iter().map(|part| timed(&part).then_some(part.first)))?;
        group.some::<Int64Type>(parts.iter().map(|part| timed(&part).then_some(part.last)))?;
        group.all::<Int32Type>(parts.iter().map(|part| part.tcp_flags.into()))?;
        group.0.close()?;
    }
    Ok(())
}

fn buckets(rows: &Rows, file: &mut Out) -> Result<()> {
    let mut texts = Texts::default();
    let mut list: Vec<_> = rows.buckets.iter().collect();
    list.sort_by_cached_key(|(key, _)| {
        (key.start, key.stretch, key.length, class_order(&key.class))
    });
    for list in list.chunks(GROUP) {
        let mut group = Group(file.next_row_group()?);
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
        group.0.close()?;
    }
    Ok(())
}

fn accounting(rows: &Rows, meta: &Meta, file: &mut Out) -> Result<()> {
    let mut texts = Texts::default();
    let list: Vec<_> = rows.accounts.iter().collect();
    for list in list.chunks(GROUP) {
        let mut group = Group(file.next_row_group()?);
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
        group.0.close()?;
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
        let mut group = Group(file.next_row_group()?);
        let mut text = |text: &str| texts.get(text);
        group.all::<ByteArrayType>(list.iter().map(|(addr, ..)| text(&addr.to_string())))?;
        group.all::<Int32Type>(list.iter().map(|(_, rank, _)| *rank))?;
        group.all::<ByteArrayType>(list.iter().map(|(.., name)| text(&name.text)))?;
        group.all::<ByteArrayType>(list.iter().map(|(.., name)| text(name.source.name())))?;
        group.0.close()?;
    }
    Ok(())
}
