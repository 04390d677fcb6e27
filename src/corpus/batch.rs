//! One block of lines → packed pages of cleaned texts and what is known of each paper. Runs on any thread;
//! nothing here depends on other blocks.

use super::dedup::{self, Fingerprint, Signature};
use super::json::{Fault, Text};
use super::lines::Block;
use super::options::{Clean, PrepareOptions};
use super::pages::{Page, Texts};
use super::profile::Profile;
use super::record::Record;
use super::spill::TEXTS;
use super::squeeze::squeeze;
use super::subset::Filter;
use super::taxonomy::{self, Label, Resolution};
use super::{when, withdrawn};
use crate::error::Result;
use crate::text::clean_into;
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Bytes of an unreadable line that are shown.
const SHOWN: usize = 200;

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

/// A record that is to be cleaned.
struct Candidate<'a> {
    id: Text<'a>,
    title: Option<Text<'a>>,
    summary: Option<Text<'a>>,
    days: i32,
    primary: Option<Label>,
    archive: Option<&'static str>,
    labels_end: usize,
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

    fn parse<'t>(
        &self,
        text: &'t [u8],
        batch: &mut Draft,
        scratch: &mut Scratch,
    ) -> Vec<Candidate<'t>> {
        // One look at the whole block; line by line only where it is not all UTF-8.
        let whole = std::str::from_utf8(text).ok();
        let mut candidates = Vec::with_capacity(text.len() / 1024);
        let mut from = 0;
        while from < text.len() {
            let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |step| from + step);
            let number = batch.lines;
            batch.lines += 1;
            let bytes = &text[from..end];
            let line =
                whole.map_or_else(|| std::str::from_utf8(bytes), |whole| Ok(&whole[from..end]));
            from = end + 1;
            if bytes.len() > self.options.max_line_bytes {
                batch
                    .bad
                    .push(self.too_long(number, bytes.len() as u64, bytes));
                continue;
            }
            let outcome = match line {
                Ok(line) if line.trim_ascii().is_empty() => {
                    batch.blank += 1;
                    continue;
                }
                Ok(line) => self.candidate(line, batch, scratch),
                Err(error) => Err(format!("invalid UTF-8 at byte {}", error.valid_up_to())),
            };
            match outcome {
                Ok(candidate) => candidates.extend(candidate),
                Err(reason) => {
                    batch.bad.push(Bad {
                        line: number,
                        bytes: bytes.len() as u64,
                        reason,
                        head: shown(bytes),
                    });
                }
            }
        }
        candidates
    }

    fn too_long(&self, line: u64, bytes: u64, head: &[u8]) -> Bad {
        let most = self.options.max_line_bytes;
        Bad {
            line,
            bytes,
            reason: format!("longer than max_line_bytes = {most}"),
            head: shown(head),
        }
    }

    /// What the line says, or nothing where the paper is left out.
    fn candidate<'t>(
        &self,
        line: &'t str,
        batch: &mut Draft,
        scratch: &mut Scratch,
    ) -> Result<Option<Candidate<'t>>, String> {
        let record = Record::parse(line).map_err(|fault| fault.to_string())?;
        let id = record
            .id()
            .filter(|id| !id.raw().is_empty())
            .ok_or("field \"id\" is missing or empty")?;
        // Texts are decoded later and must not fail then.
        for (field, text) in [("title", record.title()), ("abstract", record.summary())] {
            if let Some(text) = text {
                text.check().map_err(|fault| {
                    Fault {
                        field: Some(field),
                        ..fault
                    }
                    .to_string()
                })?;
            }
        }
        let days = match record.created() {
            Some(days) => days,
            None => {
                let id = id
                    .decode(&mut scratch.text)
                    .map_err(|fault| fault.to_string())?;
                when::month_of_id(id).ok_or_else(|| {
                    format!("field \"id\": neither versions[0].created nor \"{id}\" tells a date")
                })?
            }
        };
        let (primary, archive) = self.labels(record.categories(), batch, scratch)?;
        if scratch.labels.is_empty() && !self.options.keep_unlabelled {
            batch.left_out.unlabelled += 1;
            return Ok(None);
        }
        if !self.filter.has_day(days) {
            batch.left_out.outside_dates += 1;
            return Ok(None);
        }
        if !self.filter.has_labels(primary, &scratch.labels) {
            batch.left_out.outside_categories += 1;
            return Ok(None);
        }
        if !self.options.keep_withdrawn
            && let Some(comments) = record.comments()
            && withdrawn::mentioned(comments.raw())
            && comments
                .decode(&mut scratch.text)
                .is_ok_and(withdrawn::says_so)
        {
            batch.left_out.withdrawn += 1;
            return Ok(None);
        }
        batch.pending_labels.extend_from_slice(&scratch.labels);
        let labels_end = batch.pending_labels.len();
        Ok(Some(Candidate {
            id,
            title: record.title(),
            summary: record.summary(),
            days,
            primary,
            archive,
            labels_end,
        }))
    }

    /// Resolves the categories into `scratch.labels`; gives the primary label and archive.
    fn labels(
        &self,
        categories: Option<Text<'_>>,
        batch: &mut Draft,
        scratch: &mut Scratch,
    ) -> Result<(Option<Label>, Option<&'static str>), String> {
        scratch.labels.clear();
        let Some(categories) = categories else {
            return Ok((None, None));
        };
        let categories = categories.decode(&mut scratch.text).map_err(|fault| {
            Fault {
                field: Some("categories"),
                ..fault
            }
            .to_string()
        })?;
        let (mut primary, mut archive) = (None, None);
        for (at, name) in categories.split_ascii_whitespace().enumerate() {
            let label = match taxonomy::resolve(name) {
                Resolution::Label(label) => Some(label),
                Resolution::Legacy => {
                    if let Some(found) = taxonomy::find(name) {
                        *batch.legacy.entry(found.id).or_default() += 1;
                        archive = archive.or((at == 0).then_some(found.archive));
                    }
                    None
                }
                Resolution::Unknown => {
                    *batch.unknown.entry(name.to_owned()).or_default() += 1;
                    None
                }
            };
            if let Some(label) = label {
                if at == 0 {
                    primary = Some(label);
                }
                archive = archive.or(Some(label.archive()));
                if !scratch.labels.contains(&label) {
                    scratch.labels.push(label);
                }
            }
        }
        Ok((primary, archive))
    }

    fn clean(&self, candidates: &[Candidate<'_>], batch: &mut Draft, scratch: &mut Scratch) {
        let clean_into = match self.options.clean {
            Clean::Full => clean_into,
            Clean::Whitespace => squeeze,
        };
        let mut labels_start = 0;
        for candidate in candidates {
            let labels = labels_start..candidate.labels_end;
            labels_start = candidate.labels_end;
            let texts = [
                (candidate.title, &mut batch.titles),
                (candidate.summary, &mut batch.abstracts),
            ];
            for (text, column) in texts {
                // Checked when the line was parsed. To either way of cleaning, white space is white
                // space, and a line of a wrapped text ends where nothing else is to be done.
                let line = text.map(|text| text.decode_in_one_line(&mut scratch.text));
                if let Some(Ok(text)) = line {
                    clean_into(text, column.out());
                }
            }
            let summary = batch.abstracts.open();
            let short = summary.len() < self.options.min_abstract_chars
                || (summary.len() < 4 * self.options.min_abstract_chars
                    && summary.chars().count() < self.options.min_abstract_chars);
            let gone = !self.options.keep_withdrawn
                && withdrawn::mentioned(summary)
                && withdrawn::says_so(summary);
            if gone || short {
                batch.left_out.withdrawn += u64::from(gone);
                batch.left_out.short_abstract += u64::from(!gone);
                batch.titles.undo();
                batch.abstracts.undo();
                continue;
            }
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

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned()
}

/// A batch while it is read.
struct Draft {
    lines: u64,
    blank: u64,
    bad: Vec<Bad>,
    left_out: LeftOut,
    legacy: BTreeMap<&'static str, u64>,
    unknown: BTreeMap<String, u64>,
    pending_labels: Vec<Label>,
    papers: Vec<Paper>,
    labels: Vec<Label>,
    ids: Texts,
    titles: Texts,
    abstracts: Texts,
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
    fn finish(self, zstd_level: i32) -> Result<Batch> {
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
