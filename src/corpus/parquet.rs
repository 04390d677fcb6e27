//! The papers table on disk: schema, writer settings, and rows of a batch by name.

use super::papers::Split;
use crate::error::{Error, Result};
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, ListArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

#[cfg(test)]
mod written;
#[cfg(test)]
pub(crate) use written::write;

/// Key of the schema version in the file's metadata.
pub const SCHEMA_KEY: &str = "arxiv_core.papers";
/// Version of the papers table; a reader refuses any other.
pub const SCHEMA_VERSION: &str = "1";

/// The columns of a papers table, in order.
#[must_use]
pub fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("id", false),
        text("title", false),
        text("abstract", false),
        Field::new("categories", list_type(), false),
        text("primary", true),
        text("archive", true),
        Field::new("submitted", DataType::Date32, false),
        text("split", false),
    ]))
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, false)))
}

/// Writer settings of a papers table, zstd at `level` (1 to 22).
///
/// # Errors
/// [`Error::Option`] for a level that zstd does not have.
pub fn properties(level: i32) -> Result<WriterProperties> {
    let zstd = ZstdLevel::try_new(level)
        .map_err(|_| Error::option("zstd_level", level, "expected 1 to 22"))?;
    let mut builder = WriterProperties::builder()
        // Columns are copied between files chunk by chunk, without an index of their pages.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_compression(Compression::ZSTD(zstd))
        .set_key_value_metadata(Some(vec![KeyValue::new(
            SCHEMA_KEY.to_owned(),
            SCHEMA_VERSION.to_owned(),
        )]));
    for name in ["id", "title", "abstract"] {
        // Texts hardly repeat: a dictionary would be built and thrown away.
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    for name in ["title", "abstract"] {
        builder =
            builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None);
    }
    Ok(builder.build())
}

pub(super) fn parquet_error(path: &Path, error: parquet::errors::ParquetError) -> Error {
    match error {
        parquet::errors::ParquetError::External(source) => {
            match source.downcast::<std::io::Error>() {
                Ok(source) => Error::io(path, *source),
                Err(source) => Error::input(path.display(), source),
            }
        }
        other => Error::input(path.display(), other),
    }
}

/// The batches of the papers table at `path`, in the file's order.
///
/// # Errors
/// [`Error::Io`] where the file cannot be opened, [`Error::Input`] where it is not Parquet or
/// carries another schema version.
pub fn batches(path: &Path) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let metadata = file.metadata().map_err(|error| Error::io(path, error))?;
    if metadata.is_dir() {
        return Err(Error::input(
            path.display(),
            "is a directory; expected a papers.parquet",
        ));
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| Error::input(path.display(), format!("not a papers table: {error}")))?;
    let version = builder
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == SCHEMA_KEY))
        .and_then(|pair| pair.value.clone());
    if let Some(version) = version.filter(|version| version != SCHEMA_VERSION) {
        return Err(Error::input(
            path.display(),
            format!(
                "papers table of schema version {version}, this build reads {SCHEMA_VERSION}; prepare it again"
            ),
        ));
    }
    let reader = builder
        .with_batch_size(4096)
        .build()
        .map_err(|error| parquet_error(path, error))?;
    let path = path.to_path_buf();
    Ok(reader.map(move |batch| batch.map_err(|error| Error::input(path.display(), error))))
}

/// One batch of a papers table, its columns found by name and cast to the schema's types.
#[derive(Debug)]
pub struct Rows {
    place: String,
    id: StringArray,
    title: StringArray,
    abstract_: StringArray,
    categories: ListArray,
    primary: StringArray,
    archive: StringArray,
    submitted: Date32Array,
    split: StringArray,
}

impl Rows {
    /// Finds the columns of `batch`, a part of the table at `path`. Other integer and string
    /// widths than the schema's are taken too, as other Parquet writers choose them.
    ///
    /// # Errors
    /// [`Error::Input`] naming the column that is missing, of another type or null.
    pub fn new(path: &Path, batch: &RecordBatch) -> Result<Self> {
        let place = path.display().to_string();
        let column = |name: &str| -> Result<ArrayRef> {
            let schema = schema();
            let wanted = schema
                .field_with_name(name)
                .map_err(|error| Error::input(&place, error))?;
            let found = batch.column_by_name(name).ok_or_else(|| {
                let names: Vec<_> = batch
                    .schema_ref()
                    .fields()
                    .iter()
                    .map(|f| f.name().clone())
                    .collect();
                Error::input(
                    &place,
                    format!("column \"{name}\" is missing (found {})", names.join(", ")),
                )
            })?;
            if !wanted.is_nullable() && found.null_count() > 0 {
                return Err(Error::input(&place, format!("column \"{name}\" has nulls")));
            }
            cast(found, wanted.data_type()).map_err(|error| {
                Error::input(
                    &place,
                    format!(
                        "column \"{name}\": expected {}: {error}",
                        wanted.data_type()
                    ),
                )
            })
        };
        let text = |name: &str| column(name).map(|array| array.as_string::<i32>().clone());
        Ok(Self {
            id: text("id")?,
            title: text("title")?,
            abstract_: text("abstract")?,
            categories: column("categories")?.as_list::<i32>().clone(),
            primary: text("primary")?,
            archive: text("archive")?,
            submitted: column("submitted")?.as_primitive::<Date32Type>().clone(),
            split: text("split")?,
            place,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// arXiv id of a row.
    #[must_use]
    pub fn id(&self, row: usize) -> &str {
        self.id.value(row)
    }

    /// Title of a row.
    #[must_use]
    pub fn title(&self, row: usize) -> &str {
        self.title.value(row)
    }

    /// Abstract of a row.
    #[must_use]
    pub fn abstract_(&self, row: usize) -> &str {
        self.abstract_.value(row)
    }

    /// Categories of a row.
    #[must_use]
    pub fn categories(&self, row: usize) -> Vec<String> {
        let values = self.categories.value(row);
        values
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    /// Primary category of a row.
    #[must_use]
    pub fn primary(&self, row: usize) -> Option<&str> {
        self.primary.is_valid(row).then(|| self.primary.value(row))
    }

    /// Archive of a row.
    #[must_use]
    pub fn archive(&self, row: usize) -> Option<&str> {
        self.archive.is_valid(row).then(|| self.archive.value(row))
    }

    /// Submission day of a row, in days since 1970-01-01.
    #[must_use]
    pub fn submitted(&self, row: usize) -> i32 {
        self.submitted.value(row)
    }

    /// Split of a row.
    ///
    /// # Errors
    /// [`Error::Input`] for a name that is no split.
    pub fn split(&self, row: usize) -> Result<Split> {
        let name = self.split.value(row);
        Split::from_name(name).ok_or_else(|| {
            let reason = format!("column \"split\": \"{name}\" is not train, validation or test");
            Error::input(&self.place, reason)
        })
    }
}
