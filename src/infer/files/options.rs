//! What is read from whole files and what is written.

use crate::error::{Error, Result};
use crate::infer::options::{Level, Ranking};
use crate::options::parse;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a caller may choose; crosses from Python as JSON.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// As in [`Ranking`].
    pub top_k: Option<usize>,
    /// As in [`Ranking`].
    pub all: bool,
    /// As in [`Ranking`].
    pub aliases: bool,
    /// As in [`Ranking`].
    pub level: Level,
    /// As in [`Ranking`].
    pub distribution: bool,
    /// As in [`Ranking`].
    pub thresholds: BTreeMap<String, f32>,
    /// As in [`Ranking`].
    pub min_precision: Option<f32>,
    /// Write each paper's title too, in JSON Lines.
    pub titles: bool,
    /// What to write; the output's name says it where this does not.
    pub format: Option<Format>,
    /// What happens at a record that cannot be read.
    pub on_error: OnError,
    /// Papers read, sorted by length and classified at a time, fewer of long ones: the bound on
    /// memory.
    pub chunk: usize,
}

/// How predictions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON Lines.
    Jsonl,
    /// CSV with a header.
    Csv,
    /// Parquet.
    Parquet,
}

/// What happens at a record that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The whole call fails with the record's place, and nothing is written.
    #[default]
    Fail,
    /// The record is left out and counted.
    Skip,
}

impl Default for Options {
    fn default() -> Self {
        let Ranking {
            top_k,
            all,
            aliases,
            level,
            distribution,
            thresholds,
            min_precision,
        } = Ranking::default();
        Self {
            top_k,
            all,
            aliases,
            level,
            distribution,
            thresholds,
            min_precision,
            titles: false,
            format: None,
            on_error: OnError::Fail,
            chunk: 4096,
        }
    }
}

impl Options {
    /// Reads and checks `options`, a JSON object.
    ///
    /// # Errors
    /// [`Error::Option`] naming the key.
    pub fn parse(options: &str) -> Result<Self> {
        let options: Self = parse(options)?;
        options.ranking().check()?;
        if options.chunk == 0 {
            return Err(Error::option(
                "chunk",
                0,
                "at least one paper must be read at a time",
            ));
        }
        Ok(options)
    }

    pub(super) fn ranking(&self) -> Ranking {
        Ranking {
            top_k: self.top_k,
            all: self.all,
            aliases: self.aliases,
            level: self.level,
            distribution: self.distribution,
            thresholds: self.thresholds.clone(),
            min_precision: self.min_precision,
        }
    }
}
