//! Parquet: the columns `title` and `abstract`, and `id` where there is one.

use super::Record;
use super::open::Source;
use crate::error::{Error, Result};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;

/// Rows decoded at a time.
const BATCH: usize = 1024;

pub(super) struct Rows {
    place: String,
    batches: ParquetRecordBatchReader,
    batch: Option<Columns>,
    /// Rows taken from `batch`.
    taken: usize,
    row: u64,
    total: u64,
}

struct Columns {
    id: Option<StringArray>,
    title: StringArray,
    abstract_: StringArray,
}

impl Rows {
    pub(super) fn open(place: &str, file: File) -> Result<Self> {
        let fail = |error| Error::input(place, error);
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fail)?;
        let schema = builder.schema().clone();
        let mut wanted = Vec::new();
        for name in ["title", "abstract"] {
            wanted.push(column(place, &schema, name)?);
        }
        wanted.extend(schema.index_of("id").ok());
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let total = builder.metadata().file_metadata().num_rows().max(0) as u64;
        let batches = builder
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(fail)?;
        Ok(Self {
            place: place.to_owned(),
            batches,
            batch: None,
            taken: 0,
            row: 0,
            total,
        })
    }

    fn columns(&self, batch: &RecordBatch) -> Result<Columns> {
        let text = |name: &str| -> Result<Option<StringArray>> {
            let Some(column) = batch.column_by_name(name) else {
                return Ok(None);
            };
            let column = cast(column, &DataType::Utf8)
                .map_err(|error| Error::input(format!("{}: field {name:?}", self.place), error))?;
            Ok(Some(column.as_string().clone()))
        };
        let need = |name: &str| {
            text(name)?.ok_or_else(|| {
                Error::input(format!("{}: field {name:?}", self.place), "no such column")
            })
        };
        Ok(Columns {
            id: text("id")?,
            title: need("title")?,
            abstract_: need("abstract")?,
        })
    }

    fn record(&self, columns: &Columns, at: usize) -> Result<Record> {
        let text = |name: &str, column: &StringArray| {
            if column.is_null(at) {
                let place = format!("{}: row {}: field {name:?}", self.place, self.row);
                return Err(Error::input(place, "null"));
            }
            Ok(column.value(at).to_owned())
        };
        Ok(Record {
            row: self.row,
            id: columns
                .id
                .as_ref()
                .filter(|id| id.is_valid(at))
                .map(|id| id.value(at).to_owned()),
            title: text("title", &columns.title)?,
            abstract_: text("abstract", &columns.abstract_)?,
        })
    }
}

impl Source for Rows {
    fn next(&mut self) -> Result<Option<Result<Record>>> {
        loop {
            if let Some(columns) = &self.batch
                && self.taken < columns.title.len()
            {
                let record = self.record(columns, self.taken);
                self.taken += 1;
                self.row += 1;
                return Ok(Some(record));
            }
            let Some(batch) = self.batches.next() else {
                return Ok(None);
            };
            let batch = batch.map_err(|error| {
                Error::input(format!("{}: row {}", self.place, self.row), error)
            })?;
            self.batch = Some(self.columns(&batch)?);
            self.taken = 0;
        }
    }

    fn expected(&self) -> Option<u64> {
        Some(self.total)
    }
}

/// The index of a column of text; other types would be turned into text that nobody wrote.
fn column(place: &str, schema: &Schema, name: &str) -> Result<usize> {
    let place = format!("{place}: field {name:?}");
    let Ok(index) = schema.index_of(name) else {
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        return Err(Error::input(
            place,
            format!("no such column; the file has {}", names.join(", ")),
        ));
    };
    let kind = match schema.field(index).data_type() {
        DataType::Dictionary(_, value) => value,
        other => other,
    };
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(index),
        other => Err(Error::input(
            place,
            format!("a column of {other}, not of text"),
        )),
    }
}
