//! The text columns on their way to disk. Which papers stay is known only after the last line,
//! so the texts wait in a nameless Parquet file, encoded as the papers table will hold them:
//! row groups that lose no paper are then copied byte for byte, others are encoded again.

use super::parquet::{parquet_error, properties, schema};
use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many columns are spilled: the first ones of the table.
pub(super) const TEXTS: usize = 3;
const BUFFER: usize = 1 << 20;

pub(super) fn text_schema() -> SchemaRef {
    Arc::new(Schema::new(
        schema()
            .fields()
            .iter()
            .take(TEXTS)
            .cloned()
            .collect::<Vec<_>>(),
    ))
}

/// A Parquet file writer for `schema`, and what makes its columns on other threads.
pub(super) fn writer<W: Write + Send>(
    sink: W,
    schema: &SchemaRef,
    zstd_level: i32,
) -> Result<(SerializedFileWriter<W>, ArrowRowGroupWriterFactory), parquet::errors::ParquetError> {
    let mut properties = properties(zstd_level)
        .map_err(|error| parquet::errors::ParquetError::External(Box::new(error)))?;
    let parquet_schema = ArrowSchemaConverter::new()
        .schema_root("arrow_schema")
        .convert(schema)?;
    parquet::arrow::add_encoded_arrow_schema_to_metadata(schema, &mut properties);
    let writer =
        SerializedFileWriter::new(sink, parquet_schema.root_schema_ptr(), Arc::new(properties))?;
    let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema));
    Ok((writer, factory))
}

/// Encodes `pieces`, one after the other, into `columns`, which are for the fields of the pieces.
pub(super) fn encode(
    path: &Path,
    mut columns: Vec<ArrowColumnWriter>,
    pieces: &[RecordBatch],
) -> Result<Vec<ArrowColumnChunk>> {
    let fault = |error| parquet_error(path, error);
    for piece in pieces {
        let mut writers = columns.iter_mut();
        for (field, array) in piece.schema_ref().fields().iter().zip(piece.columns()) {
            for leaf in compute_leaves(field, array).map_err(fault)? {
                if let Some(writer) = writers.next() {
                    writer.write(&leaf).map_err(fault)?;
                }
            }
        }
    }
    columns
        .into_iter()
        .map(|column| column.close().map_err(fault))
        .collect()
}

/// The spill while it is written.
pub(super) struct Spill {
    path: PathBuf,
    file: Arc<File>,
    writer: SerializedFileWriter<BufWriter<File>>,
    factory: ArrowRowGroupWriterFactory,
}

impl Spill {
    /// A spill in the folder `out`, without a name: when the process ends it is gone.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn new(out: &Path, zstd_level: i32) -> Result<Self> {
        let file = tempfile::tempfile_in(out).map_err(|error| Error::io(out, error))?;
        let path = out.to_path_buf();
        let clone = file.try_clone().map_err(|error| Error::io(out, error))?;
        let (writer, factory) = writer(
            BufWriter::with_capacity(BUFFER, clone),
            &text_schema(),
            zstd_level,
        )
        .map_err(|error| parquet_error(out, error))?;
        Ok(Self {
            path,
            file: Arc::new(file),
            writer,
            factory,
        })
    }

    /// Column writers for one row group.
    ///
    /// # Errors
    /// [`Error::Input`] where Parquet refuses the schema.
    pub(super) fn columns(&self) -> Result<Vec<ArrowColumnWriter>> {
        self.factory
            .create_column_writers(0)
            .map_err(|error| parquet_error(&self.path, error))
    }

    /// Appends one row group.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn append(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<()> {
        let fault = |error| parquet_error(&self.path, error);
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group).map_err(fault)?;
        }
        group.close().map_err(fault)?;
        Ok(())
    }

    /// The spill, to be read.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn finish(self) -> Result<Spilled> {
        let metadata = self
            .writer
            .close()
            .map_err(|error| parquet_error(&self.path, error))?;
        let bytes = self
            .file
            .metadata()
            .map_err(|error| Error::io(&self.path, error))?
            .len();
        let source = Shared {
            file: self.file,
            bytes,
        };
        Ok(Spilled {
            path: self.path,
            source,
            metadata: Arc::new(metadata),
        })
    }
}

/// The spill, complete. Read from any thread.
pub(super) struct Spilled {
    path: PathBuf,
    source: Shared,
    metadata: Arc<ParquetMetaData>,
}

impl Spilled {
    /// Rows of each row group.
    pub(super) fn groups(&self) -> impl Iterator<Item = usize> + '_ {
        self.metadata
            .row_groups()
            .iter()
            .map(|group| group.num_rows() as usize)
    }

    /// The texts of row group `group`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn read(&self, group: usize) -> Result<RecordBatch> {
        let metadata =
            ArrowReaderMetadata::try_new(Arc::clone(&self.metadata), ArrowReaderOptions::new())
                .map_err(|error| parquet_error(&self.path, error))?;
        let rows = self.metadata.row_group(group).num_rows() as usize;
        let mut reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), metadata)
                .with_row_groups(vec![group])
                .with_batch_size(rows)
                .build()
                .map_err(|error| parquet_error(&self.path, error))?;
        match reader.next() {
            Some(Ok(batch)) if batch.num_rows() == rows => Ok(batch),
            Some(Err(error)) => Err(Error::input(self.path.display(), error)),
            _ => Err(Error::input(
                self.path.display(),
                "the spilled texts are incomplete",
            )),
        }
    }

    /// Copies the columns of row group `group` as they are.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn copy<W: Write + Send>(
        &self,
        group: usize,
        to: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        for column in self.metadata.row_group(group).columns() {
            let close = ColumnCloseResult {
                bytes_written: column.compressed_size() as u64,
                rows_written: self.metadata.row_group(group).num_rows() as u64,
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            to.append_column(&self.source, close)
                .map_err(|error| parquet_error(&self.path, error))?;
        }
        Ok(())
    }
}

/// A file read at positions, so that threads do not move each other's cursor.
#[derive(Clone)]
struct Shared {
    file: Arc<File>,
    bytes: u64,
}

/// A cursor in a [`Shared`] file.
struct Cursor {
    file: Arc<File>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Shared {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let cursor = Cursor {
            file: Arc::clone(&self.file),
            at: start,
        };
        Ok(BufReader::with_capacity(BUFFER, cursor))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start)?;
        Ok(buffer.into())
    }
}
