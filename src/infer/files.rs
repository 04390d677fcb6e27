//! Whole files: papers in, predictions out, streamed in bounded memory, the output complete
//! or not there at all.
//!
//! JSON Lines, one JSON array, CSV and Parquet are read, the text formats plain or
//! compressed with gzip or zstd; what a file holds is seen from its content. JSON Lines, CSV
//! and Parquet are written, as the output's name says.

mod csv;
mod json;
mod open;
mod options;
mod parquet;
#[cfg(test)]
mod tests;
mod write;

pub use self::options::{Format, OnError, Options};
use super::classifier::Classifier;

use super::prediction::Prediction;
use crate::error::{Error, Result};
use crate::observe::{Observer, Progress};
use open::Source;
use serde::Serialize;
use std::path::Path;
use write::Sink;

/// The name that stands for standard input or output.
pub const STANDARD: &str = "-";

/// Bytes of texts that are read at a time, with a paper more.
const CHUNK_BYTES: usize = 64 << 20;

/// A summary quotes at most this many skipped records.
const QUOTED: usize = 20;

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The input as given.
    pub input: String,
    /// The output as given.
    pub output: String,
    /// Papers classified.
    pub papers: u64,
    /// Of these, papers whose text was longer than the model reads.
    pub truncated: u64,
    /// Records left out because they could not be read.
    pub skipped: u64,
    /// The first of the skipped records' errors.
    pub errors: Vec<String>,
}

/// A paper to classify.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// Position in the input, from 0, unreadable records counted.
    row: u64,
    id: Option<String>,
    title: String,
    abstract_: String,
}

/// A paper and what is said about it.
#[derive(Debug)]
struct Answer {
    row: u64,
    id: Option<String>,
    /// Where it is to be written.
    title: Option<String>,
    prediction: Prediction,
}

/// Classifies every paper of `input` in its order and writes `output`. `-` is standard input
/// and output. A paper is a record with the fields `title` and `abstract`, strings that may
/// be empty; its `id` is carried through and other fields are ignored.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] naming file, line and field; what [`Classifier::scores`]
/// returns. The output is then as it was.
pub fn classify_file(
    classifier: &Classifier,
    input: &str,
    output: &str,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Summary> {
    if input != STANDARD && output != STANDARD && same_file(input, output) {
        return Err(Error::option("output", output, "is the input itself"));
    }
    // A stream that was waited for in vain fails because the caller wants to stop.
    let heard = |error| observer.check().err().unwrap_or(error);
    let mut source = open::open(input, observer).map_err(heard)?;
    let mut sink = write::create(output, options.format, observer).map_err(heard)?;
    let mut summary = Summary {
        input: input.to_owned(),
        output: output.to_owned(),
        papers: 0,
        truncated: 0,
        skipped: 0,
        errors: Vec::new(),
    };
    while let Some(chunk) =
        next_chunk(source.as_mut(), options, &mut summary, observer).map_err(heard)?
    {
        let watch = Whole {
            inner: observer,
            before: summary.papers,
            chunk: chunk.len() as u64,
            total: source
                .expected()
                .unwrap_or(0)
                .saturating_sub(summary.skipped),
        };
        classify_chunk(
            classifier,
            chunk,
            sink.as_mut(),
            options,
            &mut summary,
            &watch,
        )?;
    }
    observer.check()?;
    sink.finish()?;
    observer.report("classify", summary.papers, summary.papers, "papers");
    Ok(summary)
}

/// The next papers, at least one; none at the end of the input.
fn next_chunk(
    source: &mut dyn Source,
    options: &Options,
    summary: &mut Summary,
    observer: &dyn Observer,
) -> Result<Option<Vec<Record>>> {
    let mut chunk: Vec<Record> = Vec::new();
    let (mut bytes, mut read) = (0, 0_usize);
    while chunk.len() < options.chunk && bytes < CHUNK_BYTES {
        read += 1;
        match source.next()? {
            None => break,
            Some(Ok(record)) => {
                bytes += record.title.len() + record.abstract_.len();
                chunk.push(record);
            }
            Some(Err(error)) if options.on_error == OnError::Fail => return Err(error),
            Some(Err(error)) => {
                summary.skipped += 1;
                if summary.errors.len() < QUOTED {
                    summary.errors.push(error.to_string());
                }
                log::debug!("skipped {error}");
            }
        }
        if read.is_multiple_of(256) {
            observer.check()?;
        }
    }
    Ok(if chunk.is_empty() { None } else { Some(chunk) })
}

fn classify_chunk(
    classifier: &Classifier,
    chunk: Vec<Record>,
    sink: &mut dyn Sink,
    options: &Options,
    summary: &mut Summary,
    observer: &dyn Observer,
) -> Result<()> {
    let titles: Vec<&str> = chunk.iter().map(|record| record.title.as_str()).collect();
    let abstracts: Vec<&str> = chunk
        .iter()
        .map(|record| record.abstract_.as_str())
        .collect();
    let predictions =
        classifier.classify(&titles, &abstracts, &[], &options.ranking(), observer)?;
    summary.papers += predictions.len() as u64;
    summary.truncated += predictions
        .iter()
        .filter(|prediction| prediction.truncated)
        .count() as u64;
    let answers = chunk
        .into_iter()
        .zip(predictions)
        .map(|(record, prediction)| Answer {
            row: record.row,
            id: record.id,
            title: options.titles.then_some(record.title),
            prediction,
        })
        .collect();
    sink.write(answers)
}

/// Places a chunk's progress within the whole file's.
struct Whole<'a> {
    inner: &'a dyn Observer,
    before: u64,
    chunk: u64,
    total: u64,
}

impl Observer for Whole<'_> {
    fn progress(&self, progress: &Progress) {
        let done = match progress.total {
            0 => 0,
            total => self.chunk * progress.done.min(total) / total,
        };
        self.inner.progress(&Progress {
            stage: "classify",
            done: self.before + done,
            total: self.total,
            unit: "papers",
            figures: progress.figures.clone(),
        });
    }

    fn cancelled(&self) -> bool {
        self.inner.cancelled()
    }
}

fn same_file(input: &str, output: &str) -> bool {
    match (
        Path::new(input).canonicalize(),
        Path::new(output).canonicalize(),
    ) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    }
}
