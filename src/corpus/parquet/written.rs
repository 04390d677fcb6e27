//! A papers table from papers in memory: what tests begin with.

use super::super::papers::Papers;
use super::{parquet_error, properties, schema};
use crate::error::{Error, Result};
use crate::scratch::Pending;
use arrow::array::{ArrayRef, Date32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use std::path::Path;
use std::sync::Arc;

/// Writes `papers` to `path` in one piece: a reader sees the whole file or none.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written, [`Error::Option`] for a bad `zstd_level`.
pub(crate) fn write(path: &Path, papers: &Papers, zstd_level: i32) -> Result<()> {
    let (file, pending) = Pending::beside(path)?;
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties(zstd_level)?))
        .map_err(|error| parquet_error(path, error))?;
    let batch = RecordBatch::try_new(schema(), columns(papers))
        .map_err(|error| Error::input(path.display(), error))?;
    writer
        .write(&batch)
        .map_err(|error| parquet_error(path, error))?;
    let file = writer
        .into_inner()
        .map_err(|error| parquet_error(path, error))?;
    pending.publish(&file, path)
}

fn columns(papers: &Papers) -> Vec<ArrayRef> {
    let text = |values: &[String]| Arc::new(StringArray::from_iter_values(values)) as ArrayRef;
    let maybe = |values: &[Option<String>]| Arc::new(StringArray::from_iter(values)) as ArrayRef;
    let item = Field::new("item", DataType::Utf8, false);
    let mut categories = ListBuilder::new(StringBuilder::new()).with_field(item);
    for of in &papers.categories {
        categories.append_value(of.iter().map(Some));
    }
    vec![
        text(&papers.ids),
        text(&papers.titles),
        text(&papers.abstracts),
        Arc::new(categories.finish()),
        maybe(&papers.primaries),
        maybe(&papers.archives),
        Arc::new(Date32Array::from(papers.submitted.clone())),
        Arc::new(StringArray::from_iter_values(
            papers.splits.iter().map(|split| split.name()),
        )),
    ]
}
