//! Predictions to JSON Lines, CSV or Parquet; a file appears under its name when it is whole.

use super::{Answer, STANDARD};
use crate::error::{Error, Result};
use crate::infer::prediction::Category;
use arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, ListBuilder, RecordBatch, StringBuilder,
    StructBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Takes answers in order; nothing is at the output's place before `finish`.
pub(super) trait Sink {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()>;
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The columns of every output.
const COLUMNS: [&str; 6] = [
    "row",
    "id",
    "categories",
    "probabilities",
    "assigned",
    "truncated",
];

/// Opens `output`, a path or `-` (JSON Lines), without touching what lies there.
pub(super) fn create(output: &str) -> Result<Box<dyn Sink>> {
    if output == STANDARD {
        let stream = Stream::Plain(Box::new(io::stdout()));
        return Ok(Box::new(Lines {
            target: Target {
                path: output.into(),
                file: None,
            },
            stream,
        }));
    }
    let name = output.to_ascii_lowercase();
    let ends = |ending: &str| name.ends_with(ending);
    let (stem, archive) = match () {
        () if ends(".gz") => (name.trim_end_matches(".gz"), Archive::Gzip),
        () if ends(".zst") => (name.trim_end_matches(".zst"), Archive::Zstd),
        () => (name.as_str(), Archive::None),
    };
    let kind = match () {
        () if stem.ends_with(".jsonl") || stem.ends_with(".ndjson") => Kind::Lines,
        () if stem.ends_with(".csv") => Kind::Csv,
        () if ends(".parquet") => Kind::Parquet,
        () => {
            let reason =
                "must end in .jsonl, .csv (each also with .gz or .zst) or .parquet, or be -";
            return Err(Error::option("output", output, reason));
        }
    };
    let target = Target::create(Path::new(output))?;
    Ok(match kind {
        Kind::Lines => Box::new(Lines {
            stream: Stream::open(&target, archive)?,
            target,
        }),
        Kind::Csv => Box::new(Csv::open(target, archive)?),
        Kind::Parquet => Box::new(Parquet::open(target)?),
    })
}

enum Kind {
    Lines,
    Csv,
    Parquet,
}

#[derive(Clone, Copy)]
enum Archive {
    None,
    Gzip,
    Zstd,
}

/// The place of an output, and the file beside it that will take it; none for a stream.
struct Target {
    path: PathBuf,
    file: Option<NamedTempFile>,
}

impl Target {
    fn create(path: &Path) -> Result<Self> {
        let fail = |source| Error::io(path, source);
        if path.is_dir() {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        let absolute = std::path::absolute(path).map_err(fail)?;
        let parent = absolute.parent().unwrap_or(&absolute);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".predictions-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(parent)
            .map_err(|source| Error::io(parent, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            file: Some(file),
        })
    }

    fn handle(&self) -> Result<File> {
        match &self.file {
            Some(file) => file
                .as_file()
                .try_clone()
                .map_err(|source| self.fail(source)),
            None => Err(self.fail(io::ErrorKind::Unsupported.into())),
        }
    }

    fn fail(&self, source: io::Error) -> Error {
        Error::io(&self.path, source)
    }

    fn commit(self) -> Result<()> {
        if let Some(file) = self.file {
            file.as_file()
                .sync_all()
                .map_err(|source| Error::io(&self.path, source))?;
            file.persist(&self.path)
                .map_err(|error| Error::io(&self.path, error.error))?;
        }
        Ok(())
    }
}

/// A text stream that is closed explicitly: an archive's last bytes come then.
enum Stream {
    Plain(Box<dyn Write>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Stream {
    fn open(target: &Target, archive: Archive) -> Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, target.handle()?);
        Ok(match archive {
            Archive::None => Self::Plain(Box::new(file)),
            Archive::Gzip => Self::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Archive::Zstd => {
                Self::Zstd(zstd::Encoder::new(file, 0).map_err(|source| target.fail(source))?)
            }
        })
    }

    fn close(self) -> io::Result<()> {
        match self {
            Self::Plain(mut stream) => stream.flush(),
            Self::Gzip(stream) => stream.finish()?.flush(),
            Self::Zstd(stream) => stream.finish()?.flush(),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Gzip(stream) => stream.write(bytes),
            Self::Zstd(stream) => stream.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Gzip(stream) => stream.flush(),
            Self::Zstd(stream) => stream.flush(),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    row: u64,
    id: Option<&'a str>,
    categories: &'a [Category],
    truncated: bool,
}

struct Lines {
    target: Target,
    stream: Stream,
}

impl Sink for Lines {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()> {
        let mut text = Vec::with_capacity(512 * answers.len());
        for Answer {
            row,
            id,
            prediction,
        } in &answers
        {
            let line = Line {
                row: *row,
                id: id.as_deref(),
                categories: &prediction.categories,
                truncated: prediction.truncated,
            };
            serde_json::to_writer(&mut text, &line)
                .map_err(|error| self.target.fail(error.into()))?;
            text.push(b'\n');
        }
        self.stream
            .write_all(&text)
            .map_err(|source| self.target.fail(source))?;
        if self.target.file.is_none() {
            // Whoever reads a pipe should not wait for the next chunk.
            self.stream
                .flush()
                .map_err(|source| self.target.fail(source))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.stream
            .close()
            .map_err(|source| self.target.fail(source))?;
        self.target.commit()
    }
}

/// One row a paper; lists are separated by blanks, as arXiv writes categories.
struct Csv {
    target: Target,
    writer: csv::Writer<Stream>,
}

impl Csv {
    fn open(target: Target, archive: Archive) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(Stream::open(&target, archive)?);
        writer
            .write_record(COLUMNS)
            .map_err(|error| target.fail(error.into()))?;
        Ok(Self { target, writer })
    }
}

fn joined(categories: &[Category], text: impl Fn(&Category) -> Option<String>) -> String {
    categories
        .iter()
        .filter_map(text)
        .collect::<Vec<_>>()
        .join(" ")
}

impl Sink for Csv {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()> {
        for Answer {
            row,
            id,
            prediction,
        } in &answers
        {
            let categories = &prediction.categories;
            let fields = [
                row.to_string(),
                id.clone().unwrap_or_default(),
                joined(categories, |category| Some(category.category.clone())),
                joined(categories, |category| {
                    Some(category.probability.to_string())
                }),
                joined(categories, |category| {
                    category.assigned.then(|| category.category.clone())
                }),
                prediction.truncated.to_string(),
            ];
            self.writer
                .write_record(fields)
                .map_err(|error| self.target.fail(error.into()))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { target, writer } = *self;
        let stream = writer
            .into_inner()
            .map_err(|error| target.fail(error.into_error()))?;
        stream.close().map_err(|source| target.fail(source))?;
        target.commit()
    }
}

/// One row a paper; `categories` is a list of `{category, name, probability, assigned}`.
struct Parquet {
    target: Target,
    schema: Arc<Schema>,
    writer: ArrowWriter<BufWriter<File>>,
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
    fn open(target: Target) -> Result<Self> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("row", DataType::UInt64, false),
            Field::new("id", DataType::Utf8, true),
            Field::new("categories", DataType::List(category_field()), false),
            Field::new("truncated", DataType::Boolean, false),
        ]));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let file = BufWriter::with_capacity(1 << 18, target.handle()?);
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
