//! A batch while it grows.

use super::super::pages::Texts;
use super::super::taxonomy::Label;
use super::{Bad, Batch, LeftOut, Paper};
use crate::error::Result;
use std::collections::BTreeMap;

/// A batch while it is read.
pub(super) struct Draft {
    pub lines: u64,
    pub blank: u64,
    pub bad: Vec<Bad>,
    pub left_out: LeftOut,
    pub legacy: BTreeMap<&'static str, u64>,
    pub unknown: BTreeMap<String, u64>,
    pub pending_labels: Vec<Label>,
    pub papers: Vec<Paper>,
    pub labels: Vec<Label>,
    pub ids: Texts,
    pub titles: Texts,
    pub abstracts: Texts,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            lines: 0,
            blank: 0,
            bad: Vec::new(),
            left_out: LeftOut::default(),
            legacy: BTreeMap::new(),
            unknown: BTreeMap::new(),
            pending_labels: Vec::new(),
            papers: Vec::new(),
            labels: Vec::new(),
            ids: Texts::new(1 << 14),
            titles: Texts::new(1 << 16),
            abstracts: Texts::new(1 << 20),
        }
    }
}

impl Draft {
    /// The batch, its texts packed.
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) for a level that zstd does not have.
    pub(super) fn finish(self, zstd_level: i32) -> Result<Batch> {
        let pack = |texts: Texts| texts.into_column().pack(zstd_level);
        Ok(Batch {
            lines: self.lines,
            blank: self.blank,
            bad: self.bad,
            left_out: self.left_out,
            legacy: self.legacy,
            unknown: self.unknown,
            papers: self.papers,
            labels: self.labels,
            pages: [pack(self.ids)?, pack(self.titles)?, pack(self.abstracts)?],
        })
    }
}
