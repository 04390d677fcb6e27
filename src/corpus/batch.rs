//! One block of lines → packed pages of cleaned texts and what is known of each paper. Runs on any thread;
//! nothing here depends on other blocks.

mod draft;
mod records;

use super::dedup::{self, Fingerprint, Signature};
use super::lines::Block;
use super::options::{Clean, PrepareOptions};
use super::pages::Page;
use super::profile::Profile;
use super::subset::Filter;
use super::taxonomy::Label;
use super::texts::TEXTS;
use super::withdrawn::{self, Place};
use crate::error::Result;
use crate::text::clean_into;
use draft::Draft;
use records::Candidate;
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// What a block is read with.
pub(super) struct Reader<'a> {
    options: &'a PrepareOptions,
    filter: Filter,
    sign: bool,
    profile: &'a Profile,
}

/// A line that could not be read.
#[derive(Debug)]
pub(super) struct Bad {
    /// Line in the block, from 0.
    pub line: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Why.
    pub reason: String,
    /// Its first bytes.
    pub head: String,
}

/// Papers left out before duplicates are looked for, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub withdrawn: u64,
    pub short_abstract: u64,
    pub unlabelled: u64,
    pub outside_dates: u64,
    pub outside_categories: u64,
}

impl AddAssign for LeftOut {
    fn add_assign(&mut self, other: Self) {
        self.withdrawn += other.withdrawn;
        self.short_abstract += other.short_abstract;
        self.unlabelled += other.unlabelled;
        self.outside_dates += other.outside_dates;
        self.outside_categories += other.outside_categories;
    }
}

/// What is known of a paper besides its texts.
#[derive(Debug)]
pub(super) struct Paper {
    pub id: u64,
    pub fingerprint: Fingerprint,
    pub days: i32,
    pub primary: Option<Label>,
    pub archive: Option<&'static str>,
    /// Where its labels end in [`Batch::labels`].
    pub labels_end: usize,
}

/// What a block holds.
#[derive(Debug)]
pub(super) struct Batch {
    pub lines: u64,
    pub blank: u64,
    pub bad: Vec<Bad>,
    pub left_out: LeftOut,
    pub legacy: BTreeMap<&'static str, u64>,
    pub unknown: BTreeMap<String, u64>,
    pub papers: Vec<Paper>,
    pub labels: Vec<Label>,
    /// Ids, titles and abstracts of `papers`.
    pub pages: [Page; TEXTS],
}

#[derive(Default)]
struct Scratch {
    text: String,
    labels: Vec<Label>,
}

impl<'a> Reader<'a> {
    /// A reader for `options`.
    ///
    /// # Errors
    /// [`Error::Option`] for an unknown category.
    pub(super) fn new(options: &'a PrepareOptions, profile: &'a Profile) -> Result<Self> {
        let sign = options.dedup.exact || options.dedup.near;
        Ok(Self {
            options,
            filter: options.subset.filter()?,
            sign,
            profile,
        })
    }

    /// Reads one block; `first` is the stream's first.
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) only where zstd refuses its level.
    pub(super) fn read(&self, block: &Block, first: bool) -> Result<Batch> {
        let mut batch = Draft::default();
        let text = match block.lines() {
            text if first => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            text => text,
        };
        let mut scratch = Scratch::default();
        let candidates = self
            .profile
            .parse
            .time(|| self.parse(text, &mut batch, &mut scratch));
        if let Some(long) = &block.long {
            let line = batch.lines;
            batch.lines += 1;
            batch.bad.push(self.too_long(line, long.bytes, &long.head));
        }
        self.profile
            .clean
            .time(|| self.clean(&candidates, &mut batch, &mut scratch));
        self.profile.sign.time(|| self.sign(&mut batch));
        let level = self.options.zstd_level;
        self.profile.encode.time(|| batch.finish(level))
    }

    fn clean(&self, candidates: &[Candidate<'_>], batch: &mut Draft, scratch: &mut Scratch) {
        let mut labels_start = 0;
        for candidate in candidates {
            let labels = labels_start..candidate.labels_end;
            labels_start = candidate.labels_end;
            let texts = [
                (candidate.title, &mut batch.titles),
                (candidate.summary, &mut batch.abstracts),
            ];
            for (text, column) in texts {
                let Some(text) = text else { continue };
                // Checked when the line was parsed: no fault is left.
                match self.options.clean {
                    Clean::Whitespace => drop(text.squeeze_into(column.out())),
                    // White space is white space to cleaning, and a line of a wrapped text ends
                    // where nothing else is to be done.
                    Clean::Full => {
                        if let Ok(text) = text.decode_in_one_line(&mut scratch.text) {
                            clean_into(text, column.out());
                        }
                    }
                }
            }
            let summary = batch.abstracts.open();
            let short = summary.len() < self.options.min_abstract_chars
                || (summary.len() < 4 * self.options.min_abstract_chars
                    && summary.chars().count() < self.options.min_abstract_chars);
            let gone = !self.options.keep_withdrawn
                && withdrawn::mentioned(summary)
                && withdrawn::says_so(summary, Place::Abstract);
            if gone || short {
                batch.left_out.withdrawn += u64::from(gone);
                batch.left_out.short_abstract += u64::from(!gone);
                batch.titles.undo();
                batch.abstracts.undo();
                continue;
            }
            // Checked when the line was parsed, as the texts are.
            if let Ok(id) = candidate.id.decode(&mut scratch.text) {
                batch.ids.out().push_str(id);
            }
            let id = dedup::id_hash(batch.ids.open());
            for column in [&mut batch.ids, &mut batch.titles, &mut batch.abstracts] {
                column.end();
            }
            batch
                .labels
                .extend_from_slice(&batch.pending_labels[labels]);
            batch.papers.push(Paper {
                id,
                fingerprint: Fingerprint {
                    text: 0,
                    signature: Signature::NONE,
                },
                days: candidate.days,
                primary: candidate.primary,
                archive: candidate.archive,
                labels_end: batch.labels.len(),
            });
        }
    }

    fn sign(&self, batch: &mut Draft) {
        if !self.sign {
            return;
        }
        for (row, paper) in batch.papers.iter_mut().enumerate() {
            paper.fingerprint = dedup::fingerprint(batch.titles.get(row), batch.abstracts.get(row));
        }
    }
}
