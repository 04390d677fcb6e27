//! JSON Lines and CSV, plain or compressed.

use super::{Archive, Sink, Target};
use crate::error::Result;
use crate::infer::files::Answer;
use crate::infer::prediction::Category;
use crate::observe::Observer;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// The header of CSV.
const COLUMNS: [&str; 6] = [
    "row",
    "id",
    "categories",
    "probabilities",
    "assigned",
    "truncated",
];

/// A text stream that is closed explicitly: an archive's last bytes come then.
pub(super) enum Stream {
    Plain(Box<dyn Write>),
    Gzip(GzEncoder<BufWriter<Box<dyn Write + Send>>>),
    Zstd(zstd::Encoder<'static, BufWriter<Box<dyn Write + Send>>>),
}

impl Stream {
    pub(super) fn open(target: &Target, archive: Archive, observer: &dyn Observer) -> Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, target.handle(observer)?);
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
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    categories: Vec<Entry<'a>>,
    truncated: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    category: &'a str,
    name: &'a str,
    probability: f32,
    assigned: bool,
}

impl<'a> From<&'a Category> for Entry<'a> {
    fn from(category: &'a Category) -> Self {
        Self {
            category: &category.category,
            name: category.name,
            probability: category.probability,
            assigned: category.assigned,
        }
    }
}

/// One object a paper.
pub(super) struct Lines {
    pub(super) target: Target,
    pub(super) stream: Stream,
}

impl Sink for Lines {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()> {
        let mut text = Vec::with_capacity(512 * answers.len());
        for Answer {
            row,
            id,
            title,
            prediction,
        } in &answers
        {
            let line = Line {
                row: *row,
                id: id.as_deref(),
                title: title.as_deref(),
                categories: prediction.categories.iter().map(Entry::from).collect(),
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
pub(super) struct Csv {
    target: Target,
    writer: csv::Writer<Stream>,
}

impl Csv {
    pub(super) fn open(target: Target, archive: Archive, observer: &dyn Observer) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(Stream::open(&target, archive, observer)?);
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
            ..
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
        if self.target.file.is_none() {
            self.writer
                .flush()
                .map_err(|source| self.target.fail(source))?;
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
