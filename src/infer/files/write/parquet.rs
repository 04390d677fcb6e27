//! Parquet: a row group a chunk.

use super::{Sink, Target};
use crate::error::Result;
use crate::infer::files::Answer;
use crate::observe::Observer;
use arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, ListBuilder, RecordBatch, StringBuilder,
    StructBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

/// One row a paper; `categories` is a list of `{category, name, probability, assigned}`.
pub(super) struct Parquet {
    target: Target,
    schema: Arc<Schema>,
    writer: ArrowWriter<BufWriter<Box<dyn Write + Send>>>,
}

fn category_fields() -> Fields {
    Fields::from(vec![
        Field::new("category", DataType::Utf8, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("probability", DataType::Float32, false),
        Field::new("assigned", DataType::Boolean, false),
    ])
}

fn category_field() -> Arc<Field> {
    Arc::new(Field::new(
        "item",
        DataType::Struct(category_fields()),
        false,
    ))
}

impl Parquet {
    pub(super) fn open(target: Target, observer: &dyn Observer) -> Result<Self> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("row", DataType::UInt64, false),
            Field::new("id", DataType::Utf8, true),
            Field::new("categories", DataType::List(category_field()), false),
            Field::new("truncated", DataType::Boolean, false),
        ]));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let file = BufWriter::with_capacity(1 << 18, target.handle(observer)?);
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .map_err(|error| target.fail(io::Error::other(error)))?;
        Ok(Self {
            target,
            schema,
            writer,
        })
    }

    fn batch(
        &self,
        answers: &[Answer],
    ) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
        let (mut rows, mut ids) = (UInt64Builder::new(), StringBuilder::new());
        let mut truncated = BooleanBuilder::new();
        let entry = StructBuilder::new(
            category_fields(),
            vec![
                Box::new(StringBuilder::new()),
                Box::new(StringBuilder::new()),
                Box::new(Float32Builder::new()),
                Box::new(BooleanBuilder::new()),
            ],
        );
        let mut lists = ListBuilder::new(entry).with_field(category_field());
        for Answer {
            row,
            id,
            prediction,
            ..
        } in answers
        {
            rows.append_value(*row);
            ids.append_option(id.as_deref());
            truncated.append_value(prediction.truncated);
            let entry = lists.values();
            for category in &prediction.categories {
                if let Some(column) = entry.field_builder::<StringBuilder>(0) {
                    column.append_value(&category.category);
                }
                if let Some(column) = entry.field_builder::<StringBuilder>(1) {
                    column.append_value(category.name);
                }
                if let Some(column) = entry.field_builder::<Float32Builder>(2) {
                    column.append_value(category.probability);
                }
                if let Some(column) = entry.field_builder::<BooleanBuilder>(3) {
                    column.append_value(category.assigned);
                }
                entry.append(true);
            }
            lists.append(true);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.finish()),
            Arc::new(ids.finish()),
            Arc::new(lists.finish()),
            Arc::new(truncated.finish()),
        ];
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

impl Sink for Parquet {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()> {
        let batch = self
            .batch(&answers)
            .map_err(|error| self.target.fail(io::Error::other(error)))?;
        self.writer
            .write(&batch)
            .map_err(|error| self.target.fail(io::Error::other(error)))?;
        // A row group a chunk keeps memory flat however many papers there are.
        self.writer
            .flush()
            .map_err(|error| self.target.fail(io::Error::other(error)))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { target, writer, .. } = *self;
        let mut file = writer
            .into_inner()
            .map_err(|error| target.fail(io::Error::other(error)))?;
        file.flush().map_err(|source| target.fail(source))?;
        target.commit()
    }
}
