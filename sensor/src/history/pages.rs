//! The pages of one column of a row group, as Parquet has them: perhaps one with the values that occur, and one for the rows.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::encode::LEVEL;
use super::runs::Runs;

/// What is shorter is not compressed: a frame would cost more than it saves.
const LEAST: usize = 256;

pub(super) struct Pages {
    /// Each value once, and how many.
    pub(super) values: Option<(Vec<u8>, usize)>,
    pub(super) data: Vec<u8>,
    /// Nulls too.
    pub(super) rows: usize,
    pub(super) encoding: Encoding,
    /// It gets shorter by compression.
    pub(super) shrinks: bool,
    pub(super) statistics: Statistics,
}

impl Pages {
    /// Writes the next column of a row group.
    pub(super) fn write(
        self,
        to: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        description: &ColumnDescPtr,
    ) -> Result<()> {
        let mut sink = TrackedWrite::new(Vec::new());
        let values = self.values.as_ref().map_or(0, |(content, _)| content.len());
        let mut out = Out {
            writer: SerializedPageWriter::new(&mut sink),
            compress: self.shrinks && values + self.data.len() >= LEAST,
            uncompressed: 0,
            compressed: 0,
        };
        let with_values = self.values.is_some();
        if let Some((content, values)) = self.values {
            let page = |buf| Page::DictionaryPage {
                buf,
                num_values: values as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            out.page(content, &page)?;
        }
        let data_offset = out.compressed;
        let page = |buf| Page::DataPage {
            buf,
            num_values: self.rows as u32,
            encoding: self.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        out.page(self.data, &page)?;
        let compression = match out.compress {
            true => Compression::ZSTD(ZstdLevel::try_new(LEVEL)?),
            false => Compression::UNCOMPRESSED,
        };
        let mut encodings = vec![self.encoding, Encoding::RLE];
        if with_values {
            encodings.push(Encoding::PLAIN);
        }
        let metadata = ColumnChunkMetaData::builder(description.clone())
            .set_compression(compression)
            .set_encodings(encodings)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(out.compressed)
            .set_total_uncompressed_size(out.uncompressed)
            .set_data_page_offset(data_offset)
            .set_dictionary_page_offset(with_values.then_some(0))
            .set_statistics(self.statistics)
            .build()?;
        let closed = ColumnCloseResult {
            bytes_written: sink.bytes_written() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        to.append_column(&Bytes::from(sink.into_inner()?), closed)
    }
}

struct Out<'a> {
    writer: SerializedPageWriter<'a, Vec<u8>>,
    compress: bool,
    /// Bytes with the pages' headers.
    uncompressed: i64,
    compressed: i64,
}

impl Out<'_> {
    fn page(&mut self, content: Vec<u8>, page: &dyn Fn(Bytes) -> Page) -> Result<()> {
        let len = content.len();
        let buf = match self.compress {
            true => compressed(&content)?,
            false => content.into(),
        };
        let spec = self
            .writer
            .write_page(CompressedPage::new(page(buf), len))?;
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

/// Definition levels, 1 of what is not null, behind the bytes that they take.
pub(super) fn levels(levels: &Runs, to: &mut Vec<u8>) {
    let from = to.len();
    to.extend([0; 4]);
    levels.hybrid(1, to);
    let len = (to.len() - from - 4) as u32;
    to[from..from + 4].copy_from_slice(&len.to_le_bytes());
}
