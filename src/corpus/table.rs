//! Texts on disk and rows → the papers table, once it is known which papers stay.

mod kept;

use super::parquet::{parquet_error, properties, schema};
use super::split::Split;
use super::subset::{Rows, Selection};
use super::texts::{Group, TEXTS, TextFile};
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::scratch::Pending;
use arrow::array::{ArrayRef, Date32Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor};
use rayon::prelude::*;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Everything the table is made of but the texts.
pub(super) struct Table<'a> {
    pub rows: &'a Rows,
    pub archives: &'a [u8],
    pub archive_names: &'a [Option<&'static str>],
    pub selection: &'a Selection,
    /// By row; none: the paper is left out.
    pub splits: &'a [Option<Split>],
    pub zstd_level: i32,
}

impl Table<'_> {
    /// Makes the table of `texts`, the texts of all rows, in the folder `out`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Interrupted`].
    pub(super) fn write(
        &self,
        texts: TextFile,
        out: &Path,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<(File, Pending)> {
        let all_stay = self.splits.iter().all(Option::is_some);
        let mut texts = if all_stay {
            texts
        } else {
            self.reduce(&texts, out, pool, observer)?
        };
        self.complete(&mut texts, out, pool, observer)?;
        texts.into_file()
    }

    /// Writes everything that comes after the texts: the other columns and the footer.
    fn complete(
        &self,
        texts: &mut TextFile,
        out: &Path,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<()> {
        let fault = |error| parquet_error(out, error);
        let others = self.others(texts.groups(), out, pool, observer)?;
        let mut properties = properties(self.zstd_level)?;
        parquet::arrow::add_encoded_arrow_schema_to_metadata(&schema(), &mut properties);
        let properties = Arc::new(properties);
        let columns = Arc::new(descriptor(&schema()).map_err(fault)?);
        let other_columns = Arc::new(descriptor(&other_schema()).map_err(fault)?);

        let total = self.splits.iter().flatten().count() as u64;
        let mut done = 0;
        let mut groups = Vec::with_capacity(others.len());
        for (number, chunks) in others.into_iter().enumerate() {
            observer.check()?;
            let ordinal = i16::try_from(number)
                .map_err(|_| Error::input(out.display(), "too many papers for one Parquet file"))?;
            // Offsets are those of the whole file, whose every byte went through this sink.
            let mut writer = SerializedRowGroupWriter::new(
                Arc::clone(&other_columns),
                Arc::clone(&properties),
                texts.sink(),
                ordinal,
                None,
            );
            for chunk in chunks {
                chunk.append_to_row_group(&mut writer).map_err(fault)?;
            }
            let other = writer.close().map_err(fault)?;
            let texts = &texts.groups()[number];
            groups.push(
                self.group(&columns, texts, &other, ordinal)
                    .map_err(fault)?,
            );
            done += texts.rows as u64;
            observer.report("write", done, total, "papers");
        }
        let file = FileMetaData::new(
            properties.writer_version().as_num(),
            total as i64,
            Some(properties.created_by().to_owned()),
            properties.key_value_metadata().cloned(),
            columns,
            None,
        );
        let metadata = ParquetMetaDataBuilder::new(file)
            .set_row_groups(groups)
            .build();
        ParquetMetaDataWriter::new(texts.sink(), &metadata)
            .finish()
            .map_err(fault)?;
        texts.sink().flush().map_err(|error| Error::io(out, error))
    }

    /// What the footer says of a row group.
    fn group(
        &self,
        columns: &SchemaDescPtr,
        texts: &Group,
        other: &RowGroupMetaData,
        ordinal: i16,
    ) -> parquet::errors::Result<RowGroupMetaData> {
        let zstd = Compression::ZSTD(ZstdLevel::try_new(self.zstd_level)?);
        let chunks = texts.chunks.iter().enumerate().map(|(column, chunk)| {
            ColumnChunkMetaData::builder(columns.column(column))
                .set_compression(zstd)
                .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
                .set_num_values(texts.rows as i64)
                .set_total_compressed_size(chunk.bytes as i64)
                .set_total_uncompressed_size(chunk.plain as i64)
                .set_data_page_offset(chunk.at as i64)
                .build()
        });
        let mut metadata = chunks.collect::<Result<Vec<_>, ParquetError>>()?;
        metadata.extend_from_slice(other.columns());
        let plain: u64 = texts.chunks.iter().map(|chunk| chunk.plain).sum();
        RowGroupMetaData::builder(Arc::clone(columns))
            .set_column_metadata(metadata)
            .set_total_byte_size(plain as i64 + other.total_byte_size())
            .set_num_rows(texts.rows as i64)
            .set_ordinal(ordinal)
            .set_file_offset(texts.chunks[0].at as i64)
            .build()
    }

    /// Every column but the texts, packed, for each of `groups`.
    fn others(
        &self,
        groups: &[Group],
        out: &Path,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<ArrowColumnChunk>>> {
        let fault = |error| parquet_error(out, error);
        let schema = other_schema();
        // Nothing is written here: it is what column writers are made by.
        let columns = descriptor(&schema).map_err(fault)?.root_schema_ptr();
        let properties = Arc::new(properties(self.zstd_level)?);
        let writer =
            SerializedFileWriter::new(std::io::sink(), columns, properties).map_err(fault)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));

        let kept: Vec<usize> = (0..self.splits.len())
            .filter(|row| self.splits[*row].is_some())
            .collect();
        let mut rest = &kept[..];
        let mut parts = Vec::with_capacity(groups.len());
        for group in groups {
            let (rows, after) = rest.split_at(group.rows);
            parts.push(rows);
            rest = after;
        }
        let encode = |rows: &&[usize]| {
            observer.check()?;
            let batch = self.batch(rows, &schema, out)?;
            let mut writers = factory.create_column_writers(0).map_err(fault)?;
            let mut next = writers.iter_mut();
            for (field, array) in schema.fields().iter().zip(batch.columns()) {
                for leaf in compute_leaves(field, array).map_err(fault)? {
                    if let Some(writer) = next.next() {
                        writer.write(&leaf).map_err(fault)?;
                    }
                }
            }
            let chunks = writers.into_iter().map(|writer| writer.close());
            chunks.collect::<Result<_, _>>().map_err(fault)
        };
        pool.install(|| parts.par_iter().map(encode).collect())
    }

    /// Every column but the texts of `rows`.
    fn batch(&self, rows: &[usize], schema: &SchemaRef, out: &Path) -> Result<RecordBatch> {
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
        RecordBatch::try_new(Arc::clone(schema), columns)
            .map_err(|error| Error::input(out.display(), error))
    }
}

/// The columns that are no texts.
fn other_schema() -> SchemaRef {
    let fields: Vec<_> = schema().fields().iter().skip(TEXTS).cloned().collect();
    Arc::new(Schema::new(fields))
}

fn descriptor(schema: &Schema) -> parquet::errors::Result<SchemaDescriptor> {
    ArrowSchemaConverter::new()
        .schema_root("arrow_schema")
        .convert(schema)
}
