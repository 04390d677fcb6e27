//! The lines that could not be read: `quarantine.jsonl`, one object a line.

use super::batch::Bad;
use crate::error::{Error, Result};
use crate::scratch::Pending;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Entry<'a> {
    line: u64,
    reason: &'a str,
    bytes: u64,
    head: &'a str,
}

/// The file while it is written; invisible until [`Quarantine::finish`].
pub(super) struct Quarantine {
    folder: PathBuf,
    file: BufWriter<File>,
    pending: Pending,
    lines: u64,
    first: Option<String>,
}

impl Quarantine {
    /// An empty quarantine for the folder `out`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn new(out: &Path) -> Result<Self> {
        let (file, pending) = Pending::create(out)?;
        Ok(Self {
            folder: out.to_path_buf(),
            file: BufWriter::new(file),
            pending,
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
            .map_err(|error| Error::io(&self.folder, error))
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
    pub(super) fn finish(self) -> Result<(File, Pending)> {
        let file = self.file.into_inner();
        let file = file.map_err(|error| Error::io(&self.folder, error.into_error()))?;
        Ok((file, self.pending))
    }
}
