//! The lines that could not be read: `quarantine.jsonl`, one object a line.

use super::batch::Bad;
use crate::error::{Error, Result};
use serde::Serialize;
use std::io::{BufWriter, Write};
use std::path::Path;
use tempfile::NamedTempFile;

#[derive(Serialize)]
struct Entry<'a> {
    line: u64,
    reason: &'a str,
    bytes: u64,
    head: &'a str,
}

/// The file while it is written; invisible until [`Quarantine::finish`].
pub(super) struct Quarantine {
    file: BufWriter<NamedTempFile>,
    lines: u64,
    first: Option<String>,
}

impl Quarantine {
    /// An empty quarantine for the folder `out`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn new(out: &Path) -> Result<Self> {
        let file = super::prepare::temporary(out)?;
        Ok(Self {
            file: BufWriter::new(file),
            lines: 0,
            first: None,
        })
    }

    /// Takes a line of a block whose first line is line `base` of the source, from 0.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn push(&mut self, base: u64, bad: &Bad) -> Result<()> {
        let line = base + bad.line + 1;
        let entry = Entry {
            line,
            reason: &bad.reason,
            bytes: bad.bytes,
            head: &bad.head,
        };
        self.lines += 1;
        self.first
            .get_or_insert_with(|| format!("line {line}: {}", bad.reason));
        serde_json::to_writer(&mut self.file, &entry)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|error| Error::io(self.file.get_ref().path(), error))
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Line and reason of the first one.
    pub(super) fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// The file, complete.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn finish(self) -> Result<NamedTempFile> {
        self.file.into_inner().map_err(|error| {
            let (error, file) = error.into_parts();
            Error::io(file.get_ref().path(), error)
        })
    }
}
