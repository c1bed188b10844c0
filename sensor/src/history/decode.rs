//! Parquet read as rows. What is in the file may be damaged, or made by an enemy: it gives an error, and no panic.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use super::HistoryError;
use super::meta::{self, Meta};
use super::schema::{Column, Shape};

/// Rows that are decoded at a time.
const BATCH: usize = 8192;
/// More rows than this has no set of ours: they are read into memory.
pub(super) const MOST_ROWS: i64 = 1 << 24;
/// The same of texts: bytes of one.
const LONGEST_TEXT: usize = 1 << 16;

/// One file of a set, open.
pub(super) struct TableFile {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    pub(super) meta: Meta,
}

/// Which rows are wanted: those that begin from `from` on and before `to`, nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Window {
    pub(super) const ALL: Window = Window {
        from: i64::MIN,
        to: i64::MAX,
    };

    pub(super) fn of(from: Option<i64>, to: Option<i64>) -> Self {
        Window {
            from: from.unwrap_or(i64::MIN),
            to: to.unwrap_or(i64::MAX),
        }
    }

    /// The rows of this length that it touches, whole.
    pub(super) fn whole(&self, row: i64) -> Self {
        let floor = |at: i64| at.saturating_sub(at.rem_euclid(row));
        let after = self.to.saturating_add(row - 1);
        Window {
            from: match self.from {
                i64::MIN => i64::MIN,
                from => floor(from),
            },
            to: match self.to {
                i64::MAX => i64::MAX,
                _ => floor(after),
            },
        }
    }

    /// Rows without a time are wanted where all are.
    pub(super) fn has(&self, start: Option<i64>) -> bool {
        match start {
            Some(start) => self.from <= start && start < self.to,
            None => *self == Window::ALL,
        }
    }
}

impl TableFile {
    pub(super) fn open(path: &Path) -> Result<Self, HistoryError> {
        guarded(path, || {
            let file = File::open(path).map_err(|error| HistoryError::Read {
                path: path.to_owned(),
                error,
            })?;
            let reader = SerializedFileReader::new(file).map_err(|error| damaged(path, error))?;
            let metadata = reader.metadata().file_metadata();
            if metadata.num_rows() > MOST_ROWS {
                return Err(damaged(
                    path,
                    format_args!("it has {} rows", metadata.num_rows()),
                ));
            }
            let values = metadata.key_value_metadata().into_iter().flatten();
            let json = values.filter(|pair| pair.key == meta::KEY);
            let Some(json) = json.filter_map(|pair| pair.value.as_deref()).next() else {
                return Err(HistoryError::NotHistory {
                    path: path.to_owned(),
                });
            };
            let meta: Meta = serde_json::from_str(json).map_err(|error| damaged(path, error))?;
            if meta.schema != meta::SCHEMA {
                return Err(HistoryError::Schema {
                    path: path.to_owned(),
                    schema: meta.schema,
                });
            }
            if meta.resolution <= 0 {
                return Err(damaged(path, "its resolution is not above zero"));
            }
            Ok(TableFile {
                path: path.to_owned(),
                reader,
                meta,
            })
        })
    }

    /// Shows each batch of rows that may be in the window; the rows themselves have to be looked at. `columns` has `start`
    /// first, where the table has it.
    pub(super) fn batches(
        &self,
        columns: &[Column],
        window: Window,
        show: &mut dyn FnMut(&Batch) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        guarded(&self.path, || {
            for number in 0..self.reader.num_row_groups() {
                let metadata = self.reader.metadata().row_group(number);
                if may_be_in(metadata, window) {
                    self.group(number, columns, show)?;
                }
            }
            Ok(())
        })
    }

    fn group(
        &self,
        number: usize,
        columns: &[Column],
        show: &mut dyn FnMut(&Batch) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        let group = self
            .reader
            .get_row_group(number)
            .map_err(|error| self.damaged(error))?;
        let descriptions = group.metadata().columns();
        let mut readers = Vec::new();
        for column in columns {
            let place = descriptions
                .iter()
                .position(|one| one.column_path().string() == column.name)
                .ok_or_else(|| self.damaged(format_args!("column {} is missing", column.name)))?;
            let description = descriptions[place].column_descr();
            let flat = description.max_rep_level() == 0
                && description.max_def_level() == i16::from(column.optional);
            if !flat || description.physical_type() != physical(column.shape) {
                return Err(self.damaged(format_args!("column {} is of another type", column.name)));
            }
            let reader = group
                .get_column_reader(place)
                .map_err(|error| self.damaged(error))?;
            readers.push(reader);
        }
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while left > 0 {
            let rows = left.min(BATCH);
            let mut batch = Batch {
                path: &self.path,
                rows,
                columns: Vec::with_capacity(columns.len()),
            };
            for (reader, column) in readers.iter_mut().zip(columns) {
                let values = values(reader, rows, column).map_err(|error| self.damaged(error))?;
                batch.columns.push(values);
            }
            show(&batch)?;
            left -= rows;
        }
        Ok(())
    }

    pub(super) fn damaged(&self, what: impl std::fmt::Display) -> HistoryError {
        damaged(&self.path, what)
    }
}

/// Some rows, column by column.
pub(super) struct Batch<'a> {
    path: &'a Path,
    pub(super) rows: usize,
    columns: Vec<Values>,
}

/// Values, and for each row its value's place.
struct Values {
    list: List,
    places: Option<Vec<u32>>,
}

enum List {
    Int64(Vec<i64>),
    Int32(Vec<i32>),
    Text(Vec<ByteArray>),
    Bool(Vec<bool>),
}

const ABSENT: u32 = u32::MAX;

impl Values {
    fn place(&self, row: usize) -> Option<usize> {
        match &self.places {
            None => Some(row),
            Some(places) => Some(places[row])
                .filter(|at| *at != ABSENT)
                .map(|at| at as usize),
        }
    }
}

impl Batch<'_> {
    pub(super) fn int64(&self, column: usize, row: usize) -> Option<i64> {
        let values = &self.columns[column];
        match &values.list {
            List::Int64(list) => list.get(values.place(row)?).copied(),
            _ => None,
        }
    }

    pub(super) fn int32(&self, column: usize, row: usize) -> Option<i32> {
        let values = &self.columns[column];
        match &values.list {
            List::Int32(list) => list.get(values.place(row)?).copied(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, column: usize, row: usize) -> Option<bool> {
        let values = &self.columns[column];
        match &values.list {
            List::Bool(list) => list.get(values.place(row)?).copied(),
            _ => None,
        }
    }

    /// An error where it is no text.
    pub(super) fn text(&self, column: usize, row: usize) -> Result<Option<&str>, HistoryError> {
        let values = &self.columns[column];
        let List::Text(list) = &values.list else {
            return Ok(None);
        };
        let Some(bytes) = values.place(row).and_then(|at| list.get(at)) else {
            return Ok(None);
        };
        let bytes = bytes.data();
        let text = std::str::from_utf8(bytes).ok();
        match text.filter(|text| text.len() <= LONGEST_TEXT) {
            Some(text) => Ok(Some(text)),
            None => Err(self.damaged("a text is not UTF-8, or too long")),
        }
    }

    pub(super) fn damaged(&self, what: impl std::fmt::Display) -> HistoryError {
        damaged(self.path, what)
    }

    /// A count, which is never negative.
    pub(super) fn count(&self, column: usize, row: usize) -> Result<u64, HistoryError> {
        let count = self
            .int64(column, row)
            .and_then(|value| u64::try_from(value).ok());
        count.ok_or_else(|| self.damaged("a count is negative or missing"))
    }
}

fn values(
    reader: &mut ColumnReader,
    rows: usize,
    column: &Column,
) -> parquet::errors::Result<Values> {
    let optional = column.optional;
    let (list, places) = match reader {
        ColumnReader::Int64ColumnReader(reader) => {
            let (list, places) = typed(reader, rows, optional)?;
            (List::Int64(list), places)
        }
        ColumnReader::Int32ColumnReader(reader) => {
            let (list, places) = typed(reader, rows, optional)?;
            (List::Int32(list), places)
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let (list, places) = typed(reader, rows, optional)?;
            (List::Text(list), places)
        }
        ColumnReader::BoolColumnReader(reader) => {
            let (list, places) = typed(reader, rows, optional)?;
            (List::Bool(list), places)
        }
        ColumnReader::Int96ColumnReader(_)
        | ColumnReader::FloatColumnReader(_)
        | ColumnReader::DoubleColumnReader(_)
        | ColumnReader::FixedLenByteArrayColumnReader(_) => {
            return Err(ParquetError::General("a column of another type".into()));
        }
    };
    Ok(Values { list, places })
}

type Typed<T> = (Vec<T>, Option<Vec<u32>>);

fn typed<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    optional: bool,
) -> parquet::errors::Result<Typed<T::T>>
where
    T::T: Sized,
{
    let mut list = Vec::new();
    let mut levels = Vec::new();
    let mut got = 0;
    while got < rows {
        let wanted = optional.then_some(&mut levels);
        let (records, _, _) = reader.read_records(rows - got, wanted, None, &mut list)?;
        if records == 0 {
            return Err(ParquetError::General(
                "a column is shorter than its group".into(),
            ));
        }
        got += records;
    }
    let mut next = 0;
    let places = optional.then(|| {
        let places = levels.iter().map(|level| match level {
            0 => ABSENT,
            _ => {
                next += 1;
                next - 1
            }
        });
        places.collect::<Vec<u32>>()
    });
    let known = if optional { next as usize } else { rows };
    let levels_fit = places.as_ref().is_none_or(|places| places.len() == rows);
    if list.len() != known || !levels_fit {
        return Err(ParquetError::General(
            "a column has not the values that it announces".into(),
        ));
    }
    Ok((list, places))
}

fn physical(shape: Shape) -> Physical {
    match shape {
        Shape::Time | Shape::Int64 => Physical::INT64,
        Shape::Int32 | Shape::Port => Physical::INT32,
        Shape::Text => Physical::BYTE_ARRAY,
        Shape::Bool => Physical::BOOLEAN,
    }
}

fn may_be_in(group: &RowGroupMetaData, window: Window) -> bool {
    let start = group
        .columns()
        .iter()
        .find(|one| one.column_path().string() == "start");
    let statistics = start.and_then(|column| column.statistics());
    let Some(Statistics::Int64(known)) = statistics else {
        return true;
    };
    let (Some(min), Some(max)) = (known.min_opt(), known.max_opt()) else {
        return true;
    };
    window == Window::ALL || (*min < window.to && window.from <= *max)
}

fn damaged(path: &Path, what: impl std::fmt::Display) -> HistoryError {
    HistoryError::Damaged {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

/// The Parquet reader panics on some damage (overflow, index out of bounds): that is an error of the file.
fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, HistoryError>,
) -> Result<T, HistoryError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(damaged(path, "the Parquet reader gave up on it")))
}
