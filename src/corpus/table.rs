//! Spilled texts and rows → the papers table, once it is known which papers stay.

use super::pages::Column;
use super::parquet::{parquet_error, properties, schema};
use super::pipeline::GROUP;
use super::spill::{Chunk, Spilled, TEXTS};
use super::split::Split;
use super::subset::{Rows, Selection};
use crate::error::{Error, Result};
use crate::observe::Observer;
use arrow::array::{ArrayRef, Date32Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;
use rayon::prelude::*;
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Bytes of texts from several blocks after which their page is full.
const PAGE: usize = 1 << 20;

/// Everything the table is made of.
pub(super) struct Table<'a> {
    pub texts: &'a Spilled,
    pub rows: &'a Rows,
    pub archives: &'a [u8],
    pub archive_names: &'a [Option<&'static str>],
    pub selection: &'a Selection,
    /// By row; none: the paper is left out.
    pub splits: &'a [Option<Split>],
    pub zstd_level: i32,
}

/// A row group of the table.
struct Group {
    /// The spilled pieces it is made of, and the first row of each.
    pieces: Vec<(usize, usize)>,
    papers: usize,
}

struct Encoded {
    texts: [Chunk; TEXTS],
    others: Vec<ArrowColumnChunk>,
}

impl Table<'_> {
    /// Writes the table into `file`, which is in the folder `out`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Interrupted`].
    pub(super) fn write(
        &self,
        file: NamedTempFile,
        out: &Path,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<NamedTempFile> {
        let fault = |error| parquet_error(out, error);
        let clone = file.reopen().map_err(|error| Error::io(out, error))?;
        let sink: BufWriter<File> = BufWriter::with_capacity(1 << 20, clone);
        let mut properties = properties(self.zstd_level)?;
        let schema = schema();
        let columns = ArrowSchemaConverter::new()
            .schema_root("arrow_schema")
            .convert(&schema)
            .map_err(fault)?;
        parquet::arrow::add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let mut writer =
            SerializedFileWriter::new(sink, columns.root_schema_ptr(), Arc::new(properties))
                .map_err(fault)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, schema);
        let groups = self.plan();
        let total = groups.iter().map(|group| group.papers as u64).sum();
        let mut done = 0;
        let encode = |window: &[Group]| -> Vec<Result<Encoded>> {
            let encoded = window.par_iter().map(|group| {
                observer.check()?;
                let mut writers = factory.create_column_writers(0).map_err(fault)?;
                self.encode(group, out, writers.split_off(TEXTS))
            });
            encoded.collect()
        };
        let mut append = |group: &Group, encoded: Encoded| -> Result<()> {
            observer.check()?;
            let mut to = writer.next_row_group().map_err(fault)?;
            for (column, chunk) in encoded.texts.iter().enumerate() {
                let close = self.close(columns.column(column), chunk, group.papers);
                to.append_column(chunk, close.map_err(fault)?)
                    .map_err(fault)?;
            }
            for chunk in encoded.others {
                chunk.append_to_row_group(&mut to).map_err(fault)?;
            }
            to.close().map_err(fault)?;
            done += group.papers as u64;
            observer.report("write", done, total, "papers");
            Ok(())
        };
        let mut windows = groups.chunks(2 * pool.current_num_threads());
        let mut open: (&[Group], Vec<Result<Encoded>>) = Default::default();
        loop {
            let next = windows.next().unwrap_or_default();
            let mut encoded = Vec::new();
            // The pool encodes the next row groups while this thread writes the last ones.
            pool.in_place_scope(|tasks| {
                tasks.spawn(|_| encoded = encode(next));
                let (window, encoded) = std::mem::take(&mut open);
                window
                    .iter()
                    .zip(encoded)
                    .try_for_each(|(group, encoded)| append(group, encoded?))
            })?;
            if next.is_empty() {
                break;
            }
            open = (next, encoded);
        }
        writer.close().map_err(fault)?;
        Ok(file)
    }

    /// What Parquet wants to know of a chunk of texts.
    fn close(
        &self,
        column: ColumnDescPtr,
        chunk: &Chunk,
        papers: usize,
    ) -> parquet::errors::Result<ColumnCloseResult> {
        let metadata = ColumnChunkMetaData::builder(column)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(self.zstd_level)?))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values(papers as i64)
            .set_total_compressed_size(chunk.bytes as i64)
            .set_total_uncompressed_size(chunk.plain as i64)
            .set_data_page_offset(0)
            .build()?;
        Ok(ColumnCloseResult {
            bytes_written: chunk.bytes as u64,
            rows_written: papers as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        })
    }

    /// Pieces are joined until a row group is full.
    fn plan(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        let (mut pieces, mut papers, mut start) = (Vec::new(), 0, 0);
        for (number, piece) in self.texts.pieces().iter().enumerate() {
            let rows = start..start + piece.rows - piece.duplicates.len();
            let stay = self.stay(rows.clone()).filter(|stay| *stay).count();
            if stay > 0 {
                pieces.push((number, start));
                papers += stay;
            }
            start = rows.end;
            if papers >= GROUP {
                groups.push(Group {
                    pieces: std::mem::take(&mut pieces),
                    papers,
                });
                papers = 0;
            }
        }
        if papers > 0 {
            groups.push(Group { pieces, papers });
        }
        groups
    }

    /// Whether each of `rows` stays.
    fn stay(&self, rows: Range<usize>) -> impl Iterator<Item = bool> {
        self.splits[rows].iter().map(Option::is_some)
    }

    fn encode(
        &self,
        group: &Group,
        out: &Path,
        mut writers: Vec<ArrowColumnWriter>,
    ) -> Result<Encoded> {
        let mut rows = Vec::with_capacity(group.papers);
        let mut texts: [Chunk; TEXTS] = Default::default();
        let mut open: [Column; TEXTS] = Default::default();
        for &(number, start) in &group.pieces {
            let piece = &self.texts.pieces()[number];
            let range = start..start + piece.rows - piece.duplicates.len();
            let mut stay = self.stay(range.clone());
            let mut duplicates = piece.duplicates.iter().peekable();
            let keep: Vec<bool> = (0..piece.rows as u32)
                .map(|at| duplicates.next_if_eq(&&at).is_none() && stay.next() == Some(true))
                .collect();
            rows.extend(range.filter(|row| self.splits[*row].is_some()));
            let whole = !keep.contains(&false);
            for (column, (chunk, open)) in texts.iter_mut().zip(&mut open).enumerate() {
                if !whole {
                    open.extend(&self.texts.read(number, column)?, &keep);
                }
                if open.rows() > 0 && (whole || open.bytes() >= PAGE) {
                    chunk.page(std::mem::take(open).pack(self.zstd_level)?);
                }
                if whole {
                    self.texts.copy(number, column, chunk);
                }
            }
        }
        for (chunk, open) in texts.iter_mut().zip(open) {
            if open.rows() > 0 {
                chunk.page(open.pack(self.zstd_level)?);
            }
        }
        let fault = |error| parquet_error(out, error);
        let others = self.others(&rows, out)?;
        let mut next = writers.iter_mut();
        for (field, array) in others.schema_ref().fields().iter().zip(others.columns()) {
            for leaf in compute_leaves(field, array).map_err(fault)? {
                if let Some(writer) = next.next() {
                    writer.write(&leaf).map_err(fault)?;
                }
            }
        }
        let others = writers.into_iter().map(|writer| writer.close());
        let others = others.collect::<Result<_, _>>().map_err(fault)?;
        Ok(Encoded { texts, others })
    }

    /// Every column but the texts.
    fn others(&self, rows: &[usize], out: &Path) -> Result<RecordBatch> {
        let item = Field::new("item", DataType::Utf8, false);
        let mut categories = ListBuilder::new(StringBuilder::new()).with_field(item);
        for row in rows {
            let labels = self
                .rows
                .labels(*row)
                .iter()
                .filter(|label| self.selection.has(**label));
            for label in labels {
                categories.values().append_value(label.name());
            }
            categories.append(true);
        }
        let primaries = rows.iter().map(|row| {
            self.rows
                .primary(*row)
                .filter(|label| self.selection.has(*label))
                .map(|label| label.name())
        });
        let archives = rows
            .iter()
            .map(|row| self.archive_names[usize::from(self.archives[*row])]);
        let submitted = rows.iter().map(|row| self.rows.days(*row));
        let splits = rows
            .iter()
            .filter_map(|row| self.splits[*row])
            .map(Split::name);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(categories.finish()),
            Arc::new(primaries.collect::<StringArray>()),
            Arc::new(archives.collect::<StringArray>()),
            Arc::new(Date32Array::from_iter_values(submitted)),
            Arc::new(StringArray::from_iter_values(splits)),
        ];
        let fields: Vec<_> = schema().fields().iter().skip(TEXTS).cloned().collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| Error::input(out.display(), error))
    }
}
